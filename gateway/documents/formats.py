"""The formats of each kind of document."""

from gateway.documents.content import KINDS, RECAP
from gateway.documents.errors import UnknownFormatError, UnknownKindError

MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The media type of each format."""

FORMATS = {kind: ("xlsx", "pdf") if kind == RECAP else ("docx", "pdf") for kind in KINDS}
"""The formats of each kind."""


def require(kind: str, fmt: str) -> None:
    """Raise UnknownKindError or UnknownFormatError where there is no such document."""
    if kind not in KINDS:
        raise UnknownKindError(kind, KINDS)
    if fmt not in FORMATS[kind]:
        raise UnknownFormatError(kind, fmt, FORMATS[kind])
