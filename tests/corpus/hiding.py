"""Markers planted in files, and the search for them in every form in which a file may still contain them."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pikepdf

SHOWN = "TAMPAK"
"""The beginning of what is seen in a file, and must be in it afterwards."""

_MARKERS = re.compile(r"(?:PENANDA|TAMPAK)-[A-Za-z0-9]+")


def hidden(place: str) -> str:
    """Return a marker for what must not come out; its name tells where it was."""
    return f"PENANDA-{place}"


def hidden_in(content: bytes) -> set[str]:
    """Return the planted markers in `content` and in all that is packed in it."""
    return {marker for marker in markers(content) if not marker.startswith(SHOWN)}


def markers(content: bytes) -> set[str]:
    """Return the markers in `content`, hidden or shown."""
    return {
        marker for unpacked in _unpacked(content, 0) for text in _texts(unpacked) for marker in _MARKERS.findall(text)
    }


def _texts(content: bytes) -> Iterator[str]:
    yield content.decode("latin-1")
    for start in (0, 1):
        even = content[start : len(content) - (len(content) - start) % 2]
        yield even.decode("utf-16-le", "replace")
        yield even.decode("utf-16-be", "replace")
    # As PDF writes strings, and XML characters.
    for digits in re.findall(rb"<([0-9A-Fa-f\s]{12,})>", content):
        with suppress(ValueError):
            yield from _texts(bytes.fromhex(digits.decode()))
    if b"&#" in content:
        yield re.sub(rb"&#(\d+);", lambda found: bytes([int(found[1]) & 0x7F]), content).decode("latin-1")


def _unpacked(content: bytes, depth: int) -> Iterator[bytes]:
    """Yield `content`, and the contents of archives, PDF files and packed streams within it."""
    yield content
    if depth == 3:
        return
    for inner in (*_members(content), *_streams(content), *_chunks(content)):
        yield from _unpacked(inner, depth + 1)


def _members(content: bytes) -> Iterator[bytes]:
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as package:
        yield package.comment
        for member in package.infolist():
            yield member.filename.encode() + b"\0" + member.comment + b"\0" + member.extra
            yield package.read(member)


def _streams(content: bytes) -> Iterator[bytes]:
    if b"%PDF-" not in content[:1024]:
        return
    with suppress(pikepdf.PdfError, pikepdf.PasswordError), pikepdf.open(io.BytesIO(content)) as pdf:
        for found in pdf.objects:
            yield found.unparse()
            if isinstance(found, pikepdf.Stream):
                with suppress(pikepdf.PdfError):
                    yield found.read_bytes()
                with suppress(pikepdf.PdfError):
                    yield found.read_raw_bytes()
        yield pdf.trailer.unparse()
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(packed, 1 << 24)


def _chunks(content: bytes) -> Iterator[bytes]:
    """Yield what a PNG has packed."""
    if not content.startswith(b"\x89PNG"):
        return
    for packed in re.findall(rb"(?:zTXt|iTXt|iCCP)[^\0]*\0+(x.*)", content, re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(packed, 1 << 24)
