"""The repository's TLS proxy configuration, run with Debian's nginx on this machine."""

import ipaddress
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ops.stack.broker import install_packages
from ops.stack.ports import LOOPBACK, free_port
from ops.stack.supervisor import dying_with_us
from tests.installations import eventually

CONFIGURATION = Path(__file__).resolve().parents[1] / "deploy" / "nginx" / "nginx.conf"
ADDRESS = "127.0.0.99"
"""The address from which the proxy connects to the gateway."""
SITE_URL = "https://pengaduan.example.id"


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its ports and the folder of its certificate."""

    https: int
    http: int
    folder: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    @property
    def trust(self) -> ssl.SSLContext:
        """A TLS context that trusts this proxy's certificate only."""
        return ssl.create_default_context(cafile=str(self.folder / "certificate"))


@contextmanager
def nginx(folder: Path, gateway_port: int) -> Iterator[Proxy]:
    """Run nginx with the repository's configuration before the gateway at `gateway_port`."""
    if shutil.which("nginx") is None:
        install_packages("nginx-light")
    proxy = Proxy(free_port(), free_port(), folder)
    _write_certificate(folder)
    (folder / "redirect.conf").write_text(f"return 308 {SITE_URL}$request_uri;")
    (folder / "nginx.conf").write_text(_here(CONFIGURATION.read_text(), proxy, gateway_port))
    # As one process, and as the user who runs the tests, because the folder is private to that user.
    user = "user root; " if os.geteuid() == 0 else ""
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr", "-g", f"{user}master_process off;"]
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(dying_with_us(command), stderr=log, stdout=log)
    try:
        eventually(lambda: (folder / "nginx.pid").exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "nginx.log").read_text()
        yield proxy
    finally:
        process.terminate()
        process.wait(20)


def _here(configuration: str, proxy: Proxy, gateway_port: int) -> str:
    """Return the configuration with this machine's ports, files and addresses instead of the container's."""
    for there, here in {
        "gateway.door:8000": f"{LOOPBACK}:{gateway_port}",
        "listen 8443 ": f"listen {LOOPBACK}:{proxy.https} ",
        "listen 8080;": f"listen {LOOPBACK}:{proxy.http};",
        " /tmp/": f" {proxy.folder}/",
        "/run/secrets/": f"{proxy.folder}/",
        "/etc/nginx/redirect.conf": f"{proxy.folder}/redirect.conf",
        "proxy_pass http://gateway;": f"proxy_pass http://gateway; proxy_bind {ADDRESS};",
    }.items():
        assert there in configuration
        configuration = configuration.replace(there, here)
    return configuration


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "certificate_key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
