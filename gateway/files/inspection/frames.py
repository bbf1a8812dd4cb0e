"""MP3 as its frames alone: what programs put before, between and behind them is no sound (ISO/IEC 11172-3)."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from gateway.files.inspection.memory import memory_file

_KBITS = (
    # By version 1, and by versions 2 and 2.5, of layer III.
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_BEGINNING = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
_HERTZ = (44100, 48000, 32000)
_SLOWER = {0b11: 1, 0b10: 2, 0b00: 4}
"""By how much the version's rates are lower, by the two bits that name it."""


def only_frames(file: BinaryIO) -> BinaryIO:
    """Return the MP3 in `file` without anything beside its frames."""
    file.seek(0)
    kept = memory_file()
    for frame in _frames(file.read()):
        kept.write(frame)
    return kept


def _frames(content: bytes) -> Iterator[bytes]:
    at = 0
    while found := _BEGINNING.search(content, at):
        at = found.start()
        length = _length(content, at)
        end = at + length
        # Two bytes in something else may look like a frame; a second frame behind it does not.
        if length and (end == len(content) or (end < len(content) and _is_followed(content, end))):
            yield content[at:end]
            at = end
        else:
            at += 1


def _is_followed(content: bytes, at: int) -> bool:
    """Return whether a frame begins at `at`, or what other programs put behind the last."""
    return _length(content, at) > 0 or content.startswith((b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN"), at)


def _length(content: bytes, at: int) -> int:
    """Return the length of the frame whose header is at `at`; 0 where none is."""
    header = content[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    slower, rate, hertz = _SLOWER.get(header[1] >> 3 & 3), header[2] >> 4, header[2] >> 2 & 3
    if slower is None or rate in (0, 15) or hertz == 3:
        return 0
    kbits = _KBITS[slower > 1][rate]
    return (144 if slower == 1 else 72) * kbits * 1000 // (_HERTZ[hertz] // slower) + (header[2] >> 1 & 1)
