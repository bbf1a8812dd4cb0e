"""Base classes of the stages that keep clocks and desks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast

from marshmallow import Schema, fields, validate

from nkk.contracts import Event, views
from nkk.contracts.events import (
    CalendarChanged,
    CaseRecused,
    ComplaintAbandoned,
    ComplaintClosed,
    QuestionAnswered,
    QuestionAsked,
    QuestionLapsed,
)
from nkk.contracts.fields import NOTE_LENGTH, PlainText
from nkk.contracts.files import FileView, UploadIds
from nkk.desk.calendars import Calendars
from nkk.desk.record import opening, viewing
from nkk.desk.recusals import RECUSED, Seats
from nkk.desk.worklist import read_wanted
from nkk.messaging.consumer import handles
from nkk.messaging.host import DependencyProvider, timer
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import Stage, UnitOfWorkProvider
from nkk.sop import files
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, day_after, write_instant
from nkk.sop.refusals import NotYourRole, UnknownTicket
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import Role
from nkk.store.work import Publishable
from nkk.trust.actor import Actor, requires
from nkk.validation import load

F = TypeVar("F", bound=Callable[..., Any])

TELL_SECONDS = 10
BATCH = 100


class NoteForm(Schema):
    """A note about a case."""

    text = PlainText(NOTE_LENGTH, required=True)


class RecusalForm(Schema):
    """Why somebody steps aside from a case, and the account of the colleague whom Tim Utama has step aside."""

    reason = PlainText(NOTE_LENGTH, required=True)
    account = fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 64))


def notes_shown(work: Any, ticket: str, actor: Actor) -> list[views.Note]:
    """Return the notes about a case that `actor` may see; `recused` of a reason is the account that it set aside."""
    notes = work.notes_on(ticket, actor)
    recused = work.recused_by(ticket) if notes else {}
    return [
        {
            "at": write_instant(note.at),
            "by": note.by,
            "text": note.text,
            "recused": recused.get((note.by, note.at)),
        }
        for note in notes
    ]


class CalendarsProvider(DependencyProvider):
    """The provider that gives each worker the stage's `Calendars`."""

    def start(self) -> None:
        uow = next(provider.uow for provider in self.container.dependencies if isinstance(provider, UnitOfWorkProvider))
        self._calendars = Calendars(uow)

    def get_dependency(self, worker_ctx: Any) -> Calendars:
        return self._calendars


class RaisesAlarms(Stage):
    """A stage with clocks, which publishes each alarm once, from whichever instance locks the row first."""

    calendars: Any = CalendarsProvider()
    by_day: ClassVar[bool] = False
    """Whether this stage's desk sees the times of a reporter's acts only to the day (nkk.sop.steps.BY_DAY)."""

    @timer(interval=TELL_SECONDS)
    def raise_alarms(self) -> None:
        """Publish the alarms of clocks that are nearly overdue or overdue."""
        while self._raise_some(self.uow.clock()) == BATCH:
            pass

    def shown(self, schema: Schema, case: Any, now: datetime) -> Any:
        """Return `case` serialised by `schema`, with the time left on its clocks and its claim at `now`."""
        left = self.calendars.left(case, case.service_due_at, case.service_calendar, now, self.by_day)
        return schema.dump(case) | left | {"claim": case.claim_at(now)}

    def _raise_some(self, now: datetime) -> int:
        # Published and saved in one transaction: an instance that dies has done both or neither.
        with self.uow.begin() as work:
            found = work.clocked.due_alarms(now, BATCH)
            for timed in found:
                work.raise_alarm(timed, now)
                work.clocked.save(timed)
        return len(found)


def of_the_desk(method: F) -> F:
    """Admit only the desk's own role to this method of a `Desk`; the actor becomes the first argument."""

    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        return requires(self.role)(method)(self, *args, **kwargs)

    checked.requires = of_the_desk  # type: ignore[attr-defined]
    return cast(F, checked)


@dataclass
class Act:
    """An act in progress: the case, the time of the act, and the calendar for the next clock."""

    work: Any
    case: Any
    now: datetime
    calendar: Calendar

    def emit(self, event: Publishable) -> None:
        """Publish `event` in this act's transaction."""
        self.work.emit(event, at=self.now)

    def done(self) -> views.Acted:
        """Return the result of the act for the caller."""
        return {"ticket": self.case.ticket, "stands": self.case.stands()}


