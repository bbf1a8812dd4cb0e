"""What notification hears and can be told."""

import uuid
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeGuard

from nkk.contracts import Event, views
from nkk.contracts.events import (
    AnswerSent,
    ComplaintClassifiedAsInformation,
    ComplaintClosed,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintSubmitted,
    ComplaintSubmittedV1,
    ResponseApproved,
    ResponseReturned,
    ResponseSubmitted,
)
from nkk.desk import viewing
from nkk.desk.stage import ConsumesCalendars, Desk
from nkk.messaging.consumer import handles
from nkk.messaging.host import timer
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import steps
from nkk.sop.clock import Calendar
from nkk.sop.refusals import NotYourStep
from nkk.sop.steps import Path, Role
from nkk.sop.timed import started
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import schemas
from services.notification.authors import KnowsAuthors
from services.notification.closings import RepublishesClosings
from services.notification.domain import Answer, Entry, Journey
from services.notification.following import Follows
from services.notification.mail import Mailer
from services.notification.storage import NotificationWork, letter_id
from services.notification.telling import NotifiesPeople
from services.notification.unsent import LooksAfterLetters


class NotificationService(
    KnowsAuthors, Follows, NotifiesPeople, LooksAfterLetters, RepublishesClosings, Desk, ConsumesCalendars
):
    """Steps 6 and 7, the journey of every complaint, and every message to a person."""

    name = "notification"
    role = Role.OPERATOR
    listed = schemas.Listed
    uow = UnitOfWorkProvider(NotificationWork)
    mailer = Mailer()

    # -- what the other stages tell

    @handles(ComplaintSubmitted, batched=True)
    def on_complaint_submitted(self, event: Event[ComplaintSubmitted]) -> None:
        """Step 1 ended: the reporter is sent a receipt."""
        data = event.data
        author = self.keyed.author(data.ticket, self.keyed.open_reporter(data.sealed_reporter, data.ticket))
        self._begin(event, author=author, sealed_reporter=data.sealed_reporter)

    @handles(ComplaintSubmittedV1, batched=True)
    def on_complaint_submitted_v1(self, event: Event[ComplaintSubmittedV1]) -> None:
        """The same, as an intake of a version before told it; `hide_reporters` sees to the id."""
        self._begin(event, reporter_id=event.data.reporter_id)

    @handles(ComplaintHandedOver, batched=True)
    def on_complaint_handed_over(self, event: Event[ComplaintHandedOver]) -> None:
        """Step 2 ended."""
        with self._noting(event) as work:
            work.journeys.note(_entry(event))

    @handles(ComplaintClassifiedAsInformation, batched=True)
    def on_classified_as_information(self, event: Event[ComplaintClassifiedAsInformation]) -> None:
        """Step 3 ended, "ya": it comes to be answered."""
        calendar = self.calendars.named_by(event.data)
        with self._noting(event) as work:
            work.journeys.note(_entry(event), path=Path.INFORMATION)
            work.answers.add(_answer(event, calendar, Path.INFORMATION, material=None))

    @handles(ComplaintForwarded, batched=True)
    def on_complaint_forwarded(self, event: Event[ComplaintForwarded]) -> None:
        """Step 3 ended, "tidak"."""
        with self._noting(event) as work:
            work.journeys.note(_entry(event), path=Path.COMPLAINT, opd=event.data.opd)

    @handles(ResponseSubmitted, batched=True)
    def on_response_submitted(self, event: Event[ResponseSubmitted]) -> None:
        """Step 4 ended."""
        with self._noting(event) as work:
            work.journeys.note(_entry(event))

    @handles(ResponseReturned, batched=True)
    def on_response_returned(self, event: Event[ResponseReturned]) -> None:
        """Step 5 sent a response back to step 4."""
        with self._noting(event) as work:
            work.journeys.note(_entry(event))

    @handles(ResponseApproved, batched=True)
    def on_response_approved(self, event: Event[ResponseApproved]) -> None:
        """Step 5 ended: it comes to be answered."""
        calendar = self.calendars.named_by(event.data)
        with self._noting(event) as work:
            work.journeys.note(_entry(event))
            work.answers.add(_answer(event, calendar, Path.COMPLAINT, material=event.data.text))

    # -- step 6: the operator's second desk

    @rpc
    @requires(Role.OPERATOR)
    def answer(self, actor: Actor, ticket: str) -> views.Answering:
        """Where a complaint stands, what there is to answer it with, what was sent, and which letters to its reporter
        will not arrive."""
        with viewing(self.uow, actor, ticket, "answer") as work:
            journey, answer = work.journeys.get(ticket), work.answers.find(ticket)
            letters, _ = work.messages.undelivered(ticket)
        return {
            **self._standing(journey, work.now),
            "answer": self.shown(schemas.AnswerView(), answer, work.now) if answer else None,
            "undelivered": schemas.Undelivered(many=True).dump(letters),
        }

    @rpc
    @requires(Role.OPERATOR)
    def send_answer(self, actor: Actor, ticket: str, text: str) -> views.Acted:
        """Step 6: send the answer to the reporter."""
        form = load(schemas.AnswerText, {"text": text})
        now = self.uow.clock()
        minutes = self._minutes_to(ticket, now)
        with self.act(actor, ticket, now) as act:
            act.case.send(form["text"], now, act.calendar)
            act.work.journeys.answered(ticket, now, minutes)
            sent = AnswerSent(ticket=ticket, path=act.case.path, calendar=act.calendar.version, by=actor.id)
            _tell(act.work, sent, now)
            act.work.messages.add(str(uuid.uuid4()), ticket, "answered", now)
            act.work.afterwards(self.mailer.wake)
        return act.done()

    def standing(self, work: NotificationWork, actor: Actor, ticket: str) -> Answer:
        """As Desk's. Raises NotYourStep where the complaint has not come to be answered."""
        return _reached(work, ticket)

    # -- step 7: the reporter

    @rpc
    @requires(Role.REPORTER)
    def read_answer(self, actor: Actor, ticket: str) -> views.Read:
        """What `open_answer` gives, without its counting as received: nothing was handed over yet."""
        with self.uow.reading() as work:
            journey, answer = self._own(work, ticket, actor), work.answers.find(ticket)
        return self._read(journey, answer, work.now)

    @rpc
    @requires(Role.REPORTER)
    def open_answer(self, actor: Actor, ticket: str) -> views.Read:
        """Step 7: the reporter looks at their complaint; where it is answered, that counts as receiving the answer."""
        with self.uow.begin() as work:
            journey = self._own(work, ticket, actor)
            answer = work.answers.find(ticket, for_update=True)
            if _is_sent(answer) and answer.open(work.now):
                _close(work, answer)
                journey = work.journeys.get(ticket)
        return self._read(journey, answer, work.now)

    @rpc
    @requires(Role.REPORTER)
    def confirm_receipt(self, actor: Actor, ticket: str) -> views.Acted:
        """Step 7: the reporter confirms receipt."""
        with self.uow.begin() as work:
            self._own(work, ticket, actor)
            answer = _reached(work, ticket)
            if answer.confirm(work.now):
                _close(work, answer)
            else:
                work.answers.save(answer)
        return {"ticket": ticket, "stands": answer.stands()}

    @timer(interval=60)
    def close_lapsed(self) -> None:
        """Step 7: answers nobody opened for ten working days count as received."""
        with self.uow.reading() as work:
            tickets = work.answers.lapsing(work.now, 500)
        for ticket in tickets:
            with self.uow.begin() as work:
                answer = work.answers.find(ticket, for_update=True)
                if answer is not None and answer.lapse(work.now):
                    _close(work, answer)

    def _begin(self, event: Event[Any], **whose: str) -> None:
        """Begin a journey, and write its reporter the first letter."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self._noting(event) as work:

            def answered(at: datetime) -> None:
                # Heard last, where it was long on its way: how long the answer took can be known only now.
                work.journeys.answered(data.ticket, at, calendar.minutes_between(event.time, at))

            work.journeys.note(
                _entry(event),
                answered,
                submitted_at=data.submitted_at,
                service_due_at=data.service_due_at,
                late_at=data.service_due_at,
                category=data.category,
                sub_category=data.sub_category,
                **whose,
            )
            work.messages.add(letter_id(event.id, "received"), data.ticket, "received", event.time)
            work.afterwards(self.mailer.wake)

    def _noting(self, event: Event[Any]) -> AbstractContextManager[NotificationWork]:
        """The effect of an event that the journey notes; retried until its calendar has come, for its clock."""
        self.calendars.get(event.data.calendar)
        return self.uow.handling(event)

    def _minutes_to(self, ticket: str, now: datetime) -> int | None:
        with self.uow.reading() as work:
            journey = work.journeys.get(ticket)
        return journey.minutes_to(now, self.calendars.get)

    def _read(self, journey: Journey, answer: Answer | None, now: datetime) -> views.Read:
        return {
            **self._standing(journey, now),
            "answer": schemas.ReadAnswer().dump(answer) if _is_sent(answer) else None,
        }

    def _standing(self, journey: Journey, now: datetime) -> views.Standing:
        return schemas.standing(journey, self.calendars.get, now)


def _entry(event: Event[Any]) -> Entry:
    data = event.data
    return Entry(
        event_id=event.id,
        ticket=data.ticket,
        type=event.type,
        at=event.time,
        round=getattr(data, "round", 0),
        calendar=getattr(data, "calendar", 0),
        by=getattr(data, "by", None),
        opd=getattr(data, "opd", None),
        note=getattr(data, "note", None),
    )


def _answer(event: Event[Any], calendar: Calendar, path: Path, material: str | None) -> Answer:
    return Answer(
        ticket=event.data.ticket,
        path=path,
        material=material,
        note=event.data.note,
        service_due_at=event.data.service_due_at,
        service_calendar=event.data.service_calendar,
        **started(steps.ANSWER, event.time, calendar),
    )


def _tell(work: NotificationWork, data: AnswerSent | ComplaintClosed, now: datetime) -> None:
    """Emit our own event, and note it in the journey: nobody tells us."""
    (event_id,) = work.emit(data, at=now)
    closed: dict[str, Any] = {"closed_at": now} if isinstance(data, ComplaintClosed) else {}
    work.journeys.note(
        Entry(
            event_id=event_id,
            ticket=data.ticket,
            type=data.TYPE,
            at=now,
            calendar=getattr(data, "calendar", 0),
            by=getattr(data, "by", None),
        ),
        **closed,
    )


def _close(work: NotificationWork, answer: Answer) -> None:
    work.answers.save(answer)
    work.close(answer.ticket, work.now)
    _tell(work, ComplaintClosed(ticket=answer.ticket, path=answer.path, how=str(answer.how)), work.now)


def _is_sent(answer: Answer | None) -> TypeGuard[Answer]:
    return answer is not None and answer.text is not None


def _reached(work: NotificationWork, ticket: str) -> Answer:
    answer = work.answers.find(ticket, for_update=True)
    if answer is None:
        journey = work.journeys.get(ticket)
        raise NotYourStep({"stands": journey.stands()}, "not-to-be-answered-yet")
    return answer
