"""Rules of password resets: whose password can be reset, how long a code is valid, and how often one is sent."""

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
"""The rate limit of codes: ASKED codes per PER for each account with its own share of an address, and for all others
together. Threat: somebody registers many accounts with another person's address, and floods it with codes."""

OLDEST = 3
"""The number of accounts of an address, those that have had it longest, that have their own share of the rate limit.
Threat: somebody registers accounts with another person's address to use up the codes that the owner may request."""

ACCOUNTS = 5
"""The largest number of accounts that are sent a code for one request by address."""


class ResetExpired(Refused):
    """The code is not valid: it was used, has expired, was replaced by a newer one, or never existed."""


def reset_expired() -> ResetExpired:
    """Return the refusal, which is the same for every invalid code."""
    return ResetExpired()


def may_be_reset(account: Account | None) -> bool:
    """Return whether the account is an enabled reporter's. Staff get a new password from an admin instead."""
    return account is not None and account.role == Role.REPORTER and account.disabled_at is None


def hash_of(code: str) -> str:
    """Return the hash by which a code is stored and looked up, ignoring what copying may have added."""
    return hashlib.sha256(text.copied(code).encode()).hexdigest()


@dataclass
class PasswordReset:
    """The newest code of an account."""

    account_id: str
    token_hash: str | None = None
    expires_at: datetime | None = None

    def renew(self, now: datetime) -> str:
        """Replace the account's code, and return the new one."""
        # Hexadecimal digits, because mail programs may cut a hyphen off the end of a link.
        code = secrets.token_hex(20)
        self.token_hash, self.expires_at = hash_of(code), now + LIFETIME
        return code

    def is_good(self, now: datetime) -> bool:
        """Return whether the code is valid at `now`."""
        return self.token_hash is not None and self.expires_at is not None and now < self.expires_at


@dataclass
class Share:
    """The number of codes sent for an account with its own share, and since when it has had its address."""

    had_since: datetime
    told: int = 0


@dataclass
class Postbox:
    """The number of codes sent to an address since `since`: by account for the oldest, and for all others together."""

    address_index: str
    since: datetime
    told: int = 0
    shares: dict[str, Share] = field(default_factory=dict)

    def admitted(self, asked: list[str], oldest: Mapping[str, datetime], now: datetime) -> list[str]:
        """Return which of the accounts `asked` may be sent a code now, and count these codes.

        `oldest` holds the OLDEST accounts of this address, with the time since when they have had it.
        """
        if now >= self.since + PER:
            self.told, self.since, self.shares = 0, now, {}
        # An account that gave up the address keeps its share for the hour, so that others cannot use it in turn.
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
