"""Steps 6 and 7 of the procedure, and the journey of a complaint as the events tell it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from nkk.sop import steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, day_of, write_instant
from nkk.sop.journey import Clock, Fact, clocks, round_of
from nkk.sop.refusals import AlreadyDone, NotYourStep
from nkk.sop.steps import Role, Stands, Step


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


CORRECTED_WITHIN = timedelta(hours=1)
REMIND_AFTER_MINUTES = 8 * steps.MINUTES_PER_DAY
"""Office minutes after which a reporter who has not opened the answer is reminded: two days before it lapses."""


class AlreadyAnswered(AlreadyDone):
    """Step 6 was done before."""


class AlreadyConfirmed(AlreadyDone):
    """The reporter confirmed receipt before."""


class NotAnsweredYet(NotYourStep):
    """There is no answer whose receipt could be confirmed."""


def team_of(role: str, opd: str | None) -> str:
    """The name under which a team's address is kept: its role, with the OPD for an OPD's team."""
    return f"{role}:{opd}" if opd else str(role)


def team_at(step: int, opd: str | None) -> str:
    """The team at whose `step` a complaint stands, whatever else is said of it; of `opd`, where each has its own."""
    role = steps.STEPS[step - 1].role
    return team_of(role, opd if role == Role.OPD_TEAM else None)


def letters_about(alarm: str, has_superior: bool) -> tuple[str, ...]:
    """Which letters follow from an alarm's event: to the team always, to its superior where something is late."""
    if alarm == "step.due_soon.v1":
        return ("due_soon",)
    return ("overdue", "overdue_superior") if has_superior else ("overdue",)


def still_true(kind: str, step: int | None, round_: int | None, journey: "Journey") -> bool:
    """Whether a letter of `kind` says what is so: the step may have been done since it was written."""
    stands_at = journey.stands_at.number if journey.stands_at else None
    if kind == "late":
        return stands_at is not None and stands_at < steps.RECEIVE.number
    if kind == "reminder":
        return stands_at == steps.RECEIVE.number
    return step is None or journey.awaits(step, round_ or 0)


def is_told_of_change(since: datetime, at: datetime) -> bool:
    """Whether an address that letters went to `since` then is told that they go elsewhere from `at` on. One that was
    put right soon after was mistyped: a stranger's, who is to learn nothing."""
    return at - since >= CORRECTED_WITHIN


@dataclass
class Answer(Claimable):
    """What the operator's second desk works on: the material to answer with, then the answer and its receipt.

    `material` is the approved response of the OPD, or Tim Utama's note on the information path.
    """

    path: str
    material: str | None
    note: str | None
    service_due_at: datetime
    service_calendar: int | None = None
    state: str = State.AWAITING_ANSWER
    since: datetime | None = None
    text: str | None = None
    sent_at: datetime | None = None
    lapses_at: datetime | None = None
    remind_at: datetime | None = None
    closed_at: datetime | None = None
    how: str | None = None
    confirmed_at: datetime | None = None

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.ANSWER if self.state == State.AWAITING_ANSWER else steps.RECEIVE

    def must_stand_here(self) -> None:
        """Raises AlreadyAnswered."""
        if self.state != State.AWAITING_ANSWER:
            raise AlreadyAnswered({"stands": self.stands()})

    def send(self, text: str, now: datetime, calendar: Calendar) -> None:
        """Step 6: the operator sends the answer. Raises AlreadyAnswered."""
        self.must_stand_here()
        self.text, self.sent_at = text, now
        self.lapses_at = calendar.due(now, steps.RECEIPT_LAPSES_AFTER_MINUTES)
        self.remind_at = calendar.due(now, REMIND_AFTER_MINUTES)
        self.start_clock(steps.RECEIVE, now, calendar)
        # It is the reporter's step, and they have ten days: no team is told that they take longer than five minutes.
        self.tell_at = None
        self.state, self.since = State.ANSWERED, now

    def confirm(self, now: datetime) -> bool:
        """Step 7: the reporter confirms receipt; True where that closes the complaint.

        Having opened the answer closed it already: the confirmation is kept beside that. Raises NotAnsweredYet or
        AlreadyConfirmed.
        """
        if self.state == State.AWAITING_ANSWER:
            raise NotAnsweredYet({"stands": self.stands()})
        if self.confirmed_at is not None:
            raise AlreadyConfirmed({"stands": self.stands()})
        self.confirmed_at = now
        return self._close(Closing.CONFIRMED, now)

    def open(self, now: datetime) -> bool:
        """Step 7: the reporter opens the answer while logged in; True where that closes the complaint."""
        return self._close(Closing.OPENED, now)

    def lapse(self, now: datetime) -> bool:
        """Step 7: nobody opened the answer for ten working days; True where that closes the complaint."""
        return self.lapses_at is not None and now >= self.lapses_at and self._close(Closing.LAPSED, now)

    def stands(self) -> Stands:
        """Where the answer stands, and since when."""
        return {"state": self.state, "since": write_instant(self.since)}  # type: ignore[arg-type]

    def _close(self, how: Closing, now: datetime) -> bool:
        if self.state != State.ANSWERED:
            return False
        self.state, self.since = State.CLOSED, now
        self.closed_at, self.how = now, how
        self.remind_at = None
        self.stop_clock(now)
        return True


