"""The layout of a paragraph's texts: in the layout library's markup, with right-to-left lines reordered."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape  # nosec B406 # it parses nothing

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph

from gateway.documents.printing import fonts, rtl
from gateway.documents.printing.inline import Text
from gateway.documents.printing.looks import Words

LINES_OF_A_PART = 40
CHARACTERS_OF_A_LINE = 80

_UNBROKEN = re.compile(r"\S{400}(?=\S)")
"""A text of five lines without a space, which is no word. The layout would measure all of it again for each page."""


def laid(texts: list[Text], style: ParagraphStyle) -> list[Any]:
    """Return `texts` as one paragraph, or in parts where long, because layout time is quadratic in a part's lines."""
    parts = list(_parts(texts))
    last = len(parts) - 1
    found: list[Any] = []
    for number, part in enumerate(parts):
        look = (
            style
            if last == 0
            else style.clone(
                "part",
                spaceBefore=0 if number else style.spaceBefore,
                spaceAfter=0 if number < last else style.spaceAfter,
                firstLineIndent=0 if number else style.firstLineIndent,
            )
        )
        turned = any(rtl.has(text.text) for text in part)
        found.append(Reordered(part, look) if turned else Paragraph(markup(part), look))
    return found


def _parts(texts: list[Text]) -> Iterator[list[Text]]:
    part: list[Text] = []
    lines = 0
    for text in texts:
        *ended, rest = _UNBROKEN.sub("\\g<0>\n", fonts.drawn(text.text, text.look.bold, text.look.italic)).split("\n")
        for line in ended:
            if lines < LINES_OF_A_PART:
                part.append(Text(f"{line}\n", text.look))
                lines += 1 + len(line) // CHARACTERS_OF_A_LINE
            else:
                yield [*part, Text(line or "\u00a0", text.look)]
                part, lines = [], 0
        part.append(Text(rest, text.look))
    yield part


class Reordered(Flowable):
    """A paragraph with right-to-left text: its lines are broken in reading order, then each is reordered."""

    def __init__(self, texts: list[Text], style: ParagraphStyle) -> None:
        super().__init__()
        self._texts = texts
        self._style = style
        self._laid = Paragraph("", style)
        self._room: float | None = None
        self.spaceBefore, self.spaceAfter = style.spaceBefore, style.spaceAfter

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        if self._room != width:
            self._laid = Paragraph(markup(self._turned(width)), self._style)
            self._room = width
        self.width, self.height = self._laid.wrap(width, height)
        return self.width, self.height

    def split(self, width: float, height: float) -> list[Any]:
        self.wrap(width, height)
        return self._laid.split(width, height)

    def draw(self) -> None:
        self._laid.drawOn(self.canv, 0, 0)

    def _turned(self, width: float) -> list[Text]:
        room = width - self._style.leftIndent - self._style.rightIndent - max(0, self._style.firstLineIndent) - 1
        turned: list[Text] = []
        used = 0.0
        for text in self._texts:
            lines = [""]
            for word in re.findall(r"\n|[^\S\n]+|\S+", text.text):
                size = 0.0 if word == "\n" else _width(word, text.look)
                if word == "\n" or (used + size > room and lines[-1].strip()):
                    lines.append("")
                    used = 0.0
                    word = word.strip()
                lines[-1] += word
                used += size
            turned.append(Text("\n".join(map(rtl.seen, lines)), text.look))
        return turned


def _width(word: str, look: Words) -> float:
    return sum(stringWidth(piece, font, look.size) for font, piece in fonts.spans(word, look.bold, look.italic))


def markup(texts: Iterable[Text]) -> str:
    """Return the texts in the layout library's markup, with all spaces kept."""
    return _kept("".join(_span(text) for text in texts))


def _span(text: Text) -> str:
    look = text.look
    words = text.text.upper() if look.capitals else text.text
    wanted = {
        "u": look.underlined,
        "strike": look.struck,
        "super": look.raised == "superscript",
        "sub": look.raised == "subscript",
    }
    tags = [tag for tag, on in wanted.items() if on]
    size = look.size * (0.65 if look.raised else 1)
    colour = f' color="#{look.colour}"' if look.colour else ""
    inner = "".join(
        f'<font face="{font}" size="{size:g}"{colour}>{_escaped(piece)}</font>'
        for font, piece in fonts.spans(words, look.bold, look.italic)
    )
    return "".join(f"<{tag}>" for tag in tags) + inner + "".join(f"</{tag}>" for tag in reversed(tags))


def _escaped(text: str) -> str:
    return escape(text).replace("\n", "<br/>")


def _kept(text: str) -> str:
    """Return `text` with repeated and leading spaces as no-break spaces, which the layout does not join."""
    return re.sub(r"(?<=<br/>) +|  +", lambda match: "\u00a0" * (len(match.group()) - 1) + " ", text)
