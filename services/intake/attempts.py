"""The rate limit on wrong passwords, which slows down the source of the attempts and not the account's owner.

Threats: somebody guesses passwords, or gives wrong ones on purpose to lock an owner out. Therefore the limit applies to
one source (a client address, seen here only as a hash) at one user name. Where many sources guess at one user name, all
strangers wait there, but a device that logged in before does not: it has its own count.

Accounts are of two kinds, staff and reporters, with separate user names, and an attempt may be meant for either. Each
kind has its own counts, and a password that fits one kind is a failure at the other. Otherwise a reporter who registers
with a staff member's user name could guess that member's password unnoticed. Unknown user names are counted like known
ones, so that no answer reveals which exist.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nkk.sop import faults
from nkk.sop.clock import WIB
from nkk.sop.refusals import Refused
from nkk.sop.steps import Role

FREE = 5
"""The number of wrong passwords from one source at one user name from which the source has to wait."""

MANY = 20
"""The number of wrong passwords from all sources at one user name from which all strangers have to wait."""

LONGEST_WAIT = timedelta(minutes=15)
LET_IN = timedelta(hours=1)
"""How long strangers do not have to wait after an admin or a password reset has ended a slow-down."""

KEPT_FEW, KEPT_MANY = timedelta(hours=1), timedelta(days=1)
"""How long after its last failure a count is deleted, where it is below FREE, and where it is not."""

STAFF, REPORTER = "staff", "reporter"
KINDS = (STAFF, REPORTER)
"""The kinds of accounts, in the order of preference where a password fits both."""

Hidden = Callable[..., str]


class SlowedDown(Refused):
    """The attempt was refused unread, after too many wrong passwords for this user name from this source.

    `details["retry_after"]` is in seconds, `details["at"]` is the time (WIB).
    """


@dataclass
class Count:
    """The count of failures at one user name: of one source, device or session, or of all strangers (`what` "name")."""

    key: str
    login_index: str
    kind: str
    what: str
    last_at: datetime
    failed: int = 0
    waits_until: datetime | None = None
    open_until: datetime | None = None

    def waits(self, now: datetime) -> datetime | None:
        """Return until when those whom this counts have to wait; None where they do not."""
        is_over = self.waits_until is None or now >= self.waits_until
        return None if is_over or (self.open_until and now < self.open_until) else self.waits_until

    def add(self, now: datetime, free: int) -> None:
        """Count one failure. From the `free`th on, each doubles the wait, up to LONGEST_WAIT."""
        self.failed += 1
        self.last_at = now
        if self.failed >= free:
            self.waits_until = now + min(timedelta(minutes=2 ** min(self.failed - free, 10)), LONGEST_WAIT)

    def forget(self) -> None:
        """Reset the count, after a successful attempt."""
        self.failed, self.waits_until = 0, None

    @property
    def is_empty(self) -> bool:
        """Whether the count can be deleted."""
        return not self.failed and not self.open_until


@dataclass
class Door:
    """The counts that apply to an attempt at one kind of account: the caller's, and for a stranger all strangers'."""

    kind: str
    own: Count
    strangers: Count | None = None

    @property
    def counts(self) -> list[Count]:
        """The door's counts, with that of all strangers first."""
        return [self.strangers, self.own] if self.strangers else [self.own]

    def waits(self, now: datetime) -> datetime | None:
        """Return until when the caller has to wait; None where they do not."""
        return max(filter(None, (count.waits(now) for count in self.counts)), default=None)

    def failed(self, now: datetime) -> None:
        """Count a wrong password. The failures of one source beyond FREE do not count towards all strangers' wait."""
        self.own.add(now, FREE)
        if self.strangers and self.own.failed <= FREE:
            self.strangers.add(now, MANY)

    def opened(self) -> None:
        """Reset the counts, after the right password."""
        for count in self.counts:
            count.forget()


def doors(login_index: str, visitor: Mapping[str, Any], hidden: Hidden, now: datetime) -> list[Door]:
    """Return the doors that `visitor` (a loaded schemas.Visitor) has to pass at a user name, with empty counts.

    `hidden` makes the counts' keys: keyed hashes, which differ by user name.
    """

    def count(kind: str, what: str, who: str = "") -> Count:
        return Count(hidden(what, kind, login_index, who), login_index, kind, what, now)

    def door(kind: str) -> Door:
        if kind in visitor["known_as"]:
            return Door(kind, count(kind, "device", visitor["device"]))
        return Door(kind, count(kind, "source", visitor["source"]), count(kind, "name"))

    return [door(kind) for kind in KINDS]


def session_door(login_index: str, role: str, session: str, hidden: Hidden, now: datetime) -> Door:
    """Return the door for a caller who is logged in and has to give their password again."""
    kind = kind_of(role)
    return Door(kind, Count(hidden("session", kind, login_index, session), login_index, kind, "session", now))


def settle(doors: list[Door], fitting: set[str], now: datetime) -> tuple[str | None, datetime | None]:
    """Decide an attempt whose password fits the kinds of accounts in `fitting`, and count it at the doors.

    Returns (kind of the account to open or None, until when to wait where every door is shut). The attempt counts as
    a failure at each open door that it does not fit, even where it opens another.
    """
    tried = [door for door in doors if door.waits(now) is None]
    opens = next((door for door in tried if door.kind in fitting), None)
    for door in tried:
        if door.kind not in fitting:
            door.failed(now)
    if opens is not None:
        opens.opened()
        return opens.kind, None
    return None, None if tried else max(filter(None, (door.waits(now) for door in doors)))


def kind_of(role: str) -> str:
    """Return the kind of account that `role` belongs to."""
    return REPORTER if role == Role.REPORTER else STAFF


def slowed_down(until: datetime, now: datetime) -> SlowedDown:
    """Return the refusal, which is the same for right and wrong passwords and for unknown user names."""
    seconds = max(1, math.ceil((until - now).total_seconds()))
    # Rounded up to a full second, and so equal in every answer: a caller who returns at that time is let in.
    whole = until + timedelta(microseconds=-until.microsecond % 1_000_000)
    at = whole.astimezone(WIB).strftime("%H:%M:%S")
    return SlowedDown({"at": at, "retry_after": seconds, "fields": {"password": [faults.SLOWED_DOWN(at=at)]}})