NOTES_FOR = {
    "complaint.classified_as_information.v1": Role.OPERATOR,
    "complaint.forwarded.v1": Role.OPD_TEAM,
    "response.returned.v1": Role.OPD_TEAM,
    "response.approved.v1": Role.OPERATOR,
}
"""To which desk Tim Utama wrote the note of an event: the one that the complaint goes on to."""


@dataclass(frozen=True, kw_only=True)
class Entry(Fact):
    """One thing that happened to a complaint. `by` is a staff id."""

    event_id: str
    ticket: str
    by: str | None = None
    opd: str | None = None
    note: str | None = None

    def note_for(self, role: str, group: str | None) -> str | None:
        """Its note, where it was written by or for these; a note for an OPD's team is for that OPD's alone."""
        meant = role == NOTES_FOR.get(self.type) and (role != Role.OPD_TEAM or self.opd == group)
        return self.note if meant or role == Role.MAIN_TEAM else None


@dataclass
class Journey:
    """The way of one complaint through the procedure, as far as its events have been heard.

    Whose it is, `author` tells to their own calls and `sealed_reporter` to their letters; `reporter_id` in their place
    is of a version before.
    """

    ticket: str
    reporter_id: str | None
    submitted_at: datetime | None
    service_due_at: datetime | None
    path: str | None
    opd: str | None
    category: str | None
    sub_category: str | None
    late_at: datetime | None
    closed_at: datetime | None
    entries: list[Entry]
    answered_at: datetime | None = None
    answer_minutes: int | None = None
    author: str | None = None
    sealed_reporter: str | None = None

    def __post_init__(self) -> None:
        self.entries.sort(key=lambda entry: entry.place)

    @property
    def stands_at(self) -> Step | None:
        """The step that comes next; None where the complaint is closed."""
        return self.entries[-1].turn.then if self.entries else steps.HAND_OVER

    @property
    def calendars(self) -> set[int]:
        """The versions of the calendar that its clocks run by."""
        return {entry.calendar for entry in self.entries}

    def by_day(self, now: datetime) -> "Journey":
        """The journey as it may be told by the day: that the answer was received is told from the next day on, since
        whoever keeps looking would else learn the minute."""
        told = [entry for entry in self.entries if entry.turn.ends != steps.RECEIVE or day_of(entry.at) < day_of(now)]
        return replace(self, entries=told)

    def clocks(self, calendar_of: Callable[[int], Calendar]) -> list[Clock]:
        """Its clocks, counted from its entries alone."""
        return clocks(self.entries, calendar_of)

    def minutes_to(self, at: datetime, calendar_of: Callable[[int], Calendar]) -> int | None:
        """Office minutes from its submission to `at`, by the submission's calendar; None where that has not been
        heard."""
        submitted = self._submitted
        return None if submitted is None else calendar_of(submitted.calendar).minutes_between(submitted.at, at)

    def service_left(self, now: datetime, calendar_of: Callable[[int], Calendar], by_day: bool = False) -> int | None:
        """Office minutes left of what is promised for the whole, by the submission's calendar, from day to day where
        `by_day`; None as above."""
        submitted = self._submitted
        if submitted is None or self.service_due_at is None:
            return None
        calendar = calendar_of(submitted.calendar)
        return (calendar.days_left if by_day else calendar.minutes_left)(now, self.service_due_at)

    @property
    def _submitted(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.turn.ends == steps.SUBMIT), None)

    def awaits(self, step: int, round_: int) -> bool:
        """Whether it still stands at `step`, for the OPD's response number `round_` where the step is about one."""
        last = self.entries[-1] if self.entries else None
        if last is None or last.turn.then is None or last.turn.then.number != step:
            return False
        return round_ == 0 or round_of(last) == round_

    def shown_to(self, role: str, wrote_it: bool, group: str | None) -> bool:
        """Whether this actor may follow it: its reporter, the operators, and teams at whose step it stands or stood."""
        reached = {entry.turn.ends.number for entry in self.entries}
        return {
            Role.REPORTER: wrote_it,
            Role.OPERATOR: True,
            Role.MAIN_TEAM: bool(reached - {steps.SUBMIT.number}),
            Role.OPD_TEAM: self.opd is not None and self.opd == group,
        }.get(Role(role), False)

    def stands(self) -> Stands:
        """Where the complaint stands in the procedure."""
        step = self.stands_at
        if step is None:
            return {"state": "closed", "step": None}
        return {"state": step.name, "step": step.number}
