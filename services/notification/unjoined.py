"""The journey of a joined report as its reporter is told of it: that of a report which was forwarded alone.

Threat: a reporter would learn that others reported the same, and of some matters that says who. So no step may be told
that only a joined report has. Staff are told the true facts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from nkk.sop.clock import Calendar, day_after
from nkk.sop.journey import FORWARDED, JOINED, PARTED, RECALLED, RETURNED, SHARED
from services.notification.asking import Asked
from services.notification.entries import Entry

INFORMATION = "complaint.classified_as_information.v1"
SUBMITTED, SENT_BACK, APPROVED = "response.submitted.v1", "response.returned.v1", "response.approved.v1"

CalendarOf = Callable[[int], Calendar]


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
        shift = len(self.shifted)
        told = replace(entry, forwarding=entry.forwarding + shift)
        if entry.type == JOINED:
            self.joined = entry
            yield self._as(FORWARDED, told, round=self.responses, calendar=entry.calendar or self._last_calendar)
        elif entry.type == PARTED:
            at = entry.at if entry.by is not None else self._taken_back_at(entry, following)
            if at <= self.now:
                yield self._as(RECALLED, told, round=self.responses + 1, at=at)
        elif entry.type == SHARED:
            self.shares = entry
            number = entry.round or self.responses + 1
            responded = [at for at in (entry.responded_at, self.joined and self.joined.at) if at]
            yield self._as(SUBMITTED, told, round=number, at=max(responded) if entry.responded_at else entry.at)
            yield self._as(APPROVED, told, round=number)
        elif entry.type == INFORMATION and self._rests(entry):
            self.shifted.append(entry.forwarding)
            yield self._as(RECALLED, told, round=self.responses + 1)
            yield replace(told, forwarding=told.forwarding + 1)
        elif entry.type == RETURNED and self.shares is not None and self.shares.forwarding == entry.forwarding:
            # No complaint that was approved goes back to step 3: it is told as one that was not.
            self.entries = [e for e in self.entries if e.event_id != self.shares.event_id or e.type != APPROVED]
            yield self._as(SENT_BACK, told, round=self.responses)
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

    def _taken_back_at(self, parted: Entry, following: Sequence[Entry]) -> datetime:
        """Return when a parting is told that followed from the ending of the first report, of which the day is known.

        That is when its clock begins to run, at the next opening, or at what happens before. At midnight, nobody takes
        a complaint back.
        """
        calendar = self.calendar_of(parted.calendar)
        later = [entry.at for entry in following] + [q.at for q in self.asked if q.forwarding > parted.forwarding]
        opening = calendar.after(day_after(parted.at), timedelta())
        joined_at = self.joined.at if self.joined else parted.at
        return max(joined_at, min([opening, *later]))
