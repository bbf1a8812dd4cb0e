"""The journey of a joined report as its reporter is told of it: that of a report which was forwarded alone.

Threat: a reporter would learn that others reported the same, and of some matters that says who. So no step may be told
that only a joined report has, nor at an instant that only such a report has: two acts of people are never done in the
same second, nor on the stroke of the opening. The team of an agency that gets the report later is told the same, for it
does not have the other one. Operators and Tim Utama are told the true facts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from nkk.sop import steps
from nkk.sop.clock import Calendar, day_after, day_of
from nkk.sop.journey import FORWARDED, JOINED, KEPT, PARTED, RECALLED, REOPENED, RETURNED, SHARED, WITHDRAWN
from services.notification.asking import Asked
from services.notification.entries import Entry

INFORMATION = "complaint.classified_as_information.v1"
SUBMITTED, SENT_BACK, APPROVED = "response.submitted.v1", "response.returned.v1", "response.approved.v1"

CalendarOf = Callable[[int], Calendar]

SOONEST = timedelta(minutes=10)
"""How long after a forwarding a response is told at the soonest, where there is time."""

OF_A_DAY = (WITHDRAWN, REOPENED)
"""The events of which only the day is known."""


def chance(entry: Entry, what: str) -> float:
    """Return a number from 0 to 1, always the same for `what` of an event, which is told to nobody who may not know."""
    return int.from_bytes(sha256(f"{what} {entry.event_id}".encode()).digest()[:6]) / 2**48


def shortly_before(at: datetime, entry: Entry, what: str, after: datetime) -> datetime:
    """Return an instant some minutes before `at`, and after `after`, at which `what` is told that had none."""
    drawn, most = chance(entry, what), max(timedelta(), at - after)
    return at - min(timedelta(minutes=1) + timedelta(minutes=5) * drawn, most * (0.25 + drawn / 2))


@dataclass
class Unjoined:
    """The entries as they are told. `shifted` are the forwardings after which all have a number that is one higher.

    `responses` is the number of responses told so far, and `shares` the entry with which the last one was shared.
    """

    now: datetime
    calendar_of: CalendarOf
    asked: Sequence[Asked]
    entries: list[Entry] = field(default_factory=list)
    shifted: list[int] = field(default_factory=list)
    joined: Entry | None = None
    shares: Entry | None = None
    responses: int = 0

    def number(self, forwarding: int) -> int:
        """Return the number that the classification `forwarding` is told by."""
        return forwarding + sum(it < forwarding for it in self.shifted)

    def tell(self, entries: Sequence[Entry]) -> None:
        """Tell `entries`, which are in order."""
        for place, entry in enumerate(entries):
            told = list(self._told(entry, entries[place + 1 :]))
            self.entries += told
            self.responses = max([self.responses, *(e.round for e in self.entries if e.type == SUBMITTED)])

    def _told(self, entry: Entry, following: Sequence[Entry]) -> Iterator[Entry]:
        # A withdrawal has no number of its own.
        shift = len(self.shifted) if entry.type != WITHDRAWN else 0
        told = replace(entry, forwarding=entry.forwarding + shift)
        if entry.type == JOINED:
            self.joined = entry
            yield self._as(FORWARDED, told, round=self.responses, calendar=entry.calendar or self._last_calendar)
        elif entry.type == PARTED:
            at = entry.at if entry.by is not None else self._taken_back_at(entry, following)
            if at is not None and at <= self.now:
                yield self._as(RECALLED, told, round=self.responses + 1, at=at)
        elif entry.type == SHARED:
            self.shares = entry
            number = entry.round or self.responses + 1
            yield self._as(SUBMITTED, told, round=number, at=self._responded_at(entry))
            yield self._as(APPROVED, told, round=number)
        elif entry.type == INFORMATION and self._rests(entry):
            self.shifted.append(entry.forwarding)
            at = shortly_before(entry.at, entry, RECALLED, self._joined_at(entry))
            yield self._as(RECALLED, told, round=self.responses + 1, at=at)
            yield replace(told, forwarding=told.forwarding + 1)
        elif entry.type == RETURNED and self.shares is not None and self.shares.forwarding == entry.forwarding:
            # No complaint that was approved goes back to step 3: it is told as one that was not.
            self.entries = [e for e in self.entries if e.event_id != self.shares.event_id or e.type != APPROVED]
            at = shortly_before(entry.at, entry, SENT_BACK, self._responded_at(self.shares))
            yield self._as(SENT_BACK, told, round=self.responses, at=at)
            yield self._as(RECALLED, told, round=self.responses + 1)
        else:
            yield told

    def _as(self, type_: str, entry: Entry, **changed: object) -> Entry:
        return replace(entry, type=type_, **changed)  # type: ignore[arg-type]

    def _rests(self, entry: Entry) -> bool:
        return self.joined is not None and self.joined.forwarding == entry.forwarding

    @property
    def _last_calendar(self) -> int:
        """The calendar of the entry before, for a joining told by a version that did not name one."""
        return self.entries[-1].calendar if self.entries else 0

    def _joined_at(self, entry: Entry) -> datetime:
        """Return when the report was joined, before `entry`; the joining may be consumed later than what follows it."""
        return self.joined.at if self.joined else entry.at

    def _responded_at(self, shared: Entry) -> datetime:
        """Return when a response is told that was shared: when it came, but a while after the report was forwarded.

        One that came before is told between the joining and its approval, while step 4 was not overdue.
        """
        at, joined_at = shared.responded_at, self._joined_at(shared)
        if at is not None and at >= joined_at + SOONEST:
            return at
        calendar = self.calendar_of(shared.calendar)
        took = min(calendar.open_between(joined_at, shared.at), timedelta(minutes=steps.RESPOND.minutes))
        told = calendar.after(joined_at, took * (0.25 + chance(shared, SUBMITTED) / 2))
        return min(told, shortly_before(shared.at, shared, SUBMITTED, joined_at))

    def _taken_back_at(self, parted: Entry, following: Sequence[Entry]) -> datetime | None:
        """Return when a parting is told that followed from the ending of the first report, of which the day is known.

        That is after the next opening, when its clock begins to run, or before what happens earlier. None where its
        reporter withdrew it before, for nobody takes back what was withdrawn; unless it goes on, for nobody lets go on
        what an agency has.
        """
        joined_at, calendar = self._joined_at(parted), self.calendar_of(parted.calendar)
        opened = timedelta(minutes=5) + timedelta(minutes=40) * chance(parted, RECALLED)
        told = calendar.after(day_after(parted.at), opened)
        later = [entry.at for entry in following if entry.type not in OF_A_DAY]
        later += [q.at for q in self.asked if q.forwarding > parted.forwarding]
        if later and min(later) <= told:
            told = shortly_before(min(later), parted, RECALLED, joined_at)
        withdrawn = next((entry.at for entry in following if entry.type == WITHDRAWN), None)
        if withdrawn is None or withdrawn >= day_of(told):
            return told
        if not any(entry.type == KEPT for entry in following):
            return None
        took = calendar.open_between(joined_at, withdrawn) or timedelta(minutes=2)
        return joined_at + took if took <= timedelta(minutes=2) else calendar.after(joined_at, took / 2)
