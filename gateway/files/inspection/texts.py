"""Plain text and tables of text. Nothing is hidden in them; they are kept as UTF-8."""

from typing import BinaryIO

from gateway.files.inspection.kept import Kept
from gateway.files.inspection.memory import memory_file
from gateway.files.inspection.recognising import read_text
from gateway.files.kinds import Kind


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the text as UTF-8, with a mark where it was another encoding: spreadsheets know UTF-8 by it."""
    content = file.read()
    if original or _is_utf8(content):
        return Kept(kind, file, cleaned=not original)
    return Kept(kind, memory_file(read_text(content).encode("utf-8-sig")), cleaned=True)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
