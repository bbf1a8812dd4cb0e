"""Answers that are drawn as the client takes them, so that a slow reader holds neither a thread nor much memory."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any

from waitress.buffers import ReadOnlyFileBasedBuffer

from nkk.log import get_logger

FEW_BYTES, MANY_BYTES = 64 * 1024, 256 * 1024
"""More is drawn when fewer bytes than the first wait for the client, and until the second wait."""

TURN_BYTES = 1024 * 1024
"""How much a thread draws for one client before it serves others."""

log = get_logger()


class Drawn(ReadOnlyFileBasedBuffer):
    """The body of an answer, of `length` bytes, that `pieces` yields.

    The channel sends what is `ready`. Threads of the server draw more, one at a time; they hold the channel's lock only
    while they add what they drew.
    """

    def __init__(self, channel: Any, pieces: Iterator[bytes], length: int) -> None:
        self.remain = length
        self._channel, self._pieces, self._undrawn = channel, pieces, length
        self._ready = bytearray()
        self._is_drawing = self._is_closed = False
        while self._undrawn and len(self._ready) < MANY_BYTES:
            self._draw()
        channel.drawn = self

    @property
    def waiting(self) -> int:
        """How many bytes were drawn and not sent yet."""
        return len(self._ready)

    def prepare(self, size: int | None = None) -> int:
        """Return how many bytes it has."""
        return int(self.remain)

    def get(self, numbytes: int = -1, skip: bool = False) -> bytes:
        """Return the next bytes that are ready, none where more are being drawn."""
        found = bytes(memoryview(self._ready)[: len(self._ready) if numbytes < 0 else numbytes])
        if skip:
            self.skip(len(found))
        return found

    def skip(self, numbytes: int, allow_prune: bool = False) -> None:
        """Drop bytes that were sent, and have more drawn where few are left."""
        del self._ready[:numbytes]
        self.remain -= numbytes
        if len(self._ready) < FEW_BYTES:
            self._have_more_drawn()

    def close(self) -> None:
        """End: all was sent, or the client has gone."""
        self._is_closed = True
        self._ready.clear()
        if self._channel.drawn is self:
            self._channel.drawn = None
        # Where a thread is at it just now, that thread closes it.
        if not self._is_drawing:
            self._close_pieces()

    # -- in a thread

    def service(self) -> None:
        """Draw what the client can take; the server's threads call this."""
        turn = 0
        try:
            while self._undrawn and not self._is_closed and turn < TURN_BYTES:
                if len(self._ready) >= MANY_BYTES:
                    self._channel.flush()
                    if len(self._ready) >= FEW_BYTES:
                        break
                turn += self._draw()
        except Exception:
            # The client sees that bytes are missing, because the answer has said how many there are.
            log.error("answer broken off", exc_info=True)
            self._channel.will_close = True
        with self._channel.outbuf_lock:
            self._is_drawing = False
            if self._is_closed:
                self._close_pieces()
            elif len(self._ready) < FEW_BYTES and not self._channel.will_close:
                # The loop may have sent all that was ready while this thread was about to stop.
                self._have_more_drawn()
        self._channel.go_on()

    def cancel(self) -> None:
        """Do nothing: the server ends, and with it the connection."""

    def _draw(self) -> int:
        piece = next(self._pieces)[: self._undrawn]
        with self._channel.outbuf_lock:
            self._undrawn -= len(piece)
            if not self._is_closed:
                self._ready += piece
        return len(piece)

    def _have_more_drawn(self) -> None:
        if self._undrawn and not self._is_drawing and not self._is_closed:
            self._is_drawing = True
            self._channel.server.add_task(self)

    def _close_pieces(self) -> None:
        if isinstance(self._pieces, Generator):
            with suppress(Exception):
                self._pieces.close()
