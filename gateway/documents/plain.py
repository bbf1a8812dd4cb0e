"""Text of strangers, made fit for a document without losing a character.

What XML cannot hold, and what no font draws, is written out as ⟨U+0007⟩: seen, rather than lost.
"""

import re
from xml.sax.saxutils import escape  # nosec B406 # it parses nothing

# XML 1.0 (2.2) has no other control characters, no halves of surrogate pairs and no U+FFFE or U+FFFF.
# Marks that override the direction of writing are named too: with them a text can be made to read as another.
_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")


def named(character: str) -> str:
    """ "⟨U+1F600⟩": the character by its number."""
    return f"⟨U+{ord(character):04X}⟩"


def plain(text: str) -> str:
    """`text` with one kind of line end, and unwritable characters by their numbers."""
    return _UNWRITABLE.sub(lambda match: named(match.group()), _LINE_END.sub("\n", text))


def xml(text: str) -> str:
    """`text` as XML character data.

    Braces too become entities: the template engine looks for its own marks in the text it has just filled in.
    """
    return escape(plain(text), {"{": "&#123;", "}": "&#125;", '"': "&quot;"})
