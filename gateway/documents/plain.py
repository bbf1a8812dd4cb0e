"""Conversion of strangers' texts for documents, without losing a character.

A character that XML cannot hold or no font draws is written as ⟨U+0007⟩, so that it is visible instead of lost.
"""

import re
from xml.sax.saxutils import escape  # nosec B406 # it parses nothing

# XML 1.0 (2.2) has no other control characters, no lone surrogates and no U+FFFE or U+FFFF. Marks that override the
# direction of writing are written by number too: with them a text can be made to read as another.
_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")


def named(character: str) -> str:
    """Return a character by its number, such as "⟨U+1F600⟩"."""
    return f"⟨U+{ord(character):04X}⟩"


def plain(text: str) -> str:
    """Return `text` with "\\n" as its only line end, and with unwritable characters by their numbers."""
    return _UNWRITABLE.sub(lambda match: named(match.group()), _LINE_END.sub("\n", text))


def xml(text: str) -> str:
    """Return `text` as XML character data.

    Braces become entities too, because the template engine looks for its own tags in filled-in text.
    """
    return escape(plain(text), {"{": "&#123;", "}": "&#125;", '"': "&quot;"})
