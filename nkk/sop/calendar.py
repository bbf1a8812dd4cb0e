"""The JSON form of a calendar: in the admin's file, in the database and in events.

    {"week": [[["07:30", "12:00"], ["13:00", "16:00"]], … seven days, Monday first],
     "seasons": [{"name": "Ramadan", "first": "2027-02-08", "last": "2027-03-09", "week": [… seven days]}],
     "days": {"2026-03-19": {"name": "Hari Suci Nyepi", "spans": []}},
     "national_years": [2026, 2027], "joint_leave_years": [2026]}

`national_years` are the years whose national holidays are among the days. `joint_leave_years` are those whose joint
leave is included, or complete according to an admin; older calendars lack this key.
"""

import itertools
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any, TypeVar

from nkk.sop import faults
from nkk.sop.clock import OFFICE_WEEK, Calendar, Day, Season, Span, Week
from nkk.sop.faults import Fault
from nkk.sop.refusals import InvalidInput
from nkk.sop.report import NAME_LENGTH
from nkk.sop.text import is_empty, is_text, one_line

MOST_DAYS = 1_000
MOST_SEASONS = 20
LONGEST_SEASON = timedelta(days=92)
FEWEST_MINUTES = 600
"""The fewest office minutes of an ordinary week; with fewer, clocks would run for years."""

YEARS = range(2000, 2101)

