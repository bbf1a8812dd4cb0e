import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.calendar import LONGEST_SEASON, MOST_DAYS, MOST_SEASONS, read_calendar, write_calendar
from nkk.sop.clock import OFFICE_HOURS, OFFICE_WEEK, WIB
from nkk.sop.refusals import InvalidInput
from tests.calendars import calendars, instants
from tests.effort import quick

DAY = [["07:30", "12:00"], ["13:00", "16:00"]]
WEEK = [*[DAY] * 5, [], []]
SEASON = {"name": "Ramadan", "first": "2027-02-08", "last": "2027-03-09", "week": WEEK}


def fields_at_fault(content):
    with pytest.raises(InvalidInput) as refused:
        read_calendar(content)
    return set(refused.value.details["fields"])


@given(calendars)
def test_a_calendar_written_and_read_again_is_the_same(calendar):
    written = json.loads(json.dumps(write_calendar(calendar)))
    assert read_calendar(written, calendar.version) == calendar
    assert write_calendar(read_calendar(written)) == written


@given(calendars, instants, st.integers(1, 4500))
def test_a_calendar_read_again_counts_as_it_did(calendar, start, minutes):
    assert read_calendar(write_calendar(calendar)).due(start, minutes) == calendar.due(start, minutes)


def test_what_a_calendar_leaves_out_is_as_in_the_built_in_one():
    assert read_calendar({}) == OFFICE_HOURS
    assert read_calendar({"days": {"2026-03-19": {"name": "Nyepi"}}}).week == OFFICE_WEEK


def test_the_days_of_a_calendar_are_written_in_order():
    days = {day: {"name": "Libur", "spans": []} for day in ("2026-12-25", "2026-01-01", "2026-08-17")}
    assert list(write_calendar(read_calendar({"days": days}))["days"]) == sorted(days)


@pytest.mark.parametrize(
    "pasted", ["  Hari Suci Nyepi ", "Hari\u00a0Suci\x0bNyepi\r\n", "\ufeffHari Suci\u200b Nyepi\x00"]
)
def test_a_name_is_kept_as_people_see_it(pasted):
    read = read_calendar({"days": {"2026-03-19": {"name": pasted}}})
    assert read.days[date(2026, 3, 19)].name == "Hari Suci Nyepi"


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [["00:00", "23:59"]],
        [["07:30", "12:00"], ["12:00", "16:00"]],
        [[f"{hour:02d}:00", f"{hour:02d}:30"] for hour in range(10)],
    ],
)
def test_a_day_may_have_any_spans_that_follow_each_other(spans):
    content = {"days": {"2026-03-28": {"name": "Sabtu", "spans": spans}}}
    assert write_calendar(read_calendar(content))["days"]["2026-03-28"]["spans"] == spans


NO_TIMES = [
    "",
    "7:30",
    "07.30",
    "24:00",
    "07:60",
    "07:30:00",
    "-1:00",
    "٠٧:٣٠",
    " 7:30",
    "T0730",
    "0730Z",
    "07+07",
    "ab:cd",
    730,
    None,
    ["07:30"],
    True,
]
NO_SPANS = [
    None,
    5,
    "07:30-12:00",
    {},
    [["07:30"]],
    [["07:30", "12:00", "13:00"]],
    ["07:30", "12:00"],
    [["12:00", "12:00"]],
    [["12:00", "07:30"]],
    [["07:30", "12:00"], ["11:59", "16:00"]],
    [["13:00", "16:00"], ["07:30", "12:00"]],
    [["07:30", "12:00"], ["07:30", "12:00"]],
    [[f"{hour:02d}:00", f"{hour:02d}:30"] for hour in range(11)],
    *([[time, "12:00"]] for time in NO_TIMES),
    *([["07:30", time]] for time in NO_TIMES),
]
NO_DATES = [
    "",
    "2026-3-19",
    "19-03-2026",
    "2026-02-29",
    "2026-13-01",
    "1999-12-31",
    "2101-01-01",
    "2026-03-19T00:00",
    "2026-W12-4",
    "20260319",
    "２０２６-03-19",
    "besok",
]
NO_NAMES = [None, "", "  ", 5, "x" * 151, "\x00", "\ud83d", "\u200b", ["Nyepi"]]


@pytest.mark.parametrize("spans", NO_SPANS, ids=str)
def test_spans_that_will_not_do_are_refused_wherever_they_stand(spans):
    week = [spans, *WEEK[1:]]
    assert fields_at_fault({"week": week}) == {"week"}
    assert fields_at_fault({"seasons": [SEASON | {"week": week}]}) == {"seasons"}
    assert fields_at_fault({"days": {"2026-03-28": {"name": "Sabtu", "spans": spans}}}) == {"days"}


