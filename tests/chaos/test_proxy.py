"""Each mode of the proxy does to the bytes what it promises."""

import socket
import threading
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from ops.stack.ports import LOOPBACK, free_port, listening_socket
from tests.chaos.proxy import CHUNK, DELAY_SECONDS, PASS, Proxy, through
from tests.installations import eventually

WORD = b"0123456789"


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of an echo server."""
    door = listening_socket()

    def serve() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=say_again, args=(line,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield door.getsockname()[1]
    door.shutdown(socket.SHUT_RDWR)
    door.close()


def say_again(line: socket.socket) -> None:
    with line:
        try:
            while data := line.recv(CHUNK):
                line.sendall(data)
        except ConnectionError:
            return


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy([(LOOPBACK, echo)]) as running:
        yield running


@pytest.fixture
def call(proxy: Proxy) -> Iterator[Callable[[], socket.socket]]:
    """A function that connects to the proxy."""
    lines: list[socket.socket] = []

    def connect() -> socket.socket:
        lines.append(socket.create_connection((LOOPBACK, proxy.port), timeout=10))
        return lines[-1]

    yield connect
    for line in lines:
        line.close()


Call = Callable[[], socket.socket]


def said(line: socket.socket, length: int = len(WORD)) -> bytes:
    """Return what comes back, until the other end closes or `length` bytes are there."""
    found = b""
    while len(found) < length and (data := line.recv(length - len(found))):
        found += data
    return found


def test_what_passes_is_what_was_sent(call: Call) -> None:
    line, much = call(), bytes(range(256)) * 4096
    threading.Thread(target=line.sendall, args=(much,)).start()
    assert said(line, len(much)) == much


def test_a_delay_loses_nothing_and_keeps_the_order(proxy: Proxy, call: Call) -> None:
    line = call()
    proxy.behave("delay")
    began = monotonic()
    for _ in range(3):
        line.sendall(WORD)
    assert said(line, 3 * len(WORD)) == 3 * WORD
    assert monotonic() - began >= 2 * DELAY_SECONDS[0]


def test_a_stall_keeps_what_was_sent_until_it_ends(proxy: Proxy, call: Call) -> None:
    line = call()
    proxy.behave("stall")
    later = call()
    for each in (line, later):
        each.sendall(WORD)
        each.settimeout(0.3)
        with pytest.raises(TimeoutError):
            each.recv(1)
        each.settimeout(10)
    proxy.behave(PASS)
    assert (said(line), said(later)) == (WORD, WORD)


def test_a_halved_message_arrives_by_half_and_is_followed_by_nothing(proxy: Proxy, call: Call) -> None:
    line = call()
    line.sendall(WORD)
    assert said(line) == WORD
    proxy.behave("halve")
    line.sendall(WORD)
    # Half on the way there, and half of that on the way back.
    assert said(line) in (WORD[:5], WORD[:2], b"")
    assert line.recv(1) == b""


def test_a_reset_is_met_by_old_connections_and_new_ones(proxy: Proxy, call: Call) -> None:
    line = call()
    line.sendall(WORD)
    assert said(line) == WORD
    proxy.behave("reset")
    with pytest.raises(ConnectionResetError):
        line.recv(1)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        said_to_new(call())
    proxy.behave(PASS)
    again = call()
    again.sendall(WORD)
    assert said(again) == WORD


def said_to_new(line: socket.socket) -> None:
    while True:
        line.sendall(WORD)
        if not line.recv(1):
            raise ConnectionResetError


def test_who_hangs_up_is_hung_up_upon_and_leaves_nothing_open(proxy: Proxy, call: Call) -> None:
    line = call()
    line.sendall(WORD)
    assert said(line) == WORD
    assert proxy.connections == 2
    line.close()
    eventually(lambda: proxy.connections == 0)


def test_the_next_is_tried_where_one_is_not_there(echo: int) -> None:
    with Proxy([(LOOPBACK, free_port()), (LOOPBACK, echo)]) as proxy:
        for _ in range(4):
            with socket.create_connection((LOOPBACK, proxy.port), timeout=10) as line:
                line.sendall(WORD)
                assert said(line) == WORD


def test_a_caller_of_nobody_is_reset() -> None:
    # The reset may come right after the connection, even before the client knows that it is connected.
    with (
        Proxy([(LOOPBACK, free_port())]) as proxy,
        pytest.raises(ConnectionResetError),
        socket.create_connection((LOOPBACK, proxy.port), timeout=10) as line,
    ):
        line.recv(1)


def test_a_url_leads_through_the_proxy() -> None:
    with Proxy([(LOOPBACK, 1)]) as proxy:
        assert through("amqp://nkk:secret@10.0.0.1:5672//", proxy) == f"amqp://nkk:secret@{LOOPBACK}:{proxy.port}//"
        assert (
            through("postgresql://nkk@127.0.0.1:5/intake", proxy) == f"postgresql://nkk@127.0.0.1:{proxy.port}/intake"
        )
