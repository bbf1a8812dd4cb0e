"""Questions to reporters: what the desks asked, what the reporters answered, and questions that lapse."""

from collections.abc import Callable
from typing import Any

from nkk.contracts import Event, views
from nkk.contracts.events import QuestionAnswered, QuestionAsked, QuestionLapsed
from nkk.contracts.files import FileView
from nkk.desk import Calendars, opening, viewing
from nkk.desk.stage import BATCH, TELL_SECONDS
from nkk.messaging.consumer import handles
from nkk.messaging.host import timer
from nkk.messaging.rpc import rpc
from nkk.settings import NKK_QUESTION_DAYS
from nkk.sop.files import find, part
from nkk.sop.questions import lapses_at
from nkk.sop.refusals import UnknownTicket
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.notification import schemas, shown
from services.notification.asking import Asked, remind_at
from services.notification.journeys import Journey
from services.notification.storage import NotificationWork, letter_id

READERS = (Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)


class KeepsQuestions:
    """The part of notification that keeps the questions of the desks, and tells the desks how they ended."""

    uow: Any
    mailer: Any
    calendars: Calendars
    wrote: Callable[[Journey, Actor], bool]
    _own: Callable[[NotificationWork, str, Actor], Journey]

    @handles(QuestionAsked)
    def on_question_asked(self, event: Event[QuestionAsked]) -> None:
        """Keep a question, and write to the reporter."""
        data, calendar = event.data, self.calendars.get(event.data.calendar)
        with self.uow.handling(event) as work:
            number = work.questions.next_number(data.ticket)
            lapse = lapses_at(event.time, NKK_QUESTION_DAYS.get(), calendar)
            work.questions.add(
                Asked(
                    id=event.id,
                    ticket=data.ticket,
                    number=number,
                    step=data.step,
                    forwarding=data.forwarding,
                    round=data.round,
                    at=event.time,
                    by=data.by,
                    opd=data.opd,
                    text=data.text,
                    lapses_at=lapse,
                    remind_at=remind_at(lapse, event.time),
                )
            )
            work.messages.add(letter_id(event.id, "question"), data.ticket, "question", work.now)
            work.afterwards(self.mailer.wake)

    @rpc
    @requires(Role.REPORTER)
    def answer_question(
        self, actor: Actor, ticket: str, number: int, text: str | None, files: list[dict] | None = None
    ) -> views.AnsweredQuestion:
        """Answer a question about the caller's own report, with words and perhaps files.

        Raises FileAttachedBefore, UnknownQuestion, QuestionAnsweredBefore, QuestionHasLapsed, or QuestionOvertaken
        where the case has gone on to another step.
        """
        form = load(schemas.QuestionAnswer, {"text": text, "files": files or []})
        with self.uow.begin() as work:
            journey = self._own(work, ticket, actor)
            asked = work.questions.get(ticket, number)
            open_ones = [each.id for each in journey.open_questions(work.now, self.calendars.get)]
            asked.answer_with(form["text"], form["files"], work.now, needed=asked.id in open_ones)
            work.attach(ticket, asked.files)
            work.questions.save(asked)
            answered = QuestionAnswered(
                ticket=ticket,
                question=asked.id,
                number=asked.number,
                forwarding=asked.forwarding,
                opd=asked.opd,
            )
            work.emit(answered, at=work.now, by_day=True)
        return {"ticket": ticket, "number": asked.number, "state": asked.state}

    @rpc
    @requires(*READERS)
    def questions(self, actor: Actor, ticket: str) -> list[views.Question]:
        """Return the questions about a complaint, and their answers, for those who may follow it.

        An OPD's team is told of those asked until the complaint was taken away from it.
        """
        with viewing(self.uow, actor, ticket, "questions") as work:
            journey, found = self._told(work, actor, ticket)
            given_up = work.messages.given_up([_letter(asked) for asked in found])
        clocks = journey.clocks(self.calendars.get)
        return [shown.question(asked, clocks, actor, _letter(asked) in given_up) for asked in found]

    @rpc
    @requires(*READERS)
    def open_question_file(self, actor: Actor, ticket: str, number: str, of: str = "file") -> views.File:
        """Return one file of an answer, for the gateway to open it or its preview (`of`), and record it.

        Whoever may read the answer may open its files.
        """
        with opening(self.uow, actor, ticket, number, part(of)) as work:
            _, found = self._told(work, actor, ticket)
            file = find((file for asked in found for file in asked.files), number)
        return FileView().dump(file)

    def _told(self, work: NotificationWork, actor: Actor, ticket: str) -> tuple[Journey, list[Asked]]:
        """Return a journey and those of its questions that the caller is told of. Raises UnknownTicket."""
        journey = work.journeys.get(ticket, actor)
        if not journey.shown_to(actor.role, self.wrote(journey, actor), actor.group):
            raise UnknownTicket
        told, found = journey.told_to(actor.role, actor.group, work.now, self.calendars.get), journey.questions
        if actor.role == Role.REPORTER:
            return told, told.questions
        if told.until is not None:
            found = [asked for asked in found if asked.at <= told.until]
        return journey, found

    @timer(interval=TELL_SECONDS)
    def end_questions(self) -> None:
        """Write reminders, and let questions lapse that were not answered in time."""
        for id_ in self._waiting():
            with self.uow.begin() as work:
                asked = work.questions.locked(id_)
                if not asked.is_open:
                    continue
                journey = work.journeys.get(asked.ticket)
                if asked.is_overtaken(journey.clocks(self.calendars.get)):
                    asked.overtake()
                elif asked.lapse(work.now):
                    lapsed = QuestionLapsed(
                        ticket=asked.ticket,
                        question=asked.id,
                        number=asked.number,
                        forwarding=asked.forwarding,
                        opd=asked.opd,
                    )
                    work.emit(lapsed, at=work.now)
                    work.messages.add(letter_id(asked.id, "question_lapsed"), asked.ticket, "question_lapsed", work.now)
                elif asked.remind_at is not None and asked.remind_at <= work.now:
                    kind = "question_reminder"
                    work.messages.add(letter_id(f"{asked.id} {asked.remind_at}", kind), asked.ticket, kind, work.now)
                    asked.remind_at = remind_at(asked.lapses_at, work.now)
                work.questions.save(asked)
                work.afterwards(self.mailer.wake)

    def _waiting(self) -> list[str]:
        with self.uow.reading() as work:
            return work.questions.due(work.now, BATCH)


def _letter(asked: Asked) -> str:
    """Return the id of the letter that tells the reporter of a question."""
    return letter_id(asked.id, "question")
