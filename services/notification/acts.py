"""The acts beside the path: what sends a case back to step 3, withdrawals, objections and ratings."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from nkk.contracts import Event, views
from nkk.contracts.events import (
    AnswerRated,
    AnswerReturned,
    ComplaintAbandoned,
    ComplaintClosed,
    ComplaintDeclined,
    ComplaintJoined,
    ComplaintKept,
    ComplaintParted,
    ComplaintRecalled,
    ComplaintReopened,
    ComplaintWithdrawn,
    ResponseGathered,
    TimeGranted,
    TimeRequested,
)
from nkk.desk import Calendars
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.sop.clock import day_after, day_of
from nkk.sop.endings import ABANDONED, WITHDRAWN
from nkk.sop.files import described
from nkk.sop.journey import service_due
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import schemas
from services.notification.domain import Answer, Kept
from services.notification.entries import Entry
from services.notification.journeys import Journey
from services.notification.storage import NotificationWork, letter_id

_WITH_REASON = (ComplaintWithdrawn, TimeRequested, ComplaintAbandoned)


def entry_of(data: Any, event_id: str, at: datetime) -> Entry:
    """Return the entry of an event in its complaint's journey."""
    return Entry(
        event_id=event_id,
        ticket=data.ticket,
        type=data.TYPE,
        at=at,
        round=getattr(data, "round", 0),
        calendar=getattr(data, "calendar", 0),
        by=getattr(data, "by", None),
        opd=getattr(data, "opd", None),
        note=data.reason if isinstance(data, _WITH_REASON) else getattr(data, "note", None),
        forwarding=getattr(data, "forwarding", 1),
        cycle=getattr(data, "cycle", 1),
        days=getattr(data, "days", 0),
        responded_at=getattr(data, "responded_at", None),
    )


def tell(work: NotificationWork, data: Any, now: datetime, by_day: bool = False, **known: Any) -> None:
    """Publish this stage's own event, and note it in the journey, since a stage does not consume its own events."""
    (event_id,) = work.emit(data, at=now, by_day=by_day)
    work.journeys.note(entry_of(data, event_id, day_of(now) if by_day else now), **known)


def close(work: NotificationWork, answer: Answer, cycle: int | None = None) -> None:
    """Close a complaint (step 7) in the answer's cycle, or in `cycle`."""
    work.answers.save(answer)
    work.close(answer.ticket, work.now)
    closed = ComplaintClosed(
        ticket=answer.ticket,
        forwarding=answer.forwarding,
        cycle=cycle or answer.cycle,
        path=answer.path,
        how=str(answer.how),
    )
    tell(work, closed, work.now, closed_at=work.now)


