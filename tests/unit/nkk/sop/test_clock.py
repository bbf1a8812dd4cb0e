from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.clock import EARLIEST, LATEST, OFFICE_HOURS, SOON_DAYS, WIB, Calendar, Day, Season, month_bounds
from tests.builders import MONDAY
from tests.calendars import MINUTE, calendars, counted, instants, minutes, open_at, wib
from tests.effort import quick

NYEPI = date(2026, 3, 19)  # a Thursday
IDUL_FITRI = date(2026, 3, 20)  # a Friday
SATURDAY = date(2026, 3, 28)
WITH_HOLIDAYS = Calendar(
    1,
    days={
        NYEPI: Day("Hari Suci Nyepi"),
        IDUL_FITRI: Day("Cuti bersama"),
        SATURDAY: Day("Pelayanan setelah banjir", ((time(8), time(12)),)),
        date(2026, 3, 24): Day("Tutup siang", ((time(7, 30), time(12)),)),
    },
)
FASTING = ((time(8), time(12)), (time(12, 30), time(15)))
RAMADAN = Season("Ramadan 1447 H", date(2026, 2, 18), date(2026, 3, 19), (*[FASTING] * 5, (), ()))


DUE = {
    "within a morning": ("2026-03-02T08:00", 120, "2026-03-02T10:00"),
    "up to the break exactly": ("2026-03-02T10:00", 120, "2026-03-02T12:00"),
    "over the break": ("2026-03-02T11:50", 15, "2026-03-02T13:05"),
    "begun in the break": ("2026-03-02T12:30", 10, "2026-03-02T13:10"),
    "begun as the break begins": ("2026-03-02T12:00", 10, "2026-03-02T13:10"),
    "begun as the break ends": ("2026-03-02T13:00", 10, "2026-03-02T13:10"),
    "up to closing exactly": ("2026-03-02T15:50", 10, "2026-03-02T16:00"),
    "one minute past closing": ("2026-03-02T15:50", 11, "2026-03-03T07:31"),
    "begun at closing": ("2026-03-02T16:00", 10, "2026-03-03T07:40"),
    "at 23:59 on the eve": ("2026-03-02T23:59", 10, "2026-03-03T07:40"),
    "before opening": ("2026-03-02T06:00", 10, "2026-03-02T07:40"),
    "as the offices open": ("2026-03-02T07:30", 10, "2026-03-02T07:40"),
    "Friday's longer break": ("2026-03-06T11:20", 20, "2026-03-06T13:10"),
    "Friday closes half an hour later": ("2026-03-06T16:15", 15, "2026-03-06T16:30"),
    "from Friday afternoon into Monday": ("2026-03-06T16:15", 30, "2026-03-09T07:45"),
    "on Saturday": ("2026-03-07T10:00", 10, "2026-03-09T07:40"),
    "at 23:59 on Sunday": ("2026-03-08T23:59", 10, "2026-03-09T07:40"),
    "a whole day": ("2026-03-02T07:30", 450, "2026-03-02T16:00"),
    "two days from the middle of one": ("2026-03-02T08:00", 900, "2026-03-04T08:00"),
    "nothing to wait for": ("2026-03-02T08:00", 0, "2026-03-02T08:00"),
    "nothing to wait for, at night": ("2026-03-02T22:00", 0, "2026-03-03T07:30"),
}


@pytest.mark.parametrize(("start", "minutes", "due"), list(DUE.values()), ids=list(DUE))
def test_the_due_time_counts_office_minutes_only(start, minutes, due):
    assert OFFICE_HOURS.due(wib(start), minutes) == wib(due)


def test_the_due_time_is_given_in_utc():
    due = OFFICE_HOURS.due(wib("2026-03-02T08:00"), 10)
    assert (due.tzinfo, due.isoformat()) == (UTC, "2026-03-02T01:10:00+00:00")


def test_holidays_are_no_office_time():
    assert WITH_HOLIDAYS.due(wib("2026-03-18T15:50"), 20) == wib("2026-03-23T07:40")
    assert WITH_HOLIDAYS.due(wib("2026-03-19T09:00"), 20) == wib("2026-03-23T07:50")
    assert WITH_HOLIDAYS.minutes_between(wib("2026-03-19T00:00"), wib("2026-03-23T07:30")) == 0


