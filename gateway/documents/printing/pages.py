"""The layout of pages: size, margins, headers and footers, and page numbers, which need the number of pages."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate
from reportlab.platypus.doctemplate import LayoutError, NextPageTemplate

from gateway.documents.printing.looks import length
from gateway.documents.printing.refusing import UnprintableError, unknown

Story = Callable[[dict[str, str]], list[Any]]
"""A function that lays out a header or footer with the given page numbers."""

_KNOWN = {
    qn(f"w:{name}")
    for name in (
        "headerReference",
        "footerReference",
        "pgSz",
        "pgMar",
        "cols",
        "titlePg",
        "docGrid",
        "type",
        "formProt",
        "vAlign",
        "noEndnote",
        "footnotePr",
        "endnotePr",
        "rtlGutter",
        "paperSrc",
    )
}


@dataclass(frozen=True)
class Sheet:
    """A page's measures in points, from its edges."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    header: float
    footer: float

    @property
    def room(self) -> float:
        """The width of the text."""
        return self.width - self.left - self.right


@dataclass(frozen=True)
class Edge:
    """The header and footer of a page, each None where there is none."""

    header: Story | None
    footer: Story | None


def sheet(section: Any) -> Sheet:
    """Return the measures of the section's pages. Raises UnprintableError where the section cannot be printed."""
    for child in section:
        if child.tag not in _KNOWN:
            raise unknown(child)
    columns = section.find(qn("w:cols"))
    if columns is not None and int(columns.get(qn("w:num")) or 1) > 1:
        raise UnprintableError("text in columns cannot be printed; use a table.")
    size, margins = section.find(qn("w:pgSz")), section.find(qn("w:pgMar"))

    def measure(name: str) -> float:
        return abs(length(margins.get(qn(f"w:{name}"))))

    return Sheet(
        length(size.get(qn("w:w"))),
        length(size.get(qn("w:h"))),
        measure("left"),
        measure("right"),
        measure("top"),
        measure("bottom"),
        measure("header"),
        measure("footer"),
    )


def build(story: list[Any], page: Sheet, first: Edge, later: Edge, properties: Any) -> bytes:
    """Return the PDF of `story`, reproducibly. Raises UnprintableError where something does not fit a page."""
    out = io.BytesIO()

    class Numbered(Canvas):
        """A canvas that keeps its pages until their number is known."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # the library's name
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._kept, 1):
                self.__dict__.update(state)
                _draw_edge(self, page, first if number == 1 else later, number, len(self._kept))
                Canvas.showPage(self)
            Canvas.save(self)

    document = BaseDocTemplate(
        out,
        pagesize=(page.width, page.height),
        invariant=1,
        lang="id-ID",
        title=properties.title,
        author=properties.author,
        subject=properties.subject,
        creator="NKK",
        pageTemplates=[PageTemplate("first", [_frame(page, first)]), PageTemplate("later", [_frame(page, later)])],
    )
    try:
        document.build([NextPageTemplate("later"), *story], canvasmaker=Numbered)
    except LayoutError:
        # The library's message quotes the text that did not fit.
        raise UnprintableError("something is taller or wider than a page.") from None
    return out.getvalue()


def _frame(page: Sheet, edge: Edge) -> Frame:
    """Return the body's frame. A header or footer taller than its margin moves the body, as in office applications."""
    top = max(page.top, page.header + _height(edge.header, page))
    bottom = max(page.bottom, page.footer + _height(edge.footer, page))
    if page.height - top - bottom < 72:
        raise UnprintableError("header and footer leave no room on the page.")
    return Frame(page.left, bottom, page.room, page.height - top - bottom, 0, 0, 0, 0)


def _height(story: Story | None, page: Sheet) -> float:
    if story is None:
        return 0.0
    return sum(height for _, height in _measured(story({"PAGE": "1", "NUMPAGES": "1"}), page))


def _measured(flowables: list[Any], page: Sheet) -> list[tuple[Any, float]]:
    """Return each flowable with its height, including the space around it."""
    return [
        (flowable, flowable.wrap(page.room, page.height)[1] + flowable.getSpaceBefore() + flowable.getSpaceAfter())
        for flowable in flowables
    ]


def _draw_edge(canvas: Canvas, page: Sheet, edge: Edge, number: int, count: int) -> None:
    numbers = {"PAGE": str(number), "NUMPAGES": str(count)}
    if edge.header:
        _draw(canvas, page, edge.header(numbers), page.height - page.header)
    if edge.footer:
        footer = edge.footer(numbers)
        _draw(canvas, page, footer, page.footer + sum(height for _, height in _measured(footer, page)))


def _draw(canvas: Canvas, page: Sheet, flowables: list[Any], top: float) -> None:
    for flowable in flowables:
        width, height = flowable.wrapOn(canvas, page.room, page.height)
        flowable.drawOn(canvas, page.left, top - flowable.getSpaceBefore() - height, _sW=max(0, page.room - width))
        top -= height + flowable.getSpaceBefore() + flowable.getSpaceAfter()
