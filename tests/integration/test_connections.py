"""The gateway's connections on real sockets: what one may use at the expense of others, and for how long."""

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from gunicorn.config import Config
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from gateway.app import MAX_BODY_BYTES
from gateway.connections import Allowance
from gateway.door import Door, files_for, settings
from gateway.proxies import Proxies, behind
from gateway.requests import Reading
from nkk.settings.addresses import networks
from tests import nginx
from tests.installations import eventually
from tests.nginx import Proxy

GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = 8 * 1024 * 1024
"""The length of a long answer, more than the kernel buffers for a client that does not read."""

PATIENT = Allowance(60, 60, 60, 60, 60)
SHORT = Allowance(begin=0.5, head=0.5, body=0.5, answer=0.5, hang_up=0.5)
PROXY = "127.0.0.9"


class Application:
    """A WSGI application that answers at once, except `/waits`, which waits for `may_go`; `asked` has its requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.may_go = threading.Event()
        self.gone = threading.Event()
        self.more: dict[str, Any] = {}
        """Applications for further paths."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] in self.more:
            return self.more[environ["PATH_INFO"]](environ, start_response)
        body = environ["wsgi.input"].read()
        self.asked.append((environ["PATH_INFO"], body))
        if environ["PATH_INFO"] == "/waits":
            while not (self.may_go.wait(0.05) or environ["nkk.has_gone"]()):
                continue
            if environ["nkk.has_gone"]():
                self.gone.set()
        if environ["PATH_INFO"] == "/fails":
            raise ValueError("of ours")
        answer = b"x" * LONG if environ["PATH_INFO"] == "/long" else environ["REMOTE_ADDR"].encode() + b" " + body
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
        return [answer]