HOLIDAYS = {
    "at 23:59 on the eve of a long holiday": ("2026-03-18T23:59", 10, "2026-03-23T07:40"),
    "in the break before it": ("2026-03-18T12:59", 181, "2026-03-23T07:31"),
    "up to the closing before it exactly": ("2026-03-18T15:00", 60, "2026-03-18T16:00"),
    "one minute beyond the closing before it": ("2026-03-18T15:00", 61, "2026-03-23T07:31"),
    "in the middle of it": ("2026-03-20T12:00", 10, "2026-03-23T07:40"),
    "over a half day": ("2026-03-24T11:50", 20, "2026-03-25T07:40"),
    "in the closed half of a half day": ("2026-03-24T14:00", 10, "2026-03-25T07:40"),
    "on a Friday before a working Saturday": ("2026-03-27T16:20", 20, "2026-03-28T08:10"),
    "in the night before a working Saturday": ("2026-03-27T23:59", 240, "2026-03-28T12:00"),
    "after a working Saturday": ("2026-03-28T12:00", 1, "2026-03-30T07:31"),
}


@pytest.mark.parametrize(("start", "minutes", "due"), list(HOLIDAYS.values()), ids=list(HOLIDAYS))
def test_the_due_time_follows_the_days_of_the_calendar(start, minutes, due):
    assert WITH_HOLIDAYS.due(wib(start), minutes) == wib(due)
    assert WITH_HOLIDAYS.minutes_between(wib(start), wib(due)) == minutes


def test_a_season_has_hours_of_its_own_from_its_first_date_to_its_last():
    calendar = Calendar(1, seasons=(RAMADAN,))
    assert calendar.due(wib("2026-02-17T15:59"), 2) == wib("2026-02-18T08:01")
    assert calendar.due(wib("2026-03-18T14:59"), 2) == wib("2026-03-19T08:01")
    assert calendar.due(wib("2026-03-19T14:59"), 2) == wib("2026-03-20T07:31")
    assert calendar.minutes_between(wib("2026-03-18T00:00"), wib("2026-03-19T00:00")) == 390


def test_a_date_of_its_own_goes_before_its_season_and_the_season_before_the_week():
    calendar = Calendar(1, seasons=(RAMADAN,), days=WITH_HOLIDAYS.days)
    assert calendar.hours(NYEPI) == ()
    assert calendar.hours(date(2026, 3, 18)) == FASTING
    assert calendar.hours(SATURDAY) == ((time(8), time(12)),)
    assert calendar.hours(date(2026, 3, 21)) == ()
    assert calendar.hours(date(2026, 3, 23)) == OFFICE_HOURS.week[0]


def test_a_holiday_begins_and_ends_at_midnight_in_jakarta():
    # 23:59 WIB on the eve and 00:00 WIB after it are on other dates in UTC.
    assert WITH_HOLIDAYS.due(wib("2026-03-18T23:59"), 1) == wib("2026-03-23T07:31")
    assert WITH_HOLIDAYS.due(datetime(2026, 3, 20, 17, 0, tzinfo=UTC), 1) == wib("2026-03-23T07:31")


def test_where_a_start_is_written_in_another_zone_the_same_instant_counts():
    start = wib("2026-03-02T08:00")
    assert OFFICE_HOURS.due(start.astimezone(timezone(timedelta(hours=-8))), 60) == OFFICE_HOURS.due(start, 60)


def test_a_week_has_37_and_a_half_office_hours():
    assert OFFICE_HOURS.minutes_between(wib("2026-03-02T00:00"), wib("2026-03-09T00:00")) == 37.5 * 60


@pytest.mark.parametrize("day", range(2, 7))
def test_every_working_day_has_450_office_minutes(day):
    start = datetime(2026, 3, day, tzinfo=WIB)
    assert OFFICE_HOURS.minutes_between(start, start + timedelta(days=1)) == 450


def test_seconds_count_towards_a_whole_minute_and_not_beyond():
    start = wib("2026-03-02T08:00:30")
    assert OFFICE_HOURS.minutes_between(start, wib("2026-03-02T08:02:29")) == 1
    assert OFFICE_HOURS.minutes_between(start, wib("2026-03-02T08:02:30")) == 2


@pytest.mark.parametrize("end", ["2026-03-02T08:00", "2026-03-02T07:59", "2026-02-20T08:00"])
def test_no_minutes_lie_between_an_instant_and_an_earlier_one(end):
    assert OFFICE_HOURS.minutes_between(wib("2026-03-02T08:00"), wib(end)) == 0


def test_a_calendar_that_never_opens_is_refused_and_not_waited_for():
    with pytest.raises(ValueError, match="no office hours left"):
        Calendar(week=((),) * 7).due(wib("2026-03-02T08:00"), 1)


def test_an_agency_may_keep_hours_of_its_own():
    saturdays = Calendar(week=(*[()] * 5, ((time(9), time(11)),), ()))
    assert saturdays.due(wib("2026-03-02T08:00"), 180) == wib("2026-03-14T10:00")


