"""The layout of paragraphs."""

import io
from collections.abc import Iterable
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, Image, PageBreak, Spacer

from gateway.documents.printing import fonts
from gateway.documents.printing import texts as words
from gateway.documents.printing.inline import Field, Picture, Piece, Text
from gateway.documents.printing.inline import PageBreak as Break
from gateway.documents.printing.looks import LINE_HEIGHT, Line, Lines, Words
from gateway.documents.printing.refusing import UnprintableError

KEPT_TOGETHER = 110.0
"""The points that must be left on a page for a heading and what follows it, such as the first rows of a table."""

_GAPS = {"MediumGap": 1.5, "LargeGap": 2.25}

_ALIGNMENTS = {
    "left": TA_LEFT,
    "start": TA_LEFT,
    "center": TA_CENTER,
    "right": TA_RIGHT,
    "end": TA_RIGHT,
    "both": TA_JUSTIFY,
    "distribute": TA_JUSTIFY,
}
_SIDES = {TA_LEFT: "LEFT", TA_JUSTIFY: "LEFT", TA_CENTER: "CENTER", TA_RIGHT: "RIGHT"}


class Rule(Flowable):
    """A paragraph's border above or below: single, double, or a thick and a thin line."""

    def __init__(self, line: Line, left: float, right: float, below: bool) -> None:
        super().__init__()
        self._line = line
        self._left = left
        self._right = right
        self._gap = line.space if below else 0.0
        self._strokes = _strokes(line) if below else list(reversed(_strokes(line)))
        self.height = line.space + sum(self._strokes)

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, self.height

    def draw(self) -> None:
        self.canv.setFillColor(HexColor(f"#{self._line.colour}"))
        y = self.height - self._gap
        for index, thickness in enumerate(self._strokes):
            y -= thickness
            if index % 2 == 0:
                self.canv.rect(self._left, y, self.width - self._left - self._right, thickness, stroke=0, fill=1)


def _strokes(line: Line) -> list[float]:
    """Return the thicknesses of line, gap and line, from the text outward."""
    thin = 0.75
    gap = next((width for name, width in _GAPS.items() if line.kind.endswith(name)), thin)
    if line.kind == "double":
        return [line.width, line.width, line.width]
    if line.kind.startswith("thinThick"):
        return [thin, gap, line.width]
    if line.kind.startswith("thickThin"):
        return [line.width, gap, thin]
    return [line.width]


def paragraph(
    look: Lines, end: Words, pieces: Iterable[Piece], numbers: dict[str, str] | None, outermost: bool
) -> list[Any]:
    """Return the flowables of a paragraph.

    `end` is the format of its mark, which gives an empty line its height; `numbers` are the page numbers, None in the
    body; `outermost` is True where it is not in a table. Raises UnprintableError.
    """
    laid: list[Any] = [PageBreak()] if look.on_new_page else []
    texts: list[Text] = []
    pictures: list[Picture] = []
    for piece in pieces:
        if isinstance(piece, Break):
            laid += _body(look, end, texts, pictures) if texts or pictures else []
            laid.append(PageBreak())
            texts, pictures = [], []
        elif isinstance(piece, Picture):
            pictures.append(piece)
        else:
            texts.append(_numbered(piece, numbers))
    if not outermost and any(isinstance(flowable, PageBreak) for flowable in laid):
        raise UnprintableError("a page break inside a table, a header or a footer cannot be printed.")
    after_break = laid and isinstance(laid[-1], PageBreak) and not look.on_new_page
    if texts or pictures or not after_break:
        laid += _body(look, end, texts, pictures)
    if look.with_next and outermost:
        laid.insert(0, CondPageBreak(KEPT_TOGETHER))
    return laid


def _numbered(piece: Text | Field, numbers: dict[str, str] | None) -> Text:
    if isinstance(piece, Text):
        return piece
    if numbers is None:
        raise UnprintableError("a page number outside header and footer cannot be printed.")
    return Text(numbers[piece.name], piece.look)


def _body(look: Lines, end: Words, texts: list[Text], pictures: list[Picture]) -> list[Any]:
    written = any(text.text.strip() for text in texts)
    if pictures and (written or len(pictures) > 1):
        raise UnprintableError("a picture beside words or another picture cannot be printed; give each its paragraph.")
    style = _style(look, end, texts)
    if pictures:
        middle = _picture(pictures[0], style)
    else:
        middle = words.laid(texts, style) if written else [Spacer(1, look.before + style.leading + look.after)]
    above = [Rule(look.above, look.left, look.right, below=False)] if look.above else []
    below = [Rule(look.below, look.left, look.right, below=True)] if look.below else []
    return [*above, *middle, *below]


def _picture(picture: Picture, style: ParagraphStyle) -> list[Any]:
    image = Image(io.BytesIO(picture.data), picture.width, picture.height)
    image.hAlign = _SIDES[style.alignment]
    image.spaceBefore, image.spaceAfter = style.spaceBefore, style.spaceAfter
    return [image]


def _style(look: Lines, end: Words, texts: list[Text]) -> ParagraphStyle:
    size = max((text.look.size for text in texts if text.text.strip()), default=end.size)
    own = size * LINE_HEIGHT
    leading = own * look.leading if look.rule == "auto" else max(look.leading, own if look.rule == "atLeast" else 0)
    return ParagraphStyle(
        "paragraph",
        fontName=fonts.face(end.bold, end.italic),
        fontSize=size,
        leading=leading,
        alignment=_ALIGNMENTS.get(look.alignment, TA_LEFT),
        leftIndent=look.left,
        rightIndent=look.right,
        firstLineIndent=look.first,
        spaceBefore=look.before,
        spaceAfter=look.after,
        backColor=HexColor(f"#{look.shade}") if look.shade else None,
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
    )