class Desk(RaisesAlarms):
    """A stage with a desk: its worklist, the claims on its cases, and the acts that end a step."""

    role: ClassVar[Role]
    """The role whose desk it is."""
    listed: ClassVar[type[Schema]]
    """The schema of a row of the worklist."""

    @rpc
    @of_the_desk
    def worklist(
        self, actor: Actor, cursor: str | None = None, limit: int | None = None, wanted: dict | None = None
    ) -> views.Listing:
        """Return a page of the cases that wait at this desk, oldest due first unless `wanted` has another order."""
        with self.uow.reading() as work:
            items, following = work.clocked.open(cursor, limit, read_wanted(wanted, work.now, actor.id), actor)
        listed = self.listed()
        return {"items": [self.shown(listed, item, work.now) for item in items], "next": following}

    @rpc
    @of_the_desk
    def claim(self, actor: Actor, ticket: str, take_over: bool = False) -> views.Claimed:
        """Claim a case for the caller; a colleague's claim is replaced only with `take_over`."""
        return self._claiming(actor, ticket, lambda case, now: case.claim(actor.id, now, take_over is True))

    @rpc
    @of_the_desk
    def release(self, actor: Actor, ticket: str) -> views.Claimed:
        """End the caller's claim on a case."""
        return self._claiming(actor, ticket, lambda case, now: case.release(actor.id, now))

    @contextmanager
    def act(self, actor: Actor, ticket: str, now: datetime | None = None) -> Iterator[Act]:
        """Carry out an act that ends a step of a case, in one transaction.

        Where the step is late and no overdue alarm was published yet, it is published first.
        """
        with self.act_beside(actor, ticket, now) as act:
            act.work.raise_if_overdue(act.case, act.now)
            yield act

    @contextmanager
    def act_beside(self, actor: Actor, ticket: str, now: datetime | None = None) -> Iterator[Act]:
        """Carry out an act that ends no step of this desk, in one transaction."""
        calendar = self.calendars.current()
        with self.uow.begin() as work:
            case = self.standing(work, actor, ticket)
            yield Act(work, case, now or work.now, calendar)
            work.clocked.save(case)

    def standing(self, work: Any, actor: Actor, ticket: str) -> Claimable:
        """Return the case of `ticket` at this desk, locked. Raises UnknownTicket, or the desk's own refusal."""
        return work.clocked.get(ticket, actor, for_update=True)

    def _claiming(self, actor: Actor, ticket: str, act: Callable[[Claimable, datetime], None]) -> views.Claimed:
        with self.uow.begin() as work:
            case = self.standing(work, actor, ticket)
            act(case, work.now)
            work.clocked.save(case)
        return {"ticket": ticket, "claim": case.claim_at(work.now)}


