"""Normalisation of text, for every field that a person types or pastes into.

People paste from word processors, chats and spreadsheets. Visible characters are kept; invisible ones are unified or
removed, and no text is refused for them. Each function is idempotent.
"""

import re
import unicodedata
from functools import cache
from typing import Literal

MOST_MARKS = 30
"""The most combining marks kept on one character; no script uses as many (Unicode's annex 15, stream-safe text)."""

LONGEST_CODE = 1_000
"""The most characters of a code, as it is written. Threat: NFKC makes up to eighteen characters of one."""

_MAY_HOLD_MANY_MARKS = re.compile("[^\x00-\u02ff]{%d}" % (MOST_MARKS + 1))  # noqa: UP031
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Zero-width characters, word joiners, soft hyphens, byte-order marks, direction marks and Hangul fillers; but not the
# joiners U+200C and U+200D, which Persian, Indian scripts and emoji need.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb]"
)
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TOLD = re.compile(f"{_CONTROL.pattern}|{_DIRECTION.pattern}")
_SPACE = re.compile(r"\s")
_JOINERS = re.compile("[\u200c\u200d]")
# U+2800, a Braille cell without dots, looks like a space.
_SPACES = re.compile(r"[\s\u2800]+")
# Also removed from names and codes: format characters of shorthand and music, and Unicode's invisible ranges such as
# tags, except the tags that turn a black flag into a country's.
_UNSEEN = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f)|"
    "[\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    f"\U000e01f0-\U000e0fff]|{_INVISIBLE.pattern}"
)
_SELECTOR = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
_SELECTORS = re.compile(f"(.?)({_SELECTOR}+)(\u20e3?)", re.DOTALL)
_VARIED = ("Lo", "So", "Sm", "Sk", "Po", "Pd")
_BLANK = "\u2800\U0001d159"
_HYPHENS = re.compile("[\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]")
_APART = re.compile(r"[\s./(),:;'\"\u2018\u2019\u00b7-]+")
_LABEL = re.compile("(?:nomor|no|nip|nik)+(?=[0-9])", re.IGNORECASE)


def is_text(text: str) -> bool:
    """Return whether `text` is free of lone surrogates (half an emoji), which no database stores."""
    return _SURROGATE.search(text) is None


def _is_typed(text: str) -> bool:
    """Return whether `text` is printable ASCII, in which only spaces need normalising.

    Most texts that are read often are, such as tickets and names of OPDs.
    """
    return text.isascii() and text.isprintable()


def _composed(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return `text` in the normal form `form`, with runs of combining marks cut to MOST_MARKS.

    Threat: normalising sorts a run in quadratic time, which takes a minute for what a request can hold.
    """
    return _with_few_marks(unicodedata.normalize(form, _with_few_marks(text)))


def _with_few_marks(text: str) -> str:
    return _many_marks().sub(r"\1", text) if _MAY_HOLD_MANY_MARKS.search(text) else text


@cache
def _many_marks() -> re.Pattern[str]:
    marks = "".join(sign for sign in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(sign))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def clean(text: str) -> str:
    """Normalise a text of any number of lines.

    The result is composed (NFC), with `\\n` as line end, and without byte-order marks, surrounding white space and
    control characters other than tabs.
    """
    if _is_typed(text):
        return text.strip()
    return _composed("NFC", _CONTROL.sub("", _LINE_END.sub("\n", text.replace("\ufeff", "")))).strip()


def one_line(text: str) -> str:
    """Normalise a name or a subject line: as `clean`, on one line, with single spaces and no invisible characters."""
    if _is_typed(text):
        return " ".join(text.split())
    seen = _SELECTORS.sub(_selected, _UNSEEN.sub(r"\1", clean(text)))
    return _composed("NFC", _SPACES.sub(" ", seen)).strip()


def _selected(found: re.Match[str]) -> str:
    """Return a character with its variation selector where selectors apply to it, else without.

    They apply to symbols, ideographs and the digits of keycaps.
    """
    sign, selectors, keycap = found.groups()
    varies = keycap if sign.isascii() else unicodedata.category(sign) in _VARIED or sign == "ℹ"
    return sign + (selectors[0] if sign and varies else "") + keycap


def visible(text: str) -> str:
    """Return `text` without invisible characters, including joiners and variation selectors.

    For fields in no script that needs these, such as addresses.
    """
    return re.sub(_SELECTOR, "", _JOINERS.sub("", _UNSEEN.sub("", text)))


def alike(text: str) -> str:
    """Return the form by which names are compared, equal for names that look the same, in any case or width."""
    return visible(code(text)).casefold()


def code(text: str) -> str:
    """Normalise a code copied letter by letter: compatibility forms (NFKC), every hyphen `-`, nothing invisible.

    A text longer than any code is only stripped.
    """
    if _is_typed(text):
        return one_line(text)
    text = text.strip()
    if len(text) > LONGEST_CODE:
        return text
    return one_line(_HYPHENS.sub("-", _composed("NFKC", one_line(text))))


def digits(text: str) -> str:
    """Normalise a number such as `NIP. 19900101 201505 1 001`.

    Removes the label in front, a spreadsheet's apostrophe, and separators between the digits or after them.
    """
    plain = code(_APART.sub("", code(text)))
    label = _LABEL.match(plain)
    return plain[label.end() :] if label else plain


def user_name(text: str) -> str:
    """Normalise a user name into the form in which it is stored and compared: as `code`, in lower case."""
    return _composed("NFC", code(text).lower())


def copied(text: str) -> str:
    """Normalise a secret code copied from a letter: as `code`, without spaces and hyphens, in lower case."""
    return _composed("NFC", re.sub("[ -]", "", code(text)).lower())


def password(text: str) -> str:
    """Normalise a password for hashing (RFC 8265's OpaqueString).

    All white space becomes a plain space; the result is composed (NFC), without control and invisible characters. What
    people can tell apart stays distinct: case, width and surrounding spaces.
    """
    return _composed("NFC", _CONTROL.sub("", _INVISIBLE.sub("", _SPACE.sub(" ", text))))


def isolated(text: str) -> str:
    """Return `text` in a Unicode isolate, so that its direction reorders nothing around it; for plain text."""
    return f"\u2068{_DIRECTION.sub('', text)}\u2069" if text else ""


def lost(written: str, kept: str) -> bool:
    """Return whether normalising `written` to `kept` removed a control character or a direction mark.

    People are told of these; white space and other invisible characters are removed silently.
    """
    return len(_TOLD.findall(_LINE_END.sub("\n", written))) > len(_TOLD.findall(kept))


def is_empty(text: str) -> bool:
    """Return whether `text` has no visible character; a combining mark (M) is visible only on another character."""
    return all(
        unicodedata.category(sign)[0] in "ZM"
        or unicodedata.category(sign) in ("Cc", "Cf")
        or sign in _BLANK
        or _UNSEEN.match(sign)
        for sign in text
    )
