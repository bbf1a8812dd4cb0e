"""The content of a paragraph: texts with their formats, pictures, page numbers and page breaks, in order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from docx.oxml.ns import qn

from gateway.documents.printing.looks import Styles, Words
from gateway.documents.printing.refusing import UnprintableError, unknown

EMU = 1 / 12700
"""The points in an English Metric Unit."""

FIELDS = ("PAGE", "NUMPAGES")
PICTURES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Text:
    """A text of one format; line ends are "\\n"."""

    text: str
    look: Words


@dataclass(frozen=True)
class Field:
    """A page number (PAGE), or the number of pages (NUMPAGES)."""

    name: str
    look: Words


@dataclass(frozen=True)
class Picture:
    """A PNG or JPEG; width and height are in points."""

    data: bytes
    width: float
    height: float


@dataclass(frozen=True)
class PageBreak:
    """A page break: the following content is on a new page."""


Piece = Text | Field | Picture | PageBreak

_SILENT = {
    qn(f"w:{name}")
    for name in (
        "pPr",
        "rPr",
        "bookmarkStart",
        "bookmarkEnd",
        "proofErr",
        "permStart",
        "permEnd",
        "sdtPr",
        "sdtEndPr",
        "lastRenderedPageBreak",
    )
}
_WRAPPING = {qn(f"w:{name}") for name in ("hyperlink", "smartTag", "sdt", "sdtContent")}
_CHARACTERS = {qn("w:cr"): "\n", qn("w:noBreakHyphen"): "\u2011", qn("w:softHyphen"): ""}


class _Reader:
    """A reader of one paragraph, in which a page number's field spans several runs."""

    def __init__(self, paragraph: Any, part: Any, styles: Styles, table: str | None, has_stops: bool) -> None:
        self._paragraph = paragraph
        self._part = part
        self._styles = styles
        self._table = table
        self._has_stops = has_stops
        self._instruction: str | None = None
        self._in_result = False

    def children(self, parent: Any) -> Iterator[Piece]:
        for child in parent:
            if child.tag == qn("w:r"):
                yield from self._run(child)
            elif child.tag == qn("w:fldSimple"):
                yield self._field(child.get(qn("w:instr")) or "", self._look(next(child.iter(qn("w:r")), None)))
            elif child.tag in _WRAPPING:
                yield from self.children(child)
            elif child.tag not in _SILENT:
                raise unknown(child)

    def _run(self, run: Any) -> Iterator[Piece]:
        look = self._look(run)
        for child in run:
            if child.tag == qn("w:fldChar"):
                yield from self._field_mark(child.get(qn("w:fldCharType")), look)
            elif child.tag == qn("w:instrText"):
                self._instruction = (self._instruction or "") + (child.text or "")
            elif child.tag in _SILENT or self._in_result:
                continue
            else:
                yield from self._content(child, look)

    def _content(self, child: Any, look: Words) -> Iterator[Piece]:
        if child.tag == qn("w:t"):
            # A soft hyphen is dropped, because the layout would try every one again for each line.
            yield Text((child.text or "").replace("\u00ad", ""), look)
        elif child.tag in _CHARACTERS:
            yield Text(_CHARACTERS[child.tag], look)
        elif child.tag == qn("w:tab"):
            if self._has_stops:
                raise UnprintableError("a tab to a stop of its own cannot be printed; use a table.")
            yield Text("\u00a0\u00a0\u00a0 ", look)
        elif child.tag == qn("w:br"):
            yield _break(child.get(qn("w:type")), look)
        elif child.tag == qn("w:drawing"):
            yield self._picture(child)
        else:
            raise unknown(child)

    def _look(self, run: Any) -> Words:
        return self._styles.of_run(run, self._paragraph, self._table)

    def _field_mark(self, kind: str | None, look: Words) -> Iterator[Piece]:
        if kind == "begin":
            self._instruction = ""
        elif kind == "separate":
            self._in_result = True
        elif kind == "end":
            yield self._field(self._instruction or "", look)
            self._instruction, self._in_result = None, False

    def _field(self, instruction: str, look: Words) -> Field:
        name = (instruction.split() or ["without a name"])[0].upper()
        if name not in FIELDS:
            raise UnprintableError(f"a field {name} cannot be printed; only {' and '.join(FIELDS)} can.")
        return Field(name, look)

    def _picture(self, drawing: Any) -> Picture:
        inline = drawing.find(qn("wp:inline"))
        blip = None if inline is None else next(inline.iter(qn("a:blip")), None)
        if inline is None:
            raise UnprintableError("a shape, or a picture that text flows around, cannot be printed; set it in line.")
        if blip is None or blip.get(qn("r:embed")) is None:
            raise UnprintableError("a diagram, or a picture kept outside the file, cannot be printed.")
        part = self._part.related_parts[blip.get(qn("r:embed"))]
        if part.content_type not in PICTURES:
            raise UnprintableError(f"a picture of the type {part.content_type} cannot be printed; use PNG or JPEG.")
        extent = inline.find(qn("wp:extent"))
        return Picture(part.blob, int(extent.get("cx")) * EMU, int(extent.get("cy")) * EMU)


def _break(kind: str | None, look: Words) -> Piece:
    if kind in (None, "textWrapping"):
        return Text("\n", look)
    if kind == "page":
        return PageBreak()
    raise UnprintableError("a column break cannot be printed.")


def pieces(paragraph: Any, part: Any, styles: Styles, table: str | None, has_stops: bool) -> list[Piece]:
    """Return the content of the paragraph element `paragraph` of `part`. Raises UnprintableError."""
    return list(_joined(_Reader(paragraph, part, styles, table, has_stops).children(paragraph)))


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join adjacent texts of one format, because the layout's time grows with the square of their number."""
    for look, neighbours in groupby(pieces, lambda piece: piece.look if isinstance(piece, Text) else None):
        if look is None:
            yield from neighbours
        else:
            yield Text("".join(piece.text for piece in neighbours if isinstance(piece, Text)), look)
