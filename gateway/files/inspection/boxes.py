"""Files of boxes: the MP4 family and HEIC (ISO/IEC 14496-12)."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from gateway.files.errors import FileRefusedError

MOST_BOXES = 10_000
"""How many boxes of a file are looked at, on each level."""


def refuse_cut_off(file: BinaryIO) -> None:
    """Refuse a file of boxes of which one with pictures, sound or their list does not end within it."""
    for name, _, end, size in _boxes(file, 0, file.seek(0, io.SEEK_END)):
        if name in (b"mdat", b"moov", b"meta") and end > size:
            raise FileRefusedError("broken")


def tracks(file: BinaryIO) -> set[bytes]:
    """Return the types of the tracks (`vide`, `soun`) of a file of boxes."""
    return set(_handlers(file, 0, file.seek(0, io.SEEK_END), 0))


def _handlers(file: BinaryIO, start: int, stop: int, depth: int) -> Iterator[bytes]:
    for name, inside, end, _ in _boxes(file, start, stop):
        if name in (b"moov", b"trak", b"mdia") and depth < 4:
            yield from _handlers(file, inside, min(end, stop), depth + 1)
        elif name == b"hdlr" and depth == 3:
            file.seek(inside + 8)
            yield file.read(4)


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the name of each box, where it begins inside and ends, and where all are to end."""
    for _ in range(MOST_BOXES):
        if start + 8 > stop:
            return
        file.seek(start)
        header = file.read(16)
        length, name, inside = int.from_bytes(header[:4], "big"), header[4:8], start + 8
        if length == 1:
            length, inside = int.from_bytes(header[8:16], "big"), start + 16
        end = stop if length == 0 else start + length
        if end < inside:
            return
        yield name, inside, end, stop
        start = end