class TakesActs:
    """The part of notification that carries out the acts beside the path, and notes those of the other stages."""

    uow: Any
    mailer: Any
    calendars: Calendars
    _own: Callable[[NotificationWork, str, Actor], Journey]
    _noting: Callable[[Event[Any]], AbstractContextManager[NotificationWork]]
    standing: Callable[[NotificationWork, Actor, str], Answer]
    act: Callable[..., Any]

    @handles(ComplaintDeclined, batched=True)
    def on_complaint_declined(self, event: Event[ComplaintDeclined]) -> None:
        """Note that the OPD team declined the complaint (from step 4 back to step 3)."""
        with self._noting(event) as work:
            work.journeys.note(entry_of(event.data, event.id, event.time))

    @handles(ComplaintRecalled)
    def on_complaint_recalled(self, event: Event[ComplaintRecalled]) -> None:
        """Note that Tim Utama took the complaint back (from step 4 back to step 3).

        It goes on where the OPD team's closing, which was on its way, was consumed before.
        """
        ticket = event.data.ticket
        with self._noting(event) as work:
            answer = work.answers.find(ticket, for_update=True)
            work.journeys.note(entry_of(event.data, event.id, event.time))
            journey = work.journeys.get(ticket)
            if journey.ended != ABANDONED or journey.is_abandoned:
                return
            late_at = journey.due_at if journey.due_at and journey.due_at > work.now else None
            work.journeys.change(ticket, ended=None, closed_at=None, late_at=late_at)
            work.reopen(ticket)
            if answer is not None:
                answer.resume(self.calendars.get(answer.calendar))
                work.answers.save(answer)
            work.messages.add(letter_id(event.id, "goes_on"), ticket, "goes_on", work.now)
            work.afterwards(self.mailer.wake)

    @handles(TimeRequested, batched=True)
    def on_time_requested(self, event: Event[TimeRequested]) -> None:
        """Note that the OPD team asked for more time (step 4)."""
        with self.uow.handling(event) as work:
            work.journeys.note(entry_of(event.data, event.id, event.time))

    @handles(TimeGranted, batched=True)
    def on_time_granted(self, event: Event[TimeGranted]) -> None:
        """Note Tim Utama's decision on more time, by which step 4 may be due later."""
        with self.uow.handling(event) as work:
            work.journeys.note(entry_of(event.data, event.id, event.time))

    @handles(ComplaintJoined, batched=True)
    def on_complaint_joined(self, event: Event[ComplaintJoined]) -> None:
        """Note that the report was joined with another (the end of step 3); it rests."""
        with self._noting(event) as work:
            work.journeys.note(entry_of(event.data, event.id, event.time))

    @handles(ComplaintParted, batched=True)
    def on_complaint_parted(self, event: Event[ComplaintParted]) -> None:
        """Note that the report was parted from another (back to step 3)."""
        with self._noting(event) as work:
            work.journeys.note(entry_of(event.data, event.id, event.time))

    @handles(ResponseGathered)
    def on_response_gathered(self, event: Event[ResponseGathered]) -> None:
        """Keep a response beside which that of a further OPD comes, for the operator (the end of step 5)."""
        data = event.data
        with self.uow.handling(event) as work:
            work.responses.add(
                Kept(
                    ticket=data.ticket,
                    forwarding=data.forwarding,
                    round=data.round,
                    opd=data.from_opd,
                    text=data.text,
                    files=described(data.files),
                )
            )
            # It may be consumed after the approval of the last response.
            work.journeys.note(entry_of(data, event.id, event.time), ("ended",), lambda _: work.offer(data.ticket))

    @handles(ComplaintWithdrawn)
    def on_complaint_withdrawn(self, event: Event[ComplaintWithdrawn]) -> None:
        """End a complaint whose reporter withdrew it, unless the answer was sent before; tell the reporter which."""
        data = event.data
        with self.uow.handling(event) as work:
            # Locked in the order in which an act locks them; one that an event opens meanwhile is there afterwards.
            work.answers.find(data.ticket, for_update=True)
            work.journeys.note(entry_of(data, event.id, event.time))
            goes_on = work.journeys.get(data.ticket).kept == data.cycle
            answer = work.answers.find(data.ticket, for_update=True)
            late = answer is not None and (data.cycle < answer.cycle or answer.is_sent)
            if not late and not goes_on:
                work.journeys.change(data.ticket, ended=WITHDRAWN, closed_at=event.time, late_at=None)
                work.close(data.ticket, event.time)
                if answer is not None:
                    answer.end(WITHDRAWN, event.time, data.reason)
                    work.answers.save(answer)
            kind = "withdrawn_late" if late and not goes_on else "withdrawn"
            work.messages.add(letter_id(event.id, kind), data.ticket, kind, work.now)
            work.afterwards(self.mailer.wake)

    @handles(ComplaintAbandoned)
    def on_complaint_abandoned(self, event: Event[ComplaintAbandoned]) -> None:
        """End a complaint that a desk closed as not completed, unless another act overtook that; tell the reporter."""
        data = event.data
        with self.uow.handling(event) as work:
            # Locked in the order in which an act locks them, as for a withdrawal.
            work.answers.find(data.ticket, for_update=True)
            work.journeys.note(entry_of(data, event.id, event.time))
            if not work.journeys.get(data.ticket).is_abandoned:
                return
            work.journeys.change(data.ticket, ended=ABANDONED, closed_at=event.time, late_at=None)
            work.close(data.ticket, event.time)
            answer = work.answers.find(data.ticket, for_update=True)
            if answer is not None:
                answer.end(ABANDONED, event.time, data.reason)
                work.answers.save(answer)
            work.messages.add(letter_id(event.id, "abandoned"), data.ticket, "abandoned", work.now)
            work.afterwards(self.mailer.wake)

    @handles(ComplaintKept)
    def on_complaint_kept(self, event: Event[ComplaintKept]) -> None:
        """Let a withdrawn complaint go on without its reporter."""
        data = event.data
        self.calendars.get(data.calendar)
        with self.uow.handling(event) as work:
            answer = work.answers.find(data.ticket, for_update=True)
            work.journeys.note(entry_of(data, event.id, event.time))
            journey = work.journeys.get(data.ticket)
            cycle = journey.cycle_of(data.forwarding)
            work.journeys.change(data.ticket, kept=cycle)
            if journey.ended is None or cycle < journey.cycle:
                return
            work.reopen(data.ticket)
            work.journeys.change(data.ticket, ended=None, closed_at=None)
            if answer is not None:
                answer.resume(self.calendars.get(answer.calendar))
                work.answers.save(answer)

    @rpc
    @requires(Role.OPERATOR)
    def send_back(self, actor: Actor, ticket: str, note: str | None) -> views.Acted:
        """Send information back to Tim Utama, because it is a complaint after all, or a report that was joined with
        another, because it is another matter (from step 6 back to step 3)."""
        form = load(schemas.Reason, {"note": note})
        with self.act(actor, ticket) as act:
            act.case.send_back(act.now)
            returned = AnswerReturned(
                ticket=ticket,
                forwarding=act.case.forwarding,
                note=form["note"],
                calendar=act.calendar.version,
                by=actor.id,
            )
            tell(act.work, returned, act.now, path=None)
        return act.done()

    @rpc
    @requires(Role.REPORTER)
    def object_to(self, actor: Actor, ticket: str, reason: str | None) -> views.Acted:
        """Object to the answer: a second cycle begins at step 3, once, within ten working days of the answer."""
        form = load(schemas.Objection, {"reason": reason})
        calendar = self.calendars.current()
        with self.uow.begin() as work:
            self._own(work, ticket, actor)
            answer = self.standing(work, actor, ticket)
            text = str(answer.text)
            # By the calendar of the answer's clock, as `acts` says, not by one that changed since.
            if answer.object(form["reason"], work.now, self.calendars.get(answer.calendar)):
                close(work, answer, answer.cycle - 1)
            reopened = ComplaintReopened(
                ticket=ticket,
                forwarding=answer.forwarding,
                cycle=answer.cycle,
                reason=form["reason"],
                answer=text,
                calendar=calendar.version,
            )
            due = service_due(day_after(work.now), calendar)
            tell(work, reopened, work.now, by_day=True, path=None, closed_at=None, again_due_at=due, late_at=due)
            work.reopen(ticket)
            work.answers.save(answer)
            work.messages.add(str(uuid.uuid4()), ticket, "objected", work.now)
            work.afterwards(self.mailer.wake)
        return {"ticket": ticket, "stands": answer.stands()}

    @rpc
    @requires(Role.REPORTER)
    def rate(self, actor: Actor, ticket: str, rating: int, comment: str | None = None) -> views.Acted:
        """Rate the answer, once the complaint is closed."""
        form = load(schemas.Rating, {"rating": rating, "comment": comment})
        with self.uow.begin() as work:
            self._own(work, ticket, actor)
            answer = self.standing(work, actor, ticket)
            answer.rate(form["rating"], form["comment"], work.now)
            work.answers.save(answer)
            rated = AnswerRated(ticket=ticket, forwarding=answer.forwarding, rating=form["rating"])
            work.emit(rated, by_day=True)
        return {"ticket": ticket, "stands": answer.stands()}
