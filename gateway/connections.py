"""Connections, as many as come: none holds a thread before its request is whole, or while its answer is being taken.

waitress' loop reads requests and sends answers; threads run the application in between. What is added here is that
nobody may take as long as they like: each connection has an allowance for what it has to do next. Where there are more
connections than may be, the oldest one without a whole request ends; where they hold more in memory, one of the address
that holds most. Nobody is refused. A proxy that is trusted may have as many as it likes, and keep them open: its
visitors do not pay for others.
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

from gateway.limits import network
from gateway.requests import MAX_FRAMED_BYTES, MAX_HEAD_BYTES, TOO_SLOW, Reading, Refusing, Serving, answer
from nkk.log import get_logger

LOOK_BYTES = 4 * 1024
"""So much is read of one connection before the others have their turn. It may be little but framing, a chunk for each
byte, and takes some milliseconds then."""

MAX_UNREAD_BYTES = 16 * 1024 * 1024
"""So much of what is left of a refused request is taken and thrown away: ended at once, the connection would be reset,
and the answer be lost with it."""

MAX_BLANK_BYTES = 8
"""Of line ends before a request. Some clients send one after a body; with more it is no request."""

NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
RESERVED_FILES = 256
"""File descriptors for everything but connections."""

log = get_logger()


@dataclass(frozen=True)
class Allowance:
    """Seconds that a connection has for what it has to do next; a body and an answer get one more for each KiB."""

    begin: float = 15
    """Until the first byte of its next request."""
    head: float = 10
    body: float = 15
    answer: float = 30
    hang_up: float = 5
    """After the last answer."""


class Discreet:
    """waitress' logger for what goes wrong on a connection. Its own lines name addresses, which hold tickets."""

    def exception(self, *_: object) -> None:
        """The application failed, in a way it does not answer itself."""
        log.error("request failed", exc_info=True)

    def log(self, *_: object) -> None:
        """A line of its loop."""

    info = warning = log


class Connection(HTTPChannel):
    """One connection. Its state is waitress', but for the times, and for what has come and is not read yet: a request
    is read when the answer to the one before has been taken, and nothing is kept of those behind it but their bytes."""

    parser_class = Reading
    task_class = Serving
    error_task_class = Refusing
    logger = Discreet()
    request: Any = None

    def __init__(self, server: "Door", sock: Any, addr: Any, adj: Adjustments, map: Any = None) -> None:
        self.is_trusted = server.is_trusted(addr[0])
        self.network = network(addr[0])
        self.waits_since = monotonic()
        self._began_at = self._takes_since = self._said_goodbye_at = 0.0
        self._taken = self._thrown_away = self._blank = 0
        self._unread = b""
        super().__init__(server, sock, addr, adj, map=map)

    # -- in the loop

    def received(self, data: bytes) -> bool:
        """Take what came in."""
        with self.requests_lock:
            self._unread += data
        return self._read_on()

    def _read_on(self) -> bool:
        """Read one request of what has come, where none is being answered. Whether the connection goes on."""
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
        """Before a request there may be one, and not as many as anybody likes."""
        rest = self._unread.lstrip(b"\r\n")
        self._blank += len(self._unread) - len(rest)
        if self._blank <= MAX_BLANK_BYTES:
            self._unread = rest

    def _begin(self) -> None:
        self.request, self._began_at = self.parser_class(self.adj), monotonic()

    def _hand_over(self) -> None:
        """The request is whole: a thread answers it."""
        self.requests.append(self.request)
        self.request, self.sent_continue, self._blank = None, False, 0
        self.server.add_task(self)

    # Both are asked of every connection at each turn of the loop: as waitress has them, in one step.

    def readable(self) -> bool:
        return bool(
            self._said_goodbye_at
            or not (
                self.requests or self._unread or self.total_outbufs_len or self.will_close or self.close_when_flushed
            )
        )

    def writable(self) -> bool:
        return bool(
            (self.total_outbufs_len or self.will_close or self.close_when_flushed) and not self._said_goodbye_at
        )

    def handle_read(self) -> None:
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

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = super().send(data, do_close)
        self._taken += sent
        return sent

    def handle_error(self) -> None:
        """Something of ours failed in the loop: this connection ends, the others go on."""
        log.error("connection failed", exc_info=True)
        self.handle_close()

    def _say_goodbye(self) -> None:
        """Nothing more will be sent. Whoever still sends is listened to for a moment, so that the answer arrives."""
        self._said_goodbye_at = monotonic()
        try:
            self.socket.shutdown(SHUT_WR)
        except OSError:
            self.handle_close()

    # -- how long it may take

    @property
    def is_busy(self) -> bool:
        """Whether a whole request is there: what takes time now is ours."""
        return bool(self.requests)

    @property
    def is_silent(self) -> bool:
        """Whether nothing of a request has come since the last one, and no answer is left to send."""
        return not (
            self.requests or self.total_outbufs_len or self.request is not None or self._unread or self._said_goodbye_at
        )

    @property
    def held(self) -> int:
        """Bytes that are kept for it."""
        return (
            self.total_outbufs_len
            + len(self._unread)
            + (self.request.body_bytes_received if self.request is not None else 0)
        )

    def look_at_the_clock(self, now: float, allowed: Allowance) -> None:
        """End it where it takes longer than it may."""
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
        """Whether something came that the loop, with much to do, has not come to read."""
        try:
            return bool(self.socket.recv(1, MSG_PEEK | MSG_DONTWAIT))
        except OSError:
            return False

    # -- in a thread

    def service(self) -> None:
        """Answer the request that is whole, and read the next where it has come."""
        super().service()
        self._read_on()

    def flush(self) -> None:
        """Send what can be sent at once."""
        with self.outbuf_lock:
            if self.connected:
                self._flush_exception(self._flush_some, do_close=False)

    def has_gone(self) -> bool:
        """Whether the other side hung up."""
        line = self.socket
        if not self.connected or line is None:
            return True
        hung_up = poll()
        with suppress(OSError, ValueError):
            hung_up.register(line, POLLRDHUP)
            return bool(hung_up.poll(0))
        return True


