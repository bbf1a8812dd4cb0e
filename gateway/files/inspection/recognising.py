"""What a file is, told by its content."""

import csv
import io
import re
import zipfile
from typing import BinaryIO

from gateway.files.errors import FileRefusedError
from gateway.files.inspection.boxes import refuse_cut_off
from gateway.files.inspection.boxes import tracks as tracks_of
from gateway.files.kinds import (
    AMR,
    CSV,
    DOCX,
    HEIC,
    JPEG,
    KINDS,
    M4A,
    MOV,
    MP3,
    MP4,
    OGG,
    PDF,
    PNG,
    PPTX,
    SEALED,
    THREE_GP,
    TXT,
    WAV,
    WEBM,
    WEBP,
    XLSX,
    Kind,
)

HEAD = 4096
"""How many bytes of the beginning tell most kinds."""

MOST_MEMBERS = 2000
"""The largest number of members of an office document."""

_PROGRAMS = (
    *(b"MZ", b"\x7fELF", b"#!/", b"#! /", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"),
    *(b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"dex\n", b"\0asm", b"L\0\0\0\x01\x14\x02\0", b"ITSF"),
)
_ARCHIVES = (
    *(b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"MSCF", b"xar!"),
    *(b"\x04\x22\x4d\x18", b"\x1f\x9d", b"!<arch>"),
)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"\s*<(?:[!?a-z])", re.IGNORECASE)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BRANDS = {b"qt  ": MOV, b"M4A ": M4A, b"M4B ": M4A, b"M4P ": M4A}
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_OFFICE = {
    "word/document.xml": DOCX,
    "xl/workbook.xml": XLSX,
    "ppt/presentation.xml": PPTX,
}


def recognise(file: BinaryIO) -> Kind:
    """Return the kind of the seekable `file`. Raises FileRefusedError for what is not taken, and says what it is."""
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise FileRefusedError("empty")
    if kind := _by_signature(head, file):
        return kind
    _refuse(head)
    return _text(file)


def _by_signature(head: bytes, file: BinaryIO) -> Kind | None:
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"RIFF"):
        _refuse_cut_off_riff(head, file)
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _package(file)
    if head.startswith(_COMPOUND):
        return _compound(file)
    return _sound(head) or _boxed(head, file) or _matroska(head)


def _sound(head: bytes) -> Kind | None:
    if head.startswith(b"OggS"):
        return OGG if b"OpusHead" in head[:64] or b"\x01vorbis" in head[:64] or b"\x7fFLAC" in head[:64] else None
    if head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return AMR
    if head.startswith(b"ID3") or (len(head) > 3 and _is_mpeg_audio(head)):
        return MP3
    return None


def _is_mpeg_audio(head: bytes) -> bool:
    """Return whether `head` begins with the header of an MPEG audio frame of layer III."""
    return (
        head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] & 0xF0 not in (0x00, 0xF0)
        and head[2] & 0x0C != 0x0C
    )


def _matroska(head: bytes) -> Kind | None:
    return WEBM if head.startswith(b"\x1a\x45\xdf\xa3") and b"\x42\x82\x84webm" in head[:128] else None


def _boxed(head: bytes, file: BinaryIO) -> Kind | None:
    """Return the kind of a file of boxes: the MP4 family and HEIC."""
    box, brand = head[4:8], head[8:12]
    if box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        refuse_cut_off(file)
    if box in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return MOV if tracks_of(file) else None
    if box != b"ftyp":
        return None
    length = min(int.from_bytes(head[:4], "big"), HEAD)
    brands = {head[at : at + 4] for at in (8, *range(16, length, 4))}
    if brand in _HEIF or (brand not in _BRANDS and brands & set(_HEIF)):
        return HEIC if b"avif" not in brands and b"avis" not in brands else None
    kind = _BRANDS.get(brand, THREE_GP if brand[:2] == b"3g" else MP4)
    tracks = tracks_of(file)
    if not tracks:
        # The list of tracks is often at the end, which has not come.
        raise FileRefusedError("broken")
    return M4A if kind in (MP4, MOV) and b"vide" not in tracks else kind


