"""A forgotten password: who may set a new one by letter, how long a code is good, how often one is sent."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from nkk.sop import text
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role
from services.intake.domain import Account

LIFETIME = timedelta(hours=1)
ASKED = 3
PER = timedelta(hours=1)
"""Codes are sent to one address at most so often, whichever of its accounts they are asked for: nobody's postbox is
filled by accounts that others registered for it."""

ACCOUNTS = 5
"""So many accounts of one address, those that have had it longest, are sent a code when it is asked for by address."""


class ResetExpired(Refused):
    """This code sets no password: it was used, is too old, was replaced by a newer one, or never was."""


def reset_expired() -> ResetExpired:
    """One refusal for every code that is no good."""
    return ResetExpired("This code is no longer good: it works once, within an hour, and only the newest one sent. "
                        "Check that you copied all of it, or ask for a new one (POST /password-resets).")


def may_be_reset(account: Account | None) -> bool:
    """Whether a code is sent at all: to reporters whose account is open. Staff are given a password by an admin."""
    return account is not None and account.role == Role.REPORTER and account.disabled_at is None


def hash_of(code: str) -> str:
    """What a code is stored and looked up as; whatever came with copying it does not matter."""
    return hashlib.sha256(text.copied(code).encode()).hexdigest()


@dataclass
class PasswordReset:
    """The newest code of an account."""

    account_id: str
    token_hash: str | None = None
    expires_at: datetime | None = None

    def renew(self, now: datetime) -> str:
        """A new code in the place of the one before."""
        # Hexadecimal digits: no mail program cuts them off at the end of an address, as it may a hyphen.
        code = secrets.token_hex(20)
        self.token_hash, self.expires_at = hash_of(code), now + LIFETIME
        return code

    def is_good(self, now: datetime) -> bool:
        """Whether its code sets a password at `now`."""
        return self.token_hash is not None and self.expires_at is not None and now < self.expires_at

    def end(self) -> None:
        """Its code is used up, or not wanted any more."""
        self.token_hash = self.expires_at = None


@dataclass
class Postbox:
    """How often codes were sent to an address since then."""

    address_index: str
    since: datetime
    told: int = 0

    def takes(self, now: datetime) -> bool:
        """Whether codes are sent there once more, which is counted."""
        if now >= self.since + PER:
            self.told, self.since = 0, now
        self.told += 1
        return self.told <= ASKED