T = TypeVar("T")

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Amiss(Exception):
    """A part of the calendar is invalid; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault["code"])
        self.fault = fault


def read_calendar(content: Any, version: int = 0) -> Calendar:
    """Parse the calendar in `content`. Raises InvalidInput, naming every invalid part."""
    if not isinstance(content, dict):
        raise InvalidInput.of(calendar=faults.NO_CALENDAR())
    wrong: dict[str, Fault] = {}

    def part(name: str, read: Callable[[Any], T], default: Any) -> T:
        try:
            return read(content.get(name, default))
        except _Amiss as error:
            wrong[name] = error.fault
            return read(default)

    written = write_week(OFFICE_WEEK)
    week = part("week", _read_base_week, written)
    seasons = part("seasons", _read_seasons, [])
    days = part("days", _read_days, {})
    part("national_years", _read_years, [])
    if wrong:
        raise InvalidInput.of(**wrong)
    return Calendar(version, week, seasons, days)


def read_day(text: Any) -> date:
    """Parse an ISO date. Raises InvalidInput where `text` is not one in YEARS."""
    try:
        return _read_date(text)
    except _Amiss as error:
        raise InvalidInput.of(day=error.fault) from None


def check_own_day(day: Any, own: Any) -> None:
    """Raise InvalidInput, naming every invalid part, where `own` is not a valid calendar entry for the date `day`."""
    content = own if isinstance(own, dict) else {}
    parts: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "day": (_read_date, day),
        "name": (_read_name, content.get("name")),
        "spans": (_read_spans, content.get("spans", [])),
    }
    wrong: dict[str, Fault] = {}
    for name, (read, written) in parts.items():
        try:
            read(written)
        except _Amiss as error:
            wrong[name] = error.fault
    if wrong:
        raise InvalidInput.of(**wrong)


def read_years(content: Any, part: str) -> list[int]:
    """Parse a list of years; `part` is its key in the calendar. Raises InvalidInput."""
    try:
        return _read_years(content)
    except _Amiss as error:
        raise InvalidInput.of(**{part: error.fault}) from None


def write_calendar(calendar: Calendar) -> dict[str, Any]:
    """Return `calendar` in its JSON form, without its version and lists of years."""
    return {
        "week": write_week(calendar.week),
        "seasons": [
            {
                "name": season.name,
                "first": season.first.isoformat(),
                "last": season.last.isoformat(),
                "week": write_week(season.week),
            }
            for season in calendar.seasons
        ],
        "days": {
            day.isoformat(): {"name": own.name, "spans": _write_spans(own.spans)}
            for day, own in sorted(calendar.days.items())
        },
    }


def write_week(week: Week) -> list[list[list[str]]]:
    """Return the open spans of Monday to Sunday, with times as `HH:MM`."""
    return [_write_spans(spans) for spans in week]


def _write_spans(spans: tuple[Span, ...]) -> list[list[str]]:
    return [[opens.strftime("%H:%M"), closes.strftime("%H:%M")] for opens, closes in spans]


def _read_base_week(content: Any) -> Week:
    week = _read_week(content)
    minutes = sum(_minutes(span) for spans in week for span in spans)
    if minutes < FEWEST_MINUTES:
        raise _Amiss(faults.FEW_HOURS(hours=f"{minutes / 60:.1f}".removesuffix(".0"), least=FEWEST_MINUTES // 60))
    return week


def _read_week(content: Any) -> Week:
    if not isinstance(content, list) or len(content) != 7:
        raise _Amiss(faults.NO_WEEK())
    return tuple(_read_spans(spans) for spans in content)


def _read_spans(content: Any) -> tuple[Span, ...]:
    if not isinstance(content, list) or len(content) > 10:
        raise _Amiss(faults.NO_SPANS())
    spans = tuple(_read_span(span) for span in content)
    if any(earlier[1] > later[0] for earlier, later in itertools.pairwise(spans)):
        raise _Amiss(faults.SPANS_OVERLAP())
    return spans


def _read_span(content: Any) -> Span:
    if not isinstance(content, list) or len(content) != 2:
        raise _Amiss(faults.NO_SPAN())
    opens, closes = (_read_time(text) for text in content)
    if opens >= closes:
        raise _Amiss(faults.SPAN_BACKWARDS())
    return opens, closes


def _read_time(text: Any) -> time:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise _Amiss(faults.NO_TIME())
    return time.fromisoformat(text)


def _read_seasons(content: Any) -> tuple[Season, ...]:
    if not isinstance(content, list) or len(content) > MOST_SEASONS:
        raise _Amiss(faults.MANY_SEASONS(most=MOST_SEASONS))
    seasons = tuple(_read_season(season) for season in content)
    ordered = sorted(seasons, key=lambda season: season.first)
    if any(earlier.last >= later.first for earlier, later in itertools.pairwise(ordered)):
        raise _Amiss(faults.SEASONS_OVERLAP())
    return seasons


def _read_season(content: Any) -> Season:
    if not isinstance(content, dict):
        raise _Amiss(faults.NO_SEASON())
    season = Season(
        _read_name(content.get("name")),
        _read_date(content.get("first")),
        _read_date(content.get("last")),
        _read_week(content.get("week")),
    )
    if not timedelta() <= season.last - season.first < LONGEST_SEASON:
        raise _Amiss(faults.SEASON_LENGTH(most=LONGEST_SEASON.days))
    return season


def _read_days(content: Any) -> dict[date, Day]:
    if not isinstance(content, dict) or len(content) > MOST_DAYS:
        raise _Amiss(faults.MANY_DAYS(most=MOST_DAYS))
    return {_read_date(day): _read_day(own) for day, own in content.items()}


def _read_day(content: Any) -> Day:
    if not isinstance(content, dict):
        raise _Amiss(faults.NO_DAY())
    return Day(_read_name(content.get("name")), _read_spans(content.get("spans", [])))


def _read_date(text: Any) -> date:
    try:
        day = date.fromisoformat(text) if isinstance(text, str) and _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise _Amiss(faults.NO_DATE(first=YEARS[0], last=YEARS[-1]))
    return day


def _read_name(text: Any) -> str:
    # Measured before it is normalised, which takes long.
    may_be_one = isinstance(text, str) and len(text) <= 10 * NAME_LENGTH and is_text(text)
    name = one_line(text) if may_be_one else ""
    if is_empty(name) or len(name) > NAME_LENGTH:
        raise _Amiss(faults.NAME_LENGTH(most=NAME_LENGTH))
    return name


def _read_years(content: Any) -> list[int]:
    if not isinstance(content, list) or not all(isinstance(year, int) and year in YEARS for year in content):
        raise _Amiss(faults.NO_YEARS())
    return content


def _minutes(span: Span) -> int:
    opens, closes = span
    return (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
