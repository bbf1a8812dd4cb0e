"""What a text is: decided once, for every field that a person fills in or pastes into.

People paste from word processors, chats and spreadsheets. What they see is kept; what nobody can see is made the same
or left out, and no text is refused for it. Each function gives the same again when it is given what it gave.
"""

import re
import unicodedata
from functools import cache
from typing import Literal

MOST_MARKS = 30
"""On one sign. No script has as many (Unicode's annex 15, stream-safe text), and nobody sees more."""

_MAY_HOLD_MANY_MARKS = re.compile("[^\x00-\u02ff]{%d}" % (MOST_MARKS + 1))  # noqa: UP031
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Zero width, word joiners, soft hyphens, byte-order marks, direction marks, Hangul fillers: but no joiner (U+200C and
# U+200D), which Persian, Indian scripts and emoji are written with.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb]"
)
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TOLD = re.compile(f"{_CONTROL.pattern}|{_DIRECTION.pattern}")
_SPACE = re.compile(r"\s")
_JOINERS = re.compile("[\u200c\u200d]")
# A Braille cell without dots is a space to whoever sees it.
_SPACES = re.compile(r"[\s\u2800]+")
# In names and codes besides: format signs of shorthand and music, and what Unicode sets aside for the unseen, such as
# tags, but for those that make a black flag a country's.
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
    """Whether `text` is whole characters: half an emoji (a lone surrogate) is none, and no database keeps it."""
    return _SURROGATE.search(text) is None


def _is_typed(text: str) -> bool:
    """Whether `text` holds nothing but what stands on a plain keyboard: only its spaces can need to be put in order.
    Most of what is read again and again is, such as tickets and names of OPDs."""
    return text.isascii() and text.isprintable()


def _composed(form: Literal["NFC", "NFKC"], text: str) -> str:
    """`text` in the normal form `form`, with MOST_MARKS of each run of marks. Threat: composing sorts a run, and takes
    the square of its length for that: a minute for what a request can hold."""
    return _with_few_marks(unicodedata.normalize(form, _with_few_marks(text)))


def _with_few_marks(text: str) -> str:
    return _many_marks().sub(r"\1", text) if _MAY_HOLD_MANY_MARKS.search(text) else text


@cache
def _many_marks() -> re.Pattern[str]:
    marks = "".join(sign for sign in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(sign))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def clean(text: str) -> str:
    """`text` of any number of lines: composed (NFC), every line end `\\n`, without control signs but tabs, byte-order
    marks, and white space around it."""
    if _is_typed(text):
        return text.strip()
    return _composed("NFC", _CONTROL.sub("", _LINE_END.sub("\n", text.replace("\ufeff", "")))).strip()


def one_line(text: str) -> str:
    """`text` as a name or a subject line: as `clean`, on one line, single spaces, nothing invisible."""
    if _is_typed(text):
        return " ".join(text.split())
    seen = _SELECTORS.sub(_selected, _UNSEEN.sub(r"\1", clean(text)))
    return _composed("NFC", _SPACES.sub(" ", seen)).strip()


def _selected(found: re.Match[str]) -> str:
    """A sign with its variation selector, where it is one that selectors choose the look of: a symbol, an ideograph,
    the digit of a keycap; else without."""
    sign, selectors, keycap = found.groups()
    varies = keycap if sign.isascii() else unicodedata.category(sign) in _VARIED or sign == "ℹ"
    return sign + (selectors[0] if sign and varies else "") + keycap


def visible(text: str) -> str:
    """`text` without the signs that nobody sees, joiners and variation selectors too: for what is written in no script
    that needs them."""
    return re.sub(_SELECTOR, "", _JOINERS.sub("", _UNSEEN.sub("", text)))


def alike(text: str) -> str:
    """What names are compared by: the same for all that people take for one name, in letters of any size or width."""
    return visible(code(text)).casefold()


def code(text: str) -> str:
    """`text` as something copied letter by letter: compatibility forms as their plain ones, every hyphen `-`, nothing
    invisible."""
    if _is_typed(text):
        return one_line(text)
    return one_line(_HYPHENS.sub("-", _composed("NFKC", one_line(text))))


def digits(text: str) -> str:
    """A number as it is written, such as `NIP. 19900101 201505 1 001`, without its name in front, a spreadsheet's
    apostrophe, and what stands between its digits or behind them."""
    plain = _composed("NFKC", _APART.sub("", code(text)))
    label = _LABEL.match(plain)
    return plain[label.end() :] if label else plain


def user_name(text: str) -> str:
    """A user name, in the one form that it is kept, compared and looked up in: as `code`, in small letters."""
    return _composed("NFC", code(text).lower())


def copied(text: str) -> str:
    """A secret code copied from a letter: as `code`, without spaces and hyphens, in small letters."""
    return _composed("NFC", re.sub("[ -]", "", code(text)).lower())


def password(text: str) -> str:
    """A password as it is hashed (RFC 8265's OpaqueString): every white space a plain space, composed (NFC), without
    control signs and what nobody sees. Whatever people can tell apart stays apart: case, width, spaces around it."""
    return _composed("NFC", _CONTROL.sub("", _INVISIBLE.sub("", _SPACE.sub(" ", text))))


def isolated(text: str) -> str:
    """`text` for where no markup can stand: what it holds in another direction moves nothing around it."""
    return f"\u2068{_DIRECTION.sub('', text)}\u2069" if text else ""


def lost(written: str, kept: str) -> bool:
    """Whether something that people are told of was left out on the way from `written` to `kept`: a control sign, a
    direction mark. White space and what else nobody sees is not."""
    return len(_TOLD.findall(_LINE_END.sub("\n", written))) > len(_TOLD.findall(kept))


def is_empty(text: str) -> bool:
    """Whether nobody could see anything of `text`: a mark (M) is seen on another sign alone."""
    return all(
        unicodedata.category(sign)[0] in "ZM"
        or unicodedata.category(sign) in ("Cc", "Cf")
        or sign in _BLANK
        or _UNSEEN.match(sign)
        for sign in text
    )
