"""Working time: the SOP's minutes are minutes of office hours, in Asia/Jakarta (WIB).

Office hours follow Perpres 21/2023: Monday to Thursday 07:30-16:00 with a break 12:00-13:00, Friday 07:30-16:30 with a
break 11:30-13:00; 37.5 hours a week. Days named as holidays are no office time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WIB = ZoneInfo("Asia/Jakarta")

Span = tuple[time, time]

_MONDAY_TO_THURSDAY: tuple[Span, ...] = ((time(7, 30), time(12, 0)), (time(13, 0), time(16, 0)))
_FRIDAY: tuple[Span, ...] = ((time(7, 30), time(11, 30)), (time(13, 0), time(16, 30)))

_HORIZON_DAYS = 3660


def write_instant(value: datetime) -> str:
    """`value` in UTC as RFC 3339, such as `2026-03-02T01:30:00.000000Z`."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class WorkingTime:
    """When the offices are open: `week` holds the open spans of Monday to Sunday, `holidays` the closed dates."""

    week: tuple[tuple[Span, ...], ...] = (*[_MONDAY_TO_THURSDAY] * 4, _FRIDAY, (), ())
    holidays: frozenset[date] = field(default_factory=frozenset)

    def due(self, start: datetime, minutes: int) -> datetime:
        """The instant (UTC) at which `minutes` office minutes have passed since `start`, an aware datetime.

        Zero minutes, or a start outside office hours, count from the next opening. Raises ValueError where the
        calendar opens no office within ten years.
        """
        left = timedelta(minutes=minutes)
        for opens, closes in self._spans_from(start):
            if closes - opens >= left:
                return (opens + left).astimezone(UTC)
            left -= closes - opens
        raise ValueError("the calendar has no office hours left: check its week and holidays")

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Whole office minutes between two aware datetimes; 0 where `end` is not after `start`."""
        total = timedelta()
        for opens, closes in self._spans_from(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return int(total.total_seconds() // 60)

    def _spans_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open spans from `start` on, the first cut to begin no earlier than `start`."""
        local = start.astimezone(WIB)
        for offset in range(_HORIZON_DAYS):
            day = local.date() + timedelta(days=offset)
            if day in self.holidays:
                continue
            for opens, closes in self.week[day.weekday()]:
                begin = max(datetime.combine(day, opens, WIB), local)
                end = datetime.combine(day, closes, WIB)
                if begin < end:
                    yield begin, end


OFFICE_HOURS = WorkingTime()
"""The default calendar: Perpres 21/2023, no holidays."""
