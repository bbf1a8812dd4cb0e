import json
from datetime import date

import pytest

from nkk.sop.calendar import read_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.refusals import InvalidInput
from services.intake import calendar
from services.intake.calendar import (
    UnknownCalendar,
    checked,
    joint_leave_unknown,
    keep_years,
    national_days,
    with_day,
    with_years,
    years_wanted,
)
from tests.calendars import wib

FLOOD = {"name": "Pelayanan setelah banjir", "spans": [["08:00", "12:00"]]}


def fields_at_fault(change, *args):
    with pytest.raises(InvalidInput) as refused:
        change(*args)
    return set(refused.value.details["fields"])


@pytest.mark.parametrize(
    ("day", "part_of_name"),
    [
        ("2026-01-01", "Tahun Baru"),
        ("2026-02-17", "Imlek"),
        ("2026-03-18", "Nyepi"),
        ("2026-03-19", "Nyepi"),
        ("2026-03-20", "Idul"),
        ("2026-03-21", "Idul"),
        ("2026-03-23", "Idul"),
        ("2026-04-03", "Yesus"),
        ("2026-05-01", "Buruh"),
        ("2026-06-01", "Pancasila"),
        ("2026-08-17", "Kemerdekaan"),
        ("2026-12-25", "Natal"),
        ("2026-12-24", "Natal"),
    ],
)
def test_the_national_days_of_2026_are_known_joint_leave_included(day, part_of_name):
    days = national_days(2026)
    assert part_of_name in days[day]["name"]
    assert days[day]["spans"] == []


def test_the_national_days_of_a_year_are_its_own_and_in_order():
    days = national_days(2026)
    assert all(day.startswith("2026-") for day in days)
    assert list(days) == sorted(days)
    assert "2026-03-17" not in days
    assert "2026-03-25" not in days


@pytest.mark.parametrize("year", range(2000, 2101))
def test_the_national_days_of_every_year_make_a_calendar(year):
    content = with_years(None, [year])
    assert content["national_years"] == [year]
    assert read_calendar(content).days.keys() == {date.fromisoformat(day) for day in national_days(year)}


@pytest.mark.parametrize("year", [1999, 2101, 0, -1, 10_000])
def test_a_year_nobody_keeps_a_calendar_of_is_refused(year):
    assert fields_at_fault(national_days, year) == {"year"}


@pytest.mark.parametrize(
    ("today", "years"),
    [
        (date(2026, 1, 1), [2026]),
        (date(2026, 9, 30), [2026]),
        (date(2026, 10, 1), [2026, 2027]),
        (date(2026, 12, 31), [2026, 2027]),
        (date(2027, 1, 1), [2027]),
    ],
)
def test_from_october_on_the_coming_years_days_belong_into_the_calendar(today, years):
    assert years_wanted(today) == years


def test_the_first_calendar_has_the_built_in_week_and_the_years_national_days():
    content = with_years(None, [2026])
    calendar = read_calendar(content)
    assert (calendar.week, calendar.seasons, content["national_years"]) == (OFFICE_HOURS.week, (), [2026])
    # Idul Fitri with its joint leave: offices are closed from Wednesday 18 March, and open again on 25 March.
    assert calendar.due(wib("2026-03-17T15:59"), 2) == wib("2026-03-25T07:31")


def test_a_calendar_that_lacks_no_year_is_left_alone():
    content = with_years(None, [2026, 2027])
    assert with_years(content, [2026]) is None
    assert with_years(content, [2027, 2026]) is None


def test_a_year_that_is_added_changes_no_other_day():
    before = with_years(None, [2026])
    after = with_years(before, [2026, 2027])
    assert after["national_years"] == [2026, 2027]
    assert {day: own for day, own in after["days"].items() if day.startswith("2026")} == before["days"]
    assert {day for day in after["days"] if day.startswith("2027")} == set(national_days(2027))


def test_a_day_that_an_admin_has_written_stays_as_it_is():
    content = with_day(with_years(None, [2026]), "2027-01-01", FLOOD)
    assert with_years(content, [2026, 2027])["days"]["2027-01-01"] == FLOOD


def test_a_holiday_that_an_admin_has_struck_out_does_not_come_back():
    content = with_day(with_years(None, [2026]), "2026-12-24", None)
    assert "2026-12-24" not in with_years(content, [2026, 2027])["days"]


def test_a_day_is_closed_opened_and_made_ordinary_again():
    ordinary = with_years(None, [2026])
    closed = with_day(ordinary, "2026-03-02", {"name": "Banjir"})
    assert closed["days"]["2026-03-02"] == {"name": "Banjir", "spans": []}
    opened = with_day(closed, "2026-03-02", FLOOD)
    assert opened["days"]["2026-03-02"] == FLOOD
    assert with_day(opened, "2026-03-02", None) == ordinary
    assert closed["days"]["2026-03-02"]["spans"] == [], "what was there before is not touched"


