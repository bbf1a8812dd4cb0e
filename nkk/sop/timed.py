"""A step's clock, as the stage that owns the step keeps it: when it came, is due, was done, and what is to be told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nkk.sop.clock import Calendar
from nkk.sop.steps import Step

NEAR = (4, 5)
"""A step is near its end when this share of its standard time has passed."""


class Alarm(StrEnum):
    """What is told of a clock that runs out."""

    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


def started(step: Step, at: datetime, calendar: Calendar) -> dict[str, Any]:
    """The fields of a `Timed` whose clock for `step` starts `at`."""
    part, whole = NEAR
    return {
        "came_at": at,
        "due_at": calendar.due(at, step.minutes),
        "calendar": calendar.version,
        "done_at": None,
        "tell_at": calendar.due(at, step.minutes * part // whole),
    }


@dataclass(kw_only=True)
class Timed:
    """What stands at a step. The clock of the step it stands at, or stood at last, counted by version `calendar`.

    `tell_at` is after when the next alarm is to be told; None where there is none left.
    """

    ticket: str
    came_at: datetime
    due_at: datetime
    calendar: int = 0
    done_at: datetime | None = None
    tell_at: datetime | None = None

    @property
    def step(self) -> Step:
        """The step whose clock it is."""
        raise NotImplementedError

    @property
    def about_round(self) -> int:
        """Which of the OPD's responses the step is about; 0 where there is none."""
        return 0

    @property
    def team_opd(self) -> str | None:
        """The OPD whose team is to act; None where the role alone names the team."""
        return None

    def start_clock(self, step: Step, at: datetime, calendar: Calendar) -> None:
        """The clock of `step` starts, or starts again."""
        for name, value in started(step, at, calendar).items():
            setattr(self, name, value)

    def stop_clock(self, at: datetime) -> None:
        """The step was done."""
        self.done_at, self.tell_at = at, None

    def alarm(self, now: datetime) -> Alarm | None:
        """What is to be told now; each alarm is given once, and nearness no more once it is past."""
        if self.tell_at is None or now <= self.tell_at:
            return None
        if now > self.due_at:
            self.tell_at = None
            return Alarm.OVERDUE
        self.tell_at = self.due_at
        return Alarm.DUE_SOON
