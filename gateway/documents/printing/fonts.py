"""The PDF's fonts, embedded because neither the container nor the reader's machine need have them.

Liberation Sans has the widths of Arial, which the templates name, so that lines break alike. Characters that it lacks
come from DejaVu Sans; those that both lack are written by number, as ⟨U+1F600⟩. A word has one font, because two look
bad in one word and each change of font costs layout time.
"""

import functools
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from gateway.documents.plain import named

FOLDER = Path(__file__).parent.parent / "fonts"

_FACES = {
    (False, False): "LiberationSans-Regular",
    (True, False): "LiberationSans-Bold",
    (False, True): "LiberationSans-Italic",
    (True, True): "LiberationSans-BoldItalic",
}
_OTHERS = {False: "DejaVuSans", True: "DejaVuSans-Bold"}


_WORDS = re.compile(r"\s+|\S+")


class _Font(TTFont):
    def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:
        """Return the width, by a shortcut for one character, for which the library asks very often."""
        if len(text) == 1:
            return 0.001 * size * self.face.charWidths.get(ord(text), self.face.defaultWidth)
        return super().stringWidth(text, size, encoding)


@functools.cache
def _font(name: str) -> TTFont:
    font = _Font(name, str(FOLDER / f"{name}.ttf"), shapable=False)
    pdfmetrics.registerFont(font)
    return font


def face(bold: bool, italic: bool) -> str:
    """Return the name of the registered face for Latin text."""
    return _font(_FACES[bold, italic]).fontName


@functools.cache
def _characters(name: str) -> frozenset[str]:
    """Return the characters, and line end, that font `name` draws and that can be copied from the PDF.

    The library writes the character of a glyph in four hexadecimal digits, so none beyond U+FFFF is included.
    """
    return frozenset(chr(code) for code in (*_font(name).face.charToGlyph, ord("\n")) if code <= 0xFFFF)


def spans(text: str, bold: bool, italic: bool) -> Iterator[tuple[str, str]]:
    """Yield `text` in pieces of one font each, as (font, piece)."""
    usual, other = face(bold, italic), _font(_OTHERS[bold]).fontName
    for font, pieces in groupby(_chosen(text, usual, other), lambda pair: pair[0]):
        yield font, "".join(piece for _, piece in pieces)


def drawn(text: str, bold: bool, italic: bool) -> str:
    """Return `text` with the characters that no font draws by their numbers."""
    return "".join(piece for _, piece in spans(text, bold, italic))


def _chosen(text: str, usual: str, other: str) -> Iterator[tuple[str, str]]:
    font = usual
    for word in _WORDS.findall(text):
        if not word.isspace():
            font = usual if _characters(usual).issuperset(word) else other
        if _characters(font).issuperset(word):
            yield font, word
        else:
            yield from (_choice(character, usual, other) for character in word)


@functools.lru_cache(maxsize=4096)
def _choice(character: str, usual: str, other: str) -> tuple[str, str]:
    """Return (font, text) for a character of a word that no single font draws whole."""
    if character in _characters(other) or character not in _characters(usual):
        return other, character if character in _characters(other) else named(character)
    return usual, character