def test_a_day_that_is_ordinary_already_cannot_be_made_so():
    with pytest.raises(UnknownCalendar):
        with_day(with_years(None, [2026]), "2026-03-02", None)


@pytest.mark.parametrize("day", ["besok", "xyz", "", "2026-3-2", "2026-02-30", "1999-01-01"])
def test_what_is_no_date_cannot_be_made_an_ordinary_day_and_is_refused_as_any_other(day):
    content = with_years(None, [2026])
    with pytest.raises(InvalidInput) as refused:
        with_day(content, day, None)
    with pytest.raises(InvalidInput) as told:
        with_day(content, day, FLOOD)
    assert refused.value.details == told.value.details
    assert set(refused.value.details["fields"]) == {"day"}


@pytest.mark.parametrize(
    ("day", "own", "at_fault"),
    [
        ("besok", FLOOD, {"day"}),
        ("2026-3-2", FLOOD, {"day"}),
        ("2026-W10-1", FLOOD, {"day"}),
        ("1999-01-01", FLOOD, {"day"}),
        ("2026-03-02", {}, {"name"}),
        ("2026-03-02", [], {"name"}),
        ("2026-03-02", {"name": "x", "spans": [["08:00", "07:00"]]}, {"spans"}),
        ("besok", {"name": "", "spans": [["08:00"]]}, {"day", "name", "spans"}),
    ],
)
def test_a_day_that_will_not_do_is_refused_and_all_that_is_amiss_is_named_where_it_stands(day, own, at_fault):
    assert fields_at_fault(with_day, with_years(None, [2026]), day, own) == at_fault


def test_a_calendar_is_brought_to_one_written_form():
    content = with_years(None, [2026]) | {
        "days": {"2026-12-25": {"name": " Natal "}, "2026-01-01": {"name": "Tahun Baru"}},
        "national_years": [2027, 2026, 2026],
    }
    written = checked(content)
    assert list(written["days"]) == ["2026-01-01", "2026-12-25"]
    assert written["days"]["2026-12-25"] == {"name": "Natal", "spans": []}
    assert (written["national_years"], set(written)) == (
        [2026, 2027],
        {"week", "seasons", "days", "national_years", "joint_leave_years"},
    )
    assert checked(json.loads(json.dumps(written))) == written


@pytest.mark.parametrize("part", ["week", "seasons", "days", "national_years"])
def test_a_part_left_out_is_refused_and_not_taken_for_empty(part):
    whole = with_years(None, [2026])
    assert fields_at_fault(checked, {name: value for name, value in whole.items() if name != part}) == {part}


@pytest.mark.parametrize("years", [[], [2026], [2027], [2026, 2027, 2030], [2027, 2030]])
def test_the_years_whose_days_were_put_in_are_not_an_admins_to_change(years):
    standing = with_years(None, [2026, 2027])
    assert fields_at_fault(keep_years, checked(standing | {"national_years": years}), standing) == {"national_years"}


def test_a_calendar_with_the_years_of_the_one_it_replaces_will_do():
    standing = with_years(None, [2026, 2027])
    without = with_day(standing, "2027-01-01", None)
    for content in (standing, without, checked(standing | {"national_years": [2027, 2026, 2026]})):
        keep_years(content, standing)
    first = with_years(None, [2026])
    keep_years(checked(first | {"national_years": [], "joint_leave_years": []}), None)
    assert fields_at_fault(keep_years, first, None) == {"national_years", "joint_leave_years"}


def test_what_is_no_part_of_a_calendar_is_refused():
    assert fields_at_fault(checked, with_years(None, [2026]) | {"holidays": []}) == {"holidays"}


@pytest.mark.parametrize(
    "changed",
    [
        {"week": []},
        {"national_years": ["2026"]},
        {"national_years": 5},
        {"national_years": None},
        {"national_years": [[]]},
        {"days": 5},
    ],
)
def test_a_part_that_will_not_do_is_refused_by_its_name(changed):
    assert fields_at_fault(checked, with_years(None, [2026]) | changed) == set(changed)


@pytest.mark.parametrize("content", [None, [], "calendar", 5, {}])
def test_what_is_no_calendar_at_all_is_refused_and_no_other_error(content):
    assert fields_at_fault(checked, content)


DECREED = {
    "2028-01-27": {"name": "Cuti Bersama Tahun Baru Imlek", "spans": []},
    "2028-04-24": {"name": "Cuti Bersama Hari Raya Idul Fitri", "spans": []},
}


