"""Steps 6 and 7 of the procedure, and the journey of a complaint as its events record it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from nkk.sop import steps
from nkk.sop.claims import Claimable
from nkk.sop.clock import Calendar, day_of, write_instant
from nkk.sop.files import File, find
from nkk.sop.journey import Clock, Fact, clocks, round_of
from nkk.sop.refusals import AlreadyDone, NotYourStep
from nkk.sop.steps import Role, Stands, Step


class State(StrEnum):
    """The state of an answer."""

    AWAITING_ANSWER = "awaiting_answer"
    ANSWERED = "answered"
    CLOSED = "closed"


class Closing(StrEnum):
    """How step 7 was done: the reporter confirmed receipt, opened the answer, or let ten working days pass."""

    CONFIRMED = "confirmed"
    OPENED = "opened"
    LAPSED = "lapsed"


CORRECTED_WITHIN = timedelta(hours=1)
REMIND_AFTER_MINUTES = 8 * steps.MINUTES_PER_DAY
"""The office minutes after which a reporter who has not opened the answer is reminded, two days before it lapses."""


class AlreadyAnswered(AlreadyDone):
    """Step 6 has already been done."""


class AlreadyConfirmed(AlreadyDone):
    """The reporter has already confirmed receipt."""


class NotAnsweredYet(NotYourStep):
    """The complaint has not been answered yet, so that no receipt can be confirmed."""


def team_of(role: str, opd: str | None) -> str:
    """Return the name under which a team's address is stored: its role, with the OPD for an OPD's team."""
    return f"{role}:{opd}" if opd else str(role)


def team_at(step: int, opd: str | None) -> str:
    """Return the name of the team that does `step`; `opd` is ignored where the role is not divided by OPD."""
    role = steps.STEPS[step - 1].role
    return team_of(role, opd if role == Role.OPD_TEAM else None)


def letters_about(alarm: str, has_superior: bool) -> tuple[str, ...]:
    """Return the kinds of letters for an alarm's event: always to the team, and to its superior where it is overdue."""
    if alarm == "step.due_soon.v1":
        return ("due_soon",)
    return ("overdue", "overdue_superior") if has_superior else ("overdue",)


def still_true(kind: str, step: int | None, round_: int | None, journey: "Journey") -> bool:
    """Return whether a letter of `kind` is still true: the step may have been done after it was written."""
    stands_at = journey.stands_at.number if journey.stands_at else None
    if kind == "late":
        return stands_at is not None and stands_at < steps.RECEIVE.number
    if kind == "reminder":
        return stands_at == steps.RECEIVE.number
    return step is None or journey.awaits(step, round_ or 0)


def is_told_of_change(since: datetime, at: datetime) -> bool:
    """Return whether an address in use since `since` is sent a letter about its replacement at `at`.

    One that was corrected within CORRECTED_WITHIN was mistyped: it is a stranger's, who must not learn anything.
    """
    return at - since >= CORRECTED_WITHIN


@dataclass
class Answer(Claimable):
    """A case at the operator's second desk: the material to answer with, then the answer and its receipt.

    `material` is the approved response of the OPD; None on the information path. `note` is Tim Utama's, if any.
    `offered` are the files of the response, `files` those of them that were sent to the reporter.
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
    offered: tuple[File, ...] = ()
    files: tuple[File, ...] = ()

    def __post_init__(self) -> None:
        self.since = self.since or self.came_at

    @property
    def step(self) -> Step:
        return steps.ANSWER if self.state == State.AWAITING_ANSWER else steps.RECEIVE

    def must_stand_here(self) -> None:
        """Raise AlreadyAnswered where the answer has been sent."""
        if self.state != State.AWAITING_ANSWER:
            raise AlreadyAnswered({"stands": self.stands()})

    def send(self, text: str, now: datetime, calendar: Calendar, numbers: Iterable[str] = ()) -> None:
        """Send the answer `text` (step 6) with the offered files of these numbers.

        Raises AlreadyAnswered, or UnknownFile.
        """
        self.must_stand_here()
        self.files = tuple(find(self.offered, number) for number in dict.fromkeys(numbers))
        self.text, self.sent_at = text, now
        self.lapses_at = calendar.due(now, steps.RECEIPT_LAPSES_AFTER_MINUTES)
        self.remind_at = calendar.due(now, REMIND_AFTER_MINUTES)
        self.start_clock(steps.RECEIVE, now, calendar)
        # Step 7 is the reporter's, who has ten days: no alarm is raised when it takes longer than its five minutes.
        self.tell_at = None
        self.state, self.since = State.ANSWERED, now

    def confirm(self, now: datetime) -> bool:
        """Confirm receipt of the answer (step 7); return whether that closes the complaint.

        Where opening the answer has closed it before, only the time of confirmation is stored. Raises NotAnsweredYet
        or AlreadyConfirmed.
        """
        if self.state == State.AWAITING_ANSWER:
            raise NotAnsweredYet({"stands": self.stands()})
        if self.confirmed_at is not None:
            raise AlreadyConfirmed({"stands": self.stands()})
        self.confirmed_at = now
        return self._close(Closing.CONFIRMED, now)

    def open(self, now: datetime) -> bool:
        """Note that the reporter opened the answer while logged in (step 7); return whether it closes the complaint."""
        return self._close(Closing.OPENED, now)

    def lapse(self, now: datetime) -> bool:
        """Close the complaint where the answer was unopened for ten working days (step 7); return whether it was."""
        return self.lapses_at is not None and now >= self.lapses_at and self._close(Closing.LAPSED, now)

    def stands(self) -> Stands:
        """Return the answer's state, and since when it has been in it."""
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
"""The role for which Tim Utama writes the note of an event: that of the desk to which the complaint goes next."""


