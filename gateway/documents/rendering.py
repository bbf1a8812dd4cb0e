"""Rendering of a document in this process."""

from pathlib import Path
from typing import Any

from gateway.documents.content import context
from gateway.documents.formats import require


def render(kind: str, fmt: str, content: dict[str, Any], templates: Path | None = None) -> bytes:
    """Return the document `kind` in format `fmt`, with what of `content` that kind may show.

    `templates` is the folder of an agency's own templates; a kind without a file there uses the built-in one. Raises
    UnknownKindError, UnknownFormatError, ContentError, BrokenTemplateError or UnprintableTemplateError.
    """
    require(kind, fmt)
    # Imported late, so that a process that only calls `make` does not load the layout libraries.
    from gateway.documents import filling, printing, workbook

    if fmt == "xlsx":
        return workbook.recap_workbook(content)
    path = filling.path_of(kind, templates)
    docx = filling.fill(path, context(kind, content))
    return docx if fmt == "docx" else printing.pdf(docx, path.name)
