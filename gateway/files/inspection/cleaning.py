"""The inspection of one file, whatever its kind. It runs in the child process."""

import re
import zipfile
from collections.abc import Callable
from typing import BinaryIO

from gateway.files.errors import FileRefusedError
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.recognising import HEAD, recognise
from gateway.files.kinds import Kind

_MARKUP = re.compile(rb"<(?:html|script|svg|!doctype)", re.IGNORECASE)

Cleaner = Callable[[BinaryIO, Kind, bool], Kept]


def keep(file: BinaryIO, *, original: bool) -> Kept:
    """Return what is kept of `file`. Raises FileRefusedError."""
    kind = recognise(file)
    if original:
        _refuse_polyglot(file, kind)
    file.seek(0)
    return _cleaner(kind)(file, kind, original)


def _cleaner(kind: Kind) -> Cleaner:
    # Each imports its libraries, and one is enough for one file.
    if kind.media == "picture":
        from gateway.files.inspection import pictures

        return pictures.keep
    if kind.media == "pdf":
        from gateway.files.inspection import pdf

        return pdf.keep
    if kind.media == "text":
        from gateway.files.inspection import texts

        return texts.keep
    if kind.media == "office":
        from gateway.files.inspection import office

        return office.keep
    if kind.media == "odf":
        from gateway.files.inspection import odf

        return odf.keep
    if kind.played:
        from gateway.files.inspection import recordings

        return recordings.keep
    return _as_it_came


def _as_it_came(file: BinaryIO, kind: Kind, _original: bool) -> Kept:
    return Kept(kind, file, cleaned=False, readable=kind.media != "sealed")


def _refuse_polyglot(file: BinaryIO, kind: Kind) -> None:
    """Refuse a file that another program would read as another type. A cleaned file is written anew."""
    file.seek(0)
    head = file.read(HEAD)
    several = kind.media not in ("office", "odf") and zipfile.is_zipfile(file)
    several |= kind.media != "pdf" and b"%PDF-" in head[:1024]
    several |= kind.media not in ("text", "office", "odf") and _MARKUP.search(head) is not None
    if several:
        raise FileRefusedError("several-types")