@pytest.mark.parametrize("day", NO_DATES)
def test_dates_that_will_not_do_are_refused_wherever_they_stand(day):
    assert fields_at_fault({"days": {day: {"name": "Libur"}}}) == {"days"}
    assert fields_at_fault({"seasons": [SEASON | {"first": day}]}) == {"seasons"}
    assert fields_at_fault({"seasons": [SEASON | {"last": day}]}) == {"seasons"}


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_names_that_will_not_do_are_refused_wherever_they_stand(name):
    assert fields_at_fault({"days": {"2026-03-28": {"name": name}}}) == {"days"}
    assert fields_at_fault({"seasons": [SEASON | {"name": name}]}) == {"seasons"}


@pytest.mark.parametrize("content", [None, [], "calendar", 5, True])
def test_what_is_no_calendar_at_all_is_refused_as_such(content):
    assert fields_at_fault(content) == {"calendar"}


@pytest.mark.parametrize(
    "week",
    [
        None,
        {},
        "",
        [],
        WEEK[:6],
        [*WEEK, []],
        [[]] * 7,
        [*[[]] * 6, [["00:00", "09:59"]]],
        [[["00:00", "01:25"]]] * 7,
        7,
    ],
)
def test_a_week_of_not_seven_days_or_less_than_ten_hours_is_refused(week):
    assert fields_at_fault({"week": week}) == {"week"}


def test_a_week_of_ten_hours_will_do_and_a_season_may_have_none():
    assert read_calendar({"week": [*[[]] * 6, [["00:00", "10:00"]]]})
    assert read_calendar({"seasons": [SEASON | {"week": [[]] * 7}]})


@pytest.mark.parametrize(
    "season",
    [
        None,
        5,
        [],
        {},
        *({key: value for key, value in SEASON.items() if key != left_out} for left_out in SEASON),
        SEASON | {"last": "2027-02-07"},
        SEASON | {"last": "2027-05-11"},
        SEASON | {"week": WEEK[:5]},
    ],
)
def test_a_season_that_will_not_do_is_refused(season):
    assert fields_at_fault({"seasons": [season]}) == {"seasons"}


def test_a_season_may_be_one_day_or_92_days_long():
    assert read_calendar({"seasons": [SEASON | {"last": SEASON["first"]}]})
    assert read_calendar({"seasons": [SEASON | {"last": "2027-05-10"}]})


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2027-03-09", "2027-04-01"),
        ("2027-02-10", "2027-02-11"),
        ("2027-01-01", "2027-02-08"),
        ("2027-01-20", "2027-04-01"),
    ],
)
def test_two_seasons_that_share_a_date_are_refused_in_either_order(first, last):
    both = [SEASON, SEASON | {"first": first, "last": last}]
    assert fields_at_fault({"seasons": both}) == {"seasons"}
    assert fields_at_fault({"seasons": both[::-1]}) == {"seasons"}


def test_seasons_may_follow_each_other_without_a_day_between():
    assert read_calendar({"seasons": [SEASON, SEASON | {"first": "2027-03-10", "last": "2027-03-11"}]})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("seasons", None),
        ("seasons", {}),
        ("seasons", "none"),
        ("days", None),
        ("days", []),
        ("days", "none"),
        ("days", {"2026-03-19": None}),
        ("days", {"2026-03-19": []}),
        ("days", {"2026-03-19": {}}),
        ("national_years", None),
        ("national_years", 2026),
        ("national_years", ["2026"]),
        ("national_years", [1999]),
        ("national_years", [2101]),
        ("national_years", [2026.0]),
        ("national_years", [True]),
    ],
)
def test_a_part_of_another_kind_is_refused_by_its_name(part, value):
    assert fields_at_fault({part: value}) == {part}


def test_more_seasons_or_days_than_anybody_needs_are_refused():
    first = date(2026, 1, 1)
    seasons = [
        SEASON | {"first": str(first + timedelta(days=number)), "last": str(first + timedelta(days=number))}
        for number in range(MOST_SEASONS + 1)
    ]
    days = {str(first + timedelta(days=number)): {"name": "Libur"} for number in range(MOST_DAYS + 1)}
    assert fields_at_fault({"seasons": seasons}) == {"seasons"}
    assert fields_at_fault({"days": days}) == {"days"}
    del seasons[-1], days[str(first)]
    assert read_calendar({"seasons": seasons, "days": days})


