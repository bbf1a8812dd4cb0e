"""Receivers of webhooks: small HTTPS servers that behave as a test says, and their certificate authority."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "localhost"


class Authority:
    """A certificate authority, its certificates as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        now = datetime.now(UTC)
        own = self._signed(self._name, self._key, now + timedelta(days=1), x509.BasicConstraints(True, 0))
        self.file = folder / "authority.pem"
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def issue(self, name: str = HOST, until: datetime | None = None) -> Path:
        """Return a file with a certificate for the DNS `name`, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        issued = self._signed(subject, key, until or datetime.now(UTC) + timedelta(days=1), names)
        path = self._folder / f"{issued.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + issued.public_bytes(Encoding.PEM)
        )
        return path

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime, extension: x509.ExtensionType
    ) -> x509.Certificate:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=9))
            .not_valid_after(until)
            .add_extension(extension, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@dataclass
class Request:
    """A request that a receiver got, with its headers in lower case."""

    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[BaseHTTPRequestHandler, Request], None]


def answers(status: int, **headers: str) -> Behaviour:
    """Return the behaviour of a receiver that answers each request with `status`."""

    def behave(handler: BaseHTTPRequestHandler, _request: Request) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


TAKEN = answers(204)


@dataclass
class Receiver:
    """A running receiver: where it listens, what it got, and how it behaves, which may be changed."""

    port: int
    behave: Behaviour
    got: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/kasus"


@contextmanager
def receiver(certificate: Path | None, behave: Behaviour = TAKEN, port: int = 0) -> Iterator[Receiver]:
    """Run a receiver on loopback; without a certificate it speaks plain HTTP."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            found.connections += 1
            if certificate:
                self.request.settimeout(20)
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            try:
                super().finish()
            finally:
                self.request.close()

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                # The sender ended in the middle of it.
                self.close_connection = True
                return
            request = Request({name.lower(): value for name, value in self.headers.items()}, body)
            found.got.append(request)
            found.behave(self, request)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that refuses the certificate, or goes away, is what a test wants."""

    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = Server(("127.0.0.1", port), Handler)
    found = Receiver(server.server_address[1], behave)
    thread = Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
