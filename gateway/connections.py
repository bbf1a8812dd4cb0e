"""The HTTP server's connections: no thread is held while a request is still arriving or while its answer is being sent.

waitress' loop reads requests and sends answers; threads run the application in between. This module adds time limits:
each connection has an allowance for its next step. `gateway/door.py` accepts connections and limits their number.
"""

from contextlib import suppress
from dataclasses import dataclass
from select import POLLRDHUP, poll
from socket import MSG_DONTWAIT, MSG_PEEK, SHUT_WR
from time import monotonic
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel

from gateway.bodies import Body
from gateway.drawing import Drawn
from gateway.limits import network
from gateway.requests import TOO_SLOW, Reading, Refusing, Serving, answer
from nkk.log import get_logger

MAX_UNREAD_BYTES = 16 * 1024 * 1024
"""How many bytes of a refused request's rest are read and discarded.

Closing at once would reset the connection and lose the answer.
"""

BODY_BYTES = 256 * 1024
"""How many bytes of an upload are read at once, where they come without the framing of chunks."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

MAX_BLANK_BYTES = 8
"""How many bytes of line ends are accepted before a request. Some clients send one after a body."""

log = get_logger()


@dataclass(frozen=True)
class Allowance:
    """The seconds that a connection has for its next step; a body and an answer get one second more for each KiB."""

    begin: float = 15
    """Until the first byte of the next request."""
    head: float = 10
    body: float = 15
    answer: float = 30
    hang_up: float = 5
    """Until the client closes the connection after the last answer."""


class Discreet:
    """waitress' logger for connection errors, without its own log lines, which contain paths with tickets."""

    def exception(self, *_: object) -> None:
        """Log that the application raised an exception that it does not handle itself."""
        log.error("request failed", exc_info=True)

    def log(self, *_: object) -> None:
        """Ignore a line of waitress' loop."""

    info = warning = log


