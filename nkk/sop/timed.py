"""A step's clock, as the stage that owns the step keeps it: its start, due time, end and next alarm.

A clock rests while its desk waits for the reporter. The office time that was left when it began to rest is left when it
goes on: its due time moves by the office time of the rest, and a clock that was overdue stays so by as much. What the
reporter does becomes known by the day only, and so a rest ends at an instant that may lie ahead: until then the clock
still rests.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

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
        "rests_since": None,
        "rests_until": None,
        "due_before": None,
        "tell_before": None,
    }


def moved(due_at: datetime, since: datetime, until: datetime, calendar: Calendar) -> datetime:
    """Return the due time of a clock that rested from `since` to `until`: later by the office time between them."""
    rested = calendar.open_between(since, until)
    return calendar.after(due_at, rested) if rested else due_at


@dataclass(kw_only=True)
class Timed:
    """A case at a step, with the clock of its current or last step, counted by version `calendar`.

    `tell_at` is the time after which the next alarm is raised; None where there is none left, or while the clock rests.
    `rests_since` and `rests_until` are its last rest, with its due time and its next alarm before that rest. `DUES` are
    the names of its due times, each with the name of the same one before the rest.
    """

    DUES: ClassVar[tuple[tuple[str, str], ...]] = (("due_at", "due_before"),)

    ticket: str
    came_at: datetime
    due_at: datetime
    calendar: int = 0
    done_at: datetime | None = None
    tell_at: datetime | None = None
    rests_since: datetime | None = None
    rests_until: datetime | None = None
    due_before: datetime | None = None
    tell_before: datetime | None = None

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
        """Stop the clock, because the step was done at `at`: a rest that did not end before moves no due time."""
        if self.rests_since is not None and not (self.rests_until and self.rests_until < at):
            self._forget_rest()
        self.done_at, self.tell_at = at, None

    def rests(self, now: datetime) -> bool:
        """Return whether the clock runs in principle, but rests at `now`."""
        return (
            self.done_at is None
            and self.rests_since is not None
            and (self.rests_until is None or now < self.rests_until)
        )

    @property
    def waiting_since(self) -> datetime | None:
        """Since when its desk waits for the reporter; None where it does not."""
        return self.rests_since if self.done_at is None and self.rests_until is None else None

    def counted_to(self, now: datetime) -> datetime:
        """Return the instant that is compared to the due time at `now`, or was at the end: no time passes in a rest."""
        end = self.done_at or now
        if self.rests_since is None or (self.rests_until is not None and self.rests_until < end):
            return end
        # The due time has moved already where the end of the rest is known, and the step has not ended within it.
        return self.rests_until if self.done_at is None and self.rests_until else min(end, self.rests_since)

    def rest(self, at: datetime) -> None:
        """Let the clock rest from `at` on. A rest that has not ended by then goes on as the same rest."""
        if self.rests_until is not None and at < self.rests_until:
            self._forget_rest()
        else:
            # A clock that a reporter's act started begins the day after: no time passes before.
            self.rests_since, self.tell_before = max(at, self.came_at), self.tell_at
            for name, before in self.DUES:
                setattr(self, before, getattr(self, name))
        self.rests_until = self.tell_at = None

    def go_on(self, at: datetime, calendar: Calendar) -> None:
        """Let a clock that rests go on from `at`, counted by `calendar`, its own.

        Where it has stopped meanwhile, its due time moves only by a rest that had ended before.
        """
        since = self.rests_since
        if since is None or self.rests_until is not None:
            return
        self.rests_until = max(at, since)
        if self.done_at is None or self.rests_until < self.done_at:
            for name, before in self.DUES:
                due_at = getattr(self, before)
                setattr(self, name, due_at and moved(due_at, since, self.rests_until, calendar))
        if self.done_at is None and self.tell_before is not None:
            self.tell_at = max(self.rests_until, moved(self.tell_before, since, self.rests_until, calendar))

    def _forget_rest(self) -> None:
        for name, before in self.DUES:
            setattr(self, name, getattr(self, before))

    def alarm(self, now: datetime) -> Alarm | None:
        """Return the alarm to raise now, or None. Each is returned once, and "due soon" never after the due time."""
        if self.tell_at is None or now <= self.tell_at:
            return None
        if now > self.due_at:
            self.tell_at = None
            return Alarm.OVERDUE
        self.tell_at = self.due_at
        return Alarm.DUE_SOON