class House:
    """A server whose loop runs in a thread, as in a worker."""

    def __init__(self, threads: int, most: int, allowed: Allowance, most_bytes: int, proxies: Proxies) -> None:
        self.application, self.is_leaving = Application(), False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = self._listener.getsockname()
        self._loop: dict[int, Any] = {}
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(threads)
        Reading.config = Config()
        self.door = Door(
            behind(self.application, proxies),
            self._listener,
            self._loop,
            self._dispatcher,
            settings(threads, 512),
            most,
            proxies.include,
            lambda: self.is_leaving,
            allowed,
            most_bytes,
        )
        self._ends = threading.Event()
        self.go_on()

    def go_on(self) -> None:
        """Start the loop again."""
        self._ends.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stand_still(self) -> None:
        """Stop the loop, as when the machine is too busy to run it."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.is_set():
            wasyncore.poll2(0.1, self._loop)

    def close(self) -> None:
        self.application.may_go.set()
        self.stand_still()
        self._dispatcher.shutdown()
        wasyncore.close_all(self._loop)
        self._listener.close()

    def connect(self, beginning: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """Return a connection on which `beginning` was sent."""
        line = socket.create_connection(self.address, timeout=20, source_address=(source, 0))
        line.sendall(beginning)
        return line

    def held(self) -> int:
        """Return the number of bytes held for all connections."""
        return sum(each.held for each in list(self.door.active_channels.values()))

    def serves(self, source: str = "127.0.0.1") -> bool:
        """Return whether a new request is answered."""
        with self.connect(GET, source) as line:
            return answer(line).startswith(b"HTTP/1.1 200 OK\r\n")


def answer(line: socket.socket) -> bytes:
    """Return one whole answer, or what came of it before the connection was closed."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = line.recv(65_536)
        if not more:
            return text
        text += more
    head, _, body = text.partition(b"\r\n\r\n")
    length = next(
        (int(row.partition(b":")[2]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += line.recv(65_536)
    return head + b"\r\n\r\n" + body


def has_ended(line: socket.socket) -> bool:
    """Wait for the server to close the connection; return whether it did."""
    try:
        while line.recv(65_536):
            continue
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def is_open(line: socket.socket) -> bool:
    """Return whether the connection is still open and nothing was received on it."""
    line.setblocking(False)
    try:
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        line.settimeout(20)
    return False


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    """Yield a function that builds a server, by default with one thread, ten connections and generous time limits."""
    with ExitStack() as houses:

        def build(
            threads: int = 1, most: int = 10, allowed: Allowance = PATIENT, most_bytes: int = 2**30, proxies: str = ""
        ) -> House:
            built = House(threads, most, allowed, most_bytes, Proxies(*networks(proxies)))
            houses.callback(built.close)
            return built

        yield build


POST = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
BEGINNINGS = {
    "nothing": b"",
    "a byte": b"P",
    "half a head": POST,
    "a head in bits": b"GET / HTTP/1.1\r\nX-A: ",
    "half a body": POST + b"Content-Length: 9\r\n\r\n{",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{",
    "no last chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "an expectation": POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    "empty lines": b"\r\n\r\n\r\n\r\n",
}


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_what_is_no_whole_request_reaches_no_thread(house: Callable[..., House], beginning: bytes) -> None:
    """There are more incomplete requests than the one thread, and other requests are still served."""
    here = house()
    with ExitStack() as lines:
        for _ in range(5):
            lines.enter_context(here.connect(beginning))
        for _ in range(3):
            assert here.serves()
        assert here.application.asked == [("/echo", b"")] * 3


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_who_begins_and_does_not_go_on_is_hung_up_on(house: Callable[..., House], beginning: bytes) -> None:
    here = house(allowed=SHORT)
    with here.connect(beginning) as line:
        text = b"".join(iter(lambda: line.recv(65_536), b""))
    told = text.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if beginning.strip():
        assert told.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"urn:nkk:problem:too-slow" in told
    else:
        assert told == b""
    eventually(lambda: not here.door.active_channels)
    assert here.application.asked == []


@pytest.mark.parametrize("drip", [b"X-A: b\r\n", b"\r\n\r\n"], ids=["headers", "empty lines"])
def test_who_sends_a_little_again_and_again_gains_no_time(house: Callable[..., House], drip: bytes) -> None:
    here = house(allowed=SHORT)
    beginning = b"GET / HTTP/1.1\r\n" if drip.startswith(b"X") else b""
    with here.connect(beginning) as line:
        deadline = monotonic() + 20
        try:
            while monotonic() < deadline:
                line.sendall(drip)
                threading.Event().wait(0.05)
        except OSError:
            return
    pytest.fail("the connection stayed")


def test_a_body_that_comes_steadily_has_the_time_it_takes(house: Callable[..., House]) -> None:
    """Each KiB received extends the limit by a second, which a body of 20 KiB uses here."""
    here = house(allowed=Allowance(begin=0.2, head=0.2, body=0.2, answer=9, hang_up=9))
    with here.connect(POST + b"Content-Length: 20480\r\n\r\n") as line:
        for _ in range(20):
            line.sendall(b"x" * 1024)
            threading.Event().wait(0.1)
        assert answer(line).endswith(b"x" * 20_480)


def test_who_waited_long_for_an_answer_has_all_the_time_to_ask_again(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop checks the time limits in the moment in which the thread has finished the answer."""
    here = house(allowed=Allowance(1, 60, 60, 60, 60))
    with here.connect(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        asked_at = monotonic()
        eventually(lambda: monotonic() > asked_at + 1.5)
        wake = here.door.pull_trigger
        monkeypatch.setattr(here.door, "pull_trigger", lambda: (here.door.maintenance(0), wake()))
        here.application.may_go.set()
        assert b"200 OK" in answer(line)
        line.sendall(GET)
        assert b"200 OK" in answer(line)


def test_who_took_long_over_an_answer_has_all_the_time_to_ask_again(house: Callable[..., House]) -> None:
    here = house(allowed=Allowance(1, 60, 60, 60, 60))
    with here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        asked_at = monotonic()
        eventually(lambda: here.application.asked and monotonic() > asked_at + 2.5)
        assert answer(line).endswith(b"x")
        here.door.maintenance(0)
        line.sendall(GET)
        assert b"200 OK" in answer(line)


@pytest.mark.parametrize("look", ["maintenance", "end_the_silent"])
def test_a_request_that_the_loop_did_not_come_to_read_is_answered(house: Callable[..., House], look: str) -> None:
    here = house(allowed=Allowance(0.2, 60, 60, 60, 60))
    with here.connect(GET) as line:
        answer(line)
        here.stand_still()
        line.sendall(GET)
        stands_since = monotonic()
        eventually(lambda: monotonic() > stands_since + 0.5)
        here.door.maintenance(0) if look == "maintenance" else here.door.end_the_silent()
        here.go_on()
        assert b"200 OK" in answer(line)


def test_over_the_cap_the_oldest_without_a_whole_request_gives_way_and_nobody_is_refused(
    house: Callable[..., House],
) -> None:
    here = house(threads=2, most=5)
    with ExitStack() as lines:
        busy = lines.enter_context(here.connect(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n"))
        eventually(lambda: here.application.asked)
        held = [lines.enter_context(here.connect(b"GET /")) for _ in range(4)]
        eventually(lambda: len(here.door.active_channels) == 5)
        new = lines.enter_context(here.connect(GET))
        assert b"200 OK" in answer(new)
        assert has_ended(held[0])
        assert all(is_open(line) for line in [busy, *held[1:]])
        here.application.may_go.set()
        assert b"200 OK" in answer(busy)


def test_who_asks_again_is_not_the_oldest(house: Callable[..., House]) -> None:
    here = house(most=3)
    with ExitStack() as lines:
        kept, first, second = (lines.enter_context(here.connect(GET)) for _ in range(3))
        for line in (kept, first, second):
            answer(line)
        kept.sendall(GET)
        answer(kept)
        assert here.serves()
        assert has_ended(first)
        assert is_open(kept)


def test_a_trusted_proxy_may_have_as_many_connections_as_it_likes(house: Callable[..., House]) -> None:
    here = house(most=3, allowed=SHORT, proxies=PROXY)
    with ExitStack() as lines:
        proxys = [lines.enter_context(here.connect(source=PROXY)) for _ in range(6)]
        strangers = [lines.enter_context(here.connect(source="127.0.0.2")) for _ in range(5)]
        assert here.serves()
        assert all(has_ended(line) for line in strangers)
        assert all(is_open(line) for line in proxys)
        for line in proxys:
            line.sendall(GET)
            assert b"200 OK" in answer(line)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
def test_where_the_system_gives_no_more_the_oldest_gives_way(
    house: Callable[..., House], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = house()
    with here.connect(b"GET /") as held:
        eventually(lambda: here.door.active_channels)
        plain, refusals = wasyncore.dispatcher.accept, iter([number])

        def accept(door: Any) -> Any:
            for refused in refusals:
                raise OSError(refused, "none left")
            return plain(door)

        monkeypatch.setattr(wasyncore.dispatcher, "accept", accept)
        assert here.serves()
        assert has_ended(held)


def test_an_answer_that_is_not_taken_holds_no_thread_and_ends(house: Callable[..., House]) -> None:
    here = house(allowed=Allowance(60, 60, 60, answer=1, hang_up=1))
    with ExitStack() as lines:
        slow = [lines.enter_context(here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(3)]
        assert here.serves()
        eventually(lambda: not here.door.active_channels)
        assert all(len(b"".join(_until_the_end(line))) < LONG for line in slow)


def _until_the_end(line: socket.socket) -> Iterator[bytes]:
    try:
        while text := line.recv(65_536):
            yield text
    except ConnectionResetError:
        return


def test_answers_that_are_not_taken_hold_no_thread_however_many_were_asked_for(house: Callable[..., House]) -> None:
    """Pipelined requests are answered one at a time, so at most one unread answer is held."""
    here = house(allowed=Allowance(60, 60, 60, 60, 60))
    with ExitStack() as lines:
        slow = [lines.enter_context(here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n" * 20)) for _ in range(3)]
        eventually(lambda: len(here.application.asked) >= 3)
        for _ in range(3):
            assert here.serves()
        assert here.application.asked.count(("/long", b"")) == 3
        taken = 0
        while taken < 20 * LONG:
            taken += len(slow[0].recv(1_048_576))
        assert here.application.asked.count(("/long", b"")) == 22


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "endless",
    [
        b"\r\n" * 100_000,
        CHUNKED + b"1" * 1_000,
        CHUNKED + b"1;" + b"x" * 1_000,
        CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 1_000,
    ],
    ids=["blank lines", "a chunk's size", "an extension", "trailers"],
)
def test_what_frames_requests_has_an_end(house: Callable[..., House], endless: bytes) -> None:
    here = house()
    with here.connect() as line:
        with suppress(OSError):
            line.sendall(endless)
        with suppress(ConnectionResetError):
            assert answer(line).startswith(b"HTTP/1.1 400 ")
        assert has_ended(line)
    assert here.application.asked == []
    assert here.serves()


@pytest.mark.parametrize("framing", [b"1\r\na\r\n", b"\r\n"], ids=["chunks of a byte", "blank lines"])
def test_whoever_sends_little_but_framing_is_read_in_turn_with_the_others(
    house: Callable[..., House], framing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsing tiny pieces is slow: other connections get their turn before all that has arrived is parsed."""
    here = house(most=50)
    sent = CHUNKED + framing * (60_000 // len(framing))
    parsed: list[int] = []
    handed_over = here.door.add_task

    def hand_over(channel: Any) -> None:
        # Counted by the loop itself, which goes on while a thread answers.
        reading = [each.request for each in here.door.active_channels.values()]
        parsed.append(sum(each.body_bytes_received for each in reading if each is not None))
        handed_over(channel)

    monkeypatch.setattr(here.door, "add_task", hand_over)
    with ExitStack() as stack:
        lines = [stack.enter_context(here.connect()) for _ in range(20)]
        asks = stack.enter_context(here.connect())
        eventually(lambda: len(here.door.active_channels) == 21)
        here.stand_still()
        for line in lines:
            line.sendall(sent)
        asks.sendall(GET)
        here.go_on()
        assert answer(asks).startswith(b"HTTP/1.1 200 OK")
    assert len(parsed) == 1
    assert parsed[0] < 20 * len(sent) / 2


def test_a_blank_line_behind_each_body_is_taken(house: Callable[..., House]) -> None:
    here = house()
    with here.connect() as line:
        for _ in range(20):
            line.sendall(b"\r\n" + POST + b"Content-Length: 2\r\n\r\nok")
            assert answer(line).endswith(b" ok")


def test_requests_are_read_alike_however_they_come_in_pieces(house: Callable[..., House]) -> None:
    asked = (
        POST
        + b"Content-Length: 3\r\n\r\none"
        + CHUNKED
        + b"1\r\nt\r\n2;x=y\r\nwo\r\n0\r\nX-A: b\r\n\r\n"
        + b"\r\n"
        + GET
    )
    for size in (1, 2, 3, 7, 50, len(asked)):
        here = house()
        with here.connect() as line:
            for at in range(0, len(asked), size):
                line.sendall(asked[at : at + size])
            said = b""
            while said.count(b"HTTP/1.1 200 OK") < 3 or not said.endswith(b"127.0.0.1 "):
                said += line.recv(65_536)
        assert [body for _, body in here.application.asked] == [b"one", b"two", b""]


def test_what_is_held_for_all_has_a_bound(house: Callable[..., House]) -> None:
    """Answers that are not read and bodies that do not end take memory; over the limit the oldest are closed."""
    here = house(most_bytes=2 * LONG)
    with ExitStack() as lines:
        slow = [lines.enter_context(here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(6)]
        eventually(lambda: len(here.application.asked) == 6)
        eventually(lambda: here.held() <= 2 * LONG)
        assert has_ended(slow[0])
        assert here.serves()


def test_answers_that_one_address_does_not_take_push_out_nobody_elses_body(house: Callable[..., House]) -> None:
    here = house(most_bytes=2 * LONG, most=100)
    with ExitStack() as lines:
        slow = lines.enter_context(here.connect(POST + b"Content-Length: 1024\r\n\r\n" + 512 * b"x", "127.0.0.2"))
        taking = lines.enter_context(here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n", "127.0.0.3"))
        eventually(lambda: len(here.application.asked) == 1)
        for _ in range(10):
            lines.enter_context(here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n", "127.0.0.4"))
        eventually(lambda: len(here.application.asked) == 11)
        eventually(lambda: here.held() <= 2 * LONG)
        assert is_open(slow)
        slow.sendall(512 * b"x")
        assert answer(slow).endswith(1024 * b"x")
        assert answer(taking).endswith(LONG * b"x")


def test_of_one_address_answers_that_are_not_taken_go_before_bodies_that_are_on_their_way(
    house: Callable[..., House],
) -> None:
    here = house(most_bytes=2 * LONG, most=100)
    with ExitStack() as lines:
        slow = lines.enter_context(here.connect(POST + b"Content-Length: 1024\r\n\r\n" + 512 * b"x"))
        for _ in range(6):
            lines.enter_context(here.connect(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"))
        eventually(lambda: len(here.application.asked) == 6)
        eventually(lambda: here.held() <= 2 * LONG)
        slow.sendall(512 * b"x")
        assert answer(slow).endswith(1024 * b"x")


def test_bodies_that_are_on_their_way_have_a_bound_too(house: Callable[..., House]) -> None:
    here = house(most_bytes=100_000, most=100)
    with ExitStack() as lines:
        bodies = [
            lines.enter_context(here.connect(POST + b"Content-Length: 60000\r\n\r\n" + 40_000 * b"x", source))
            for source in ("127.0.0.2", *["127.0.0.4"] * 3)
        ]
        assert has_ended(bodies[1])
        eventually(lambda: here.held() <= 100_000)
        assert is_open(bodies[0])


def test_who_does_not_hang_up_after_the_last_answer_keeps_nobody_waiting(house: Callable[..., House]) -> None:
    here = house()
    with ExitStack() as lines:
        for _ in range(8):
            line = lines.enter_context(here.connect(b"GET /echo HTTP/1.0\r\n\r\n"))
            assert b"200 OK" in answer(line)
        began = monotonic()
        for _ in range(3):
            assert here.serves()
        assert len(here.door.active_channels) >= 8
        assert monotonic() - began < PATIENT.hang_up


def test_a_body_that_is_too_long_is_not_read_into_memory_and_its_answer_arrives(house: Callable[..., House]) -> None:
    here = house()
    for length in (MAX_BODY_BYTES + 1, 3_000_000):
        with here.connect(POST + b"Content-Length: %d\r\n\r\n" % length) as line:
            line.sendall(b"x" * length)
            said = answer(line)
        assert b"Connection: close" in said
    assert here.application.asked == [("/echo", b"")] * 2


def test_a_longest_body_comes_whole_and_in_memory(house: Callable[..., House]) -> None:
    here = house()
    body = bytes(range(256)) * (MAX_BODY_BYTES // 256)
    with here.connect(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body) as line:
        assert answer(line).endswith(body)
    chunks = b"".join(b"%x\r\n%s\r\n" % (1_000, body[at : at + 1_000]) for at in range(0, 200_000, 1_000))
    with here.connect(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-Trailer: y\r\n\r\n") as line:
        assert answer(line).endswith(body[:200_000])


def test_requests_that_come_at_once_are_answered_one_after_the_other(house: Callable[..., House]) -> None:
    here = house(threads=4)
    asked = b"".join(POST + b"Content-Length: 1\r\n\r\n" + str(number).encode() for number in range(8))
    with here.connect(asked + b"GET /ec") as line:
        said = b""
        while said.count(b"HTTP/1.1 200 OK") < 8 or not said.endswith(b"127.0.0.1 7"):
            said += line.recv(65_536)
        assert [body for _, body in here.application.asked] == [str(number).encode() for number in range(8)]
        line.sendall(b"ho HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in answer(line)


def test_requests_before_the_other_side_had_no_more_to_say_are_all_answered(house: Callable[..., House]) -> None:
    here = house()
    for _ in range(20):
        with here.connect(GET * 5) as line:
            line.shutdown(socket.SHUT_WR)
            assert b"".join(_until_the_end(line)).count(b"HTTP/1.1 200 OK") == 5


def test_who_expects_to_be_told_to_go_on_is_told(house: Callable[..., House]) -> None:
    here = house()
    with here.connect(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n") as line:
        assert answer(line) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"ok")
        assert answer(line).endswith(b" ok")
        line.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n")
        assert b"200 OK" in answer(line)


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        (b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET /echo HTTP/1.0\r\n\r\n", False),
        (b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False),
    ],
)
def test_a_connection_stays_where_http_says_so(house: Callable[..., House], head: bytes, stays: bool) -> None:
    here = house()
    with here.connect(head) as line:
        said = answer(line)
        assert b"\r\nDate: " in said
        assert b"\r\nServer:" not in said
        assert (b"\r\nConnection: close\r\n" in said) == (not stays)
        assert is_open(line) if stays else has_ended(line)


def test_what_fails_is_a_problem_and_the_others_go_on(house: Callable[..., House]) -> None:
    here = house()
    with here.connect(b"GET /fails HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        said = answer(line)
    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"of ours" not in said
    assert b"urn:nkk:problem:failed" in said
    assert here.serves()


def test_whoever_waits_for_an_answer_and_hangs_up_is_noticed(house: Callable[..., House]) -> None:
    here = house()
    with here.connect(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n"):
        eventually(lambda: here.application.asked)
        assert not here.application.gone.is_set()
    assert here.application.gone.wait(20)


def test_a_door_that_is_to_close_says_so_with_each_answer_and_ends_the_silent(house: Callable[..., House]) -> None:
    here = house()
    with ExitStack() as lines:
        silent, asks, begun = (lines.enter_context(here.connect(GET)) for _ in range(3))
        assert all(b"200 OK" in answer(line) for line in (silent, asks, begun))
        here.is_leaving = True
        begun.sendall(b"GET /ec")
        asks.sendall(GET)
        said = answer(asks)
        assert b"200 OK" in said
        assert b"Connection: close" in said
        eventually(lambda: any(each.request is not None for each in list(here.door.active_channels.values())))
        here.door.end_the_silent()
        assert has_ended(silent)
        begun.sendall(b"ho HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in answer(begun)


def test_a_forged_address_is_believed_of_a_trusted_proxy_alone(house: Callable[..., House]) -> None:
    here = house(proxies=PROXY)
    forged = GET.removesuffix(b"\r\n") + b"X-Forwarded-For: 8.8.8.8, 203.0.113.7\r\nX_Forwarded_For: 9.9.9.9\r\n\r\n"
    for source, seen in ((PROXY, b"203.0.113.7 "), ("127.0.0.2", b"127.0.0.2 "), ("127.0.0.1", b"127.0.0.1 ")):
        with here.connect(forged, source) as line:
            assert answer(line).endswith(b"\r\n\r\n" + seen)


def test_no_more_connections_are_taken_than_there_are_files_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("gateway.door.resource.setrlimit", lambda _, limits: asked.append(limits))
    for limits, raised, most in (
        ((1024, 4096), [(1256, 4096)], 1000),
        ((1024, 1024), [(1024, 1024)], 768),
        ((300, 300), [(300, 300)], 150),
        ((65536, 65536), [], 1000),
    ):
        asked.clear()
        monkeypatch.setattr("gateway.door.resource.getrlimit", lambda _, limits=limits: limits)
        assert (files_for(1000), asked) == (most, raised)


# -- behind the repository's proxy


@contextmanager
def by_tls(proxy: Proxy, source: str) -> Iterator[socket.socket]:
    """Yield a visitor's TLS connection to the proxy."""
    with (
        socket.create_connection(("127.0.0.1", proxy.https), timeout=20, source_address=(source, 0)) as plain,
        proxy.trust.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        yield line


def test_behind_the_proxy_a_visitor_is_the_address_they_come_from_whatever_they_say(
    house: Callable[..., House], tmp_path: Path
) -> None:
    here = house(threads=2, proxies=nginx.ADDRESS)
    with nginx.nginx(tmp_path, here.address[1]) as proxy, by_tls(proxy, "127.0.0.5") as line:
        for forged in (
            b"",
            b"X-Forwarded-For: 203.0.113.7\r\n",
            b"X-Forwarded-For: 127.0.0.99\r\n",
            b"Forwarded: for=203.0.113.7\r\n",
            b"X-Real-IP: 203.0.113.7\r\n",
        ):
            line.sendall(GET.removesuffix(b"\r\n") + forged + b"\r\n")
            assert answer(line).endswith(b"\r\n\r\n127.0.0.5 ")


def test_the_proxy_hands_a_request_on_when_it_is_whole_and_leaves_nothing_on_disk(
    house: Callable[..., House], tmp_path: Path
) -> None:
    here, body = house(proxies=nginx.ADDRESS), b"x" * 200_000
    with nginx.nginx(tmp_path, here.address[1]) as proxy, by_tls(proxy, "127.0.0.5") as line:
        line.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body[:150_000])
        with by_tls(proxy, "127.0.0.6") as other:
            other.sendall(GET)
            assert answer(other).endswith(b"127.0.0.6 ")
        assert here.application.asked == [("/echo", b"")]
        assert [path for name in ("body", "answer") for path in (tmp_path / name).rglob("*") if path.is_file()] == []
        line.sendall(body[150_000:])
        assert answer(line).endswith(b"127.0.0.5 " + body)
