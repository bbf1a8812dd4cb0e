"""Bodies that a thread reads while the loop of connections receives them, because they are too long to be held."""

import re
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from waitress.receiver import FixedStreamReceiver

from gateway import tus
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError

MOST_BYTES = 512 * 1024
"""How many bytes of a body are held; while the thread has not taken them, the client has to wait."""

FORM_ADDRESSES = re.compile(r"/laporan/(?:baru|[^/]+/(?:tanggapan|tambah|pertanyaan/[0-9]+))|/petugas/laporan-baru")
"""The pages whose forms bring files."""


def arrives(method: str, path: str, content_type: str) -> bool:
    """Return whether the body of such a request is read while it arrives."""
    if path == tus.PREFIX or tus.is_of_an_upload(path):
        return method in ("POST", "PATCH")
    return (
        method == "POST"
        and bool(FORM_ADDRESSES.fullmatch(path))
        and content_type.lower().startswith("multipart/form-data")
    )


class Body:
    """The body of a request. The loop gives it bytes by `received`, a thread takes them by `take` or `read`.

    A client is too slow that keeps a thread waiting for longer than `seconds`, with one more for each KiB that it sent,
    or for longer than `pause` at once.
    """

    def __init__(self, length: int | None, seconds: float, pause: float) -> None:
        self.is_whole = False
        self.is_simple = length is not None
        """Whether its bytes come without the framing of chunks, which takes time to read."""
        self.on_begin: Callable[[], None] = lambda: None
        self.on_room: Callable[[], None] = lambda: None
        self.is_leaving: Callable[[], bool] = lambda: False
        self._seconds, self._pause = seconds, pause
        self._parts: deque[bytes] = deque()
        self._held = self._came = 0
        self._waited = self._silent = 0.0
        self._has_begun = self._is_broken = self._is_over = False
        self._changed = threading.Condition()
        self.receiver: Any = FixedStreamReceiver(length, self) if length is not None else None

    # -- in the loop

    @property
    def wants_more(self) -> bool:
        """Whether bytes are to be read from the socket: not before a thread has begun to take them."""
        return self._has_begun and self._held < MOST_BYTES and not (self.is_whole or self._is_broken or self._is_over)

    def received(self, data: bytes) -> int:
        """Take what is the body's of `data`, and return how much that is."""
        taken: int = self.receiver.received(data)
        with self._changed:
            self._is_broken |= self.receiver.error is not None
            self.is_whole = self.receiver.completed and not self._is_broken
            self._changed.notify()
        return taken

    def append(self, data: bytes) -> None:
        """Hold bytes; the receiver calls this."""
        with self._changed:
            self._came += len(data)
            if data and not self._is_over:
                self._parts.append(bytes(data))
                self._held += len(data)

    def break_off(self) -> None:
        """Say that no more comes."""
        with self._changed:
            self._is_broken = not self.is_whole
            self._changed.notify()

    def __len__(self) -> int:
        return self._came

    # -- in a thread

    def take(self, most: int, seconds: float) -> bytes | None:
        """Return the next bytes, none at the end, or None where nothing came within `seconds`.

        Raises BrokenOffError, TooSlowError, or LeavingError where this process is to end.
        """
        if not self._has_begun:
            self._has_begun = True
            self.on_begin()
            self.on_room()
        if self.is_leaving():
            raise LeavingError
        with self._changed:
            self._wait(seconds)
            was_full = self._held >= MOST_BYTES
            is_too_slow = self._waited > self._seconds + self._came / 1024 or self._silent > self._pause
            if is_too_slow and not self.is_whole:
                raise TooSlowError
            found = self._next(most)
            if not found and self._is_broken:
                raise BrokenOffError
            if not found and not self.is_whole:
                return None
        if was_full:
            self.on_room()
        return found

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, or all up to the end."""
        found = bytearray()
        while size < 0 or len(found) < size:
            piece = self.take(MOST_BYTES if size < 0 else size - len(found), 1)
            if piece == b"":
                break
            found += piece or b""
        return bytes(found)

    def close(self) -> None:
        """Drop what was not read, and what may still come."""
        with self._changed:
            self._is_over, self._held = True, 0
            self._parts.clear()

    def _wait(self, seconds: float) -> None:
        began = monotonic()
        has_come = self._changed.wait_for(lambda: self._parts or self.is_whole or self._is_broken, seconds)
        waited = monotonic() - began
        self._waited += waited
        self._silent = 0.0 if has_come else self._silent + waited

    def _next(self, most: int) -> bytes:
        if not self._parts:
            return b""
        found = self._parts.popleft()
        if len(found) > most:
            self._parts.appendleft(found[most:])
            found = found[:most]
        self._held -= len(found)
        return found
