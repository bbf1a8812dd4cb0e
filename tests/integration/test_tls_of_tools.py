"""A tool connects by TLS, and to no broker whose certificate it cannot check."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nkk.client import SubscriptionError, subscribe
from nkk.messaging.publisher import connected
from ops.stack.broker import PrivateNode
from tests.certificates import own_certificate
from tests.installations import eventually, new_vhost
from tests.tools import FakeStage, add_tools, tool_uri

NAMES = iter(["tls-one", "tls-two", "tls-three", "tls-four"])


@pytest.fixture(scope="module")
def uri(managed_rabbit: PrivateNode) -> str:
    """A virtual host of this module's own."""
    return new_vhost(managed_rabbit)


@pytest.fixture
def tool(managed_rabbit: PrivateNode, uri: str) -> str:
    """The credential of a tool that has received nothing, without TLS."""
    return add_tools(managed_rabbit, uri, "triage", next(NAMES))[0]


class Tls:
    """TLS before the broker at `port`, with any certificate."""

    def __init__(self, port: int, stack: ExitStack) -> None:
        self._port = port
        self._stack = stack
        self._clients: list[socket.socket] = []

    def start(self, certificate: tuple[Path, Path]) -> int:
        """Listen with `certificate`, and return the port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=self._serve, args=[listener, context], daemon=True).start()
        return listener.getsockname()[1]

    def cut(self) -> None:
        """Cut the connections that are open."""
        for client in self._clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError):
                client = context.wrap_socket(client, server_side=True)
                self._clients.append(client)
                broker = socket.create_connection(("127.0.0.1", self._port))
                for source, target in ((client, broker), (broker, client)):
                    threading.Thread(target=_pump, args=[source, target], daemon=True).start()


@pytest.fixture
def tls(uri: str) -> Iterator[Tls]:
    """TLS before the broker."""
    with ExitStack() as stack:
        yield Tls(urlsplit(uri).port or 0, stack)


@pytest.fixture
def by_tls(tls: Tls, uri: str) -> Callable[[tuple[Path, Path]], str]:
    """What puts TLS with a certificate before the broker, and returns a tool's credential for it."""

    def start(certificate: tuple[Path, Path], tool: str = tool_uri(uri, "nobody", "secret")) -> str:
        parts = urlsplit(tool)
        at = parts.netloc.replace(f":{parts.port}", f":{tls.start(certificate)}")
        return parts._replace(scheme="amqps", netloc=at).geturl()

    return start


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), closing(source), closing(target):
        while data := source.recv(65536):
            target.sendall(data)


def test_a_tool_listens_by_tls_where_the_authority_is_known(uri, tool, by_tls, tmp_path):
    certificate = own_certificate(tmp_path)
    told = FakeStage(uri).tell("ticket")
    with closing(subscribe("triage", uri=by_tls(certificate, tool), ca=str(certificate[0]))) as events:
        assert next(events)["id"] == told


def test_the_authority_may_be_named_in_the_environment(uri, tool, by_tls, tmp_path, monkeypatch):
    certificate = own_certificate(tmp_path)
    told = FakeStage(uri).tell("ticket")
    monkeypatch.setenv("NKK_TOOL_CA", str(certificate[0]))
    with closing(subscribe("triage", uri=by_tls(certificate, tool))) as events:
        assert next(events)["id"] == told


@pytest.mark.parametrize(
    ("host", "lasts", "is_known", "said"),
    [
        ("127.0.0.1", timedelta(days=1), False, "self-signed certificate"),
        ("127.0.0.2", timedelta(days=1), True, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("127.0.0.1", timedelta(days=-1), True, "certificate has expired"),
    ],
)
@pytest.mark.parametrize("query", ["", "?ssl=0", "?ssl_cert_reqs=CERT_NONE"])
def test_a_certificate_that_cannot_be_checked_is_refused_with_the_reason(
    by_tls, tmp_path, host, lasts, is_known, said, query
):
    certificate = own_certificate(tmp_path, host, lasts)
    uri, ca = by_tls(certificate) + query, str(certificate[0]) if is_known else None
    with pytest.raises(SubscriptionError, match=f"certificate is not accepted: {said}.*NKK_TOOL_CA"):
        next(subscribe("triage", uri=uri, ca=ca))
    with pytest.raises(ssl.SSLCertVerificationError), connected(uri, ca=ca):
        pass


def test_a_certificate_that_expires_while_a_tool_listens_is_waited_for(uri, tool, tls, by_tls, tmp_path):
    (tmp_path / "expired").mkdir()
    good, expired = own_certificate(tmp_path), own_certificate(tmp_path / "expired", lasts=timedelta(days=-1))
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(good[0].read_bytes() + expired[0].read_bytes())
    stage, said, came = FakeStage(uri), [], []
    where = {"now": by_tls(good, tool)}
    told = [stage.tell("ticket")]
    events = subscribe("triage", uri=lambda: where["now"], ca=str(authorities), on_trouble=said.append)
    reading = threading.Thread(target=lambda: came.extend(next(events)["id"] for _ in range(2)))
    reading.start()
    eventually(lambda: came == told)
    where["now"] = by_tls(expired, tool)
    tls.cut()
    eventually(lambda: said and "certificate is not accepted" in said[-1])
    where["now"] = by_tls(good, tool)
    told.append(stage.tell("ticket"))
    reading.join(30)
    assert came == told
    assert [trouble.split(":")[0] for trouble in said][-2:] == [
        "the broker's certificate is not accepted",
        "the broker is back",
    ]
    events.close()


def test_a_port_without_tls_is_named_at_once(tool: str) -> None:
    with pytest.raises(
        SubscriptionError, match="does not speak TLS: take the port of the listener with TLS, or amqp://"
    ):
        next(subscribe("triage", uri=tool.replace("amqp:", "amqps:"), on_trouble=pytest.fail))