@dataclass(frozen=True, kw_only=True)
class Entry(Fact):
    """An event of a complaint's journey. `by` is the id of a staff account."""

    event_id: str
    ticket: str
    by: str | None = None
    opd: str | None = None
    note: str | None = None

    def note_for(self, role: str, group: str | None) -> str | None:
        """Return the note where a reader of this role and group may see it; else None.

        Tim Utama, which writes the notes, sees all, others those written for them: an OPD's team only its own OPD's.
        """
        meant = role == NOTES_FOR.get(self.type) and (role != Role.OPD_TEAM or self.opd == group)
        return self.note if meant or role == Role.MAIN_TEAM else None


@dataclass(frozen=True, kw_only=True)
class Act:
    """What happened in a complaint's journey besides its steps; `files` is how many came with it."""

    event_id: str
    ticket: str
    type: str
    at: datetime
    files: int = 0


@dataclass
class Journey:
    """The way of one complaint through the procedure, as far as its events have been consumed.

    `author` is the hash by which the reporter's own calls are recognised, and `sealed_reporter` the box for letters.
    `website` is the account of the website that sent the complaint in, if one did.
    Journeys of an earlier version have `reporter_id` instead.
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
    website: str | None = None

    def __post_init__(self) -> None:
        self.entries.sort(key=lambda entry: entry.place)

    @property
    def stands_at(self) -> Step | None:
        """The next step; None where the complaint is closed."""
        return self.entries[-1].turn.then if self.entries else steps.HAND_OVER

    def stood_at(self, at: datetime) -> Step:
        """Return the step that the complaint awaited at an instant; the last one where it was closed."""
        before = [entry for entry in self.entries if entry.at <= at]
        return (before[-1].turn.then or steps.RECEIVE) if before else steps.HAND_OVER

    @property
    def calendars(self) -> set[int]:
        """The calendar versions of the journey's clocks."""
        return {entry.calendar for entry in self.entries}

    def by_day(self, now: datetime) -> "Journey":
        """Return the journey for readers who see the reporter's acts only to the day.

        The receipt of the answer is left out until the next day. Threat: by looking often, a reader would otherwise
        learn its minute.
        """
        told = [entry for entry in self.entries if entry.turn.ends != steps.RECEIVE or day_of(entry.at) < day_of(now)]
        return replace(self, entries=told)

    def clocks(self, calendar_of: Callable[[int], Calendar]) -> list[Clock]:
        """Return the clocks of the journey, counted from its entries only."""
        return clocks(self.entries, calendar_of)

    def minutes_to(self, at: datetime, calendar_of: Callable[[int], Calendar]) -> int | None:
        """Return the office minutes from the submission to `at`, by the submission's calendar.

        Returns None where the submission has not been consumed yet.
        """
        submitted = self._submitted
        return None if submitted is None else calendar_of(submitted.calendar).minutes_between(submitted.at, at)

    def service_left(self, now: datetime, calendar_of: Callable[[int], Calendar], by_day: bool = False) -> int | None:
        """Return the office minutes left of the whole service's promised time, by the submission's calendar.

        With `by_day` they are counted in whole days. Returns None where the submission has not been consumed yet.
        """
        submitted = self._submitted
        if submitted is None or self.service_due_at is None:
            return None
        calendar = calendar_of(submitted.calendar)
        return (calendar.days_left if by_day else calendar.minutes_left)(now, self.service_due_at)

    @property
    def _submitted(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.turn.ends == steps.SUBMIT), None)

    def awaits(self, step: int, round_: int) -> bool:
        """Return whether the complaint still awaits `step`, for response number `round_` unless that is 0."""
        last = self.entries[-1] if self.entries else None
        if last is None or last.turn.then is None or last.turn.then.number != step:
            return False
        return round_ == 0 or round_of(last) == round_

    def shown_to(self, role: str, wrote_it: bool, group: str | None) -> bool:
        """Return whether a reader may follow the journey.

        Its reporter and operators may, Tim Utama once it was handed over, and the team of the OPD that has it.
        """
        reached = {entry.turn.ends.number for entry in self.entries}
        return {
            Role.REPORTER: wrote_it,
            Role.OPERATOR: True,
            Role.MAIN_TEAM: bool(reached - {steps.SUBMIT.number}),
            Role.OPD_TEAM: self.opd is not None and self.opd == group,
        }.get(Role(role), False)

    def stands(self) -> Stands:
        """Return the complaint's state in the procedure: the step that it awaits, or closed."""
        step = self.stands_at
        if step is None:
            return {"state": "closed", "step": None}
        return {"state": step.name, "step": step.number}
