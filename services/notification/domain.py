"""Steps 6 and 7 of the procedure, and the journey of a complaint as the events tell it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nkk.sop import steps
from nkk.sop.clock import WorkingTime, write_instant
from nkk.sop.refusals import AlreadyDone, NotYourStep
from nkk.sop.steps import Role, Step


class State(StrEnum):
    """Where an answer stands."""

    AWAITING_ANSWER = "awaiting_answer"
    ANSWERED = "answered"
    CLOSED = "closed"


class Closing(StrEnum):
    """How step 7 was done: the reporter confirmed, opened the answer while logged in, or let ten working days pass."""

    CONFIRMED = "confirmed"
    OPENED = "opened"
    LAPSED = "lapsed"


class AlreadyAnswered(AlreadyDone):
    """Step 6 was done before."""


class AlreadyConfirmed(AlreadyDone):
    """The reporter confirmed receipt before."""


class NotAnsweredYet(NotYourStep):
    """There is no answer whose receipt could be confirmed."""


@dataclass
class Answer:
    """What the operator's second desk works on: the material to answer with, then the answer and its receipt.

    `material` is the approved response of the OPD, or Tim Utama's note on the information path.
    """

    ticket: str
    path: str
    material: str | None
    note: str | None
    service_due_at: datetime
    came_at: datetime
    due_at: datetime
    state: str = State.AWAITING_ANSWER
    since: datetime | None = None
    text: str | None = None
    sent_at: datetime | None = None
    lapses_at: datetime | None = None
    closed_at: datetime | None = None
    how: str | None = None
    confirmed_at: datetime | None = None

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    def send(self, text: str, now: datetime, clock: WorkingTime) -> None:
        """Step 6: the operator sends the answer. Raises AlreadyAnswered."""
        if self.state != State.AWAITING_ANSWER:
            raise AlreadyAnswered("The answer was sent before; nothing changed. Reload your list.",
                                  {"stands": self.stands()})
        self.text, self.sent_at = text, now
        self.lapses_at = clock.due(now, steps.RECEIPT_LAPSES_AFTER_MINUTES)
        self.state, self.since = State.ANSWERED, now

    def confirm(self, now: datetime) -> bool:
        """Step 7: the reporter confirms receipt; True where that closes the complaint.

        Having opened the answer closed it already: the confirmation is kept beside that. Raises NotAnsweredYet or
        AlreadyConfirmed.
        """
        if self.state == State.AWAITING_ANSWER:
            raise NotAnsweredYet("There is no answer to confirm yet; nothing changed.", {"stands": self.stands()})
        if self.confirmed_at is not None:
            raise AlreadyConfirmed("You confirmed receipt before; nothing changed.", {"stands": self.stands()})
        self.confirmed_at = now
        return self._close(Closing.CONFIRMED, now)

    def open(self, now: datetime) -> bool:
        """Step 7: the reporter opens the answer while logged in; True where that closes the complaint."""
        return self._close(Closing.OPENED, now)

    def lapse(self, now: datetime) -> bool:
        """Step 7: nobody opened the answer for ten working days; True where that closes the complaint."""
        return self.lapses_at is not None and now >= self.lapses_at and self._close(Closing.LAPSED, now)

    def stands(self) -> dict[str, str]:
        """Where the answer stands, and since when."""
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]

    def _close(self, how: Closing, now: datetime) -> bool:
        if self.state != State.ANSWERED:
            return False
        self.state, self.since = State.CLOSED, now
        self.closed_at, self.how = now, how
        return True


@dataclass(frozen=True)
class Turn:
    """What an event means to a journey: the step it ends and the step the complaint stands at then."""

    ends: Step
    then: Step | None


TURNS = {
    "complaint.submitted.v1": Turn(steps.SUBMIT, steps.HAND_OVER),
    "complaint.handed_over.v1": Turn(steps.HAND_OVER, steps.CLASSIFY),
    "complaint.classified_as_information.v1": Turn(steps.CLASSIFY, steps.ANSWER),
    "complaint.forwarded.v1": Turn(steps.CLASSIFY, steps.RESPOND),
    "response.submitted.v1": Turn(steps.RESPOND, steps.APPROVE),
    "response.returned.v1": Turn(steps.APPROVE, steps.RESPOND),
    "response.approved.v1": Turn(steps.APPROVE, steps.ANSWER),
    "answer.sent.v1": Turn(steps.ANSWER, steps.RECEIVE),
    "complaint.closed.v1": Turn(steps.RECEIVE, None),
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a complaint. `round` counts the OPD's responses; `by` is a staff id."""

    event_id: str
    ticket: str
    type: str
    at: datetime
    round: int = 0
    by: str | None = None
    opd: str | None = None
    note: str | None = None

    @property
    def turn(self) -> Turn:
        return TURNS[self.type]

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it belongs in the journey, by the procedure's own order: events may arrive, and clocks run, askew."""
        number = self.turn.ends.number
        part = 0 if number <= steps.CLASSIFY.number else 1 if number <= steps.APPROVE.number else 2
        return part, self.round, number


@dataclass
class Journey:
    """The way of one complaint through the procedure, as far as its events have been heard."""

    ticket: str
    reporter_id: str | None
    submitted_at: datetime | None
    service_due_at: datetime | None
    path: str | None
    opd: str | None
    entries: list[Entry]

    def __post_init__(self) -> None:
        self.entries.sort(key=lambda entry: entry.place)

    @property
    def stands_at(self) -> Step | None:
        """The step that comes next; None where the complaint is closed."""
        return self.entries[-1].turn.then if self.entries else steps.HAND_OVER

    def shown_to(self, role: str, actor_id: str, group: str | None) -> bool:
        """Whether this actor may follow it: its reporter, the operators, and teams at whose step it stands or stood."""
        reached = {entry.turn.ends.number for entry in self.entries}
        return {
            Role.REPORTER: self.reporter_id == actor_id,
            Role.OPERATOR: True,
            Role.MAIN_TEAM: bool(reached - {steps.SUBMIT.number}),
            Role.OPD_TEAM: self.opd is not None and self.opd == group,
        }.get(Role(role), False)

    def stands(self) -> dict[str, str | int | None]:
        """Where the complaint stands in the procedure."""
        step = self.stands_at
        if step is None:
            return {"state": "closed", "step": None}
        return {"state": step.name, "step": step.number}
