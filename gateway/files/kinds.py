"""The kinds of files that are taken, told by their content and never by their name."""

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from gateway.files.errors import FileRefusedError

HEAD = 4096
"""How many bytes of the beginning tell most kinds."""

MOST_BOXES = 10_000
"""How many boxes of a file are looked at, on each level."""

MOST_MEMBERS = 2000
"""The largest number of members of an office document."""


@dataclass(frozen=True)
class Kind:
    """A kind of file. `label` is what pages call it, `media` the program that cleans it."""

    media_type: str
    extension: str
    label: str
    media: Literal["picture", "pdf", "text", "office", "odf", "sealed", "sound", "video"]

    @property
    def cleanable(self) -> bool:
        """Whether hidden data can be removed here, which for sound and video needs ffmpeg."""
        return self.media != "sealed" and (self.played is None or shutil.which("ffmpeg") is not None)

    @property
    def previewed(self) -> bool:
        """Whether a preview is made."""
        return self.media in ("picture", "pdf")

    @property
    def played(self) -> Literal["audio", "video"] | None:
        """Whether browsers play it, and with which element."""
        if self.media == "sound":
            return "audio"
        return "video" if self.media == "video" else None


JPEG = Kind("image/jpeg", "jpg", "JPEG", "picture")
PNG = Kind("image/png", "png", "PNG", "picture")
WEBP = Kind("image/webp", "webp", "WebP", "picture")
HEIC = Kind("image/heic", "heic", "HEIC", "picture")
PDF = Kind("application/pdf", "pdf", "PDF", "pdf")
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = Kind(f"{_OOXML}wordprocessingml.document", "docx", "DOCX", "office")
XLSX = Kind(f"{_OOXML}spreadsheetml.sheet", "xlsx", "XLSX", "office")
PPTX = Kind(f"{_OOXML}presentationml.presentation", "pptx", "PPTX", "office")
ODT = Kind("application/vnd.oasis.opendocument.text", "odt", "ODT", "odf")
ODS = Kind("application/vnd.oasis.opendocument.spreadsheet", "ods", "ODS", "odf")
TXT = Kind("text/plain", "txt", "TXT", "text")
CSV = Kind("text/csv", "csv", "CSV", "text")
MP3 = Kind("audio/mpeg", "mp3", "MP3", "sound")
M4A = Kind("audio/mp4", "m4a", "M4A", "sound")
OGG = Kind("audio/ogg", "ogg", "OGG", "sound")
AMR = Kind("audio/amr", "amr", "AMR", "sound")
WAV = Kind("audio/wav", "wav", "WAV", "sound")
MP4 = Kind("video/mp4", "mp4", "MP4", "video")
THREE_GP = Kind("video/3gpp", "3gp", "3GP", "video")
WEBM = Kind("video/webm", "webm", "WebM", "video")
MOV = Kind("video/quicktime", "mov", "MOV", "video")
# An encrypted DOCX, XLSX or PPTX is a compound file that does not say which of them it contains.
SEALED = Kind("application/vnd.ms-office", "office", "DOCX/XLSX/PPTX", "sealed")

KINDS = {
    kind.media_type: kind
    for kind in (
        *(JPEG, PNG, WEBP, HEIC, PDF, DOCX, XLSX, PPTX, ODT, ODS, TXT, CSV, SEALED),
        *(MP3, M4A, OGG, AMR, WAV, MP4, THREE_GP, WEBM, MOV),
    )
}
"""Media type -> kind."""

ACCEPT = ",".join(
    sorted(
        {f".{kind.extension}" for kind in KINDS.values() if kind is not SEALED} | {".jpeg", ".heif", ".opus", ".oga"}
    )
)
"""What a form's file input offers. A telephone also offers its camera for `image/*`, which the form adds."""

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
        _refuse_cut_off(file)
    if box in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return MOV if _tracks(file) else None
    if box != b"ftyp":
        return None
    length = min(int.from_bytes(head[:4], "big"), HEAD)
    brands = {head[at : at + 4] for at in (8, *range(16, length, 4))}
    if brand in _HEIF or (brand not in _BRANDS and brands & set(_HEIF)):
        return HEIC if b"avif" not in brands and b"avis" not in brands else None
    kind = _BRANDS.get(brand, THREE_GP if brand[:2] == b"3g" else MP4)
    tracks = _tracks(file)
    if not tracks:
        # The list of tracks is often at the end, which has not come.
        raise FileRefusedError("broken")
    return M4A if kind in (MP4, MOV) and b"vide" not in tracks else kind


def _refuse_cut_off(file: BinaryIO) -> None:
    """Refuse a file of boxes of which one with pictures, sound or their list does not end within it."""
    for name, _, end, size in _boxes(file, 0, file.seek(0, io.SEEK_END)):
        if name in (b"mdat", b"moov", b"meta") and end > size:
            raise FileRefusedError("broken")


def _refuse_cut_off_riff(head: bytes, file: BinaryIO) -> None:
    """Refuse a RIFF that says it is longer. One that was written as it was recorded may say nothing."""
    said = int.from_bytes(head[4:8], "little")
    if said not in (0, 0xFFFFFFFF) and said + 8 > file.seek(0, io.SEEK_END):
        raise FileRefusedError("broken")


def _tracks(file: BinaryIO) -> set[bytes]:
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
        if not _UNPRINTABLE.search(text):
            return text
    raise FileRefusedError("not-taken")


_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


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
