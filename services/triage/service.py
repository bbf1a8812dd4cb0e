"""Triage's entrypoints: the events that it consumes and its RPC methods."""

from datetime import datetime

from nkk.contracts import Event, views
from nkk.contracts.events import (
    AnswerReturned,
    ComplaintAbandoned,
    ComplaintClassifiedAsInformation,
    ComplaintClosed,
    ComplaintDeclined,
    ComplaintEnded,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintReopened,
    ComplaintSupplemented,
    ComplaintWithdrawn,
    ListsChanged,
    ReportSupplemented,
    ResponseApproved,
    ResponseConcluded,
    ResponseGathered,
    ResponseReturned,
    ResponseSubmitted,
    TimeRequested,
)
from nkk.desk.stage import ConsumesCalendars, ConsumesClosings, of_the_desk
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import additions, files, steps
from nkk.sop.clock import Calendar, day_after, end_of_day
from nkk.sop.endings import WITHDRAWN
from nkk.sop.report import written
from nkk.sop.steps import Role
from nkk.sop.timed import started
from nkk.trust.actor import Actor
from nkk.validation import load
from services.triage import schemas
from services.triage.acts import ActsBeside
from services.triage.domain import Case
from services.triage.joining import JoinsReports, Shared
from services.triage.refusals import check_forwarding, check_information, check_return
from services.triage.storage import TriageWork


