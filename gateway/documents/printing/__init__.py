"""PDFs of filled-in DOCX files, by a layout engine of our own that shows everything in the DOCX or refuses it.

An office application would take half a gigabyte for this. The engine prints what official documents consist of
(paragraphs, tables, inline pictures, headers and footers with page numbers) and refuses other elements by name.
"""

import io
from typing import Any

from docx import Document
from docx.oxml.ns import qn

from gateway.documents.errors import UnprintableTemplateError
from gateway.documents.printing import inline, pages, paragraphs, tables
from gateway.documents.printing.looks import Styles
from gateway.documents.printing.refusing import UnprintableError, unknown

_SILENT = {
    qn(f"w:{name}")
    for name in (
        "sectPr",
        "tcPr",
        "bookmarkStart",
        "bookmarkEnd",
        "proofErr",
        "permStart",
        "permEnd",
        "sdtPr",
        "sdtEndPr",
    )
}
_WRAPPING = {qn("w:sdt"), qn("w:sdtContent")}


def pdf(docx: bytes, template: str) -> bytes:
    """Return the PDF of `docx`, which was made from the file `template`. Raises UnprintableTemplateError."""
    try:
        return _Printer(Document(io.BytesIO(docx))).pdf()
    except UnprintableError as error:
        raise UnprintableTemplateError(template, str(error)) from None


class _Printer:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._styles = Styles(document)
        if len(document.sections) != 1:
            raise UnprintableError("only one section can be printed.")
        if document.settings.odd_and_even_pages_header_footer:
            raise UnprintableError("different headers for odd and even pages cannot be printed.")
        self._section = document.sections[0]
        self._page = pages.sheet(self._section._sectPr)

    def pdf(self) -> bytes:
        story = self._blocks(self._document.element.body, self._document.part, None, None, True)
        later = self._edge(self._section.header, self._section.footer)
        first = later
        if self._section.different_first_page_header_footer:
            first = self._edge(self._section.first_page_header, self._section.first_page_footer)
        return pages.build(story, self._page, first, later, self._document.core_properties)

    def _edge(self, header: Any, footer: Any) -> pages.Edge:
        return pages.Edge(self._story(header), self._story(footer))

    def _story(self, part: Any) -> pages.Story | None:
        if part.is_linked_to_previous:
            return None
        return lambda numbers: self._blocks(part._element, part.part, numbers, None, False)

    def _blocks(
        self, container: Any, part: Any, numbers: dict[str, str] | None, table: str | None, outermost: bool
    ) -> list[Any]:
        laid: list[Any] = []
        for child in container:
            if child.tag == qn("w:p"):
                laid += self._paragraph(child, part, numbers, table, outermost)
            elif child.tag == qn("w:tbl"):
                laid.append(
                    tables.table(
                        child,
                        self._styles,
                        self._page.room,
                        lambda cell, style: self._blocks(cell, part, numbers, style, False),
                    )
                )
            elif child.tag in _WRAPPING:
                laid += self._blocks(child, part, numbers, table, outermost)
            elif child.tag not in _SILENT:
                raise unknown(child)
        return laid

    def _paragraph(
        self, element: Any, part: Any, numbers: dict[str, str] | None, table: str | None, outermost: bool
    ) -> list[Any]:
        look = self._styles.of_paragraph(element, table)
        pieces = inline.pieces(element, part, self._styles, table, look.has_stops)
        return paragraphs.paragraph(look, self._styles.of_run(None, element, table), pieces, numbers, outermost)