@quick(150)
@given(calendars, minutes, st.integers(0, 12 * 24 * 60))
def test_minutes_between_agrees_with_looking_at_every_minute(calendar, start, elapsed):
    end = start + timedelta(minutes=elapsed)
    assert calendar.minutes_between(start, end) == counted(calendar, start, end)


@quick(150)
@given(calendars, minutes, st.integers(1, 1500))
def test_the_due_time_is_the_first_minute_with_so_many_behind_it(calendar, start, count):
    due = calendar.due(start, count)
    if due - start < timedelta(days=40):
        assert counted(calendar, start, due) == count
    assert open_at(calendar, due - MINUTE)
    assert calendar.minutes_between(start, due - MINUTE) == count - 1


far_instants = st.datetimes(datetime(2023, 1, 1), datetime(2029, 12, 31)).map(lambda moment: moment.replace(tzinfo=WIB))


@quick(60)
@given(calendars, far_instants, far_instants)
def test_years_are_counted_as_by_walking_through_their_days(calendar, one, other):
    start, end = sorted([one, other])
    walked = sum((stretch.open_for for stretch in calendar.stretches(start, end)), timedelta())
    assert calendar.minutes_between(start, end) == walked // MINUTE


@quick(60)
@given(calendars, far_instants, st.integers(1, 300_000))
def test_the_due_time_after_years_has_so_much_behind_it_by_walking_through_their_days(calendar, start, count):
    due = calendar.due(start, count)
    assert sum((stretch.open_for for stretch in calendar.stretches(start, due)), timedelta()) == count * MINUTE


@dataclass(frozen=True)
class Watched(Calendar):
    """A calendar that counts the dates whose hours are looked up."""

    looked_up: list[date] = field(default_factory=list)

    def hours(self, day):
        self.looked_up.append(day)
        return super().hours(day)


@pytest.mark.parametrize("calendar", [OFFICE_HOURS, WITH_HOLIDAYS, Calendar(1, seasons=(RAMADAN,))])
def test_counting_over_centuries_is_no_more_work_than_over_a_day(calendar):
    watched = Watched(calendar.version, calendar.week, calendar.seasons, calendar.days)
    watched.minutes_between(MONDAY, MONDAY + MINUTE)  # the calendar's own dates are looked up once
    watched.looked_up.clear()
    assert watched.minutes_between(MONDAY, LATEST) > 173 * 365 * 300
    assert watched.minutes_left(LATEST, EARLIEST) < -200 * 365 * 300
    assert watched.due(MONDAY, 1_000_000) > MONDAY + timedelta(days=3_000)
    assert len(watched.looked_up) <= 6 + SOON_DAYS


def test_the_days_after_a_long_closure_are_found_without_walking_through_it():
    closed = {date(2027, 1, 1) + timedelta(days=number): Day("Tutup") for number in range(1_000)}
    watched = Watched(1, days=closed)
    watched.minutes_between(MONDAY, MONDAY + MINUTE)
    watched.looked_up.clear()
    assert watched.due(wib("2027-01-01T08:00"), 10) == wib("2029-09-27T07:40")
    assert len(watched.looked_up) <= 6 + SOON_DAYS


@given(calendars, instants, st.integers(1, 4500))
def test_counting_to_the_due_time_gives_the_minutes_asked_for_to_the_microsecond(calendar, start, count):
    due = calendar.due(start, count)
    assert calendar.minutes_between(start, due) == count
    assert calendar.minutes_between(start, due - timedelta(microseconds=1)) == count - 1


@given(calendars, instants)
def test_nothing_to_wait_for_is_due_at_once_or_when_the_offices_open(calendar, start):
    due = calendar.due(start, 0)
    assert calendar.is_open(due)
    assert calendar.minutes_between(start, due) == 0
    assert (due == start) == calendar.is_open(start)


@given(calendars, instants, st.integers(1, 900), st.integers(1, 900))
def test_waiting_twice_is_waiting_for_the_sum(calendar, start, first, second):
    assert calendar.due(calendar.due(start, first), second) == calendar.due(start, first + second)


@given(calendars, instants, instants, st.integers(0, 900))
def test_what_begins_later_is_never_due_earlier(calendar, one, other, count):
    earlier, later = sorted([one, other])
    assert calendar.due(earlier, count) <= calendar.due(later, count)