class Door(TcpWSGIServer):
    """A socket that listens, and the connections that came in by it."""

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
        """Where it listens, as (host, port)."""
        return ("localhost", "") if self.family == AF_UNIX else super().getsockname()

    def fix_addr(self, addr: Any) -> Any:
        """The peer's address: that of a socket in the file system has none."""
        return ("unix", 0) if self.family == AF_UNIX else addr

    def set_socket_options(self, conn: Any) -> None:
        if self.family != AF_UNIX:
            super().set_socket_options(conn)

    def readable(self) -> bool:
        return super().readable() and monotonic() >= self._rests_until

    def handle_accept(self) -> None:
        """Let in who waits, for whom there is always room. One by one, which shares them among the processes; more at
        once where the loop, with many to look after, takes longer to come round."""
        for _ in range(1 + len(self.active_channels) // 16):
            there_were = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == there_were:
                break
        if len(self.active_channels) > self._most:
            strangers = sum(not connection.is_trusted for connection in self.active_channels.values())
            self._end_the_oldest(strangers - self._most)

    def accept(self) -> Any:
        """The next connection, or None. Where the system has nothing left for another, the oldest gives way."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in NO_FILES:
                raise
            if not self._end_the_oldest():
                self._rests_until = monotonic() + 1
            return None

    def maintenance(self, _now: float) -> None:
        """What is looked after each second: who takes too long, and how much is held for all."""
        now = monotonic()
        for connection in list(self.active_channels.values()):
            connection.look_at_the_clock(now, self._allowed)
        excess = sum(connection.held for connection in self.active_channels.values()) - self._most_bytes
        if excess > 0:
            self._free(excess)

    def end_the_silent(self) -> None:
        """End every connection on which nothing has been asked since its last answer."""
        for connection in list(self.active_channels.values()):
            if connection.is_silent and not connection.has_sent():
                connection.handle_close()

    def stop_accepting(self) -> None:
        """Leave those who come from now on to others."""
        self.accepting = False
        self.del_channel()

    def _free(self, excess: int) -> None:
        """End connections until so many bytes less are held, each the oldest of the address that holds most then; of
        one address answers that are not taken before bodies that are on their way. Threat: whoever asks and asks and
        takes no answer would push out those who send a report over a weak line."""
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
        """Those that may be ended."""
        return [each for each in self.active_channels.values() if not each.is_busy and not each.is_trusted]

    def _end_the_oldest(self, count: int = 1) -> bool:
        """End those `count` that have been without a whole request for longest; False where there is none."""
        found = nsmallest(count, self._without_a_whole_request(), key=lambda each: each.waits_since)
        for connection in found:
            connection.handle_close()
        return bool(found)


def settings(threads: int, backlog: int) -> Adjustments:
    """waitress' settings: nothing is buffered in files, no thread waits until an answer is taken, and its own limits on
    connections are off."""
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
    # Head and body leave together. (It cannot be given without a warning that it will once be gone.)
    chosen.send_bytes = 16 * 1024
    return chosen


def files_for(connections: int) -> int:
    """How many of so many connections this process may have: as many file descriptors as that takes are asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        connections = min(connections, max(soft - RESERVED_FILES, soft // 2))
    return connections
