"""The content of the calendar's versions, which intake keeps for all stages. Pure, except for the holidays package.

National holidays and joint leave (cuti bersama) are taken from the `holidays` package once, when their year is first
put into the calendar. From then on they are data like any other day, and an update of the package does not change them.
Joint leave is decreed yearly, and late. Where the package does not know a year's joint leave yet, it is added once as
soon as the package does, without replacing an admin's days, unless an admin has marked that year's as complete.
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
"""The part that lists the years whose joint leave was added or marked complete. Older calendars lack it."""

NEXT_YEAR_FROM_MONTH = 10
"""The month (October) from which the calendar includes the next year: joint leave is mostly decreed by then."""


class CalendarChangedMeanwhile(Refused):
    """Another change made a newer version of the calendar meanwhile."""


class UnknownCalendar(Refused):
    """The calendar has no such version, or the version has no such day."""

    also = ("ordinary-day",)


def national_days(year: int) -> dict[str, dict[str, Any]]:
    """Return the national holidays and joint leave of `year`, as the days of a calendar. Raises InvalidInput."""
    if year not in YEARS:
        raise InvalidInput.of(year=faults.OUT_OF_RANGE(least=YEARS[0], most=YEARS[-1]))
    return _days(year, "public", "government")


def joint_leave(year: int) -> dict[str, dict[str, Any]]:
    """Return the joint leave of `year`, as the days of a calendar; empty where it is not known yet."""
    return _days(year, "government")


def _days(year: int, *categories: str) -> dict[str, dict[str, Any]]:
    found = country_holidays("ID", years=year, categories=categories, language="id")
    return {day.isoformat(): {"name": name, "spans": []} for day, name in sorted(found.items())}


def whole(content: dict[str, Any]) -> dict[str, Any]:
    """Return `content` with JOINT_LEAVE_YEARS, which older calendars lack."""
    return content | {JOINT_LEAVE_YEARS: _told(content)}


def joint_leave_unknown(content: dict[str, Any], first: int) -> list[int]:
    """Return the years from `first` on whose joint leave was not known when they were put into the calendar.

    Years that an admin has marked as complete are left out. The names of days are not considered.
    """
    known = _told(content)
    return [year for year in content["national_years"] if year >= first and year not in known]


def years_wanted(today: date) -> list[int]:
    """Return the years whose national days the calendar should contain on `today`."""
    return [today.year, *([today.year + 1] if today.month >= NEXT_YEAR_FROM_MONTH else [])]


def with_years(content: dict[str, Any] | None, years: list[int]) -> dict[str, Any] | None:
    """Return `content` with the missing national days of `years` and newly known joint leave; None if none is missing.

    A `content` of None means the default week. A day that an admin has set is not changed.
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
    """Return the years whose joint leave is known.

    A calendar without JOINT_LEAVE_YEARS knows a year's joint leave where it has days on at least half of its dates,
    because an admin may have removed some.
    """
    if JOINT_LEAVE_YEARS in content:
        return content[JOINT_LEAVE_YEARS]
    return [
        year
        for year in content["national_years"]
        if (dates := joint_leave(year).keys()) and 2 * len(dates & content["days"].keys()) >= len(dates)
    ]


def with_day(content: dict[str, Any], day: str, own: dict[str, Any] | None) -> dict[str, Any]:
    """Return `content` with the date `day` set to `own`, or made an ordinary day where `own` is None.

    Raises InvalidInput, or UnknownCalendar where the day already is an ordinary one.
    """
    if own is not None:
        check_own_day(day, own)
    elif read_day(day).isoformat() not in content["days"]:
        raise UnknownCalendar(code="ordinary-day")
    days = {date_: kept for date_, kept in content["days"].items() if date_ != day}
    return checked(whole(content) | {"days": days | ({day: own} if own is not None else {})})


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Return `content` in normal form. Raises InvalidInput, naming each invalid, missing or unknown part.

    A missing part is refused, not taken as empty: a typing error must not turn every holiday into a working day.
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
    """Return `content`, which replaces `standing`, with JOINT_LEAVE_YEARS, taken from `standing` where it is left out.

    Raises InvalidInput where `national_years` differ from those of `standing`: a year added without its days would
    never get them, and one left out would bring back days that an admin removed. An admin may mark a year's joint leave
    as complete, or withdraw the mark; the years whose joint leave the package knows stay.
    """
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
