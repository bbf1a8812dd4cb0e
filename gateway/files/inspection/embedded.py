"""Pictures inside other documents, rid of their own hidden data without touching a pixel.

They are not encoded anew: how a document's program turns and colours them is not known here.
"""

import struct
from collections.abc import Iterator

from gateway.files.errors import FileRefusedError

_PNG = b"\x89PNG\r\n\x1a\n"
_SHOWN_CHUNKS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"),
    *(b"acTL", b"fcTL", b"fdAT"),
}
_COLOURS = {
    *(b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"chad", b"chrm", b"lumi"),
    *(b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt", b"cicp"),
}
_ICC = b"ICC_PROFILE\0"


def bare_jpeg(content: bytes) -> bytes:
    """Return a JPEG with its frame, its tables, its colour profile's figures and its pixels alone."""
    kept = [b"\xff\xd8"]
    for marker, segment in _segments(content):
        body = segment[4:]
        if marker == 0xEE and body.startswith(b"Adobe"):
            kept.append(b"\xff\xee\x00\x0e" + body[:12])
        elif marker == 0xE2 and body.startswith(_ICC) and body[len(_ICC) : len(_ICC) + 2] == b"\x01\x01":
            start = len(_ICC) + 2
            kept.append(segment[: 4 + start] + bare_profile(body[start:]))
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(segment)
    return b"".join(kept)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the bytes of each segment after the first, up to the end of the picture; no more.

    What stands between segments, which decoders pass over, is left out.
    """
    at = content.find(b"\xff\xd8") + 2
    while 0 <= (at := content.find(b"\xff", at)) < len(content) - 1:
        marker = content[at + 1]
        if marker in (0x00, 0xFF):
            at += 1
            continue
        if marker == 0xD9:
            break
        length = 2 if 0xD0 <= marker <= 0xD8 or marker == 0x01 else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        end = at + length
        if marker == 0xDA:
            end = _end_of_scan(content, end)
        yield marker, content[at:end]
        at = end
    yield 0xD9, b"\xff\xd9"


def _end_of_scan(content: bytes, at: int) -> int:
    """Return where the next segment begins: after 0xFF, neither a stuffed zero nor a restart."""
    while (at := content.find(b"\xff", at)) >= 0:
        if at + 1 >= len(content):
            break
        if content[at + 1] == 0 or 0xD0 <= content[at + 1] <= 0xD7:
            at += 2
        elif content[at + 1] == 0xFF:
            at += 1
        else:
            return at
    return len(content)


def bare_png(content: bytes) -> bytes:
    """Return a PNG with the chunks that show something."""
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        chunk = content[at : at + 12 + length]
        if name in _SHOWN_CHUNKS:
            kept.append(chunk)
        at += 12 + length
        if name == b"IEND":
            break
    return b"".join(kept)


def bare_gif(content: bytes) -> bytes:
    """Return a GIF without its comments, texts and programs' extensions, but that of its repetition."""
    at = 13 + (3 << ((content[10] & 7) + 1) if content[10] & 0x80 else 0)
    kept = [content[:at]]
    while at < len(content):
        start, block = at, content[at]
        if block == 0x3B:
            break
        if block == 0x2C:
            flags = content[at + 9]
            at = _after_blocks(content, at + 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0))
            kept.append(content[start:at])
        elif block == 0x21:
            label, at = content[at + 1], _after_blocks(content, at + 2)
            repeats = label == 0xFF and content[start + 3 : start + 14] == b"NETSCAPE2.0" and at - start == 19
            if label == 0xF9 or repeats:
                kept.append(content[start:at])
        else:
            raise FileRefusedError("broken")
    return b"".join(kept) + b"\x3b"


def _after_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1


def bare_jpeg2000(content: bytes) -> bytes:
    """Return a JPEG 2000 without its boxes of XML, of others' data and of rights, and without remarks."""
    if content.startswith(b"\xff\x4f\xff\x51"):
        return _without_remarks(content)
    return b"".join(_bare_boxes(content, {b"jP  ", b"ftyp", b"jp2h", b"jp2c"}))


def _bare_boxes(content: bytes, wanted: set[bytes]) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        begins = 8
        if length == 1:
            length, begins = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        if length == 0:
            length = len(content) - at
        if length < begins:
            raise FileRefusedError("broken")
        if name in wanted:
            yield _box(name, content[at + begins : at + length])
        at += length


def _box(name: bytes, inside: bytes) -> bytes:
    if name == b"jp2c":
        inside = _without_remarks(inside)
    elif name == b"jp2h":
        inside = b"".join(_bare_boxes(inside, {b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res "}))
    elif name == b"colr" and inside[:1] == b"\x02":
        inside = inside[:3] + bare_profile(inside[3:])
    return struct.pack(">I4s", 8 + len(inside), name) + inside


def _without_remarks(stream: bytes) -> bytes:
    """Return a code stream of JPEG 2000 whose remarks (COM) are spaces: their length counts in other places."""
    bare, at, part = bytearray(stream), 2, 0
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4], "big")
        if marker == 0x90:
            # The beginning of a part of the picture, which says where the next is.
            part, size = at, int.from_bytes(stream[at + 6 : at + 10], "big")
        if marker == 0x93:
            if size < 14:
                break
            at = part + size
            continue
        if marker == 0x64:
            bare[at + 6 : at + 2 + length] = b" " * len(stream[at + 6 : at + 2 + length])
        at += 2 + length
    return bytes(bare)


def bare_profile(profile: bytes) -> bytes:
    """Return a colour profile whose names, dates, makers and texts are zeros, and whose figures are as they were."""
    if len(profile) < 132:
        return profile
    bare = bytearray(profile)
    for start, end in ((4, 8), (24, 36), (40, 44), (48, 56), (80, 100)):
        bare[start:end] = bytes(end - start)
    count = min(int.from_bytes(profile[128:132], "big"), 200)
    tags = [
        struct.unpack(">4sII", profile[at : at + 12])
        for at in range(132, 132 + 12 * count, 12)
        if at + 12 <= len(profile)
    ]
    shown = [(at, at + length) for name, at, length in tags if name in _COLOURS]
    for name, at, length in tags:
        if name not in _COLOURS and not any(at < end and start < at + length for start, end in shown):
            # What follows the type of a text: no characters, or no translations.
            bare[at + 8 : min(at + length, len(bare))] = bytes(max(0, min(at + length, len(bare)) - at - 8))
    return bytes(bare)
