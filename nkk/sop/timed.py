"""A step's clock, as the stage that owns the step keeps it: its start, due time, end and next alarm."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nkk.sop.clock import Calendar
from nkk.sop.steps import Step

NEAR = (4, 5)
"""The share of a step's standard time (four fifths) after which the alarm "due soon" is raised."""


class Alarm(StrEnum):
    """The alarms of a clock: nearly overdue, and overdue."""

    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


def started(step: Step, at: datetime, calendar: Calendar) -> dict[str, Any]:
    """Return the fields of a `Timed` whose clock for `step` starts at `at`."""
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
    """A case at a step, with the clock of its current or last step, counted by version `calendar`.

    `tell_at` is the time after which the next alarm is raised; None where there is none left.
    """

    ticket: str
    came_at: datetime
    due_at: datetime
    calendar: int = 0
    done_at: datetime | None = None
    tell_at: datetime | None = None

    @property
    def step(self) -> Step:
        """The step that the clock belongs to."""
        raise NotImplementedError

    @property
    def about_round(self) -> int:
        """The number of the OPD's response that the step is about; 0 where there is none."""
        return 0

    @property
    def about_forwarding(self) -> int:
        """The number of the classification that the step belongs to."""
        return 1

    @property
    def team_opd(self) -> str | None:
        """The OPD whose team must act; None where the role alone determines the team."""
        return None

    def start_clock(self, step: Step, at: datetime, calendar: Calendar) -> None:
        """Start or restart the clock for `step` at `at`."""
        for name, value in started(step, at, calendar).items():
            setattr(self, name, value)

    def stop_clock(self, at: datetime) -> None:
        """Stop the clock, because the step was done at `at`."""
        self.done_at, self.tell_at = at, None

    def alarm(self, now: datetime) -> Alarm | None:
        """Return the alarm to raise now, or None. Each is returned once, and "due soon" never after the due time."""
        if self.tell_at is None or now <= self.tell_at:
            return None
        if now > self.due_at:
            self.tell_at = None
            return Alarm.OVERDUE
        self.tell_at = self.due_at
        return Alarm.DUE_SOON
