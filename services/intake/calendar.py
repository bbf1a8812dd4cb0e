"""The calendar that intake keeps for all: what is written into its versions. Pure but for the library of holidays.

National holidays and joint leave (cuti bersama) come from the `holidays` package, once, when their year is first put
into the calendar: from then on they are data like any other day, and an update of the package changes nothing.
"""

from datetime import date
from typing import Any

from holidays import country_holidays

from nkk.sop.calendar import YEARS, read_calendar, read_day, write_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.refusals import InvalidInput, Refused

NAME = "office-hours"
PARTS = {"week", "seasons", "days", "national_years"}
NEXT_YEAR_FROM_MONTH = 10
"""From October on the coming year's days belong into the calendar: the decree on joint leave is out by then."""


class CalendarChangedMeanwhile(Refused):
    """Somebody made a newer version while this one was being written."""


class UnknownCalendar(Refused):
    """There is no such version, or no such day in it."""


def national_days(year: int) -> dict[str, dict[str, Any]]:
    """The national holidays and joint leave of `year`, as the days of a calendar."""
    if year not in YEARS:
        raise InvalidInput.of(year=f"A year from {YEARS[0]} to {YEARS[-1]}.")
    found = country_holidays("ID", years=year, categories=("public", "government"), language="id")
    return {day.isoformat(): {"name": name, "spans": []} for day, name in sorted(found.items())}


def years_wanted(today: date) -> list[int]:
    """The years whose national days the calendar should hold on `today`."""
    return [today.year, *([today.year + 1] if today.month >= NEXT_YEAR_FROM_MONTH else [])]


def with_years(content: dict[str, Any] | None, years: list[int]) -> dict[str, Any] | None:
    """`content` (the default week where None) with the national days of `years` that it lacks; None if it lacks none.

    A day the admin has written stays as it is.
    """
    known = content or write_calendar(OFFICE_HOURS) | {"national_years": []}
    lacking = [year for year in years if year not in known["national_years"]]
    if not lacking:
        return None
    days = {day: own for year in lacking for day, own in national_days(year).items()}
    return checked(known | {"days": days | known["days"], "national_years": [*known["national_years"], *lacking]})


def with_day(content: dict[str, Any], day: str, own: dict[str, Any] | None) -> dict[str, Any]:
    """`content` with the date `day` made `own`, or made an ordinary day where None. Raises InvalidInput or
    UnknownCalendar."""
    if own is None and read_day(day).isoformat() not in content["days"]:
        raise UnknownCalendar("This date is an ordinary day of the calendar already; nothing changed.")
    days = {date_: kept for date_, kept in content["days"].items() if date_ != day}
    return checked(content | {"days": days | ({day: own} if own is not None else {})})


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """`content` in its one written form. Raises InvalidInput, naming the part that will not do, lacks or is none.

    A part left out is refused, not taken for empty: a slip of the pen must not open the offices on every holiday.
    """
    if not isinstance(content, dict):
        raise InvalidInput.of(calendar="A calendar has week, seasons, days and national_years.")
    amiss = dict.fromkeys(sorted(PARTS - set(content)), "Missing: send the whole calendar, as GET /calendar gives it.")
    amiss |= {str(name): "Not a part of a calendar." for name in set(content) - PARTS}
    if amiss:
        raise InvalidInput.of(**amiss)
    years = content["national_years"]
    return write_calendar(read_calendar(content)) | {"national_years": sorted(set(years))}


def keep_years(content: dict[str, Any], standing: dict[str, Any] | None) -> None:
    """Raises InvalidInput where `content`, which is to replace `standing`, names other `national_years`: a year named
    without its days would never have them, and one left out would bring back days that the admin struck out."""
    if content["national_years"] != (standing["national_years"] if standing else []):
        raise InvalidInput.of(national_years="The system keeps this list itself: leave it as GET /calendar gives it.")
