"""Hundreds of slow connections from several addresses do not keep others from being answered."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from tests.hostile.raw import answers
from tests.installations import Installation, eventually, running_processes
from tests.people import People

SOURCES = [f"127.0.0.{number}" for number in range(2, 12)]
EACH = 40
"""The connections from each source, altogether ten times as many as the gateway has threads."""

HEAD = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
AT_ONCE = 20
SLOW = {
    "nothing": b"",
    "a byte": b"G",
    "a head without an end": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n",
    "a body without an end": HEAD + b"Content-Length: 200000\r\n\r\n" + b"x" * 1_000,
    "a chunk without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n{",
    "chunks without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 100,
    "an expectation that is not met": HEAD + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    "answers that nobody reads": b"GET /api/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n",
    "requests one behind the other that nobody reads the answers to": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    * AT_ONCE
    + b"GET / HT",
    "a last answer after which nobody hangs up": b"GET /healthz HTTP/1.0\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "NUL": bytes(100),
}


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    """Yield a stack for connections, which are held until the test ends."""
    with ExitStack() as held:
        yield held


def hold(crowd: ExitStack, installation: Installation, beginning: bytes) -> list[socket.socket]:
    """Open connections from all sources, send `beginning` on each, and return them."""
    lines = []
    for source in SOURCES:
        for _ in range(EACH):
            line = crowd.enter_context(
                socket.create_connection(("127.0.0.1", installation.stack.port), timeout=20, source_address=(source, 0))
            )
            # A small buffer, so that the kernel takes little of the response.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            # The server may have closed the connection already.
            with suppress(OSError):
                line.sendall(beginning)
            lines.append(line)
    return lines


@pytest.mark.parametrize("beginning", SLOW.values(), ids=SLOW)
def test_everybody_else_is_answered(whole: Installation, people: People, crowd: ExitStack, beginning: bytes) -> None:
    before = running_processes(whole)
    hold(crowd, whole, beginning)
    with httpx.Client(base_url=whole.url, timeout=20) as http:
        assert http.get("/healthz").status_code == 200
        assert http.get("/").status_code == 200
    assert people.operator.desk("intake") is not None
    assert running_processes(whole) == before


def test_more_than_may_be_connected_refuse_nobody(whole: Installation, crowd: ExitStack) -> None:
    """There are twice as many connections as allowed, and the oldest are closed."""
    lines = [line for _ in range(5) for line in hold(crowd, whole, b"GET /")]
    for _ in range(5):
        [said] = answers(whole, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert said.status == 200
    assert lines[0].recv(1) == b""
    lines[-1].setblocking(False)
    with pytest.raises(BlockingIOError):
        lines[-1].recv(1)


def test_who_does_not_end_a_request_is_told_so_after_a_while_and_hung_up_on(whole: Installation) -> None:
    [said] = answers(whole, b"GET / HTTP/1.1\r\n", hang_up=False)
    assert said.status == 408
    assert said.problem()["type"] == "urn:nkk:problem:too-slow"
    assert '"request failed"' not in whole.log("gateway")


# -- trusted proxies


def strict(whole: Installation, source: str, *headers: bytes) -> bool:
    """Return whether the response to a request from `source` is the one for a visitor with TLS."""
    with socket.create_connection(("127.0.0.1", whole.stack.port), timeout=20, source_address=(source, 0)) as line:
        line.sendall(b"\r\n".join([b"GET /healthz HTTP/1.1", b"Host: x", b"Connection: close", *headers, b"", b""]))
        said = b"".join(iter(lambda: line.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 200 ")
    return b"\r\nStrict-Transport-Security: " in said


def test_what_a_proxy_says_is_believed_of_the_trusted_one_alone(whole: Installation) -> None:
    forged = (b"X-Forwarded-Proto: https", b"X-Forwarded-For: 203.0.113.7")
    assert strict(whole, "127.0.0.99", *forged)
    assert not strict(whole, "127.0.0.99", b"X_Forwarded_Proto: https")
    for source in ("127.0.0.1", "127.0.0.2"):
        assert not strict(whole, source, *forged)


def test_a_trusted_proxys_connections_stay_when_strangers_crowd_in(whole: Installation, crowd: ExitStack) -> None:
    kept = crowd.enter_context(
        socket.create_connection(("127.0.0.1", whole.stack.port), timeout=20, source_address=("127.0.0.99", 0))
    )
    lines = [line for _ in range(3) for line in hold(crowd, whole, b"")]
    eventually(lambda: lines[0].recv(1) == b"")
    kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert kept.recv(65_536).startswith(b"HTTP/1.1 200 ")
