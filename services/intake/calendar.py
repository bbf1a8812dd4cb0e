"""The calendar that intake keeps for all: what is written into its versions. Pure but for the library of holidays.

National holidays and joint leave (cuti bersama) come from the `holidays` package, once, when their year is first put
into the calendar: from then on they are data like any other day, and an update of the package changes nothing. Joint
leave is decreed year by year, late: where the package does not know it yet, it is put in as soon as it does, once,
beside what an admin has entered, unless the admin has said that the year's is complete.
"""

from datetime import date
from typing import Any

from holidays import country_holidays

from nkk.sop import faults
from nkk.sop.calendar import YEARS, check_own_day, read_calendar, read_day, read_years, write_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.refusals import InvalidInput, Refused

NAME = "office-hours"
PARTS = {"week", "seasons", "days", "national_years"}
JOINT_LEAVE_YEARS = "joint_leave_years"
"""A part of later calendars: the years whose joint leave was put in, or is complete as an admin says."""

NEXT_YEAR_FROM_MONTH = 10
"""From October on the coming year's days belong into the calendar: the decree on joint leave is mostly out by then."""


class CalendarChangedMeanwhile(Refused):
    """Somebody made a newer version while this one was being written."""


class UnknownCalendar(Refused):
    """There is no such version, or no such day in it."""

    also = ("ordinary-day",)


def national_days(year: int) -> dict[str, dict[str, Any]]:
    """The national holidays and joint leave of `year`, as the days of a calendar."""
    if year not in YEARS:
        raise InvalidInput.of(year=faults.OUT_OF_RANGE(least=YEARS[0], most=YEARS[-1]))
    return _days(year, "public", "government")


def joint_leave(year: int) -> dict[str, dict[str, Any]]:
    """The joint leave of `year`, as far as it is known: none before it is decreed."""
    return _days(year, "government")


def _days(year: int, *categories: str) -> dict[str, dict[str, Any]]:
    found = country_holidays("ID", years=year, categories=categories, language="id")
    return {day.isoformat(): {"name": name, "spans": []} for day, name in sorted(found.items())}


def whole(content: dict[str, Any]) -> dict[str, Any]:
    """`content` with all of its parts, also where it was made before there was one."""
    return content | {JOINT_LEAVE_YEARS: _told(content)}


def joint_leave_unknown(content: dict[str, Any], first: int) -> list[int]:
    """The years from `first` on that are in the calendar without their joint leave: it was not known when they were put
    in, and no admin has said that it is complete. What a day is called says nothing of a year."""
    known = _told(content)
    return [year for year in content["national_years"] if year >= first and year not in known]


def years_wanted(today: date) -> list[int]:
    """The years whose national days the calendar should hold on `today`."""
    return [today.year, *([today.year + 1] if today.month >= NEXT_YEAR_FROM_MONTH else [])]


def with_years(content: dict[str, Any] | None, years: list[int]) -> dict[str, Any] | None:
    """`content` (the default week where None) with the national days of `years` that it lacks, and joint leave that was
    not known before; None if it lacks neither.

    A day the admin has written stays as it is.
    """
    known = content or write_calendar(OFFICE_HOURS) | {"national_years": []}
    lacking = [year for year in years if year not in known["national_years"]]
    come = [year for year in joint_leave_unknown(known, min(years)) if joint_leave(year)]
    if not lacking and not come:
        return None
    days = {day: own for year in lacking for day, own in national_days(year).items()}
    days |= {day: own for year in come for day, own in joint_leave(year).items()}
    told = [*_told(known), *come, *(year for year in lacking if joint_leave(year))]
    return checked(
        known
        | {
            "days": days | known["days"],
            JOINT_LEAVE_YEARS: told,
            "national_years": [*known["national_years"], *lacking],
        }
    )


def _told(content: dict[str, Any]) -> list[int]:
    """The years whose joint leave is known; of a calendar of before, which does not say, those that have days of their
    own on half of its dates at least: an admin may have struck out some."""
    if JOINT_LEAVE_YEARS in content:
        return content[JOINT_LEAVE_YEARS]
    return [
        year
        for year in content["national_years"]
        if (dates := joint_leave(year).keys()) and 2 * len(dates & content["days"].keys()) >= len(dates)
    ]


def with_day(content: dict[str, Any], day: str, own: dict[str, Any] | None) -> dict[str, Any]:
    """`content` with the date `day` made `own`, or made an ordinary day where None. Raises InvalidInput or
    UnknownCalendar."""
    if own is not None:
        check_own_day(day, own)
    elif read_day(day).isoformat() not in content["days"]:
        raise UnknownCalendar(code="ordinary-day")
    days = {date_: kept for date_, kept in content["days"].items() if date_ != day}
    return checked(whole(content) | {"days": days | ({day: own} if own is not None else {})})


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """`content` in its one written form. Raises InvalidInput, naming the part that will not do, lacks or is none.

    A part left out is refused, not taken for empty: a slip of the pen must not open the offices on every holiday.
    """
    if not isinstance(content, dict):
        raise InvalidInput.of(calendar=faults.NO_CALENDAR())
    amiss = dict.fromkeys(sorted(PARTS - set(content)), faults.CALENDAR_LACKS())
    amiss |= {str(name): faults.NOT_OF_A_CALENDAR() for name in set(content) - PARTS - {JOINT_LEAVE_YEARS}}
    if amiss:
        raise InvalidInput.of(**amiss)
    written = write_calendar(read_calendar(content)) | {"national_years": sorted(set(content["national_years"]))}
    if JOINT_LEAVE_YEARS not in content:
        return written
    return written | {JOINT_LEAVE_YEARS: sorted(set(read_years(content[JOINT_LEAVE_YEARS], JOINT_LEAVE_YEARS)))}


def keep_years(content: dict[str, Any], standing: dict[str, Any] | None) -> dict[str, Any]:
    """`content`, which is to replace `standing`, with the years whose days are in it. Raises InvalidInput where it
    names others: a year named without its days would never have them, and one left out would bring back days that the
    admin struck out. An admin may add a year whose joint leave is complete, and take back what they said of it; where
    the years of joint leave are left out they stay as they are."""
    national = standing["national_years"] if standing else []
    told = _told(standing) if standing else []
    given = {JOINT_LEAVE_YEARS: told} | content
    wrong = {}
    if given["national_years"] != national:
        wrong["national_years"] = faults.KEPT_BY_SYSTEM()
    said = set(given[JOINT_LEAVE_YEARS])
    if said - {*national, *told} or any(joint_leave(year) for year in set(told) - said):
        wrong[JOINT_LEAVE_YEARS] = faults.JOINT_LEAVE_YEARS()
    if wrong:
        raise InvalidInput.of(**wrong)
    return given
