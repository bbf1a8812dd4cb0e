"""A forgotten password: who may set a new one by letter, how long a code is good, how often one is sent."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nkk.sop import text
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role
from services.intake.domain import Account

LIFETIME = timedelta(hours=1)
ASKED = 3
PER = timedelta(hours=1)
"""So often a code is sent of one account, and so often of all accounts together that have no count of their own at the
same address: nobody's postbox is filled by accounts that others registered for it."""

OLDEST = 3
"""So many accounts of one address, those that have had it longest, are counted each by itself: nobody is kept from a
code by accounts that others registered for their address."""

ACCOUNTS = 5
"""So many of them are sent a code when it is asked for by address."""


class ResetExpired(Refused):
    """This code sets no password: it was used, is too old, was replaced by a newer one, or never was."""


def reset_expired() -> ResetExpired:
    """One refusal for every code that is no good."""
    return ResetExpired()


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


@dataclass
class Share:
    """How often a code was sent of an account that is counted by itself, and since when it has had its address."""

    had_since: datetime
    told: int = 0


@dataclass
class Postbox:
    """How often codes were sent to an address since then: by account of the oldest, and of all others together."""

    address_index: str
    since: datetime
    told: int = 0
    shares: dict[str, Share] = field(default_factory=dict)

    def admitted(self, asked: list[str], oldest: Mapping[str, datetime], now: datetime) -> list[str]:
        """Those of the accounts `asked` that a code is sent of, which is counted. `oldest` are the OLDEST of them all
        by the time since when they have had this address."""
        if now >= self.since + PER:
            self.told, self.since, self.shares = 0, now, {}
        # One that has left keeps its place for the hour: else accounts would take turns, and each be sent as much.
        had = {**oldest, **{account: share.had_since for account, share in self.shares.items()}}
        counted = sorted(had, key=lambda account: (had[account], account))[:OLDEST]
        others = self._takes_others() if set(asked) - set(counted) else False
        return [account for account in asked if (self._takes(account, had[account]) if account in counted else others)]

    def _takes(self, account: str, had_since: datetime) -> bool:
        share = self.shares.setdefault(account, Share(had_since))
        if share.told >= ASKED:
            return False
        share.told += 1
        return True

    def _takes_others(self) -> bool:
        if self.told >= ASKED:
            return False
        self.told += 1
        return True
