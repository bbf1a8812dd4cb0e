"""The ticket: a complaint's reference, short, easy to read out, and not guessable.

`NKK-2026-XXXX-XXXX`: the year, seven random symbols of Crockford's base 32 (35 bits) and Crockford's check symbol over
them. Only numbers whose check symbol is one of the 32 plain symbols are used, so that a ticket can be read out and used
in a URL unchanged.
"""

import re
import secrets
from collections.abc import Callable

from nkk.sop.text import code

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
YEAR = len("2026")
"""The number of a ticket's symbols that are its year."""

_CHECK_MODULUS = 37
_SYMBOLS = 7
_SHAPE = re.compile(rf"([0-9]{{4}})-*([{ALPHABET}]{{4}})-*([{ALPHABET}]{{4}})")
_LINKED = re.compile(r"[/=](NKK[^/?#&]*)")
_AROUND = " .,;:!?#*_-\"'`()[]{}<>\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e"
_LABEL = re.compile(r"(?:(?:NO|NOMOR|TIKET|TICKET)\b[ .:#]*)+")
_BETWEEN = re.compile("[ ._]")
_PART = re.compile(rf"[{ALPHABET}]{{3,11}}")
_SOUND_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_ticket(year: int, randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """Return a new random ticket of `year`, such as `NKK-2026-7H4K-Q2MV`."""
    while True:
        number = randbelow(32**_SYMBOLS)
        if number % _CHECK_MODULUS < len(ALPHABET):
            symbols = _encode(number) + ALPHABET[number % _CHECK_MODULUS]
            return f"NKK-{year:04d}-{symbols[:4]}-{symbols[4:]}"


def read_ticket(text: str) -> str | None:
    """Parse the ticket that a person meant by `text`; None where there is none.

    Ignores case, hyphens of any kind and number (or dots, spaces, underscores), `NKK`, `tiket no.` or a `#` before it,
    brackets, quotation marks and full stops around it, and a link around it. O, I and L are read as 0, 1 and 1. The
    check symbol detects typing errors.
    """
    body = _plain(text).removeprefix("NKK").lstrip("-").translate(_SOUND_ALIKE)
    match = _SHAPE.fullmatch(body)
    if match is None:
        return None
    year, first, second = match.groups()
    symbols = first + second
    number = _decode(symbols[:-1])
    if number % _CHECK_MODULUS != ALPHABET.index(symbols[-1]):
        return None
    return f"NKK-{year}-{first}-{second}"


def read_part(text: str) -> str | None:
    """Parse a part of a ticket, for a search: adjacent symbols, without hyphens and `NKK`.

    Returns None where `text` cannot be a part, or is a whole ticket, correctly typed or not.
    """
    part = _plain(text).removeprefix("NKK").replace("-", "").translate(_SOUND_ALIKE)
    return part if _PART.fullmatch(part) else None


def has_part(ticket: str, part: str) -> bool:
    """Return whether `ticket` contains `part`, a result of `read_part`; short parts are not matched with the year."""
    symbols = ticket.removeprefix("NKK").replace("-", "")
    return part in (symbols if len(part) > YEAR else symbols[YEAR:])


def _plain(text: str) -> str:
    """Return `text` in upper case, without a link, label or punctuation around the ticket."""
    written = code(text).upper()
    link = _LINKED.search(written)
    plain = (link[1] if link else written).strip(_AROUND)
    return _BETWEEN.sub("-", plain[label.end() :] if (label := _LABEL.match(plain)) else plain)


def _encode(number: int) -> str:
    symbols = []
    for _ in range(_SYMBOLS):
        number, index = divmod(number, 32)
        symbols.append(ALPHABET[index])
    return "".join(reversed(symbols))


def _decode(symbols: str) -> int:
    number = 0
    for symbol in symbols:
        number = number * 32 + ALPHABET.index(symbol)
    return number
