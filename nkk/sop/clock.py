"""Working time: the SOP's minutes are minutes of office hours, in Asia/Jakarta (WIB).

Office hours follow Perpres 21/2023: Monday to Thursday 07:30-16:00 with a break 12:00-13:00, Friday 07:30-16:30 with a
break 11:30-13:00; 37.5 hours a week. Days that differ are data: a `Calendar` has a version, and a clock always counts
by the version that was in force when it started.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate
from zoneinfo import ZoneInfo

WIB = ZoneInfo("Asia/Jakarta")

Span = tuple[time, time]
Week = tuple[tuple[Span, ...], ...]
"""The open spans of Monday to Sunday."""

_MONDAY_TO_THURSDAY: tuple[Span, ...] = ((time(7, 30), time(12, 0)), (time(13, 0), time(16, 0)))
_FRIDAY: tuple[Span, ...] = ((time(7, 30), time(11, 30)), (time(13, 0), time(16, 30)))
OFFICE_WEEK: Week = (*[_MONDAY_TO_THURSDAY] * 4, _FRIDAY, (), ())

SOON_DAYS = 7

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999999, UTC)
"""The range of valid instants of the procedure. Outside of it, date arithmetic could overflow."""


def is_reasonable(instant: datetime) -> bool:
    """Return whether `instant`, an aware datetime, lies between EARLIEST and LATEST."""
    return EARLIEST <= instant <= LATEST


def read_instant(text: object) -> datetime:
    """Parse an aware instant (RFC 3339). Raises ValueError where `text` is not one between EARLIEST and LATEST."""
    instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    if instant is None or instant.tzinfo is None or not is_reasonable(instant):
        raise ValueError("not an aware instant between 2000 and 2199")
    return instant


def write_instant(value: datetime) -> str:
    """Return `value` in UTC as RFC 3339, such as `2026-03-02T01:30:00.000000Z`."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def day_of(value: datetime) -> datetime:
    """Return the start of the day of `value`, in WIB."""
    return value.astimezone(WIB).replace(hour=0, minute=0, second=0, microsecond=0)


def day_after(value: datetime) -> datetime:
    """Return the start of the day after that of `value`, in WIB."""
    return day_of(value) + timedelta(days=1)


def end_of_day(value: datetime) -> datetime:
    """Return the last second of the day of `value`, in WIB: the form of a due time that is told to the day only."""
    return day_after(value) - timedelta(seconds=1)


def write_day(value: datetime) -> str:
    """Return the start of the day of `value` in WIB, such as `2026-03-02T00:00:00+07:00`.

    It parses as an instant, but differs from the form in which `write_instant` writes exact ones.
    """
    return day_of(value).isoformat()


def is_day(text: str) -> bool:
    """Return whether `text` has the form that `write_day` writes."""
    return text.endswith("T00:00:00+07:00")


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Return the first instants, in WIB, of a month such as `2026-03` and of the next. Raises ValueError."""
    if len(month) != len("2026-03"):
        raise ValueError(month)
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=WIB)
    if not 2000 <= first.year <= 2100:
        raise ValueError(month)
    return first, (first + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True)
class Day:
    """A date with hours of its own: a holiday, joint leave or closure (no `spans`), or an emergency working day."""

    name: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Season:
    """A range of dates, `first` to `last` inclusive, with a week of its own, such as Ramadan."""

    name: str
    first: date
    last: date
    week: Week


@dataclass(frozen=True)
class Stretch:
    """The office time of one date within a clock's run; `note` names the holiday or season, if any."""

    day: date
    spans: tuple[tuple[datetime, datetime], ...]
    note: str | None

    @property
    def open_for(self) -> timedelta:
        return sum((closes - opens for opens, closes in self.spans), timedelta())


