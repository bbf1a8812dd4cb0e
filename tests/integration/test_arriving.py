"""Long bodies that a thread reads while they arrive, and long answers that are drawn as the client takes them."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any

import pytest
from waitress.channel import HTTPChannel

from gateway import bodies, requests
from gateway.connections import Allowance
from gateway.drawing import MANY_BYTES
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError, pieces
from gateway.files.serving import DRAW
from gateway.proxies import Proxies
from tests.installations import eventually
from tests.integration.test_connections import GET, PATIENT, House, answer, has_ended
from tests.unit.gateway.files.stand_ins import pattern

PATH = "/api/v1/uploads/x"
PLAIN = pattern(3_000_000)


def head(length: int | None, more: str = "", method: str = "PATCH", path: str = PATH) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n{more}\r\n".encode()


class Receiving:
    """An application that reads a body as it arrives, and keeps what came of it."""

    def __init__(self) -> None:
        self.came = bytearray()
        self.ended: Exception | None = None
        self.has_ended = threading.Event()
        self.may_read = threading.Event()
        self.may_read.set()
        self.most_held = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body, status = environ["wsgi.input"], "200 OK"
        try:
            self.may_read.wait(20)
            for piece in pieces(body):
                self.came += piece
                self.most_held = max(self.most_held, getattr(body, "_held", 0))
        except (BrokenOffError, TooSlowError, LeavingError) as error:
            self.ended, status = error, "408 Request Timeout"
        said = hashlib.sha256(self.came).hexdigest().encode()
        start_response(status, [("Content-Length", str(len(said)))])
        self.has_ended.set()
        return [said]


def refusing(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer without reading the body."""
    start_response("401 Unauthorized", [("Content-Length", "2")])
    return [b"no"]


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    with ExitStack() as stack:

        def build(threads: int = 2, allowed: Allowance = PATIENT) -> House:
            here = House(threads, 200, allowed, 64 * 1024 * 1024, Proxies())
            stack.callback(here.close)
            return here

        yield build


@pytest.fixture
def here(house: Callable[..., House]) -> House:
    return house()


@pytest.fixture
def receiving(here: House) -> Receiving:
    found = Receiving()
    here.application.more[PATH] = found
    return found


def digest(plain: bytes = PLAIN) -> bytes:
    return hashlib.sha256(plain).hexdigest().encode()


def both(line: socket.socket) -> bytes:
    """Return two answers."""
    text = b""
    while text.count(b"HTTP/1.1 200 OK") < 2:
        text += line.recv(65_536)
    return text


def test_a_long_body_is_read_as_it_arrives_and_never_held_whole(here: House, receiving: Receiving) -> None:
    with here.connect(head(len(PLAIN))) as line:
        line.sendall(PLAIN)
        assert answer(line).endswith(digest())
        assert receiving.most_held <= bodies.MOST_BYTES + 64 * 1024
        # The connection goes on.
        line.sendall(GET)
        assert answer(line).startswith(b"HTTP/1.1 200 OK")