class TriageService(ActsBeside, JoinsReports, ConsumesCalendars, ConsumesClosings):
    """Tim Utama's desk (steps 3 and 5)."""

    name = "triage"
    role = Role.MAIN_TEAM
    listed = schemas.Listed
    viewed = schemas.CaseView
    by_day = True
    uow = UnitOfWorkProvider(TriageWork)

    @handles(ComplaintHandedOver, batched=True)
    def on_complaint_handed_over(self, event: Event[ComplaintHandedOver]) -> None:
        """Open a case for a report that the operator handed over (the end of step 2)."""
        calendar = self.calendars.named_by(event.data)
        with self.uow.handling(event) as work:
            work.bar(event.data.ticket, event.data.barred)
            work.cases.add(_case(event, calendar))

    @handles(ResponseSubmitted, batched=True)
    def on_response_submitted(self, event: Event[ResponseSubmitted]) -> None:
        """Store a response for approval (the end of step 4)."""
        calendar = self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            case = work.cases.get(event.data.ticket, for_update=True)
            case.receive(
                event.data.text,
                event.data.round,
                event.time,
                calendar,
                files.described(event.data.files),
                event.data.forwarding,
            )
            work.cases.save(case)

    @handles(ComplaintDeclined, batched=True)
    def on_complaint_declined(self, event: Event[ComplaintDeclined]) -> None:
        """Reopen step 3 for a complaint that the OPD team declined."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            case = work.cases.get(data.ticket, for_update=True)
            case.declined(data.forwarding, data.note, data.better, event.time, calendar)
            work.cases.save(case)

    @handles(TimeRequested, batched=True)
    def on_time_requested(self, event: Event[TimeRequested]) -> None:
        """Store the OPD team's request for more time."""
        data = event.data
        with self.uow.handling(event) as work:
            case = work.cases.get(data.ticket, for_update=True)
            case.asked_for_time(data.forwarding, data.round, data.days, data.reason)
            work.cases.save(case)

    @handles(AnswerReturned, batched=True)
    def on_answer_returned(self, event: Event[AnswerReturned]) -> None:
        """Reopen step 3 for a report that the operator found to be a complaint after all."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            case = work.cases.get(data.ticket, for_update=True)
            case.returned(data.forwarding, data.note, event.time, calendar)
            work.cases.save(case)

    @handles(ComplaintReopened, batched=True)
    def on_complaint_reopened(self, event: Event[ComplaintReopened]) -> None:
        """Reopen step 3 for a complaint to whose answer the reporter objected."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            work.reopen(data.ticket)
            case = work.cases.get(data.ticket, for_update=True)
            case.reopen(data.forwarding, data.cycle, data.reason, data.answer, day_after(event.time), calendar)
            work.cases.save(case)

    @handles(ComplaintWithdrawn, batched=True)
    def on_complaint_withdrawn(self, event: Event[ComplaintWithdrawn]) -> None:
        """End the case of a report that its reporter withdrew, tell the OPD, and part the reports that rest with it."""
        data, calendar = event.data, self.calendars.current()
        with self.uow.handling(event) as work:
            if not data.handed_over:
                return
            case = work.cases.get(data.ticket, for_update=True)
            case.withdraw(data.cycle, event.time, data.reason)
            work.cases.save(case)
            if case.ended == WITHDRAWN:
                work.close(case.ticket, event.time)
                self.part_all(work, case.ticket, event.time, calendar)
                if case.with_opd is not None:
                    work.emit(
                        ComplaintEnded(
                            ticket=case.ticket,
                            opd=case.with_opd,
                            forwarding=case.forwarding,
                            how=case.ended,
                            reason=data.reason,
                        ),
                        at=event.time,
                        by_day=True,
                    )

    @handles(ComplaintAbandoned, batched=True)
    def on_complaint_abandoned(self, event: Event[ComplaintAbandoned]) -> None:
        """End the case of a complaint that the OPD team closed as not completed, and part the reports that rest with
        it. What the operator closed was never here."""
        data, calendar = event.data, self.calendars.current()
        with self.uow.handling(event) as work:
            if data.step == steps.HAND_OVER.number:
                return
            case = work.cases.get(data.ticket, for_update=True)
            if case.abandoned(data.forwarding, data.reason, event.time):
                work.close(case.ticket, event.time)
                work.cases.save(case)
                self.part_all(work, case.ticket, event.time, calendar)

    def after_ending(self, work: TriageWork, ticket: str, at: datetime, calendar: Calendar) -> None:
        """Part the reports that rest with the one that this desk closed."""
        self.part_all(work, ticket, at, calendar)

    def is_open_again(self, work: TriageWork, closed: ComplaintClosed) -> bool:
        """Return whether the case is in a later cycle than the one that was closed."""
        case = work.cases.find(closed.ticket, for_update=True)
        return case is not None and case.cycle > closed.cycle

    @handles(ReportSupplemented, batched=True)
    def on_report_supplemented(self, event: Event[ReportSupplemented]) -> None:
        """Store what the reporter added, and pass it on to the OPD that has the complaint."""
        with self.uow.handling(event) as work:
            case = work.cases.get(event.data.ticket, for_update=True)
            case.supplement(files.described(event.data.files), additions.described(event.data.additions))
            work.cases.save(case)
            if case.with_opd is not None:
                work.emit(
                    ComplaintSupplemented(
                        ticket=case.ticket,
                        opd=case.with_opd,
                        forwarding=case.forwarding,
                        files=event.data.files,
                        additions=event.data.additions,
                    ),
                    at=event.time,
                    by_day=True,
                )

    @handles(ListsChanged)
    def on_lists_changed(self, event: Event[ListsChanged]) -> None:
        """Store a new version of the roster."""
        with self.uow.handling(event) as work:
            work.lists.keep(event.data.name, event.data.version, event.data.opds)

    @rpc
    @of_the_desk
    def classify_as_information(
        self, actor: Actor, ticket: str, note: str | None = None, opd: str | None = None
    ) -> views.Acted:
        """Classify a report as information, for the operator to answer, with an optional note (step 3, "ya")."""
        form = load(schemas.Information, {"opd": opd, "note": note})
        check_information(form["opd"])
        with self.act(actor, ticket) as act:
            act.case.classify_as_information(act.now)
            act.emit(
                ComplaintClassifiedAsInformation(
                    ticket=ticket,
                    forwarding=act.case.forwarding,
                    joined_to=None,
                    note=form["note"],
                    by=actor.id,
                    service_due_at=act.case.service_due_at,
                    service_calendar=act.case.service_calendar,
                    calendar=act.calendar.version,
                )
            )
            for joined in self.sharing(act):
                act.emit(
                    ComplaintClassifiedAsInformation(
                        ticket=joined.ticket,
                        forwarding=joined.forwarding,
                        joined_to=ticket,
                        note=form["note"],
                        by=actor.id,
                        service_due_at=joined.service_due_at,
                        service_calendar=joined.service_calendar,
                        calendar=act.calendar.version,
                    )
                )
        return act.done()

    @rpc
    @of_the_desk
    def forward(
        self, actor: Actor, ticket: str, opd: str | None, note: str | None = None, reason: str | None = None
    ) -> views.Acted:
        """Forward a complaint to the helper team of an OPD on the roster (step 3, "tidak").

        `reason`, why it goes to a team that may be the accused's own, becomes a note of this desk: the team must not
        learn from it what the reporter said.
        """
        form = load(schemas.Forwarding, {"opd": opd, "note": note, "reason": reason})
        with self.uow.reading() as work:
            check_forwarding(form["opd"], work.lists.roster())
        with self.act(actor, ticket) as act:
            act.case.forward(form["opd"], act.now, form["reason"])
            if form["reason"] is not None:
                act.work.add_note(actor, ticket, form["reason"])
            act.emit(_forwarded(act.case, form["note"], actor.id, act.calendar))
        return act.done()

    @rpc
    @of_the_desk
    def approve(self, actor: Actor, ticket: str, note: str | None = None) -> views.Acted:
        """Approve the response, which then goes to the operator (step 5)."""
        form = load(schemas.Note, {"note": note})
        with self.act(actor, ticket) as act:
            act.case.approve(act.now)
            act.emit(
                ResponseApproved(
                    ticket=ticket,
                    opd=act.case.opd,
                    forwarding=act.case.forwarding,
                    round=act.case.round,
                    text=act.case.response,
                    note=form["note"],
                    files=files.told(act.case.files_of_response),
                    service_due_at=end_of_day(act.case.service_due_at),
                    service_calendar=act.case.service_calendar,
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )
            case = act.case
            shared = Shared(case.response, case.gathered, case.files_of_all, form["note"], case.came_at)
            self.share(act, shared, actor)
        return act.done()

    @rpc
    @of_the_desk
    def conclude(self, actor: Actor, ticket: str, note: str | None = None) -> views.Acted:
        """Hand the responses that were kept to the operator, without that of a further OPD (step 3)."""
        form = load(schemas.Note, {"note": note})
        with self.act(actor, ticket) as act:
            case = act.case
            case.conclude(act.now)
            act.emit(
                ResponseConcluded(
                    ticket=ticket,
                    forwarding=case.forwarding,
                    note=form["note"],
                    files=files.told(case.files_of_gathered),
                    service_due_at=end_of_day(case.service_due_at),
                    service_calendar=case.service_calendar,
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )
            *before, last = case.gathered
            self.share(act, Shared(last.text, before, case.files_of_gathered, form["note"], None), actor)
        return act.done()

    @rpc
    @of_the_desk
    def gather(
        self, actor: Actor, ticket: str, opd: str | None, note: str | None = None, reason: str | None = None
    ) -> views.Acted:
        """Keep the response and forward the complaint to a further OPD, whose response comes beside it (step 5).

        `reason` is as in `forward`.
        """
        form = load(schemas.Forwarding, {"opd": opd, "note": note, "reason": reason})
        with self.uow.reading() as work:
            check_forwarding(form["opd"], work.lists.roster())
        with self.act(actor, ticket) as act:
            case = act.case
            kept = case.opd, case.response, case.forwarding, case.files_of_response
            case.gather(form["opd"], act.now, form["reason"])
            if form["reason"] is not None:
                act.work.add_note(actor, ticket, form["reason"])
            act.emit(
                ResponseGathered(
                    ticket=ticket,
                    from_opd=kept[0],
                    text=kept[1],
                    forwarding=kept[2],
                    round=case.round,
                    files=files.told(kept[3]),
                    by=actor.id,
                )
            )
            act.emit(_forwarded(case, form["note"], actor.id, act.calendar))
        return act.done()

    @rpc
    @of_the_desk
    def return_response(self, actor: Actor, ticket: str, note: str | None) -> views.Acted:
        """Return the response to the OPD team, with a note that says why (step 5)."""
        form = load(schemas.Note, {"note": note})
        check_return(form["note"])
        with self.act(actor, ticket) as act:
            act.case.return_response(act.now)
            act.emit(
                ResponseReturned(
                    ticket=ticket,
                    opd=act.case.opd,
                    forwarding=act.case.forwarding,
                    round=act.case.round,
                    note=form["note"],
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )
        return act.done()


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
        files=files.described(data.files),
        additions=additions.described(data.additions),
        conflict=data.conflict,
        barred=data.barred,
        **written(data),
        **started(steps.CLASSIFY, event.time, calendar),
    )


def _forwarded(case: Case, note: str | None, by: str, calendar: Calendar) -> ComplaintForwarded:
    return ComplaintForwarded(
        ticket=case.ticket,
        opd=str(case.opd),
        forwarding=case.forwarding,
        round=case.round,
        kept=case.kept,
        note=note,
        service_due_at=end_of_day(case.service_due_at),
        service_calendar=case.service_calendar,
        calendar=calendar.version,
        files=files.told(case.files),
        additions=additions.told(case.additions),
        barred=case.barred,
        by=by,
        **written(case),
    )
