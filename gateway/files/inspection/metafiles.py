"""Drawings of Windows (WMF and EMF) inside documents, without a program's remarks and what their photographs say."""

from collections.abc import Iterator

from gateway.files.errors import FileRefusedError

_PLACEABLE = 22
_WMF_HEADER = 18
_ESCAPE = 0x0626
"""A message to a printer, or a remark (MS-WMF 2.3.6)."""

_EMF_HEADER, _EMF_REMARK = 1, 70
_EMF_PLUS = 16
"""Where the drawing of EMF+ begins in a remark."""
_JPEG = b"\xff\xd8\xff"


def bare_wmf(content: bytes) -> bytes:
    """Return a WMF without its messages to printers and its remarks, in which programs put a drawing once more."""
    start = _PLACEABLE if content.startswith(b"\xd7\xcd\xc6\x9a") else 0
    header, at, kept = bytearray(content[start : start + _WMF_HEADER]), start + _WMF_HEADER, []
    while at + 6 <= len(content):
        length = 2 * int.from_bytes(content[at : at + 4], "little")
        kind = int.from_bytes(content[at + 4 : at + 6], "little")
        if length < 6:
            raise FileRefusedError("broken")
        if kind != _ESCAPE:
            kept.append(content[at : at + length])
        at += length
        if kind == 0:
            break
    records = b"".join(kept)
    header[6:10] = ((len(header) + len(records)) // 2).to_bytes(4, "little")
    return content[:start] + bytes(header) + records


def bare_emf(content: bytes) -> bytes:
    """Return an EMF without its remarks, and with zeros for its description, which names a program and a title.

    What EMF+ draws stands in remarks of its own; a photograph in it loses what it says beside its pixels.
    """
    kept = [_bare_record(kind, record) for kind, record in _records(content) if not _is_remark(kind, record)]
    if not kept:
        raise FileRefusedError("broken")
    header = bytearray(kept[0])
    header[48:52] = sum(map(len, kept)).to_bytes(4, "little")
    header[52:56] = len(kept).to_bytes(4, "little")
    return bytes(header) + b"".join(kept[1:])


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 8 <= len(content):
        kind, length = (int.from_bytes(content[start : start + 4], "little") for start in (at, at + 4))
        if length < 8:
            raise FileRefusedError("broken")
        yield kind, content[at : at + length]
        at += length
        if kind == 14:
            return


def _is_remark(kind: int, record: bytes) -> bool:
    return kind == _EMF_REMARK and record[12:16] != b"EMF+"


def _bare_record(kind: int, record: bytes) -> bytes:
    if kind == _EMF_REMARK:
        return _without_remarks_of_jpegs(record)
    if kind != _EMF_HEADER or len(record) < 68:
        return record
    length, at = (int.from_bytes(record[start : start + 4], "little") for start in (60, 64))
    if at == 0 or at + 2 * length > len(record):
        return record
    return record[:60] + bytes(8) + record[68:at] + bytes(2 * length) + record[at + 2 * length :]


def _without_remarks_of_jpegs(record: bytes) -> bytes:
    """Return a record whose photographs have zeros in place of EXIF and the like: their length counts in it."""
    bare, at = bytearray(record), _EMF_PLUS
    while at + 12 <= len(record):
        end = at + max(12, int.from_bytes(record[at + 4 : at + 8], "little"))
        found = record.find(_JPEG, at, end)
        for start, stop in _unseen(record, found + 2, min(end, len(record))) if found >= 0 else ():
            bare[start:stop] = bytes(stop - start)
        at = end
    return bytes(bare)


def _unseen(record: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where a JPEG whose segments begin at `at` says something, and what is behind it up to `end`."""
    while at + 4 <= end and record[at] == 0xFF and record[at + 1] not in (0xDA, 0xD9):
        marker, stop = record[at + 1], min(at + 2 + int.from_bytes(record[at + 2 : at + 4], "big"), end)
        is_needed = record[at + 4 : at + 9] in (b"JFIF\0", b"Adobe")
        if marker == 0xFE or (0xE0 <= marker <= 0xEF and not is_needed):
            yield at + 4, max(at + 4, stop)
        at = max(stop, at + 2)
    over = record.find(b"\xff\xd9", at, end)
    if over >= 0:
        yield over + 2, end
