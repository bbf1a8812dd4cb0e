"""Reports that a website or an operator entered for a person, and the code with which the person opens an account.

Threat: somebody reads intake's database and opens other people's accounts. Therefore a code is derived with a key that
is not there, so that it can be given again for the same entry, and is stored only as a keyed hash.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nkk.sop import faults
from nkk.sop.refusals import AlreadyDone, Refused
from nkk.sop.text import copied
from services.intake.domain import SENT_AGAIN_WITHIN

CODE_LIFETIME = timedelta(days=90)

PAPER_LENGTH = 64
"""The most characters of the reference of a letter or slip."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, without the letters I, L, O and U."""

GROUPS, IN_GROUP, BITS_OF_SYMBOL = 4, 4, 5
BITS = GROUPS * IN_GROUP * BITS_OF_SYMBOL
_READ_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})

Hidden = Callable[..., str]


class AccessCodeRefused(Refused):
    """No account can be opened with this code: it was used, has expired, or never existed."""


class PaperEnteredBefore(AlreadyDone):
    """The letter or slip was entered before, as the report whose ticket the details have."""


class AccountOpenedBefore(AlreadyDone):
    """The person has opened the account of this report, so that no code opens it again."""


class NotEnteredByStaff(Refused):
    """No operator entered this report, so that it has no code that an operator may renew."""


def access_code_refused() -> AccessCodeRefused:
    """Return the refusal, which is the same for every invalid code."""
    return AccessCodeRefused({"fields": {"access_code": [faults.ACCESS_CODE_REFUSED()]}})


@dataclass
class Entry:
    """A report that the account `website_id` sent in for a person, whose account `reporter_id` has no log-in yet.

    That account is a website's or an operator's. `paper` is the operator's reference of a letter or slip.
    """

    ticket: str
    website_id: str
    reporter_id: str
    entered_at: datetime
    code_hash: str
    expires_at: datetime
    used_at: datetime | None = None
    paper: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Return whether the code can be used at `now`."""
        return self.used_at is None and now < self.expires_at

    def renew(self, code_hash: str, now: datetime) -> None:
        """Replace the code, which ends the old one at once. Raises AccountOpenedBefore where a code was used."""
        if self.used_at is not None:
            raise AccountOpenedBefore
        self.code_hash, self.expires_at = code_hash, now + CODE_LIFETIME

    def was_just_used(self, now: datetime) -> bool:
        """Return whether the code was used within SENT_AGAIN_WITHIN."""
        return self.used_at is not None and now < self.used_at + SENT_AGAIN_WITHIN


def code_of(hidden: Hidden, website_id: str, key: str, ticket: str) -> str:
    """Return the code of an entry, the same for the same entry: four groups of four symbols, 80 bits.

    `hidden` is the keyed hash (Vault.hidden), and `key` the entry's idempotency key, or a random text without one.
    """
    number = int(hidden("access code", website_id, key, ticket), 16) % 2**BITS
    symbols = "".join(
        ALPHABET[number >> shift & 31] for shift in range(BITS - BITS_OF_SYMBOL, -BITS_OF_SYMBOL, -BITS_OF_SYMBOL)
    )
    return "-".join(symbols[first : first + IN_GROUP] for first in range(0, len(symbols), IN_GROUP))


def paper_key(hidden: Hidden, channel: str, paper: str) -> str:
    """Return the key under which a reference is entered once: case and the width of spaces make no difference."""
    return hidden("paper", channel, " ".join(paper.split()).casefold())


def hash_of(hidden: Hidden, code: str) -> str:
    """Return the hash by which a code is stored and looked up.

    Case, spaces and hyphens are ignored; O, I and L are read as 0, 1 and 1.
    """
    return hidden("hash of access code", copied(code).upper().translate(_READ_ALIKE))
