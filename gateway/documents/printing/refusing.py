"""Elements of a DOCX that the PDF cannot show. They are refused by name, because omitting them would lose content."""

from typing import Any

_NAMES = {
    "AlternateContent": "a shape or text box",
    "pict": "a shape or text box",
    "txbxContent": "a text box",
    "object": "an embedded object",
    "footnoteReference": "a footnote",
    "endnoteReference": "an endnote",
    "commentRangeStart": "a comment",
    "commentReference": "a comment",
    "ins": "a tracked change",
    "del": "a tracked change",
    "moveFrom": "a tracked change",
    "moveTo": "a tracked change",
    "oMath": "a formula",
    "oMathPara": "a formula",
    "sym": "a symbol of a symbol font",
    "ptab": "a tab that aligns to the page",
    "altChunk": "an embedded file",
    "ruby": "ruby text",
}


class UnprintableError(Exception):
    """The document contains something that cannot be printed. The sentence does not name the template."""


def unknown(element: Any) -> UnprintableError:
    """Return the error for an element that the printer does not know."""
    tag = str(element.tag).rpartition("}")[2]
    return UnprintableError(f"{_NAMES.get(tag, f'an element of the kind {tag!r}')} cannot be printed.")
