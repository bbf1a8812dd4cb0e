"""The HTTP server's listening sockets: how many connections there may be, and how much memory they may hold.

When there are more connections than allowed, the oldest without a whole request is closed; when they hold more memory
than allowed, one of the address that holds most. New connections are never refused. A trusted proxy may have any number
of connections and keep them open, because its visitors must not pay for other clients.
"""

import errno
import resource
from collections import defaultdict
from collections.abc import Callable
from heapq import nsmallest
from socket import AF_UNIX
from time import monotonic
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from gateway.connections import Allowance, Connection
from gateway.requests import MAX_FRAMED_BYTES, MAX_HEAD_BYTES

LOOK_BYTES = 4 * 1024
"""How many bytes are read from one connection before the others have their turn.

They may be almost only chunk framing, one chunk for each byte, whose parsing takes some milliseconds.
"""

NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
RESERVED_FILES = 256
"""The file descriptors kept free for everything but connections."""


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
