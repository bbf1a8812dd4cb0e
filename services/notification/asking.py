"""A question that a desk asked the reporter: open, answered, lapsed, or overtaken by an act that moved the case on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from nkk.sop.clock import day_after, day_of
from nkk.sop.files import File, described, numbered
from nkk.sop.journey import Clock, Question
from nkk.sop.refusals import AlreadyDone, NotYourStep, Refused

REMIND_BEFORE = (timedelta(days=14), timedelta(days=7), timedelta(days=2))
"""How long before a question lapses its reporter is reminded of it."""


class State(StrEnum):
    """The state of a question."""

    OPEN = "open"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    OVERTAKEN = "overtaken"


class UnknownQuestion(Refused):
    """The complaint has no question of this number."""


class QuestionAnsweredBefore(AlreadyDone):
    """The question has been answered already."""


class QuestionHasLapsed(NotYourStep):
    """The time for an answer is over."""


class QuestionOvertaken(NotYourStep):
    """The case has gone on to another step, or has ended, so that an answer is needed no more."""


def remind_at(lapses_at: datetime, now: datetime) -> datetime | None:
    """Return when the next reminder is due after `now`; None where there is none left."""
    return next((lapses_at - before for before in REMIND_BEFORE if lapses_at - before > now), None)


@dataclass(kw_only=True)
class Asked:
    """A question. `number` counts those of a complaint; `forwarding` and `round` say to which run of `step` it belongs.

    `answered_on` is the first instant of the day of the answer, and `ended_at` that from which the clock goes on.
    """

    id: str
    ticket: str
    number: int
    step: int
    forwarding: int
    round: int
    at: datetime
    by: str
    text: str
    lapses_at: datetime
    opd: str | None = None
    state: str = State.OPEN
    answer: str | None = None
    answered_on: datetime | None = None
    ended_at: datetime | None = None
    remind_at: datetime | None = None
    files: tuple[File, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the question was neither answered nor lapsed, nor found overtaken."""
        return self.state == State.OPEN

    @property
    def fact(self) -> Question:
        """What the clock of the step needs to know."""
        return Question(self.step, self.forwarding, self.round, self.at, self.ended_at)

    def answer_with(self, text: str, uploads: Iterable[dict[str, Any]], now: datetime, needed: bool) -> None:
        """Store the answer with its files, where the case still needs it.

        Raises QuestionAnsweredBefore, QuestionHasLapsed or QuestionOvertaken.
        """
        if self.state == State.ANSWERED:
            raise QuestionAnsweredBefore
        if self.state == State.LAPSED or now >= self.lapses_at:
            raise QuestionHasLapsed
        if not needed:
            raise QuestionOvertaken
        self.state, self.answer, self.answered_on = State.ANSWERED, text, day_of(now)
        self.ended_at, self.remind_at = day_after(now), None
        self.files = described(numbered(uploads, question=self.number))

    def lapse(self, now: datetime) -> bool:
        """Let the question lapse where its time is over, and return whether it did."""
        if not self.is_open or now < self.lapses_at:
            return False
        self.state, self.ended_at, self.remind_at = State.LAPSED, now, None
        return True

    def overtake(self) -> None:
        """Note that the case has gone on, so that nobody waits for the answer."""
        self.state, self.remind_at = State.OVERTAKEN, None

    def is_overtaken(self, clocks: list[Clock]) -> bool:
        """Return whether the step that the question was asked at has ended. An answer may have come before or after."""
        run = (self.step, self.forwarding, self.round)
        return any(
            clock.done_at is not None and (clock.step.number, clock.forwarding, clock.round) == run for clock in clocks
        )
