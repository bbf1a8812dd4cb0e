"""Stores and streams as bad as those that the tests of files need."""

from collections.abc import Iterator
from pathlib import Path
from struct import pack

from cryptography.fernet import Fernet

from gateway.files.arriving import BrokenOffError
from gateway.files.sealing import ring_of
from gateway.files.stores import StoreAwayError, StoreFullError
from gateway.files.stores.directory import Directory
from gateway.files.uploads import Limits, Uploads

RING = ring_of([Fernet.generate_key().decode()])
REPORTER, OTHER = "reporter:1", "reporter:2"


def pattern(length: int) -> bytes:
    """Return bytes of which no part of 64 KiB is like another."""
    numbers = range(-(-length // 4))
    return pack(f">{len(numbers)}I", *numbers)[:length]


class Bodies:
    """A body that arrives in `parts`: bytes, an error to raise, or None for a second in which nothing comes."""

    def __init__(self, *parts: bytes | Exception | None) -> None:
        self._parts: Iterator[bytes | Exception | None] = iter(parts)

    def take(self, _most: int, _seconds: float) -> bytes | None:
        """Return the next part."""
        part = next(self._parts, b"")
        if isinstance(part, Exception):
            raise part
        return part


BROKEN = BrokenOffError()


class BadStore(Directory):
    """A folder that, from one moment on, is full, is away, or takes no more than `room` bytes."""

    room: int | None = None
    is_away = False

    def put(self, name: str, content: bytes) -> None:
        """Store as a folder does, while there is room."""
        self._must_be_there()
        if self.room is not None:
            if len(content) > self.room:
                raise StoreFullError("no room")
            self.room -= len(content)
        super().put(name, content)

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        """Read as a folder does, while it is there."""
        self._must_be_there()
        return super().get(name, start, stop)

    def _must_be_there(self) -> None:
        if self.is_away:
            raise StoreAwayError("away")


def uploads_in(folder: Path, limits: Limits | None = None) -> Uploads:
    """Return the uploads in a folder."""
    return Uploads(BadStore(folder), RING, limits)
