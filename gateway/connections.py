"""The HTTP server's connections: no thread is held while a request is still arriving or while its answer is being sent.

waitress' loop reads requests and sends answers; threads run the application in between. This module adds time limits:
each connection has an allowance for its next step. When there are more connections than allowed, the oldest without a
whole request is closed; when they hold more memory than allowed, one of the address that holds most. New connections
are never refused. A trusted proxy may have any number of connections and keep them open, because its visitors must not
pay for other clients.
"""

import errno
import resource
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest
from select import POLLRDHUP, poll
from socket import AF_UNIX, MSG_DONTWAIT, MSG_PEEK, SHUT_WR
from time import monotonic
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from gateway.bodies import Body
from gateway.drawing import Drawn
from gateway.limits import network
from gateway.requests import MAX_FRAMED_BYTES, MAX_HEAD_BYTES, TOO_SLOW, Reading, Refusing, Serving, answer
from nkk.log import get_logger

LOOK_BYTES = 4 * 1024
"""How many bytes are read from one connection before the others have their turn.

They may be almost only chunk framing, one chunk for each byte, whose parsing takes some milliseconds.
"""

MAX_UNREAD_BYTES = 16 * 1024 * 1024
"""How many bytes of a refused request's rest are read and discarded.

Closing at once would reset the connection and lose the answer.
"""

BODY_BYTES = 64 * 1024
"""How many bytes of an upload are read at once, where they come without the framing of chunks."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

MAX_BLANK_BYTES = 8
"""How many bytes of line ends are accepted before a request. Some clients send one after a body."""

NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
RESERVED_FILES = 256
"""The file descriptors kept free for everything but connections."""

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

    def __init__(self, server: "Door", sock: Any, addr: Any, adj: Adjustments, map: Any = None) -> None:
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


class Door(TcpWSGIServer):
    """A listening socket and the connections accepted on it."""

    channel_class = Connection

    def __init__(
        self,
        application: Any,
        listener: Any,
        loop: dict[int, Any],
        dispatcher: Any,
        settings: Adjustments,
        most: int,
        is_trusted: Callable[[str], bool],
        is_leaving: Callable[[], bool],
        allowed: Allowance | None = None,
        most_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.is_trusted, self.is_leaving = is_trusted, is_leaving
        self._most, self._most_bytes, self._allowed = most, most_bytes, allowed or Allowance()
        self._rests_until = 0.0
        super().__init__(
            application,
            loop,
            _sock=listener,
            dispatcher=dispatcher,
            adj=settings,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )

    def getsockname(self) -> tuple[str, str]:
        """Return where it listens, as (host, port)."""
        return ("localhost", "") if self.family == AF_UNIX else super().getsockname()

    def fix_addr(self, addr: Any) -> Any:
        """Return the peer's address; a Unix socket's peer has none."""
        return ("unix", 0) if self.family == AF_UNIX else addr

    def set_socket_options(self, conn: Any) -> None:
        if self.family != AF_UNIX:
            super().set_socket_options(conn)

    def readable(self) -> bool:
        return super().readable() and monotonic() >= self._rests_until

    def handle_accept(self) -> None:
        """Accept a waiting connection, and close the oldest ones above the maximum.

        One connection a turn spreads them over the processes; with many connections a turn takes longer, so it accepts
        more.
        """
        for _ in range(1 + len(self.active_channels) // 16):
            there_were = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == there_were:
                break
        if len(self.active_channels) > self._most:
            strangers = sum(not connection.is_trusted for connection in self.active_channels.values())
            self._end_the_oldest(strangers - self._most)

    def accept(self) -> Any:
        """Return the next connection, or None. Where the system has no resources for it, close the oldest."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in NO_FILES:
                raise
            if not self._end_the_oldest():
                self._rests_until = monotonic() + 1
            return None

    def maintenance(self, _now: float) -> None:
        """Close connections that exceed their time, and free memory; waitress calls this each second."""
        now = monotonic()
        for connection in list(self.active_channels.values()):
            connection.look_at_the_clock(now, self._allowed)
        excess = sum(connection.held for connection in self.active_channels.values()) - self._most_bytes
        if excess > 0:
            self._free(excess)

    def end_the_silent(self) -> None:
        """Close every connection without a request since its last answer."""
        for connection in list(self.active_channels.values()):
            if connection.is_silent and not connection.has_sent():
                connection.handle_close()

    def stop_accepting(self) -> None:
        """Leave new connections to the other processes."""
        self.accepting = False
        self.del_channel()

    def _free(self, excess: int) -> None:
        """Close connections until `excess` bytes are freed, each time the oldest of the address that holds most.

        Of one address, connections with unsent answers are closed before those with incoming bodies. Threat: a client
        that keeps requesting and reads no answer would push out reporters who send a report over a slow line.
        """
        holders: defaultdict[str, list[Connection]] = defaultdict(list)
        for connection in sorted(
            self._without_a_whole_request(),
            reverse=True,
            key=lambda each: (not each.total_outbufs_len, each.waits_since),
        ):
            if connection.held:
                holders[connection.network].append(connection)
        held = {address: sum(each.held for each in theirs) for address, theirs in holders.items()}
        while excess > 0 and held:
            most = max(held, key=lambda address: held[address])
            connection = holders[most].pop()
            excess -= connection.held
            held[most] -= connection.held
            if not holders[most]:
                del held[most]
            connection.handle_close()

    def _without_a_whole_request(self) -> list[Connection]:
        """Return the connections that may be closed: not busy, and not a trusted proxy's."""
        return [each for each in self.active_channels.values() if not each.is_busy and not each.is_trusted]

    def _end_the_oldest(self, count: int = 1) -> bool:
        """Close the `count` connections longest without a whole request; return False where there is none."""
        found = nsmallest(count, self._without_a_whole_request(), key=lambda each: each.waits_since)
        for connection in found:
            connection.handle_close()
        return bool(found)


def settings(threads: int, backlog: int) -> Adjustments:
    """Return waitress' settings: no file buffers, no waiting for slow clients, no connection limits of its own."""
    chosen = Adjustments(
        threads=threads,
        backlog=backlog,
        ident="",
        server_name="localhost",
        recv_bytes=LOOK_BYTES,
        inbuf_overflow=2 * MAX_FRAMED_BYTES,
        outbuf_overflow=2**31,
        outbuf_high_watermark=2**31,
        max_request_header_size=MAX_HEAD_BYTES,
        max_request_body_size=MAX_FRAMED_BYTES,
        connection_limit=2**31,
        cleanup_interval=1,
        log_socket_errors=False,
        clear_untrusted_proxy_headers=False,
    )
    # Head and body are sent together. (As an argument it gives a deprecation warning.)
    chosen.send_bytes = 16 * 1024
    return chosen


def files_for(connections: int) -> int:
    """Return how many of `connections` this process can have, after raising its file descriptor limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        connections = min(connections, max(soft - RESERVED_FILES, soft // 2))
    return connections