def test_what_follows_a_body_is_the_next_request(here: House, receiving: Receiving) -> None:
    with here.connect(head(5) + b"12345" + GET) as line:
        assert digest(b"12345") in both(line)
    assert bytes(receiving.came) == b"12345"
    assert here.application.asked == [("/echo", b"")]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_ends_no_connection(here: House, status: str) -> None:
    def without_body(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        for _ in pieces(environ["wsgi.input"]):
            pass
        start_response(status, [])
        return []

    here.application.more[PATH] = without_body
    with here.connect((head(5) + b"12345") * 2 + GET) as line:
        text = b""
        while b"HTTP/1.1 200 OK" not in text:
            text += line.recv(65_536) or pytest.fail(str(text))
        assert text.count(f"HTTP/1.1 {status}".encode()) == 2
        assert b"Connection: close" not in text
    with here.connect(head(5, "Connection: close\r\n") + b"12345" + GET) as line:
        assert b"Connection: close" in answer(line)
        assert has_ended(line)


def test_a_request_that_follows_at_once_has_its_own_body(
    here: House, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of the first has answered, and is not done with it."""
    serve, may_go = HTTPChannel.service, threading.Event()

    def lingering(channel: Any) -> None:
        serve(channel)
        may_go.wait(20)

    monkeypatch.setattr(HTTPChannel, "service", lingering)
    with here.connect(head(5) + b"12345") as line:
        assert answer(line).endswith(digest(b"12345"))
        (channel,) = here.door.active_channels.values()
        line.sendall(head(5))
        eventually(lambda: channel._arriving is not None)
        may_go.set()
        eventually(lambda: not channel.requests or channel._arriving is not None)
        line.sendall(b"67890")
        assert answer(line).endswith(digest(b"1234567890"))


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_a_body_in_chunks_is_the_same(here: House, receiving: Receiving, size: int) -> None:
    plain = PLAIN[: 200 * size]
    framed = b"".join(
        f"{len(plain[at : at + size]):x}\r\n".encode() + plain[at : at + size] + b"\r\n"
        for at in range(0, len(plain), size)
    )
    with here.connect(head(None) + framed + b"0\r\n\r\n" + GET) as line:
        assert digest(plain) in both(line)
    assert here.application.asked == [("/echo", b"")]


def test_chunks_that_are_not_what_they_say_break_it_off(here: House, receiving: Receiving) -> None:
    with here.connect(head(None) + b"5\r\n12345\r\nxyz\r\n") as line:
        assert answer(line).startswith(b"HTTP/1.1 408 ")
        assert has_ended(line)
    assert isinstance(receiving.ended, BrokenOffError)
    assert bytes(receiving.came) == b"12345"


def test_of_one_that_breaks_off_what_came_is_there_and_the_thread_is_free(here: House, receiving: Receiving) -> None:
    line = here.connect(head(len(PLAIN)) + PLAIN[:500_000])
    eventually(lambda: len(receiving.came) == 500_000)
    line.close()
    assert receiving.has_ended.wait(20)
    assert isinstance(receiving.ended, BrokenOffError)
    assert bytes(receiving.came) == PLAIN[:500_000]
    eventually(lambda: not here.door.active_channels)
    assert here.serves()


def test_one_that_stalls_is_ended(house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "ARRIVAL_PAUSE", 0.3)
    here, receiving = house(), Receiving()
    here.application.more[PATH] = receiving
    with here.connect(head(len(PLAIN)) + PLAIN[:500_000]) as line:
        assert answer(line).startswith(b"HTTP/1.1 408 ")
        assert has_ended(line)
    assert isinstance(receiving.ended, TooSlowError)
    assert bytes(receiving.came) == PLAIN[:500_000]


def test_one_that_drips_is_ended(house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "ARRIVAL_SECONDS", 0.3)
    here, receiving = house(), Receiving()
    here.application.more[PATH] = receiving
    with here.connect(head(1000)) as line, suppress(OSError):
        while not receiving.has_ended.wait(0.05):
            line.sendall(b"x")
    assert isinstance(receiving.ended, TooSlowError)


def test_one_that_is_slow_and_steady_goes_on(house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "ARRIVAL_SECONDS", 0.2)
    here, receiving = house(), Receiving()
    here.application.more[PATH] = receiving
    began, pause = monotonic(), threading.Event()
    with here.connect(head(40 * 1024)) as line:
        for start in range(0, 40 * 1024, 1024):
            line.sendall(PLAIN[start : start + 1024])
            pause.wait(0.02)
        assert monotonic() > began + 0.2
        assert answer(line).endswith(digest(PLAIN[: 40 * 1024]))


def test_nothing_is_read_of_a_body_before_a_thread_wants_it(here: House, receiving: Receiving) -> None:
    receiving.may_read.clear()
    with here.connect(head(50_000_000)) as line:
        line.setblocking(False)
        sent = 0
        try:
            while True:
                sent += line.send(bytes(100_000))
        except BlockingIOError:
            assert sent < 50_000_000
        (channel,) = eventually(lambda: list(here.door.active_channels.values()))
        eventually(lambda: channel._arriving is not None)
        assert len(channel._arriving) <= 4096
        assert here.serves()
    receiving.may_read.set()


@pytest.mark.parametrize("length", [5, 300_000, 5_000_000])
def test_an_answer_that_needs_no_body_comes_at_once_and_the_connection_ends(here: House, length: int) -> None:
    here.application.more[PATH] = refusing
    with here.connect(head(length)) as line:
        assert answer(line).startswith(b"HTTP/1.1 401 ")
        with suppress(OSError):
            line.sendall(bytes(length))
        assert has_ended(line)
    assert here.serves()


def test_who_waits_for_leave_to_send_gets_it_when_the_body_is_read_and_only_then(
    here: House, receiving: Receiving
) -> None:
    receiving.may_read.clear()
    with here.connect(head(5, "Expect: 100-continue\r\n")) as line:
        line.settimeout(0.2)
        with pytest.raises(TimeoutError):
            line.recv(1)
        receiving.may_read.set()
        line.settimeout(20)
        assert line.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"12345")
        assert answer(line).endswith(digest(b"12345"))
    here.application.more[PATH] = refusing
    with here.connect(head(5, "Expect: 100-continue\r\n")) as line:
        assert answer(line).startswith(b"HTTP/1.1 401 ")


def test_a_process_that_is_to_end_lets_go_of_it(here: House, receiving: Receiving) -> None:
    with here.connect(head(len(PLAIN)) + PLAIN[:100_000]) as line:
        eventually(lambda: len(receiving.came) == 100_000)
        here.is_leaving = True
        assert answer(line).startswith(b"HTTP/1.1 408 ")
    assert isinstance(receiving.ended, LeavingError)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_uploads_and_forms_with_files_arrive_so(here: House, method: str) -> None:
    with here.connect(head(300_000, method=method)) as line:
        assert answer(line).startswith(b"HTTP/1.1 200 ")
    kind = "Content-Type: multipart/form-data; boundary=x\r\n"
    with here.connect(head(300_000, kind, "POST", "/masuk")) as line:
        assert answer(line).startswith(b"HTTP/1.1 200 ")
    # Their bodies are too long and were not read.
    assert {body for _, body in here.application.asked} == {b""}


def drawing(source: Callable[[], Iterator[bytes]], length: int) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", str(length))])
        return environ[DRAW](source(), length)

    return application


def chunks(plain: bytes = PLAIN) -> Iterator[bytes]:
    return (plain[start : start + 65_536] for start in range(0, len(plain), 65_536))


def test_a_drawn_answer_is_whole_and_the_connection_goes_on(here: House) -> None:
    here.application.more["/drawn"] = drawing(chunks, len(PLAIN))
    with here.connect(b"GET /drawn HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + GET) as line:
        text = b""
        while text.count(b"HTTP/1.1 200 OK") < 3:
            text += line.recv(65_536)
        assert text.count(PLAIN) == 2


def test_a_hundred_slow_readers_hold_neither_threads_nor_their_files(house: Callable[..., House]) -> None:
    here = house(threads=2)
    plain = pattern(1_000_000) * 12
    here.application.more["/drawn"] = drawing(lambda: chunks(plain), len(plain))
    with ExitStack() as stack:
        lines = [stack.enter_context(here.connect(b"GET /drawn HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(100)]
        for line in lines:
            assert line.recv(15) == b"HTTP/1.1 200 OK"
        assert here.serves()
        channels = list(here.door.active_channels.values())
        assert sum(1 for channel in channels if channel.drawn is not None) == 100
        assert max(channel.drawn.waiting for channel in channels if channel.drawn) <= MANY_BYTES + 65_536
        assert here.held() < 100 * (MANY_BYTES + 2 * 65_536)
        text = b""
        while len(text) < len(plain):
            text += lines[50].recv(1_000_000)
        assert text.endswith(plain)
        assert here.serves()
    eventually(lambda: not here.door.active_channels)


def test_an_answer_whose_source_fails_is_cut_short_so_that_the_client_sees_it(here: House) -> None:
    def failing() -> Iterator[bytes]:
        for number, chunk in enumerate(chunks()):
            if number == 10:
                raise OSError("gone")
            yield chunk

    here.application.more["/drawn"] = drawing(failing, len(PLAIN))
    with here.connect(b"GET /drawn HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        text = b""
        with suppress(ConnectionResetError):
            while more := line.recv(65_536):
                text += more
        assert len(text) < len(PLAIN)
    assert here.serves()


def test_the_source_is_closed_when_the_client_has_gone(here: House) -> None:
    closed = threading.Event()

    def source() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(65_536)
        finally:
            closed.set()

    here.application.more["/drawn"] = drawing(source, 10**9)
    line = here.connect(b"GET /drawn HTTP/1.1\r\nHost: x\r\n\r\n")
    line.recv(100_000)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    line.close()
    assert closed.wait(20)


def test_while_the_source_is_slow_the_loop_rests(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go = threading.Event()
    turns = []

    def source() -> Iterator[bytes]:
        yield from chunks(PLAIN[:393_216])
        may_go.wait(20)
        yield from chunks(PLAIN[393_216:])

    here.application.more["/drawn"] = drawing(source, len(PLAIN))
    with here.connect(b"GET /drawn HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        text = b""
        while len(text.partition(b"\r\n\r\n")[2]) < 393_216:
            text += line.recv(65_536)
        (channel,) = here.door.active_channels.values()
        write = type(channel).handle_write
        monkeypatch.setattr(type(channel), "handle_write", lambda self: turns.append(1) or write(self))
        assert not threading.Event().wait(0.3)
        assert len(turns) < 10
        may_go.set()
        while len(text.partition(b"\r\n\r\n")[2]) < len(PLAIN):
            text += line.recv(65_536)
        assert text.endswith(PLAIN)


def test_who_takes_too_little_of_a_drawn_answer_is_ended(house: Callable[..., House]) -> None:
    here = house(allowed=Allowance(60, 60, 60, 0.3, 60))
    plain = pattern(30_000_000)
    here.application.more["/drawn"] = drawing(lambda: chunks(plain), len(plain))
    with here.connect(b"GET /drawn HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        line.recv(10)

        def is_ended() -> bool:
            for channel in list(here.door.active_channels.values()):
                channel._taken = 0
            here.door.maintenance(0)
            return not here.door.active_channels

        eventually(is_ended)