class Connection(HTTPChannel):
    """A client's connection.

    Its state is waitress', except for the times and the unread bytes. A request is parsed only when the answer to the
    one before it has been sent; of pipelined requests only the bytes are kept.
    """

    parser_class = Reading
    task_class = Serving
    error_task_class = Refusing
    logger = Discreet()
    request: Any = None
    drawn: Drawn | None = None
    """The body of the answer that is being sent, where it is drawn piece by piece."""

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Adjustments, map: Any = None) -> None:
        self.is_trusted = server.is_trusted(addr[0])
        self.network = network(addr[0])
        self.waits_since = monotonic()
        self._began_at = self._takes_since = self._said_goodbye_at = 0.0
        self._taken = self._thrown_away = self._blank = 0
        self._unread = b""
        self._arriving: Body | None = None
        super().__init__(server, sock, addr, adj, map=map)

    # -- in the loop

    def received(self, data: bytes) -> bool:
        """Add received bytes and parse them; return whether the connection goes on."""
        with self.requests_lock:
            self._unread += data
            self._feed()
        return self._read_on()

    def _feed(self) -> None:
        """Give the body that a thread is reading what is its."""
        if self._arriving is not None and self._unread:
            self._unread = self._unread[self._arriving.received(self._unread) :]
            if self._arriving.is_whole:
                self._arriving = None

    def _read_on(self) -> bool:
        """Parse one request of the unread bytes unless one is being answered; return whether the connection goes on."""
        with self.requests_lock:
            if self.will_close or self.close_when_flushed or not self.connected:
                return False
            while self._unread and not (self.requests or self.total_outbufs_len):
                if self.request is None:
                    self._skip_blank_lines()
                    if not self._unread:
                        break
                    self._begin()
                self._unread = self._unread[self.request.received(self._unread) :]
                if self.request.expect_continue and self.request.headers_finished and not self.sent_continue:
                    self.send_continue()
                if self.request.completed:
                    self._hand_over()
        return True

    def _skip_blank_lines(self) -> None:
        """Drop line ends before a request, up to MAX_BLANK_BYTES."""
        rest = self._unread.lstrip(b"\r\n")
        self._blank += len(self._unread) - len(rest)
        if self._blank <= MAX_BLANK_BYTES:
            self._unread = rest

    def _begin(self) -> None:
        self.request, self._began_at = self.parser_class(self.adj), monotonic()

    def _hand_over(self) -> None:
        """Queue the whole request, or that whose body a thread reads while it arrives, for a thread."""
        self.requests.append(self.request)
        if self.request.arriving is not None:
            self._arriving = self.request.arriving
            self._arriving.on_begin = self._say_continue if self.request.expects_continue else lambda: None
            self._arriving.on_room = self.server.pull_trigger
            self._arriving.is_leaving = self.server.is_leaving
        self.request, self.sent_continue, self._blank = None, False, 0
        self.server.add_task(self)
        self._feed()

    def _say_continue(self) -> None:
        """Have the client send the body, which it holds back until then."""
        with self.outbuf_lock:
            self.outbufs[-1].append(CONTINUE)
            self.current_outbuf_count += len(CONTINUE)
            self.total_outbufs_len += len(CONTINUE)
        self.flush()

    # The loop calls both for every connection on each turn. Like waitress' own, they are one expression each.

    def readable(self) -> bool:
        return bool(
            self._said_goodbye_at
            or (self._arriving is not None and self._arriving.wants_more)
            or not (
                self.requests or self._unread or self.total_outbufs_len or self.will_close or self.close_when_flushed
            )
        )

    def writable(self) -> bool:
        return bool(
            not self._said_goodbye_at
            and (
                self.will_close
                or (self.close_when_flushed and not self.total_outbufs_len)
                or (self.total_outbufs_len and (self.drawn is None or self.drawn.waiting))
            )
        )

    def handle_read(self) -> None:
        if self._arriving is not None and self._arriving.is_simple:
            if data := self.recv(BODY_BYTES):
                self.received(data)
            return
        if not self._said_goodbye_at:
            super().handle_read()
            return
        self._thrown_away += len(self.recv(64 * 1024))
        if self._thrown_away > MAX_UNREAD_BYTES:
            self.handle_close()

    def handle_write(self) -> None:
        if not self.close_when_flushed:
            super().handle_write()
            self._read_on()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif self.connected and not self.total_outbufs_len:
            self._say_goodbye()

    def handle_close(self) -> None:
        if self._arriving is not None:
            self._arriving.break_off()
        super().handle_close()

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = super().send(data, do_close)
        self._taken += sent
        return sent

    def handle_error(self) -> None:
        """Log an unexpected error of the loop and close this connection alone."""
        log.error("connection failed", exc_info=True)
        self.handle_close()

    def _say_goodbye(self) -> None:
        """Close the sending side after the last answer, and read on for a moment so that no reset loses the answer."""
        self._said_goodbye_at = monotonic()
        try:
            self.socket.shutdown(SHUT_WR)
        except OSError:
            self.handle_close()

    # -- time limits

    @property
    def is_busy(self) -> bool:
        """Whether a whole request is waiting or being answered, so that the time it takes is the server's."""
        return bool(self.requests)

    @property
    def is_silent(self) -> bool:
        """Whether nothing of the next request has arrived and no answer is left to send."""
        return not (
            self.requests or self.total_outbufs_len or self.request is not None or self._unread or self._said_goodbye_at
        )

    @property
    def held(self) -> int:
        """The bytes that this connection holds in memory."""
        undrawn = self.drawn.remain - self.drawn.waiting if self.drawn is not None else 0
        return (
            self.total_outbufs_len
            - undrawn
            + len(self._unread)
            + (self.request.body_bytes_received if self.request is not None else 0)
        )

    def look_at_the_clock(self, now: float, allowed: Allowance) -> None:
        """End the connection where it has exceeded its allowance, with a 408 where a request is incomplete."""
        if now <= self._ends_at(now, allowed) or (self.is_silent and self.has_sent()):
            return
        if self.request is not None and not self.total_outbufs_len and not self._said_goodbye_at:
            self.close_when_flushed = True
            self.write_soon(answer(*TOO_SLOW))
            self.flush()
        else:
            self.handle_close()

    def _ends_at(self, now: float, allowed: Allowance) -> float:
        if self._said_goodbye_at:
            return self._said_goodbye_at + allowed.hang_up
        if self.total_outbufs_len:
            return self._answer_ends_at(now, allowed)
        if self._takes_since:
            self._takes_since, self.waits_since = 0.0, now
        if self.is_busy:
            return now
        if self.request is None:
            return now if self.is_trusted else self.waits_since + allowed.begin
        began = max(self._began_at, self.waits_since)
        body = allowed.body + self.request.body_bytes_received / 1024 if self.request.headers_finished else 0
        return began + allowed.head + body

    def _answer_ends_at(self, now: float, allowed: Allowance) -> float:
        if not self._takes_since:
            self._takes_since, self._taken = now, 0
        return self._takes_since + allowed.answer + self._taken / 1024

    def has_sent(self) -> bool:
        """Return whether the socket has bytes that the loop, under load, has not read yet."""
        try:
            return bool(self.socket.recv(1, MSG_PEEK | MSG_DONTWAIT))
        except OSError:
            return False

    # -- in a thread

    def service(self) -> None:
        """Answer the request, then parse the next from the unread bytes."""
        body = self.requests[0].arriving if self.requests else None
        super().service()
        if body is not None:
            body.close()
            with self.requests_lock:
                # The answer has left: the next request may have brought a body of its own.
                if self._arriving is body:
                    self._arriving = None
        self._read_on()

    def go_on(self) -> None:
        """Send what was drawn, and wake the loop to do the rest."""
        self.flush()
        self._read_on()
        self.server.pull_trigger()

    def _flush_some(self, do_close: bool = True) -> bool:
        # Threads that draw an answer's next pieces send them, too.
        with self.outbuf_lock:
            return bool(super()._flush_some(do_close))

    def flush(self) -> None:
        """Send what the socket takes at once."""
        with self.outbuf_lock:
            if self.connected:
                self._flush_exception(self._flush_some, do_close=False)

    def has_gone(self) -> bool:
        """Return whether the client has closed the connection."""
        line = self.socket
        if not self.connected or line is None:
            return True
        hung_up = poll()
        with suppress(OSError, ValueError):
            hung_up.register(line, POLLRDHUP)
            return bool(hung_up.poll(0))
        return True