@dataclass(frozen=True)
class Calendar:
    """A version of the office hours. A date's own hours override its season's, which override the ordinary week's.

    Counting costs the same for any range: the office time since date number 1 is that of whole ordinary weeks, plus the
    prefix sum of the differences of special dates.
    """

    version: int = 0
    week: Week = OFFICE_WEEK
    seasons: tuple[Season, ...] = ()
    days: Mapping[date, Day] = field(default_factory=dict)

    def due(self, start: datetime, minutes: int) -> datetime:
        """Return the instant (UTC) at which `minutes` office minutes have passed since `start`, an aware datetime.

        Zero minutes, or a start outside office hours, count from the next opening. Raises ValueError where the calendar
        has no office hours left.
        """
        return self.after(start, timedelta(minutes=minutes))

    def after(self, start: datetime, open_for: timedelta) -> datetime:
        """Return the instant at which the offices have been open for `open_for` since `start`, as `due` does."""
        local, left = start.astimezone(WIB), open_for
        for opens, closes in self._spans_soon(local):
            if closes - opens >= left:
                return (opens + left).astimezone(UTC)
            left -= closes - opens
        # Zero minutes are due at the next opening: find the end of the smallest duration and subtract it again.
        least = timedelta() if open_for else timedelta.resolution
        wanted = self._open_until(local) + open_for + least
        day = self._day_that_reaches(wanted, local.date())
        left = wanted - self._open_before(day.toordinal())
        for opens, closes in self._spans_on(day):
            if closes - opens >= left:
                return (opens + left - least).astimezone(UTC)
            left -= closes - opens
        raise AssertionError(day)

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole office minutes between two aware datetimes; 0 where `end` is not after `start`."""
        return self.open_between(start, end) // timedelta(minutes=1)

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """Return the office time between two aware datetimes; none where `end` is not after `start`."""
        start, end = start.astimezone(WIB), end.astimezone(WIB)
        return max(timedelta(), self._open_until(end) - self._open_until(start))

    def minutes_left(self, now: datetime, due: datetime) -> int:
        """Return the whole office minutes from `now` to `due`; negative once `due` has passed."""
        return -self.minutes_between(due, now) if now > due else self.minutes_between(now, due)

    def days_left(self, now: datetime, due: datetime) -> int:
        """Return the office minutes from the start of the day of `now` to that of the day of `due`; may be negative."""
        return self.minutes_left(day_of(now), day_of(due))

    def is_open(self, instant: datetime) -> bool:
        """Return whether the offices are open at `instant`."""
        local = instant.astimezone(WIB)
        return any(opens <= local.time() < closes for opens, closes in self.hours(local.date()))

    def hours(self, day: date) -> tuple[Span, ...]:
        """Return the open spans of a date."""
        if day in self.days:
            return self.days[day].spans
        season = self._season(day)
        return (season.week if season else self.week)[day.weekday()]

    def stretches(self, start: datetime, end: datetime) -> Iterator[Stretch]:
        """Yield each date from `start` to `end` with its office time between the two."""
        day = start.astimezone(WIB).date()
        while day <= end.astimezone(WIB).date():
            cut = (
                (max(opens, start.astimezone(WIB)), min(closes, end.astimezone(WIB)))
                for opens, closes in self._spans_on(day)
            )
            spans = tuple((opens, closes) for opens, closes in cut if opens < closes)
            season = self._season(day)
            own = self.days.get(day)
            yield Stretch(day, spans, own.name if own else season.name if season else None)
            day += timedelta(days=1)

    def _season(self, day: date) -> Season | None:
        return next((season for season in self.seasons if season.first <= day <= season.last), None)

    def _spans_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for opens, closes in self.hours(day):
            yield datetime.combine(day, opens, WIB), datetime.combine(day, closes, WIB)

    def _spans_soon(self, local: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the open spans of the next SOON_DAYS days from `local` on, an instant in WIB.

        Nearly every step is due in one of them, and walking them costs less than the general count.
        """
        first = local.toordinal()
        for day in range(first, min(first + SOON_DAYS, date.max.toordinal())):
            for opens, closes in self._spans_on(date.fromordinal(day)):
                if closes > local:
                    yield max(opens, local), closes

    def _day_that_reaches(self, wanted: timedelta, first: date) -> date:
        """Return the first date from `first` on by whose end the offices have been open for `wanted`."""
        days = range(first.toordinal(), date.max.toordinal())
        index = bisect_left(days, wanted, key=lambda day: self._open_before(day + 1))
        if index < len(days):
            return date.fromordinal(days[index])
        raise ValueError("the calendar has no office hours left: check its week and days")

    def _open_until(self, local: datetime) -> timedelta:
        """Return the office time from date number 1 to `local`, an instant in WIB."""
        return self._open_before(local.toordinal()) + sum(
            (min(closes, local) - opens for opens, closes in self._spans_on(local.date()) if opens < local), timedelta()
        )

    def _open_before(self, day: int) -> timedelta:
        """Return the office time from date number 1, a Monday, to the start of date number `day`."""
        weeks, weekday = divmod(day - 1, 7)
        *before, whole = self._week_before
        dates, more_before = self._unlike
        return weeks * whole + before[weekday] + more_before[bisect_left(dates, day)]

    @cached_property
    def _week_before(self) -> list[timedelta]:
        """The office time of an ordinary week before each of its days, and of the whole week."""
        return list(accumulate(map(_open_for, self.week), initial=timedelta()))

    @cached_property
    def _unlike(self) -> tuple[list[int], list[timedelta]]:
        """The special dates' numbers in order, and the prefix sums of their differences from the ordinary week.

        A special date has hours of its own or lies in a season. The last sum is that of all.
        """
        in_season = {
            season.first + timedelta(days=number)
            for season in self.seasons
            for number in range((season.last - season.first).days + 1)
        }
        dates = sorted(in_season.union(self.days))
        more = (_open_for(self.hours(day)) - _open_for(self.week[day.weekday()]) for day in dates)
        return [day.toordinal() for day in dates], list(accumulate(more, initial=timedelta()))


def _open_for(spans: tuple[Span, ...]) -> timedelta:
    """Return the total length of `spans`."""
    any_day = date.min
    return sum(
        (datetime.combine(any_day, closes) - datetime.combine(any_day, opens) for opens, closes in spans), timedelta()
    )


OFFICE_HOURS = Calendar()
"""Version 0: the week of Perpres 21/2023 without holidays, for clocks whose event names no calendar."""
