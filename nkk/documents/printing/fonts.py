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

from nkk.documents.plain import NAMED, named

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
    return _font(other).fontName, character if has(character, other) else named(character)


def spans(text: str, bold: bool, italic: bool) -> Iterator[tuple[str, str]]:
    """`text` in pieces of one font each, as (font, piece)."""
    for font, pieces in groupby(_chosen(text, face(bold, italic), _OTHERS[bold]), lambda pair: pair[0]):
        yield font, "".join(piece for _, piece in pieces)


def drawn(text: str, bold: bool, italic: bool) -> str:
    """`text` with the numbers of the characters that no font draws."""
    return "".join(piece for _, piece in spans(text, bold, italic))


def _chosen(text: str, usual: str, other: str) -> Iterator[tuple[str, str]]:
    for index, part in enumerate(NAMED.split(text)):
        if index % 2:
            # In one font: its brackets are in the other alone, and each change of font is work for the layout.
            yield _font(other).fontName, part
        else:
            yield from (_choice(character, usual, other) for character in part)