class NotesDesk(Desk):
    """A desk whose staff write notes about a case, which Tim Utama reads too."""

    @rpc
    @of_the_desk
    def add_note(self, actor: Actor, ticket: str, text: str | None) -> list[views.Note]:
        """Add a note about a case at the caller's desk, and return all of them."""
        form = load(NoteForm, {"text": text})
        with self.uow.begin() as work:
            case = work.clocked.get(ticket, actor)
            work.add_note(actor, case.ticket, form["text"])
            return notes_shown(work, case.ticket, actor)

    @rpc
    @requires(Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
    def notes(self, actor: Actor, ticket: str) -> list[views.Note]:
        """Return the notes of this desk about a case, for its own staff and for Tim Utama."""
        if actor.role not in (self.role, Role.MAIN_TEAM):
            raise NotYourRole
        with viewing(self.uow, actor, ticket, "notes") as work:
            self.may_read_notes(work, actor, ticket)
            return notes_shown(work, ticket, actor)

    def may_read_notes(self, work: Any, actor: Actor, ticket: str) -> None:
        """Raise UnknownTicket where the caller's own desk does not have the case."""
        if actor.role == self.role:
            work.clocked.get(ticket, actor)


class QuestionForm(Schema):
    """A question to the reporter."""

    text = PlainText(TEXT_LENGTH, required=True)


class AbandonForm(Schema):
    """Why a desk closes a report whose question was not answered."""

    reason = PlainText(NOTE_LENGTH, required=True)


class AsksReporters(NotesDesk):
    """A desk that asks the reporter. Notification keeps the questions and their answers."""

    @rpc
    @of_the_desk
    def ask(self, actor: Actor, ticket: str, text: str | None) -> views.Acted:
        """Ask the reporter about a case that stands at this desk, whose clock rests until they answer or it lapses.

        Raises QuestionOpen, WithoutReporter, or the desk's own refusal.
        """
        form = load(QuestionForm, {"text": text})
        calendar = self.calendars.current()
        with self.uow.begin() as work:
            case: Any = self.standing(work, actor, ticket)
            case.must_be_askable()
            work.raise_if_overdue(case, work.now)
            asked = QuestionAsked(
                ticket=ticket,
                step=case.step.number,
                forwarding=case.about_forwarding,
                round=case.about_round,
                opd=case.team_opd,
                text=form["text"],
                calendar=calendar.version,
                by=actor.id,
            )
            (question,) = work.emit(asked, at=work.now)
            case.ask(question, work.now)
            work.clocked.save(case)
        return {"ticket": ticket, "stands": case.stands()}

    @rpc
    @of_the_desk
    def abandon(self, actor: Actor, ticket: str, reason: str | None) -> views.Acted:
        """Close a report at this desk as not completed, because its reporter did not answer; they read the `reason`.

        Raises NothingLapsed, or the desk's own refusal.
        """
        form = load(AbandonForm, {"reason": reason})
        calendar = self.calendars.current()
        with self.uow.begin() as work:
            case: Any = self.standing(work, actor, ticket)
            case.must_be_abandonable()
            work.raise_if_overdue(case, work.now)
            abandoned = ComplaintAbandoned(
                ticket=ticket,
                step=case.step.number,
                forwarding=case.about_forwarding,
                round=case.about_round,
                opd=case.with_opd,
                question=str(case.question),
                reason=form["reason"],
                by=actor.id,
            )
            work.emit(abandoned, at=work.now)
            case.abandon(form["reason"], work.now)
            work.close(ticket, work.now)
            work.clocked.save(case)
            self.after_ending(work, ticket, work.now, calendar)
        return {"ticket": ticket, "stands": case.stands()}

    def after_ending(self, work: Any, ticket: str, at: datetime, calendar: Calendar) -> None:
        """Do what else follows where a case ended at `at` outside of the steps."""

    @handles(QuestionAnswered)
    def on_question_answered(self, event: Event[QuestionAnswered]) -> None:
        """Let the clock go on from the day after the reporter's answer."""
        with self.uow.handling(event) as work:
            self._question_ended(work, event.data, day_after(event.time))

    @handles(QuestionLapsed)
    def on_question_lapsed(self, event: Event[QuestionLapsed]) -> None:
        """Let the clock go on, because the reporter did not answer in time."""
        with self.uow.handling(event) as work:
            self._question_ended(work, event.data, event.time, lapsed=True)

    def _question_ended(
        self, work: Any, ended: QuestionAnswered | QuestionLapsed, at: datetime, lapsed: bool = False
    ) -> None:
        case = work.clocked.asking(ended.ticket, ended.question)
        if case is not None:
            case.question_ended(ended.question, at, self.calendars.get(case.calendar), lapsed)
            work.clocked.save(case)


class RecusesStaff(Desk):
    """A stage whose cases are hidden from those who stepped aside at another stage."""

    @rpc
    @requires(Role.ADMIN)
    def unseen(self, actor: Actor, seats: list[views.Seat]) -> list[str]:
        """Return the tickets of cases that wait at this desk and that none of its accounts may see.

        `seats` are the open accounts of all desks, which intake knows.
        """
        found = load(Seats, {"seats": seats})["seats"]
        with self.uow.reading() as work:
            return work.clocked.unseen([seat for seat in found if seat["role"] == self.role])

    @rpc
    @of_the_desk
    def recused_from(self, actor: Actor) -> list[str]:
        """Return the tickets of the cases from which the caller stepped aside, or was set aside."""
        with self.uow.reading() as work:
            return work.recused_from(actor)

    @handles(CaseRecused)
    def on_case_recused(self, event: Event[CaseRecused]) -> None:
        """Hide a case from an account, also before the case is here, and end that account's claim."""
        with self.uow.handling(event) as work:
            work.recuse(event.data.ticket, event.data.account, event.data.by)
            case = work.clocked.find(event.data.ticket, for_update=True)
            if case is not None and case.end_claim_of(event.data.account):
                work.clocked.save(case)


class RecusalDesk(AsksReporters, RecusesStaff):
    """A desk whose staff step aside from cases."""

    @rpc
    @of_the_desk
    def recuse(self, actor: Actor, ticket: str, reason: str | None, account: str | None = None) -> views.Recused:
        """Hide a case from the caller, who steps aside, or from a colleague's `account`, which only Tim Utama may do.

        The reason becomes a note of the desk. The same call again has the same answer.
        """
        form = load(RecusalForm, {"reason": reason, "account": account})
        whom = form["account"] or actor.id
        if whom != actor.id and actor.role != Role.MAIN_TEAM:
            raise NotYourRole
        with self.uow.begin() as work:
            case = work.clocked.find(ticket, actor, for_update=True)
            if case is None and (whom != actor.id or not work.stepped_aside(ticket, actor)):
                raise UnknownTicket
            if case is not None and work.recuse(ticket, whom, actor.id):
                if case.end_claim_of(whom):
                    work.clocked.save(case)
                work.record(actor, RECUSED, ticket, account=whom)
                work.add_note(actor, ticket, form["reason"])
                work.emit(CaseRecused(ticket=ticket, desk=self.name, account=whom, by=actor.id))
        return {"ticket": ticket, "account": whom}


class CaseDesk(RecusalDesk):
    """A desk whose own stage gives the whole case."""

    viewed: ClassVar[type[Schema]]
    """The schema of a whole case."""

    @rpc
    @of_the_desk
    def case(self, actor: Actor, ticket: str) -> views.Case:
        """Return one whole case, and record the view."""
        with viewing(self.uow, actor, ticket, "case") as work:
            case = work.clocked.get(ticket, actor)
            notes = notes_shown(work, ticket, actor)
            also = self.also_shown(work, actor, case)
        more = {"acts": case.acts(), "notes": notes, **also}
        return self.shown(self.viewed(), case, work.now) | more

    def also_shown(self, work: Any, actor: Actor, case: Any) -> dict[str, Any]:
        """Return what the desk shows with a case and does not keep in its row."""
        return {}

    @rpc
    @of_the_desk
    def open_file(self, actor: Actor, ticket: str, number: str, of: str = "file") -> views.File:
        """Return one file of a case, for the gateway to open it or its preview (`of`), and record it."""
        with opening(self.uow, actor, ticket, number, files.part(of)) as work:
            file = files.find(work.clocked.get(ticket, actor).every_file, number)
        return FileView().dump(file)


class Attaches(Stage):
    """A stage that attaches uploads."""

    @rpc
    def attached(self, ids: list[str]) -> list[str]:
        """Return those of `ids` that are attached here, so that the gateway does not remove their files."""
        with self.uow.reading() as work:
            return work.attached(load(UploadIds, {"ids": ids})["ids"])

    @rpc
    def attached_after(self, id: str) -> list[str]:
        """Return the first thousand ids behind `id` of what is attached here, for `nkk files check`."""
        with self.uow.reading() as work:
            return work.attached_after(str(id))


class ConsumesCalendars(RaisesAlarms):
    """A stage that consumes the calendar, which intake keeps."""

    @handles(CalendarChanged)
    def on_calendar_changed(self, event: Event[CalendarChanged]) -> None:
        """Store the new version of the calendar."""
        with self.uow.handling(event) as work:
            work.calendars.keep(event.data.version, event.data.content, event.time, event.data.by)


class ConsumesClosings(Stage):
    """A stage that consumes the closing of complaints, which ends at another stage."""

    @handles(ComplaintClosed, batched=True)
    def on_complaint_closed(self, event: Event[ComplaintClosed]) -> None:
        """Note that step 7 ended: the complaint's events are kept for NKK_OUTBOX_DAYS from then on."""
        with self.uow.handling(event) as work:
            if not self.is_open_again(work, event.data):
                work.close(event.data.ticket, event.time)

    def is_open_again(self, work: Any, closed: ComplaintClosed) -> bool:
        """Return whether the reporter is known to have objected after this closing, which was consumed late."""
        raise NotImplementedError
