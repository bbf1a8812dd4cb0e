"""What triage hears and can be told."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nkk.contracts import Event
from nkk.contracts.events import (
    ComplaintClassifiedAsInformation,
    ComplaintForwarded,
    ComplaintHandedOver,
    ResponseApproved,
    ResponseReturned,
    ResponseSubmitted,
)
from nkk.desk import read_wanted, viewing
from nkk.desk.stage import HearsCalendars
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import steps
from nkk.sop.clock import Calendar
from nkk.sop.report import written
from nkk.sop.steps import Role
from nkk.sop.timed import started
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.triage import schemas
from services.triage.domain import Case
from services.triage.storage import TriageWork


class TriageService(HearsCalendars):
    """Steps 3 and 5: Tim Utama's desk."""

    name = "triage"
    by_day = True
    uow = UnitOfWorkProvider(TriageWork)

    @handles(ComplaintHandedOver, together=True)
    def on_complaint_handed_over(self, event: Event[ComplaintHandedOver]) -> None:
        """Step 2 ended: a report comes to be classified."""
        calendar = self.calendars.named_by(event.data)
        with self.uow.handling(event) as work:
            work.cases.add(_case(event, calendar))

    @handles(ResponseSubmitted, together=True)
    def on_response_submitted(self, event: Event[ResponseSubmitted]) -> None:
        """Step 4 ended: a response comes to be approved or returned."""
        calendar = self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            case = work.cases.get(event.data.ticket, for_update=True)
            case.receive(event.data.text, event.data.round, event.time, calendar)
            work.cases.save(case)

    @rpc
    @requires(Role.MAIN_TEAM)
    def worklist(
        self, actor: Actor, cursor: str | None = None, limit: int | None = None, wanted: dict | None = None
    ) -> dict[str, Any]:
        """Cases to classify, and responses to approve or return, oldest due first."""
        with self.uow.reading() as work:
            items, following = work.cases.open(cursor, limit, read_wanted(wanted, _now()))
        return {"items": [self.shown(schemas.Listed(), case) for case in items], "next": following}

    @rpc
    @requires(Role.MAIN_TEAM)
    def case(self, actor: Actor, ticket: str) -> dict[str, Any]:
        """One case, whole."""
        with viewing(self.uow, actor, ticket, "case") as work:
            case = work.cases.get(ticket)
        return self.shown(schemas.CaseView(), case)

    @rpc
    @requires(Role.MAIN_TEAM)
    def classify_as_information(self, actor: Actor, ticket: str, note: str | None = None) -> dict[str, Any]:
        """Step 3, "ya": information, to be answered by the operator, with a note to help."""
        form = load(schemas.Note, {"note": note})
        now, calendar = _now(), self.calendars.current()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, for_update=True)
            work.sound_if_late(case, now)
            case.classify_as_information(now)
            work.cases.save(case)
            work.emit(
                ComplaintClassifiedAsInformation(
                    ticket=ticket,
                    note=form["note"],
                    by=actor.id,
                    service_due_at=case.service_due_at,
                    service_calendar=case.service_calendar,
                    calendar=calendar.version,
                ),
                at=now,
            )
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @requires(Role.MAIN_TEAM)
    def forward(self, actor: Actor, ticket: str, opd: str, note: str | None = None) -> dict[str, Any]:
        """Step 3, "tidak": a complaint, forwarded to the helper team of an OPD."""
        form = load(schemas.Forwarding, {"opd": opd, "note": note})
        now, calendar = _now(), self.calendars.current()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, for_update=True)
            work.sound_if_late(case, now)
            case.forward(form["opd"], now)
            work.cases.save(case)
            work.emit(_forwarded(case, form["note"], actor.id, calendar), at=now)
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @requires(Role.MAIN_TEAM)
    def approve(self, actor: Actor, ticket: str, note: str | None = None) -> dict[str, Any]:
        """Step 5: the response answers the complaint, and goes to the operator."""
        form = load(schemas.Note, {"note": note})
        now, calendar = _now(), self.calendars.current()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, for_update=True)
            work.sound_if_late(case, now)
            case.approve(now)
            work.cases.save(case)
            work.emit(
                ResponseApproved(
                    ticket=ticket,
                    opd=case.opd,
                    round=case.round,
                    text=case.response,
                    note=form["note"],
                    service_due_at=case.service_due_at,
                    service_calendar=case.service_calendar,
                    calendar=calendar.version,
                    by=actor.id,
                ),
                at=now,
            )
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @requires(Role.MAIN_TEAM)
    def return_response(self, actor: Actor, ticket: str, note: str) -> dict[str, Any]:
        """Step 5: the response does not answer the complaint, and goes back to the OPD team with a note."""
        form = load(schemas.Return, {"note": note})
        now, calendar = _now(), self.calendars.current()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, for_update=True)
            work.sound_if_late(case, now)
            case.return_response(now)
            work.cases.save(case)
            work.emit(
                ResponseReturned(
                    ticket=ticket,
                    opd=case.opd,
                    round=case.round,
                    note=form["note"],
                    calendar=calendar.version,
                    by=actor.id,
                ),
                at=now,
            )
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @requires(Role.MAIN_TEAM)
    def claim(self, actor: Actor, ticket: str, take_over: bool = False) -> dict[str, Any]:
        """The caller is on it; in a colleague's place only with `take_over`."""
        return self._claiming(ticket, lambda case, now: case.claim(actor.id, now, take_over is True))

    @rpc
    @requires(Role.MAIN_TEAM)
    def release(self, actor: Actor, ticket: str) -> dict[str, Any]:
        """The caller is not on it any more."""
        return self._claiming(ticket, lambda case, now: case.release(actor.id, now))

    def _claiming(self, ticket: str, act: Callable[[Case, datetime], None]) -> dict[str, Any]:
        now = _now()
        with self.uow.begin() as work:
            case = work.cases.get(ticket, for_update=True)
            act(case, now)
            work.cases.save(case)
        return {"ticket": ticket, "claim": case.claim_at(now)}


def _now() -> datetime:
    return datetime.now(UTC)


def _case(event: Event[ComplaintHandedOver], calendar: Calendar) -> Case:
    data = event.data
    return Case(
        ticket=data.ticket,
        reporter_kind=data.reporter_kind,
        claimed_kind=data.claimed_kind,
        confidential=data.confidential,
        submitted_at=data.submitted_at,
        service_due_at=data.service_due_at,
        service_calendar=data.service_calendar,
        **written(data),
        **started(steps.CLASSIFY, event.time, calendar),
    )


def _forwarded(case: Case, note: str | None, by: str, calendar: Calendar) -> ComplaintForwarded:
    return ComplaintForwarded(
        ticket=case.ticket,
        opd=str(case.opd),
        note=note,
        service_due_at=case.service_due_at,
        service_calendar=case.service_calendar,
        calendar=calendar.version,
        by=by,
        **written(case),
    )
