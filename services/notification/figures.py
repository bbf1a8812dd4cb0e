"""The public figures: how many complaints came, were answered and closed, and how long answers took.

They cover the last twelve calendar months, including the current one, and the current month alone (WIB), up to the
beginning of today. Threat: somebody who watched live figures grow would learn the minute of a report.

No figure is of fewer than FEWEST complaints, and none can be worked out from the others:

- A month's number is exact once the month is over; the current month's is in full FEWEST, so that two days differ by
  none or by as many. So are the answers of which a share and a median are shown.
- Of a month's categories, those of a few are withheld, and with them the smallest of the others.
- The total of the months is that of the shown ones, and the withheld ones that are over in full FEWEST. What is not
  shown of the current month is no part of it: once the month is over, it could be taken from an earlier total.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nkk.sop import steps
from nkk.sop.clock import WIB, write_day, write_instant

MONTHS = 12

FEWEST = 5
"""The fewest complaints of which a number, a share or a median is shown, since fewer could reveal a single one."""

COUNTED = ("accepted", "answered", "closed")


@dataclass(frozen=True)
class Numbers:
    """How many complaints were accepted, answered and closed, by the month's place among the twelve."""

    accepted: Mapping[int, int]
    answered: Mapping[int, int]
    closed: Mapping[int, int]
    by_category: Mapping[int, Mapping[str, int]]
    """The accepted ones, by month and category."""


@dataclass(frozen=True)
class Answers:
    """Answers that took the same number of office minutes from the submission; `minutes` is None where not known."""

    this_month: bool
    minutes: int | None
    count: int
    in_time: int


@dataclass
class Stretch:
    """How fast answers were from `since` on. `times` holds their number by the office minutes that they took.

    `latest` are the last ones of known duration, the newest first: at least as many as there are beyond full FEWEST.
    """

    since: datetime
    in_time: int = 0
    times: Counter[int] = field(default_factory=Counter)
    latest: Sequence[Answers] = ()

    def count(self, answers: Iterable[Answers]) -> None:
        """Add `answers`, except those of unknown duration."""
        for some in answers:
            if some.minutes is not None:
                self.in_time += some.in_time
                self.times[some.minutes] += some.count

    def in_full(self) -> "Stretch":
        """Return the stretch without its latest answers beyond full FEWEST.

        Threat: the share and the median of two days, taken from each other, would tell of each answer in between.
        """
        left_out = self.latest[: self.timed % FEWEST]
        in_time = self.in_time - sum(answer.in_time for answer in left_out)
        return Stretch(self.since, in_time, self.times - Counter(answer.minutes or 0 for answer in left_out))

    @property
    def timed(self) -> int:
        return self.times.total()

    @property
    def median(self) -> int:
        """The median duration in office minutes; the mean of the two middle ones is rounded down."""
        ordered, low, high = sorted(self.times), (self.timed - 1) // 2, self.timed // 2
        return (_at(ordered, self.times, low) + _at(ordered, self.times, high)) // 2


def beginnings(now: datetime) -> list[datetime]:
    """Return the beginnings of the twelve months of which the current one is the last."""
    month = now.astimezone(WIB).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = month.year * 12 + month.month - 1
    return [month.replace(year=each // 12, month=each % 12 + 1) for each in range(last - MONTHS + 1, last + 1)]


def shown(year: Stretch, month: Stretch, numbers: Numbers, today: datetime) -> dict[str, Any]:
    """Return the public figures, counted up to the beginning of `today`."""
    # The difference of year and month must not be over fewer complaints than may be shown.
    rest = year.timed - month.timed
    year, month = year.in_full(), month.in_full()
    told = {what: _months(getattr(numbers, what)) for what in COUNTED}
    return {
        "as_of": write_day(today),
        "promised_minutes": steps.SERVICE_MINUTES,
        "last_12_months": _shown(year, {what: _total(told[what], getattr(numbers, what)) for what in COUNTED}, True),
        "this_month": _shown(month, {what: told[what][-1] for what in COUNTED}, rest == 0 or rest >= FEWEST),
        "months": [
            {
                "month": f"{begins:%Y-%m}",
                **{what: told[what][place] for what in COUNTED},
                "categories": _categories(numbers, place),
            }
            for place, begins in enumerate(beginnings(today))
        ],
    }


def unrevealing(numbers: Mapping[str, int]) -> dict[str, int]:
    """Return those of `numbers` that may be shown beside their total: all of FEWEST or more but the smallest.

    Equal ones are withheld together. So there is always one of FEWEST or more among the withheld ones, and nothing
    tells which it is.
    """
    smallest = min((number for number in numbers.values() if number >= FEWEST), default=0)
    return {name: number for name, number in numbers.items() if number > smallest >= FEWEST}


def _months(by_month: Mapping[int, int]) -> list[int | None]:
    """Return what is shown of each month: its number, in full FEWEST while it lasts, or None for a few."""
    known = [by_month.get(place, 0) for place in range(MONTHS)]
    known[-1] -= known[-1] % FEWEST
    return [number if number >= FEWEST else None for number in known]


def _total(told: Sequence[int | None], by_month: Mapping[int, int]) -> int | None:
    known = sum(number or 0 for number in told)
    rest = sum(by_month.get(place, 0) for place, number in enumerate(told[:-1]) if number is None)
    # One less: a rest that is as large as it can be would show that every withheld number is.
    return known + max(0, rest - 1) // FEWEST * FEWEST or None


def _categories(numbers: Numbers, place: int) -> dict[str, int]:
    """Return what is shown of a month's categories; nothing while it lasts."""
    if place == MONTHS - 1:
        return {}
    return unrevealing(numbers.by_category.get(place, {}))


def _shown(stretch: Stretch, counts: Mapping[str, int | None], told: bool) -> dict[str, Any]:
    told = told and stretch.timed >= FEWEST
    return {
        "since": write_instant(stretch.since),
        **counts,
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
