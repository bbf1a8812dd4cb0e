"""Notification's entrypoints: the events that it consumes and its RPC methods for steps 6 and 7."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeGuard

from nkk.contracts import Event, views
from nkk.contracts.events import (
    AnswerSent,
    ComplaintClassifiedAsInformation,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintSubmitted,
    ComplaintSubmittedV1,
    ReportAddedTo,
    ResponseApproved,
    ResponseConcluded,
    ResponseReturned,
    ResponseShared,
    ResponseSubmitted,
)
from nkk.contracts.files import FileView
from nkk.contracts.gathered import GatheredView
from nkk.desk import opening, viewing
from nkk.desk.stage import Attaches, ConsumesCalendars, RecusesStaff
from nkk.messaging.consumer import handles
from nkk.messaging.host import timer
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import steps
from nkk.sop.acts import Act
from nkk.sop.clock import Calendar
from nkk.sop.files import described, find, part
from nkk.sop.refusals import NotYourStep
from nkk.sop.steps import Path, Role
from nkk.sop.timed import started
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import schemas, shown
from services.notification.acts import TakesActs, close, entry_of, tell
from services.notification.authors import KnowsAuthors
from services.notification.closings import RepublishesClosings
from services.notification.domain import Answer, Kept
from services.notification.entries import Addition, Entry
from services.notification.following import Follows
from services.notification.journeys import Journey
from services.notification.mail import Mailer
from services.notification.questions import KeepsQuestions
from services.notification.storage import NotificationWork, letter_id
from services.notification.telling import NotifiesPeople
from services.notification.unsent import LooksAfterLetters


class NotificationService(
    KnowsAuthors,
    Follows,
    NotifiesPeople,
    LooksAfterLetters,
    RepublishesClosings,
    TakesActs,
    KeepsQuestions,
    Attaches,
    RecusesStaff,
    ConsumesCalendars,
):
    """The operator's second desk (step 6), the receipt (step 7), the journeys of complaints, and all letters."""

    name = "notification"
    role = Role.OPERATOR
    listed = schemas.Listed
    uow = UnitOfWorkProvider(NotificationWork)
    mailer = Mailer()

    # -- events of the other stages

    @handles(ComplaintSubmitted, batched=True)
    def on_complaint_submitted(self, event: Event[ComplaintSubmitted]) -> None:
        """Begin the journey of a submitted report, and send its reporter a receipt (the end of step 1)."""
        data = event.data
        author = self.keyed.author(data.ticket, self.keyed.open_reporter(data.sealed_reporter, data.ticket))
        self._begin(
            event,
            data.barred,
            author=author,
            sealed_reporter=data.sealed_reporter,
            website=data.website,
            channel=data.channel,
        )

    @handles(ComplaintSubmittedV1, batched=True)
    def on_complaint_submitted_v1(self, event: Event[ComplaintSubmittedV1]) -> None:
        """Begin the journey of a report submitted at an intake of an earlier version; `hide_reporters` hides the id."""
        self._begin(event, reporter_id=event.data.reporter_id)

    @handles(ComplaintHandedOver, batched=True)
    def on_complaint_handed_over(self, event: Event[ComplaintHandedOver]) -> None:
        """Note the hand-over (the end of step 2)."""
        with self._noting(event) as work:
            work.bar(event.data.ticket, event.data.barred)
            work.journeys.note(_entry(event))

    @handles(ComplaintClassifiedAsInformation, batched=True)
    def on_classified_as_information(self, event: Event[ComplaintClassifiedAsInformation]) -> None:
        """Note the classification as information, and open a case for its answer (the end of step 3, "ya")."""
        calendar = self.calendars.named_by(event.data)
        with self._noting(event) as work:
            self._open(work, _answer(event, calendar, Path.INFORMATION, material=None))
            end = _end_new(work, event)

            def settle(ended: str | None) -> None:
                end(ended)
                if event.data.forwarding > 1:
                    work.offer(event.data.ticket)

            work.journeys.note(_entry(event), ("ended",), settle, path=Path.INFORMATION)

    @handles(ComplaintForwarded, batched=True)
    def on_complaint_forwarded(self, event: Event[ComplaintForwarded]) -> None:
        """Note the forwarding to an OPD (the end of step 3, "tidak")."""
        with self._noting(event) as work:
            work.bar(event.data.ticket, event.data.barred)
            work.journeys.note(_entry(event), path=Path.COMPLAINT, opd=event.data.opd)

    @handles(ResponseSubmitted, batched=True)
    def on_response_submitted(self, event: Event[ResponseSubmitted]) -> None:
        """Note the OPD's response (the end of step 4)."""
        with self._noting(event) as work:
            work.journeys.note(_entry(event))

    @handles(ResponseReturned, batched=True)
    def on_response_returned(self, event: Event[ResponseReturned]) -> None:
        """Note the return of a response (from step 5 back to step 4)."""
        with self._noting(event) as work:
            work.journeys.note(_entry(event))

    @handles(ResponseApproved, batched=True)
    def on_response_approved(self, event: Event[ResponseApproved]) -> None:
        """Note the approval of a response, and open a case for its answer (the end of step 5)."""
        calendar = self.calendars.named_by(event.data)
        with self._noting(event) as work:
            self._open_approved(work, event, calendar, event.data.text)

    @handles(ResponseConcluded, batched=True)
    def on_response_concluded(self, event: Event[ResponseConcluded]) -> None:
        """Open a case for the answer from the responses that were kept, and note the end of step 3."""
        calendar = self.calendars.named_by(event.data)
        with self._noting(event) as work:
            self._open_approved(work, event, calendar, None)

    @handles(ResponseShared, batched=True)
    def on_response_shared(self, event: Event[ResponseShared]) -> None:
        """Open a case for the answer to a report that was joined with another, whose response was approved."""
        data, calendar = event.data, self.calendars.named_by(event.data)
        with self._noting(event) as work:
            for each in data.gathered:
                work.responses.add(Kept(ticket=data.ticket, forwarding=data.forwarding, shared=True, **each))
            self._open_approved(work, event, calendar, data.text)

    def _open_approved(
        self, work: NotificationWork, event: Event[Any], calendar: Calendar, material: str | None
    ) -> None:
        """Open a case for the answer from an approved response, and note the approval."""
        ticket = event.data.ticket
        self._open(work, _answer(event, calendar, Path.COMPLAINT, material))
        end = _end_new(work, event)

        def promise(due: datetime | None, again: datetime | None, ended: str | None) -> None:
            # The event has it to the day only, and the submission may be consumed later.
            if (exact := again or due) is not None:
                work.answers.promise(ticket, exact)
            end(ended)
            if event.data.forwarding > 1:
                work.offer(ticket)

        asked = ("service_due_at", "again_due_at", "ended")
        work.journeys.note(_entry(event), asked, promise, path=Path.COMPLAINT)

    @handles(ReportAddedTo, batched=True)
    def on_report_added_to(self, event: Event[ReportAddedTo]) -> None:
        """Note that the reporter added to their report, which ends no step."""
        with self.uow.handling(event) as work:
            work.journeys.add_addition(
                Addition(
                    event_id=event.id,
                    ticket=event.data.ticket,
                    type=event.type,
                    at=event.time,
                    files=event.data.files,
                )
            )

    # -- step 6: the operator's second desk

    @rpc
    @requires(Role.OPERATOR)
    def answer(self, actor: Actor, ticket: str) -> views.Answering:
        """Return a complaint's state, its answer with the material for it, and the letters to its reporter given up."""
        with viewing(self.uow, actor, ticket, "answer") as work:
            journey, answer = work.journeys.get(ticket, actor), work.answers.find(ticket)
            letters, _ = work.messages.undelivered(ticket, actor=actor)
            kept = work.kept_for(answer) if answer else []
        gathered = GatheredView(many=True).dump(kept)
        return {
            **self._standing(journey, work.now),
            "answer": self.shown(schemas.AnswerView(), answer, work.now) | {"gathered": gathered} if answer else None,
            "acts": self._acts(answer, actor, work.now),
            "undelivered": schemas.Undelivered(many=True).dump(letters),
        }

    @rpc
    @requires(Role.OPERATOR)
    def send_answer(self, actor: Actor, ticket: str, text: str, files: list[str] | None = None) -> views.Acted:
        """Send the answer to the reporter (step 6), with those files of the response that the operator chose."""
        form = load(schemas.AnswerText, {"text": text, "files": files or []})
        now = self.uow.clock()
        minutes = self._minutes_to(actor, ticket, now)
        with self.act(actor, ticket, now) as act:
            act.case.send(form["text"], now, act.calendar, form["files"])
            act.work.journeys.answered(ticket, now, minutes)
            sent = AnswerSent(
                ticket=ticket,
                path=act.case.path,
                forwarding=act.case.forwarding,
                calendar=act.calendar.version,
                by=actor.id,
            )
            tell(act.work, sent, now)
            act.work.messages.add(str(uuid.uuid4()), ticket, "answered", now)
            act.work.afterwards(self.mailer.wake)
        return act.done()

    @rpc
    @requires(Role.OPERATOR, Role.REPORTER)
    def open_file(self, actor: Actor, ticket: str, number: str, of: str = "file") -> views.File:
        """Return one file of a response, for the gateway to open it or its preview (`of`), and record it.

        The operator may open all that Tim Utama approved, the reporter those that were sent with an answer; both those
        of an answer that was objected to.
        """
        with opening(self.uow, actor, ticket, number, part(of)) as work:
            if actor.role == Role.REPORTER:
                self._own(work, ticket, actor)
            answer = work.answers.find(ticket, actor)
            file = find(answer.files_for(actor.role) if answer else (), number)
        return FileView().dump(file)

    def standing(self, work: NotificationWork, actor: Actor, ticket: str) -> Answer:
        """Return the locked case, as Desk does. Raises NotYourStep where the complaint does not await an answer yet."""
        return self._reached(work, actor, ticket)

    # -- step 7: the reporter

    @rpc
    @requires(Role.REPORTER)
    def read_answer(self, actor: Actor, ticket: str) -> views.Read:
        """Return the same as `open_answer` without counting as receipt, for documents and requests without effect."""
        with self.uow.reading() as work:
            journey, answer = self._own(work, ticket, actor), work.answers.find(ticket)
        return self._read(journey, answer, actor, work.now)

    @rpc
    @requires(Role.REPORTER)
    def open_answer(self, actor: Actor, ticket: str) -> views.Read:
        """Return the state and the answer of the reporter's own complaint.

        Where it is answered, this counts as receipt and closes the complaint (step 7).
        """
        with self.uow.begin() as work:
            journey = self._own(work, ticket, actor)
            answer = work.answers.find(ticket, for_update=True)
            if _is_sent(answer) and answer.open(work.now):
                close(work, answer)
                journey = self._own(work, ticket, actor)
        return self._read(journey, answer, actor, work.now)

    @rpc
    @requires(Role.REPORTER)
    def confirm_receipt(self, actor: Actor, ticket: str) -> views.Acted:
        """Confirm the receipt of the answer, by the reporter (step 7)."""
        with self.uow.begin() as work:
            self._own(work, ticket, actor)
            answer = self._reached(work, actor, ticket)
            if answer.confirm(work.now):
                close(work, answer)
            else:
                work.answers.save(answer)
        return {"ticket": ticket, "stands": answer.stands()}

    @timer(interval=60)
    def close_lapsed(self) -> None:
        """Close the complaints whose answers were unopened for ten working days, which count as received (step 7)."""
        with self.uow.reading() as work:
            tickets = work.answers.lapsing(work.now, 500)
        for ticket in tickets:
            with self.uow.begin() as work:
                answer = work.answers.find(ticket, for_update=True)
                if answer is not None and answer.lapse(work.now):
                    close(work, answer)

    def _begin(self, event: Event[Any], barred: str | None = None, **whose: str | None) -> None:
        """Begin a journey, hidden from accounts with the hash `barred`, and write the first letter to its reporter."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self._noting(event) as work:
            work.bar(data.ticket, barred)

            def catch_up(path: str | None) -> None:
                # The submission can be consumed after later events, which lack what only it says.
                if path is None:
                    return
                work.answers.promise(data.ticket, data.service_due_at)
                if (at := work.journeys.answered_at(data.ticket)) is not None:
                    work.journeys.answered(data.ticket, at, calendar.minutes_between(event.time, at))

            work.journeys.note(
                _entry(event),
                ("path",),
                catch_up,
                submitted_at=data.submitted_at,
                service_due_at=data.service_due_at,
                late_at=data.service_due_at,
                category=data.category,
                sub_category=data.sub_category,
                **whose,
            )
            work.messages.add(letter_id(event.id, "received"), data.ticket, "received", event.time)
            work.afterwards(self.mailer.wake)

    def _open(self, work: NotificationWork, answer: Answer) -> None:
        """Open a case for an answer; one that was classified before has a case, which begins again."""
        known = work.answers.find(answer.ticket, for_update=True) if answer.forwarding > 1 else None
        if known is None:
            work.answers.add(answer)
        else:
            known.begin(answer)
            work.answers.save(known)

    def _noting(self, event: Event[Any]) -> AbstractContextManager[NotificationWork]:
        """Open the transaction that notes an event in its journey.

        Raises CalendarNotReceivedError, so that the event is retried, until the calendar of its clock was consumed.
        """
        self.calendars.get(event.data.calendar)
        return self.uow.handling(event)

    def _reached(self, work: NotificationWork, actor: Actor, ticket: str) -> Answer:
        answer = work.answers.find(ticket, actor, for_update=True)
        to_reporter = actor.role == Role.REPORTER
        if answer is None or (to_reporter and answer.was_returned):
            journey = self._own(work, ticket, actor) if to_reporter else work.journeys.get(ticket, actor)
            raise NotYourStep({"stands": journey.stands()}, "not-to-be-answered-yet")
        return answer

    def _minutes_to(self, actor: Actor, ticket: str, now: datetime) -> int | None:
        with self.uow.reading() as work:
            journey = work.journeys.get(ticket, actor)
        return journey.minutes_to(now, self.calendars.get)

    def _read(self, journey: Journey, answer: Answer | None, actor: Actor, now: datetime) -> views.Read:
        return {
            **self._standing(journey, now),
            "answer": schemas.ReadAnswer().dump(answer) if _is_sent(answer) else None,
            "earlier": schemas.EarlierAnswer(many=True).dump(answer.earlier) if answer else [],
            "acts": [*self._acts(answer, actor, now), *self._answers(journey, now)],
        }

    def _answers(self, journey: Journey, now: datetime) -> list[str]:
        """Return the reporter's act of answering a question, where one may be answered."""
        return [str(Act.ANSWER_QUESTION)] if journey.open_questions(now, self.calendars.get) else []

    def _acts(self, answer: Answer | None, actor: Actor, now: datetime) -> list[str]:
        """Return the acts of the caller that are possible now on the answer."""
        return answer.acts(actor.role, now, self.calendars.get(answer.calendar)) if answer else []

    def _standing(self, journey: Journey, now: datetime) -> views.StandingAgain:
        return shown.standing(journey, self.calendars.get, now)


def _entry(event: Event[Any]) -> Entry:
    return entry_of(event.data, event.id, event.time)


def _answer(event: Event[Any], calendar: Calendar, path: Path, material: str | None) -> Answer:
    return Answer(
        ticket=event.data.ticket,
        path=path,
        material=material,
        note=event.data.note,
        service_due_at=event.data.service_due_at,
        service_calendar=event.data.service_calendar,
        offered=described(getattr(event.data, "files", ())),
        forwarding=event.data.forwarding,
        joined_to=getattr(event.data, "joined_to", None),
        **started(steps.ANSWER, event.time, calendar),
    )


def _end_new(work: NotificationWork, event: Event[Any]) -> Callable[[str | None], None]:
    """Return what is to be done with the case that an event opens, where the complaint has `ended` before."""

    def end(ended: str | None) -> None:
        if ended is not None and (ending := work.journeys.get(event.data.ticket).ending) is not None:
            work.answers.end(event.data.ticket, ended, ending.at, ending.note)

    return end


def _is_sent(answer: Answer | None) -> TypeGuard[Answer]:
    return answer is not None and answer.is_sent
