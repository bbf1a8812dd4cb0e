"""Figures that anybody may see: what came, was answered and closed, and in what time. No text, no name, no ticket.

Counted over the last twelve calendar months, the running one included, and over the running month alone (WIB), up to
the beginning of today: a number that grew while somebody watched would tell the minute of a report.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nkk.sop import steps
from nkk.sop.clock import WIB, write_day, write_instant

MONTHS = 12

FEWEST = 5
"""A share or a median over fewer complaints would tell of a single one."""


@dataclass(frozen=True)
class Answers:
    """Answers that took equally long: `minutes` office minutes from the submission, None where that is not known."""

    this_month: bool
    minutes: int | None
    count: int
    in_time: int


@dataclass
class Stretch:
    """What happened since a moment. `times`: how many answers took how many office minutes."""

    since: datetime
    accepted: int
    closed: int
    answered: int = 0
    in_time: int = 0
    times: Counter[int] = field(default_factory=Counter)

    def count(self, answers: Iterable[Answers]) -> None:
        """Count `answers` in. Those whose time is not known are answers all the same, and part of no share."""
        for some in answers:
            self.answered += some.count
            if some.minutes is not None:
                self.in_time += some.in_time
                self.times[some.minutes] += some.count

    @property
    def timed(self) -> int:
        return self.times.total()

    @property
    def median(self) -> int:
        """The middle time; of two middles their mean, rounded down."""
        ordered, low, high = sorted(self.times), (self.timed - 1) // 2, self.timed // 2
        return (_at(ordered, self.times, low) + _at(ordered, self.times, high)) // 2


def beginnings(now: datetime) -> tuple[datetime, datetime]:
    """When the twelve months that end with `now` began, and when the running one did."""
    month = now.astimezone(WIB).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    back = month.year * 12 + month.month - MONTHS
    return month.replace(year=back // 12, month=back % 12 + 1), month


def shown(year: Stretch, month: Stretch, today: datetime) -> dict[str, Any]:
    """The figures as anybody may see them, counted up to the beginning of `today`."""
    # Whoever takes the month from the year must not be left with fewer than may be told of either.
    rest = year.timed - month.timed
    return {
        "as_of": write_day(today),
        "promised_minutes": steps.SERVICE_MINUTES,
        "last_12_months": _shown(year, told=True),
        "this_month": _shown(month, told=rest == 0 or rest >= FEWEST),
    }


def _shown(stretch: Stretch, told: bool) -> dict[str, Any]:
    told = told and stretch.timed >= FEWEST
    return {
        "since": write_instant(stretch.since),
        "accepted": stretch.accepted,
        "answered": stretch.answered,
        "closed": stretch.closed,
        "in_time_share": round(stretch.in_time / stretch.timed, 2) if told else None,
        "median_minutes": stretch.median if told else None,
    }


def _at(ordered: list[int], times: Counter[int], place: int) -> int:
    """The time at `place` of all times in their order."""
    for minutes in ordered:
        place -= times[minutes]
        if place < 0:
            return minutes
    raise IndexError(place)