@given(calendars, instants, instants)
def test_minutes_left_are_counted_down_to_the_due_time_and_below_nothing_after_it(calendar, now, due):
    left = calendar.minutes_left(now, due)
    assert left == (calendar.minutes_between(now, due) if now <= due else -calendar.minutes_between(due, now))
    assert left == -calendar.minutes_left(due, now)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-03-02T08:00", 60),
        ("2026-03-02T08:59:30", 0),
        ("2026-03-02T09:00", 0),
        ("2026-03-02T09:00:59", 0),
        ("2026-03-02T09:01", -1),
        ("2026-03-03T07:30", -360),
        ("2026-02-27T16:30", 90),
        ("2026-03-01T12:00", 90),
    ],
)
def test_minutes_left_are_whole_and_pass_through_nothing(now, left):
    assert OFFICE_HOURS.minutes_left(wib(now), wib("2026-03-02T09:00")) == left


@given(calendars, minutes)
def test_the_offices_are_open_in_the_minutes_that_count(calendar, moment):
    assert (
        calendar.is_open(moment) == open_at(calendar, moment) == bool(calendar.minutes_between(moment, moment + MINUTE))
    )


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-02T07:29:59.999999", False),
        ("2026-03-02T07:30", True),
        ("2026-03-02T11:59:59.999999", True),
        ("2026-03-02T12:00", False),
        ("2026-03-02T13:00", True),
        ("2026-03-02T16:00", False),
        ("2026-03-19T10:00", False),
        ("2026-03-28T10:00", True),
        ("2026-03-21T10:00", False),
    ],
)
def test_the_offices_open_with_a_spans_first_instant_and_close_with_its_last(moment, is_open):
    assert WITH_HOLIDAYS.is_open(wib(moment)) is is_open
    assert WITH_HOLIDAYS.is_open(wib(moment).astimezone(UTC)) is is_open


@quick(150)
@given(calendars, instants, instants)
def test_a_count_laid_open_has_every_date_once_and_sums_to_the_count(calendar, one, other):
    start, end = sorted([one, other])
    stretches = list(calendar.stretches(start, end))
    assert [stretch.day for stretch in stretches] == [
        start.date() + timedelta(days=number) for number in range((end.date() - start.date()).days + 1)
    ]
    total = sum((stretch.open_for for stretch in stretches), timedelta())
    assert total // MINUTE == calendar.minutes_between(start, end)
    for stretch in stretches:
        for opens, closes in stretch.spans:
            assert start <= opens < closes <= end
            assert opens.date() == closes.date() == stretch.day


@given(calendars, instants, st.integers(0, 30))
def test_a_count_laid_open_says_why_a_date_is_unlike_its_weekday(calendar, start, days):
    for stretch in calendar.stretches(start, start + timedelta(days=days)):
        named = [season.name for season in calendar.seasons if season.first <= stretch.day <= season.last]
        own = calendar.days.get(stretch.day)
        assert stretch.note == (own.name if own else named[0] if named else None)


def test_a_count_laid_open_over_a_holiday_can_be_checked_by_hand():
    stretches = WITH_HOLIDAYS.stretches(wib("2026-03-18T15:50"), wib("2026-03-23T07:40"))
    laid_open = [
        (stretch.day.day, [(f"{opens:%H:%M}", f"{closes:%H:%M}") for opens, closes in stretch.spans], stretch.note)
        for stretch in stretches
    ]
    assert laid_open == [
        (18, [("15:50", "16:00")], None),
        (19, [], "Hari Suci Nyepi"),
        (20, [], "Cuti bersama"),
        (21, [], None),
        (22, [], None),
        (23, [("07:30", "07:40")], None),
    ]


@given(calendars, instants, st.integers(1, 4500))
def test_the_version_is_a_name_and_changes_no_count(calendar, start, count):
    assert replace(calendar, version=99).due(start, count) == calendar.due(start, count)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_lies_in_exactly_its_month(day):
    noon = datetime.combine(day, time(12), WIB)
    first, following = month_bounds(f"{day:%Y-%m}")
    assert first <= noon < following
    assert (first.day, following.day, first.hour, following.hour) == (1, 1, 0, 0)
    assert month_bounds(f"{following:%Y-%m}")[0] == following


def bounds_of(month):
    """Return the bounds of a month in UTC, as for a database query; None where the month is refused."""
    try:
        first, following = month_bounds(month)
    except ValueError:
        return None
    return first.astimezone(UTC), following.astimezone(UTC)


@pytest.mark.parametrize(
    "month",
    ["", "2026", "2026-13", "2026-00", "2026-3", "26-03", "202603-", "2026-03-01", "x" * 7, "0001-01", "9999-12"],
)
def test_what_is_no_month_or_too_far_away_to_count_has_no_bounds(month):
    assert bounds_of(month) is None
