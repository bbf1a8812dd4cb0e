"""Joined reports: of the same matter, resting with the first of them and sharing its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nkk.contracts import views
from nkk.contracts.events import (
    ComplaintJoined,
    ComplaintParted,
    ResponseShared,
)
from nkk.desk import Calendars
from nkk.desk.stage import Act, CaseDesk, of_the_desk
from nkk.messaging.rpc import rpc
from nkk.sop import files, gathered
from nkk.sop.clock import Calendar, day_after, end_of_day
from nkk.sop.files import File
from nkk.sop.gathered import Gathered
from nkk.sop.refusals import UnknownTicket
from nkk.trust.actor import Actor
from nkk.validation import load
from services.triage import schemas
from services.triage.domain import (
    Case,
    check_first,
)
from services.triage.storage import TriageWork

SIMILAR = 20
"""How many cases are offered to join a report with."""


@dataclass(frozen=True)
class Shared:
    """The response to a report, with those that were kept beside it, as the reports that rest with it share it.

    `responded_at` is when it came; None where that is not known any more.
    """

    text: str
    gathered: Sequence[Gathered]
    files: Sequence[File]
    note: str | None
    responded_at: datetime | None


class JoinsReports(CaseDesk):
    """The part of triage that joins reports, and parts them."""

    calendars: Calendars

    def part_all(self, work: TriageWork, first: str, at: datetime, calendar: Calendar) -> None:
        """Part the reports that rest with a first one that has ended: they are classified on their own."""
        for case in work.cases.resting_with(first):
            parted = _parted(case, None, None, calendar)
            case.first_ended(day_after(at), calendar)
            work.emit(parted, at=at, by_day=True)
            work.cases.save(case)

    def share(self, act: Act, shared: Shared, actor: Actor) -> None:
        """Tell that a response is that to the reports which rest with the case of `act`, too."""
        for joined in self.sharing(act):
            act.emit(
                ResponseShared(
                    ticket=joined.ticket,
                    joined_to=act.case.ticket,
                    forwarding=joined.forwarding,
                    round=joined.round + 1,
                    responded_at=shared.responded_at,
                    text=shared.text,
                    gathered=gathered.told(shared.gathered),
                    note=shared.note,
                    files=files.numbered(files.told(shared.files), round_=joined.round + 1),
                    service_due_at=end_of_day(joined.service_due_at),
                    service_calendar=joined.service_calendar,
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )

    def sharing(self, act: Act) -> list[Case]:
        """Return the reports that rest with the case of `act`, to which its result was given as well.

        One that was withdrawn has ended alone.
        """
        joined = [case for case in act.work.cases.resting_with(act.case.ticket) if case.ended is None]
        for case in joined:
            case.share(act.case, act.now)
            act.work.cases.save(case)
        return joined

    @rpc
    @of_the_desk
    def join(self, actor: Actor, ticket: str, first: str | None, note: str | None) -> views.Acted:
        """Join a report with an earlier one about the same matter, with which it rests (step 3)."""
        form = load(schemas.Joining, {"first": first, "note": note})
        calendar = self.calendars.current()
        with self.uow.begin() as work:
            found = work.cases.of_both(ticket, form["first"], actor)
            if ticket not in found:
                raise UnknownTicket
            case = found[ticket]
            other = check_first(form["first"], ticket, found.get(form["first"]))
            work.raise_if_overdue(case, work.now)
            case.join(other, bool(work.cases.resting_with(ticket)), work.now)
            work.emit(
                ComplaintJoined(
                    ticket=ticket,
                    first=other.ticket,
                    forwarding=case.forwarding,
                    note=form["note"],
                    calendar=calendar.version,
                    by=actor.id,
                )
            )
            work.cases.save(case)
            work.hide_together(ticket, actor.id)
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @of_the_desk
    def similar(self, actor: Actor, ticket: str, q: str | None = None) -> list[views.Case]:
        """Return the newest cases that a report may be joined with: of its category, found by `q` where it is given."""
        form = load(schemas.Search, {"q": q or None})
        with self.uow.reading() as work:
            case = work.cases.get(ticket, actor)
            found = work.cases.similar(case, form["q"], actor, SIMILAR)
        return [self.shown(schemas.Listed(), each, work.now) for each in found]

    @rpc
    @of_the_desk
    def part(self, actor: Actor, ticket: str, note: str | None) -> views.Acted:
        """Part a report from the one that it rests with: it is classified on its own, from the next day on (step 3)."""
        form = load(schemas.Reason, {"note": note})
        with self.act_beside(actor, ticket) as act:
            parted = _parted(act.case, form["note"], actor.id, act.calendar)
            act.case.part(day_after(act.now), act.calendar, form["note"])
            act.emit(parted)
        return act.done()

    def also_shown(self, work: TriageWork, actor: Actor, case: Case) -> dict[str, Any]:
        """Return the tickets of the reports that were joined with a case."""
        return {"joined": work.cases.joined_with(case.ticket, actor)}


def _parted(case: Case, note: str | None, by: str | None, calendar: Calendar) -> ComplaintParted:
    return ComplaintParted(
        ticket=case.ticket,
        first=str(case.joined_to),
        forwarding=case.forwarding,
        note=note,
        calendar=calendar.version,
        by=by,
    )