def _refuse_cut_off_riff(head: bytes, file: BinaryIO) -> None:
    """Refuse a RIFF that says it is longer. One that was written as it was recorded may say nothing."""
    said = int.from_bytes(head[4:8], "little")
    if said not in (0, 0xFFFFFFFF) and said + 8 > file.seek(0, io.SEEK_END):
        raise FileRefusedError("broken")


def _package(file: BinaryIO) -> Kind:
    """Return the kind of the office document in a zip file. Raises FileRefusedError for any other archive."""
    names = _members(file)
    if "mimetype" in names and (kind := KINDS.get(_mimetype(file))) and kind.media == "odf":
        _without_programs(names, ("Basic/", "Scripts/", "Dialogs/"))
        return kind
    found = [kind for name, kind in _OFFICE.items() if name in names]
    if "[Content_Types].xml" in names:
        _without_programs(names, ("vbaproject", "activex/", "macrosheets/", "vbadata"))
        if len(found) == 1:
            return found[0]
        raise FileRefusedError("not-taken")
    raise FileRefusedError("program" if names & {"META-INF/MANIFEST.MF", "AndroidManifest.xml"} else "archive")


def _members(file: BinaryIO) -> set[str]:
    try:
        with zipfile.ZipFile(file) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise FileRefusedError("broken") from error
    if len(names) > MOST_MEMBERS:
        raise FileRefusedError("archive")
    if len(names) != len(set(names)):
        raise FileRefusedError("broken")
    return set(names)


def _mimetype(file: BinaryIO) -> str:
    with zipfile.ZipFile(file) as package, package.open("mimetype") as member:
        return member.read(100).decode("ascii", "replace").strip()


def _without_programs(names: set[str], programs: tuple[str, ...]) -> None:
    if any(program.lower() in name.lower() for name in names for program in programs):
        raise FileRefusedError("macros")


def _compound(file: BinaryIO) -> Kind:
    """Return the kind of a compound file: an encrypted office document is one, and so are those before 2007."""
    file.seek(0)
    content = file.read()
    if "EncryptedPackage".encode("utf-16-le") in content and "EncryptionInfo".encode("utf-16-le") in content:
        return SEALED
    old = ("WordDocument", "Workbook", "Book", "PowerPoint Document")
    known = any(f"{name}\0".encode("utf-16-le") in content for name in old)
    raise FileRefusedError("old-office" if known else "not-taken")


def _refuse(head: bytes) -> None:
    bare = head
    for mark in _BYTE_ORDER_MARKS:
        bare = bare.removeprefix(mark)
    bare = bare.replace(b"\0", b"")
    if head.startswith(_PROGRAMS):
        raise FileRefusedError("program")
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        raise FileRefusedError("archive")
    if _MARKUP.match(bare):
        raise FileRefusedError("web-page")
    if bare.startswith(b"{\\rtf"):
        raise FileRefusedError("old-office")


def _text(file: BinaryIO) -> Kind:
    file.seek(0)
    text = read_text(file.read())
    return CSV if _is_table(text) else TXT


def read_text(content: bytes) -> str:
    """Return `content` as text: UTF-8, UTF-16 with its mark, or Windows-1252. Raises FileRefusedError for no text."""
    for encoding in ("utf-16",) if content.startswith(_BYTE_ORDER_MARKS[1:]) else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        encoded = text.encode() if encoding == "utf-16" else content
        # Four times as fast as a search for the first of them.
        if len(encoded.translate(None, delete=_UNPRINTABLE)) == len(encoded):
            return text
    raise FileRefusedError("not-taken")


_UNPRINTABLE = bytes({*range(0x20), 0x7F} - {*b"\t\n\f\r"})
"""Control characters that are part of no text: one byte each, the same in UTF-8 and Windows-1252."""


def _is_table(text: str) -> bool:
    """Return whether the first lines of `text` have the same number of columns, and more than one."""
    lines = text[:20_000].splitlines()[:20]
    if len(lines) < 2:
        return False
    for separator in ",;\t":
        try:
            widths = {len(row) for row in csv.reader(lines, delimiter=separator) if row}
        except csv.Error:
            continue
        if len(widths) == 1 and widths.pop() > 1:
            return True
    return False
