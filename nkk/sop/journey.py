"""What each event means to the procedure, and the clocks that follow from the events alone.

The clocks a stage keeps and those counted here from the record must be the same: that is what can be proved.
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
    """What an event means to a journey: the step it ends and the step the complaint stands at then."""

    ends: Step
    then: Step | None
    instead: str | None = None

    @property
    def activity(self) -> str:
        """What was done, in the procedure's words; in our own `instead` where the step ended otherwise."""
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
class Fact:
    """One event of a journey. `round` counts the OPD's responses; `calendar` is the version its next clock runs by."""

    type: str
    at: datetime
    round: int = 0
    calendar: int = 0

    @property
    def turn(self) -> Turn:
        return TURNS[self.type]

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it belongs in the journey, by the procedure's own order: events may arrive, and clocks run, askew."""
        number = self.turn.ends.number
        part = 0 if number <= steps.CLASSIFY.number else 1 if number <= steps.APPROVE.number else 2
        return part, self.round, number


@dataclass(frozen=True)
class Clock:
    """One run of a step's clock. `done_at` is None while it runs; `round` tells the OPD's responses apart."""

    step: Step
    round: int
    calendar: Calendar
    came_at: datetime
    due_at: datetime
    done_at: datetime | None

    def used(self, now: datetime) -> int:
        """Whole office minutes it took, or has taken by `now`."""
        return self.calendar.minutes_between(self.came_at, self.done_at or now)

    def late(self, now: datetime) -> bool | None:
        """Whether it was done, or still is not, past its due time; None for a reporter's, who owes no haste."""
        return None if self.step.role == Role.REPORTER else (self.done_at or now) > self.due_at


def clocks(facts: Iterable[Fact], calendar_of: Callable[[int], Calendar]) -> list[Clock]:
    """Every clock that `facts` started, in the procedure's order. Step 1 has none: nobody sees a reporter begin."""
    ordered = sorted(facts, key=lambda fact: fact.place)
    found = []
    for fact, following in zip_longest(ordered, ordered[1:]):
        step = fact.turn.then
        if step is None:
            continue
        calendar = calendar_of(fact.calendar)
        # The event that ends the step may not have been heard yet, though a later one has.
        done_at = following.at if following and _ends(following, step, round_of(fact)) else None
        found.append(Clock(step, round_of(fact), calendar, fact.at, calendar.due(fact.at, step.minutes), done_at))
    return found


def _ends(fact: Fact, step: Step, round_: int) -> bool:
    return fact.turn.ends == step and round_ in (0, fact.round)


def service_due(submitted_at: datetime, calendar: Calendar) -> datetime:
    """The end of the two working days promised for the whole service (SOP, part E)."""
    return calendar.due(submitted_at, steps.SERVICE_MINUTES)


def round_of(fact: Fact) -> int:
    """Which of the OPD's responses the step after `fact` is about; 0 where it is about none."""
    step = fact.turn.then
    return fact.round + 1 if step == steps.RESPOND else fact.round if step == steps.APPROVE else 0
