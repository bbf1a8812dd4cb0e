"""Wrong passwords slow down whoever gives them, and keep nobody else out.

Threats: passwords are guessed; and the same is done as a weapon, to keep somebody out of their own account. What waits
is therefore one source (an address, unreadable here) at one user name. Many sources that guess at one name have all
strangers wait there, and never a device that logged in before, which has a count of its own.

Staff and reporters are two kinds of accounts, with names of their own; an attempt may be meant for either. Both are
counted, each by itself, and a password that opens one is a wrong one at the other: who registers with the name of
somebody of the staff, and logs in there with one password after another, guesses. Names that nobody has are counted
just as those that somebody has, so that no answer tells which exist.
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
"""So many wrong passwords a source may give for one name before it waits."""

MANY = 20
"""So many that sources give for one name before all strangers wait there."""

LONGEST_WAIT = timedelta(minutes=15)
LET_IN = timedelta(hours=1)
"""Strangers do not wait for so long once an admin, or the code of a letter, has ended a slow-down."""

KEPT_FEW, KEPT_MANY = timedelta(hours=1), timedelta(days=1)
"""A count is forgotten so long after its last failure: below FREE, and from there on."""

STAFF, REPORTER = "staff", "reporter"
KINDS = (STAFF, REPORTER)
"""Kinds of accounts, in the order in which one is taken where a password fits both."""

Hidden = Callable[..., str]


class SlowedDown(Refused):
    """Too many wrong passwords for this name from there: nothing was looked at. `details["retry_after"]` is in
    seconds, `details["at"]` the time (WIB)."""


@dataclass
class Count:
    """The failures of one source, device or session at one name; of all strangers there (`what` is `name`)."""

    key: str
    login_index: str
    kind: str
    what: str
    last_at: datetime
    failed: int = 0
    waits_until: datetime | None = None
    open_until: datetime | None = None

    def waits(self, now: datetime) -> datetime | None:
        """Until when whoever this counts has to wait; None where they need not."""
        is_over = self.waits_until is None or now >= self.waits_until
        return None if is_over or (self.open_until and now < self.open_until) else self.waits_until

    def add(self, now: datetime, free: int) -> None:
        """One more; each from the `free`th on makes the wait twice as long."""
        self.failed += 1
        self.last_at = now
        if self.failed >= free:
            self.waits_until = now + min(timedelta(minutes=2 ** min(self.failed - free, 10)), LONGEST_WAIT)

    def forget(self) -> None:
        """Whoever this counts was let in."""
        self.failed, self.waits_until = 0, None

    @property
    def is_empty(self) -> bool:
        """Whether it need not be kept."""
        return not self.failed and not self.open_until


@dataclass
class Door:
    """What stands before the account of one kind: the caller's own count, and for strangers that of all of them."""

    kind: str
    own: Count
    strangers: Count | None = None

    @property
    def counts(self) -> list[Count]:
        """Its counts, that of the name first."""
        return [self.strangers, self.own] if self.strangers else [self.own]

    def waits(self, now: datetime) -> datetime | None:
        """Until when it stays shut for the caller."""
        return max(filter(None, (count.waits(now) for count in self.counts)), default=None)

    def failed(self, now: datetime) -> None:
        """A wrong password. What one source does for long slows down that source alone."""
        self.own.add(now, FREE)
        if self.strangers and self.own.failed <= FREE:
            self.strangers.add(now, MANY)

    def opened(self) -> None:
        """The right one."""
        for count in self.counts:
            count.forget()


def doors(login_index: str, visitor: Mapping[str, Any], hidden: Hidden, now: datetime) -> list[Door]:
    """What stands before a `visitor` (a Visitor) at a name, counts not yet read; `hidden` makes keys that tell nothing
    and differ from name to name."""

    def count(kind: str, what: str, who: str = "") -> Count:
        return Count(hidden(what, kind, login_index, who), login_index, kind, what, now)

    def door(kind: str) -> Door:
        if kind in visitor["known_as"]:
            return Door(kind, count(kind, "device", visitor["device"]))
        return Door(kind, count(kind, "source", visitor["source"]), count(kind, "name"))

    return [door(kind) for kind in KINDS]


def session_door(login_index: str, role: str, session: str, hidden: Hidden, now: datetime) -> Door:
    """What stands before somebody logged in who is asked for their password again."""
    kind = kind_of(role)
    return Door(kind, Count(hidden("session", kind, login_index, session), login_index, kind, "session", now))


def settle(doors: list[Door], fitting: set[str], now: datetime) -> tuple[str | None, datetime | None]:
    """(which kind of account opens, until when to wait where every door is shut), the password being that of the kinds
    in `fitting`; counts the attempt at every door that it does not fit, whichever else it opens."""
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
    """The kind of account that has this role."""
    return REPORTER if role == Role.REPORTER else STAFF


def slowed_down(until: datetime, now: datetime) -> SlowedDown:
    """One refusal for a right and a wrong password, and for names that nobody has."""
    seconds = max(1, math.ceil((until - now).total_seconds()))
    # The same whoever asks when, and not before: whoever reads it, or `retry_after`, comes when they are let in.
    whole = until + timedelta(microseconds=-until.microsecond % 1_000_000)
    at = whole.astimezone(WIB).strftime("%H:%M:%S")
    return SlowedDown({"at": at, "retry_after": seconds, "fields": {"password": [faults.SLOWED_DOWN(at=at)]}})