@pytest.fixture
def before_the_decree(monkeypatch):
    """It is 2 October 2027, and the joint leave of 2028 is not known. The fixture is a function that decrees it."""
    known = {}
    monkeypatch.setattr(calendar, "joint_leave", lambda year: known.get(year, {}))
    return lambda: known.update({2028: DECREED})


def test_a_year_whose_joint_leave_is_not_known_is_said_to_lack_it(before_the_decree):
    content = with_years(with_years(None, [2027]) | {"joint_leave_years": [2027]}, [2027, 2028])
    assert (content["national_years"], content["joint_leave_years"]) == ([2027, 2028], [2027])
    assert joint_leave_unknown(content, 2027) == [2028]
    assert with_years(content, [2027, 2028]) is None


def test_joint_leave_is_put_in_once_it_is_known_and_what_was_struck_out_of_it_does_not_come_back(before_the_decree):
    before = with_years(with_years(None, [2027]) | {"joint_leave_years": [2027]}, [2027, 2028])
    before_the_decree()
    after = with_years(before, [2027, 2028])
    assert after["days"] == dict(sorted((before["days"] | DECREED).items()))
    assert after["joint_leave_years"] == [2027, 2028]
    struck = after
    for day in DECREED:
        struck = with_day(struck, day, None)
    assert joint_leave_unknown(struck, 2027) == []
    assert with_years(struck, [2027, 2028]) is None


@pytest.mark.parametrize(
    "own",
    [
        {"name": "Cuti Bersama Tahun Baru Imlek", "spans": []},
        {"name": "Hari kerja, bukan cuti bersama", "spans": [["08:00", "12:00"]]},
    ],
)
def test_a_day_an_admin_enters_makes_no_years_joint_leave_known_and_stays_beside_what_comes(before_the_decree, own):
    before = with_years(with_years(None, [2027]) | {"joint_leave_years": [2027]}, [2027, 2028])
    entered = with_day(before, "2028-01-27", own)
    assert joint_leave_unknown(entered, 2027) == [2028]
    assert with_years(entered, [2027, 2028]) is None
    before_the_decree()
    after = with_years(entered, [2027, 2028])
    assert after["days"] == dict(sorted((before["days"] | DECREED | {"2028-01-27": own}).items()))
    assert joint_leave_unknown(after, 2027) == []


def test_joint_leave_that_an_admin_says_is_known_is_theirs(before_the_decree):
    before = with_years(with_years(None, [2027]) | {"joint_leave_years": [2027]}, [2027, 2028])
    said = keep_years(checked(before | {"joint_leave_years": [2028, 2027]}), before)
    assert joint_leave_unknown(said, 2027) == []
    assert keep_years(checked(said | {"joint_leave_years": [2027]}), said) == before
    before_the_decree()
    assert with_years(said, [2027, 2028]) is None


def of_before(content):
    return {name: part for name, part in content.items() if name != "joint_leave_years"}


def test_a_calendar_of_before_holds_the_joint_leave_that_is_in_it():
    content = of_before(with_years(None, [2026, 2027]))
    assert joint_leave_unknown(content, 2026) == []
    assert with_years(content, [2026, 2027]) is None
    after = with_years(content, [2026, 2027, 2028])
    assert (after["joint_leave_years"], joint_leave_unknown(after, 2026)) == ([2026, 2027], [2028])


def test_in_a_calendar_of_before_too_a_day_of_the_admins_own_makes_nothing_known(before_the_decree):
    content = of_before(with_years(None, [2028]))
    entered = with_day(content, "2028-01-26", {"name": "Cuti Bersama", "spans": []})
    assert joint_leave_unknown(entered, 2028) == [2028]
    before_the_decree()
    assert joint_leave_unknown(of_before(entered), 2028) == [2028]
    assert with_years(of_before(entered), [2028])["days"].keys() == {*entered["days"], *DECREED}


def test_the_years_of_joint_leave_may_be_left_out_and_none_of_those_put_in_be_taken_away():
    standing = with_years(None, [2026])
    without = of_before(standing)
    assert keep_years(without, standing) == keep_years(standing, standing) == standing
    assert fields_at_fault(keep_years, standing | {"joint_leave_years": []}, standing) == {"joint_leave_years"}
    assert keep_years(without, without) == standing
    assert fields_at_fault(keep_years, without | {"joint_leave_years": [2026, 2027]}, without) == {"joint_leave_years"}
    assert fields_at_fault(checked, standing | {"joint_leave_years": "2026"}) == {"joint_leave_years"}
