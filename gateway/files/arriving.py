"""A body that arrives while it is read."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

PIECE = 256 * 1024
IDLE_SECONDS = 1.0


class BrokenOffError(Exception):
    """The client closed the connection before the body's end."""


class TooSlowError(Exception):
    """The client sent less than it has to in the time it took."""


class LeavingError(Exception):
    """This process is to end; another goes on with the upload."""


def pieces(stream: Any) -> Iterator[bytes]:
    """Yield what a stream holds, piece by piece.

    Of a body that arrives (`gateway.connections`) an empty piece is yielded each second in which nothing comes. Raises
    BrokenOffError, TooSlowError or LeavingError.
    """
    take = getattr(stream, "take", None)
    while True:
        piece = take(PIECE, IDLE_SECONDS) if take else stream.read(PIECE)
        if piece is None:
            yield b""
        elif piece:
            yield piece
        else:
            return


def in_time(found: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    """Yield the pieces that come within `seconds`. Raises TooSlowError where there are more."""
    until = monotonic() + seconds
    for piece in found:
        if monotonic() > until:
            raise TooSlowError
        yield piece
