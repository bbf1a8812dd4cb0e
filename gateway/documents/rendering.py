"""One document made, here and now."""

from pathlib import Path
from typing import Any

from gateway.documents.content import context
from gateway.documents.formats import require


def render(kind: str, fmt: str, content: dict[str, Any], templates: Path | None = None) -> bytes:
    """The document `kind` in the format `fmt`, showing what of `content` that kind may show.

    `templates` is an agency's own folder of templates; a kind without a file there is made from ours. Raises
    UnknownKindError, UnknownFormatError, ContentError, BrokenTemplateError or UnprintableTemplateError.
    """
    require(kind, fmt)
    # Imported late: who only ever calls `make` need not carry the layout libraries.
    from gateway.documents import filling, printing, workbook

    if fmt == "xlsx":
        return workbook.recap_workbook(content)
    path = filling.path_of(kind, templates)
    docx = filling.fill(path, context(kind, content))
    return docx if fmt == "docx" else printing.pdf(docx, path.name)
