"""The public figures: how many complaints came, were answered and closed, and how long answers took.

They cover the last twelve calendar months, including the current one, and the current month alone (WIB), up to the
beginning of today. Threat: somebody who watched live figures grow would learn the minute of a report.
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
"""The fewest complaints for which a share or a median is shown, since fewer could reveal a single one."""


@dataclass(frozen=True)
class Answers:
    """Answers that took the same number of office minutes from the submission; `minutes` is None where not known."""

    this_month: bool
    minutes: int | None
    count: int
    in_time: int


@dataclass
class Stretch:
    """The figures from `since` on. `times` holds the number of answers by the office minutes that they took."""

    since: datetime
    accepted: int
    closed: int
    answered: int = 0
    in_time: int = 0
    times: Counter[int] = field(default_factory=Counter)

    def count(self, answers: Iterable[Answers]) -> None:
        """Add `answers` to the figures. Those of unknown duration count as answered, but not in share and median."""
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
        """The median duration in office minutes; the mean of the two middle ones is rounded down."""
        ordered, low, high = sorted(self.times), (self.timed - 1) // 2, self.timed // 2
        return (_at(ordered, self.times, low) + _at(ordered, self.times, high)) // 2


def beginnings(now: datetime) -> tuple[datetime, datetime]:
    """Return the beginnings of the twelve months that include the current one, and of the current one."""
    month = now.astimezone(WIB).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    back = month.year * 12 + month.month - MONTHS
    return month.replace(year=back // 12, month=back % 12 + 1), month


def shown(year: Stretch, month: Stretch, today: datetime) -> dict[str, Any]:
    """Return the public figures, counted up to the beginning of `today`."""
    # The difference of year and month must not be over fewer complaints than may be shown.
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
    """Return the duration at index `place` of all durations in ascending order."""
    for minutes in ordered:
        place -= times[minutes]
        if place < 0:
            return minutes
    raise IndexError(place)