def test_everything_wrong_with_a_calendar_is_said_at_once():
    assert fields_at_fault({"week": [], "seasons": 5, "days": {"besok": {}}, "national_years": [0]}) == {
        "week",
        "seasons",
        "days",
        "national_years",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
near_misses = st.fixed_dictionaries(
    {},
    optional={
        "week": st.lists(
            st.lists(st.lists(st.sampled_from(["07:30", "12:00", "0730Z", "x", 5]), max_size=3), max_size=2),
            min_size=6,
            max_size=8,
        ),
        "seasons": st.lists(
            st.fixed_dictionaries(
                {}, optional={name: st.sampled_from(["2027-02-08", "2027-W06-1", "x"]) | json_values for name in SEASON}
            ),
            max_size=3,
        ),
        "days": st.dictionaries(
            st.sampled_from(["2026-03-19", "2026-W12-4", "x"]),
            json_values | st.fixed_dictionaries({"name": st.text(max_size=3), "spans": json_values}),
            max_size=3,
        ),
        "national_years": json_values,
    },
)


@quick(300)
@given(json_values | near_misses)
def test_whatever_is_sent_as_a_calendar_is_read_or_refused(content):
    try:
        calendar = read_calendar(content)
    except InvalidInput as refused:
        assert set(refused.details["fields"]) <= {"calendar", "week", "seasons", "days", "national_years"}
        return
    assert read_calendar(write_calendar(calendar)) == calendar


# -- what is accepted can be counted by


LONGEST = 4_500
"""Ten working days: the longest of the procedure's clocks."""

START = datetime(2026, 1, 5, tzinfo=WIB)


def open_on(weekdays, minutes=600):
    """Return a week that is open only on `weekdays`, for `minutes` in all."""
    each = minutes // len(weekdays)
    return [[["00:00", f"{each // 60:02d}:{each % 60:02d}"]] if day in weekdays else [] for day in range(7)]


def closed_as_long_as_can_be(week):
    """Return a calendar whose open dates are closed for as long as the limits on seasons and days allow."""
    seasons, first = [], START.date()
    for _ in range(MOST_SEASONS):
        last = first + LONGEST_SEASON - timedelta(days=1)
        seasons.append({"name": "Tutup", "first": str(first), "last": str(last), "week": [[]] * 7})
        first = last + timedelta(days=1)
    days = {}
    while len(days) < MOST_DAYS:
        if week[first.weekday()]:
            days[str(first)] = {"name": "Tutup", "spans": []}
        first += timedelta(days=1)
    return {"week": week, "seasons": seasons, "days": days}


def counts(content, start=START):
    """Return whether each of the procedure's times can be counted by `content`, or `content` is refused."""
    try:
        calendar = read_calendar(content)
    except InvalidInput:
        return True
    due = calendar.due(start, LONGEST)
    return calendar.minutes_between(start, due) == LONGEST and calendar.minutes_left(due, start) == -LONGEST


@pytest.mark.parametrize("working_days", range(1, 8))
def test_an_accepted_calendar_can_be_counted_by_however_much_of_it_is_closed(working_days):
    assert counts(closed_as_long_as_can_be(open_on(range(working_days))))


@quick(40)
@given(st.sets(st.integers(0, 6), min_size=1), st.integers(600, 3000), st.integers(0, 7000), st.data())
def test_no_accepted_calendar_keeps_a_clock_from_ending(weekdays, minutes, later, data):
    content = closed_as_long_as_can_be(open_on(sorted(weekdays), minutes))
    reopened = data.draw(st.lists(st.sampled_from(sorted(content["days"])), max_size=5, unique=True))
    for day in reopened:
        content["days"][day]["spans"] = [["00:00", "00:01"]]
    assert counts(content, START + timedelta(days=later))


@given(calendars, instants)
def test_a_calendar_of_this_years_kind_counts_every_time_of_the_procedure(calendar, start):
    assert counts(write_calendar(calendar), start)


def test_the_built_in_calendar_and_a_busy_year_count_within_weeks():
    content = closed_as_long_as_can_be(WEEK)
    del content["seasons"]
    content["days"] = dict(list(content["days"].items())[:30])
    assert read_calendar(content).due(START, LONGEST) < START + timedelta(weeks=400)
    assert OFFICE_HOURS.due(START, LONGEST) == datetime(2026, 1, 16, 16, 30, tzinfo=WIB)
