"""The step that each event ends and begins, and the clocks computed from a journey's events alone.

They must equal the clocks that the stages keep, which makes the stages' clocks verifiable.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from nkk.sop import steps
from nkk.sop.clock import Calendar
from nkk.sop.steps import Role, Step


@dataclass(frozen=True)
class Turn:
    """The step that an event ends, and the step that it begins (`then`) or None."""

    ends: Step
    then: Step | None
    instead: str | None = None

    @property
    def activity(self) -> str:
        """The activity in the SOP's words; `instead` is ours, for an end of a step that the SOP has no words for."""
        return self.instead or self.ends.activity


TURNS = {
    "complaint.submitted.v1": Turn(steps.SUBMIT, steps.HAND_OVER),
    "complaint.submitted.v2": Turn(steps.SUBMIT, steps.HAND_OVER),
    "complaint.handed_over.v1": Turn(steps.HAND_OVER, steps.CLASSIFY),
    "complaint.classified_as_information.v1": Turn(steps.CLASSIFY, steps.ANSWER),
    "complaint.forwarded.v1": Turn(steps.CLASSIFY, steps.RESPOND),
    "response.submitted.v1": Turn(steps.RESPOND, steps.APPROVE),
    "response.returned.v1": Turn(
        steps.APPROVE, steps.RESPOND, "Menerima tanggapan atas pengaduan dan mengembalikannya kepada Tim NKK Pembantu"
    ),
    "response.approved.v1": Turn(steps.APPROVE, steps.ANSWER),
    "answer.sent.v1": Turn(steps.ANSWER, steps.RECEIVE),
    "complaint.closed.v1": Turn(steps.RECEIVE, None),
}


@dataclass(frozen=True)
class Beside:
    """An act that ends no step and starts no clock: who does it, and its words, which are ours, not the SOP's."""

    role: Role
    activity: str


ACTS = {"report.added_to.v1": Beside(Role.REPORTER, "Menambahkan berkas pada laporan")}
"""The events of a journey besides those of TURNS."""


@dataclass(frozen=True)
class Fact:
    """One event of a journey. `round` counts the OPD's responses; `calendar` is the version for the next clock."""

    type: str
    at: datetime
    round: int = 0
    calendar: int = 0

    @property
    def turn(self) -> Turn:
        return TURNS[self.type]

    @property
    def place(self) -> tuple[int, int, int]:
        """The sort key in the procedure's order; events may arrive out of order, and machines' clocks may differ."""
        number = self.turn.ends.number
        part = 0 if number <= steps.CLASSIFY.number else 1 if number <= steps.APPROVE.number else 2
        return part, self.round, number


@dataclass(frozen=True)
class Clock:
    """One run of a step's clock. `done_at` is None while it runs; `round` counts the OPD's responses."""

    step: Step
    round: int
    calendar: Calendar
    came_at: datetime
    due_at: datetime
    done_at: datetime | None

    def used(self, now: datetime) -> int:
        """Return the whole office minutes that the step took, or has taken by `now`."""
        return self.calendar.minutes_between(self.came_at, self.done_at or now)

    def late(self, now: datetime) -> bool | None:
        """Return whether the step is or was overdue; None for a reporter's step, which has no duty to be on time."""
        return None if self.step.role == Role.REPORTER else (self.done_at or now) > self.due_at


def clocks(facts: Iterable[Fact], calendar_of: Callable[[int], Calendar]) -> list[Clock]:
    """Return every clock that `facts` started, in the procedure's order. Step 1 has none: its start is not known."""
    ordered = sorted(facts, key=lambda fact: fact.place)
    found = []
    for fact, following in zip_longest(ordered, ordered[1:]):
        step = fact.turn.then
        if step is None:
            continue
        calendar = calendar_of(fact.calendar)
        # A later event may have been consumed before the one that ends the step.
        done_at = following.at if following and _ends(following, step, round_of(fact)) else None
        found.append(Clock(step, round_of(fact), calendar, fact.at, calendar.due(fact.at, step.minutes), done_at))
    return found


def _ends(fact: Fact, step: Step, round_: int) -> bool:
    return fact.turn.ends == step and round_ in (0, fact.round)


def service_due(submitted_at: datetime, calendar: Calendar) -> datetime:
    """Return the end of the two working days promised for the whole service (SOP, part E)."""
    return calendar.due(submitted_at, steps.SERVICE_MINUTES)


def round_of(fact: Fact) -> int:
    """Return the number of the OPD's response that the step after `fact` is about; 0 where there is none."""
    step = fact.turn.then
    return fact.round + 1 if step == steps.RESPOND else fact.round if step == steps.APPROVE else 0
