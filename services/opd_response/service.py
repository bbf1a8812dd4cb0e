"""opd_response's entrypoints: the events that it consumes and its RPC methods."""

from nkk.contracts import Event, views
from nkk.contracts.events import (
    ComplaintAbandoned,
    ComplaintClosed,
    ComplaintDeclined,
    ComplaintEnded,
    ComplaintForwarded,
    ComplaintKept,
    ComplaintRecalled,
    ComplaintReopened,
    ComplaintSupplemented,
    ResponseReturned,
    ResponseSubmitted,
    TimeGranted,
    TimeRequested,
)
from nkk.desk.stage import Attaches, CaseDesk, ConsumesCalendars, ConsumesClosings, of_the_desk
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import additions, steps
from nkk.sop.clock import Calendar
from nkk.sop.endings import ABANDONED
from nkk.sop.files import described, told
from nkk.sop.report import written
from nkk.sop.steps import Role
from nkk.sop.timed import started
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.opd_response import schemas
from services.opd_response.domain import Case
from services.opd_response.storage import OpdResponseWork


class OpdResponseService(CaseDesk, Attaches, ConsumesCalendars, ConsumesClosings):
    """The desks of the agencies' helper teams (step 4). A team has access only to its own agency's complaints."""

    name = "opd_response"
    role = Role.OPD_TEAM
    listed = schemas.Listed
    viewed = schemas.CaseView
    by_day = True
    uow = UnitOfWorkProvider(OpdResponseWork)

    @handles(ComplaintForwarded, batched=True)
    def on_complaint_forwarded(self, event: Event[ComplaintForwarded]) -> None:
        """Open a case for a complaint that Tim Utama forwarded (the end of step 3)."""
        calendar = self.calendars.named_by(event.data)
        with self.uow.handling(event) as work:
            work.bar(event.data.ticket, event.data.barred)
            work.cases.add(_case(event, calendar))

    @handles(ComplaintSupplemented, batched=True)
    def on_complaint_supplemented(self, event: Event[ComplaintSupplemented]) -> None:
        """Store what the reporter added to the report."""
        with self.uow.handling(event) as work:
            named = event.data.ticket, event.data.opd, event.data.forwarding
            case = work.cases.still_of_forwarding(*named)
            # One that has gone on meanwhile takes them, too.
            case = case or work.cases.of_forwarding(*named[:2], named[2] + 1)
            case.supplement(described(event.data.files), additions.described(event.data.additions))
            work.cases.save(case)

    @handles(ResponseReturned, batched=True)
    def on_response_returned(self, event: Event[ResponseReturned]) -> None:
        """Reopen the case of a response that Tim Utama returned (step 5)."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            case = work.cases.of_forwarding(data.ticket, data.opd, data.forwarding)
            case.returned(data.round, data.note, event.time, calendar)
            work.cases.save(case)

    @handles(ComplaintRecalled, batched=True)
    def on_complaint_recalled(self, event: Event[ComplaintRecalled]) -> None:
        """End the case of a complaint that Tim Utama took back."""
        data = event.data
        with self.uow.handling(event) as work:
            case = work.cases.of_forwarding(data.ticket, data.opd, data.forwarding)
            if case.recall(data.round, data.note, event.time):
                work.reopen(data.ticket)
            work.cases.save(case)

    @handles(TimeGranted, batched=True)
    def on_time_granted(self, event: Event[TimeGranted]) -> None:
        """Store Tim Utama's decision on the team's request for more time."""
        data = event.data
        with self.uow.handling(event) as work:
            case = work.cases.still_of_forwarding(data.ticket, data.opd, data.forwarding)
            case = case or work.cases.of_forwarding(data.ticket, data.opd, data.forwarding + 1)
            calendar = work.calendars.get(case.calendar)
            case.grant_time(data.round, data.days, data.note, event.time, calendar)
            work.cases.save(case)

    @handles(ComplaintEnded, batched=True)
    def on_complaint_ended(self, event: Event[ComplaintEnded]) -> None:
        """End the case of a complaint whose reporter withdrew it."""
        data = event.data
        with self.uow.handling(event) as work:
            case = work.cases.still_of_forwarding(data.ticket, data.opd, data.forwarding)
            if case is not None:
                case.end(data.how, event.time, data.reason)
                work.cases.save(case)
                work.close(data.ticket, event.time)

    @handles(ComplaintAbandoned, batched=True)
    def on_complaint_abandoned(self, event: Event[ComplaintAbandoned]) -> None:
        """End the case of a complaint that Tim Utama closed as not completed while it had the team's response.

        A withdrawal overtook the closing of one that goes on under the next number: it stays open.
        """
        data = event.data
        with self.uow.handling(event) as work:
            if data.opd is None:
                if not work.cases.goes_on(data.ticket, data.forwarding):
                    work.close(data.ticket, event.time)
                return
            case = work.cases.still_of_forwarding(data.ticket, data.opd, data.forwarding)
            if case is not None:
                case.end(ABANDONED, event.time, data.reason)
                work.cases.save(case)
                work.close(data.ticket, event.time)

    @handles(ComplaintKept, batched=True)
    def on_complaint_kept(self, event: Event[ComplaintKept]) -> None:
        """Let a withdrawn complaint go on, which Tim Utama had: its response may be returned under the new number."""
        with self.uow.handling(event) as work:
            work.reopen(event.data.ticket)
            work.cases.go_on(event.data.ticket, event.data.forwarding)
            if event.data.round:
                work.cases.keep(event.data.ticket, event.data.forwarding - 1)

    @handles(ComplaintReopened, batched=True)
    def on_complaint_reopened(self, event: Event[ComplaintReopened]) -> None:
        """Note that a closed complaint goes on: its events are kept."""
        with self.uow.handling(event) as work:
            work.reopen(event.data.ticket)
            work.cases.go_on(event.data.ticket, event.data.forwarding + 1)

    def is_open_again(self, work: OpdResponseWork, closed: ComplaintClosed) -> bool:
        """Return whether the reporter is known to have objected to the answer of this closing."""
        return work.cases.goes_on(closed.ticket, closed.forwarding)

    @rpc
    @requires(Role.ADMIN)
    def open_by_opd(self, actor: Actor) -> dict[str, int]:
        """Return the number of complaints that await each agency's response, by agency.

        An admin needs it before taking an agency off the roster, and is shown nothing else of these complaints.
        """
        with self.uow.reading() as work:
            return work.cases.open_by_opd()

    @rpc
    @of_the_desk
    def respond(self, actor: Actor, ticket: str, text: str, files: list[dict] | None = None) -> views.Acted:
        """Submit the response to a complaint, for the first time or after a return (step 4)."""
        form = load(schemas.Response, {"text": text, "files": files or []})
        with self.act(actor, ticket) as act:
            came = act.case.respond(form["text"], act.now, form["files"])
            act.work.attach(ticket, came)
            act.emit(
                ResponseSubmitted(
                    ticket=ticket,
                    opd=act.case.opd,
                    forwarding=act.case.forwarding,
                    round=act.case.round,
                    text=act.case.response,
                    files=told(came),
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )
        return act.done()

    @rpc
    @of_the_desk
    def request_time(self, actor: Actor, ticket: str, days: int, reason: str | None) -> views.Acted:
        """Ask Tim Utama for more working days to respond, once for each forwarding."""
        form = load(schemas.TimeRequest, {"days": days, "reason": reason})
        with self.act_beside(actor, ticket) as act:
            act.case.ask_for_time(form["days"], form["reason"])
            act.emit(
                TimeRequested(
                    ticket=ticket,
                    opd=act.case.opd,
                    forwarding=act.case.forwarding,
                    round=act.case.round + 1,
                    days=form["days"],
                    reason=form["reason"],
                    by=actor.id,
                )
            )
        return act.done()

    @rpc
    @of_the_desk
    def decline(self, actor: Actor, ticket: str, note: str | None, better: str | None = None) -> views.Acted:
        """Decline a complaint that is not this agency's, with a reason and perhaps a better agency."""
        form = load(schemas.Declination, {"note": note, "better": better})
        with self.act(actor, ticket) as act:
            act.case.decline(form["note"], form["better"], act.now)
            act.emit(
                ComplaintDeclined(
                    ticket=ticket,
                    opd=act.case.opd,
                    forwarding=act.case.forwarding,
                    round=act.case.round + 1,
                    note=form["note"],
                    better=form["better"],
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )
        return act.done()


def _case(event: Event[ComplaintForwarded], calendar: Calendar) -> Case:
    data = event.data
    return Case(
        ticket=data.ticket,
        opd=data.opd,
        note=data.note,
        service_due_at=data.service_due_at,
        service_calendar=data.service_calendar,
        forwarding=data.forwarding,
        round=data.round,
        kept=data.kept,
        files=described(data.files),
        additions=additions.described(data.additions),
        **written(data),
        **started(steps.RESPOND, event.time, calendar),
    )
