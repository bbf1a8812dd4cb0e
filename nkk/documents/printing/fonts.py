"""The fonts of the PDF: embedded, because neither a container nor a reader's machine need have any.

Liberation Sans has the widths of Arial, which the templates name, so lines break alike. What it lacks comes from DejaVu
Sans; what both lack is written by its number, ⟨U+1F600⟩.
"""

import functools
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from nkk.documents.plain import named

FOLDER = Path(__file__).parent.parent / "fonts"

_FACES = {(False, False): "LiberationSans-Regular", (True, False): "LiberationSans-Bold",
          (False, True): "LiberationSans-Italic", (True, True): "LiberationSans-BoldItalic"}
_OTHERS = {False: "DejaVuSans", True: "DejaVuSans-Bold"}


@functools.cache
def _font(name: str) -> TTFont:
    font = TTFont(name, str(FOLDER / f"{name}.ttf"), shapable=False)
    pdfmetrics.registerFont(font)
    return font


def face(bold: bool, italic: bool) -> str:
    """The name of the face for Latin text, ready for use."""
    return _font(_FACES[bold, italic]).fontName


def has(character: str, name: str) -> bool:
    """Whether the font `name` draws `character`, so that it can be copied out of the PDF as what it is.

    The library writes the character that a glyph stands for in four hexadecimal digits: none beyond U+FFFF will do.
    """
    return ord(character) <= 0xFFFF and ord(character) in _font(name).face.charToGlyph


@functools.lru_cache(maxsize=4096)
def _choice(character: str, usual: str, other: str) -> tuple[str, str]:
    if character == "\n" or has(character, usual):
        return usual, character
    return other, character if has(character, other) else named(character)


def spans(text: str, bold: bool, italic: bool) -> Iterator[tuple[str, str]]:
    """`text` in pieces of one font each, as (font, piece)."""
    usual = face(bold, italic)
    chosen = (_choice(character, usual, _OTHERS[bold]) for character in text)
    for font, pieces in groupby(chosen, lambda pair: pair[0]):
        yield font, "".join(piece for _, piece in pieces)
