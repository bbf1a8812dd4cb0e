"""Arabic, Hebrew and other right-to-left scripts in a PDF, which has placed glyphs but no direction of writing."""

import re
import unicodedata
from functools import cache
from typing import Any

_BEFORE_THEIR_LETTER = re.compile(
    "([\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4"
    "\u06e7\u06e8\u06ea-\u06ed]+)(.)"
)


def has(text: str) -> bool:
    """Return whether `text` contains right-to-left characters."""
    return not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL") for character in set(text))


def seen(line: str) -> str:
    """Return `line` in the visual order and letter forms of a left-to-right paragraph."""
    if not has(line):
        return line
    # Imported here, because few documents contain such text and each document starts a process.
    from bidi.algorithm import get_display

    ordered = get_display(_reshaper().reshape(line), base_dir="L")
    return _BEFORE_THEIR_LETTER.sub(lambda marked: marked[2] + marked[1][::-1], ordered)


@cache
def _reshaper() -> Any:
    from arabic_reshaper import ArabicReshaper

    # DejaVu Sans has no glyph for that ligature.
    return ArabicReshaper({"delete_harakat": False, "ARABIC LIGATURE ALLAH": False})
