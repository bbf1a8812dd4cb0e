from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkk.sop.clock import OFFICE_HOURS, WIB, WorkingTime

NYEPI = date(2026, 3, 19)  # a Thursday
IDUL_FITRI = date(2026, 3, 20)  # a Friday
WITH_HOLIDAYS = WorkingTime(holidays=frozenset({NYEPI, IDUL_FITRI}))


def wib(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


def counted(clock: WorkingTime, start: datetime, end: datetime) -> int:
    """Office minutes the slow way: look at every minute."""
    minutes, now = 0, start.astimezone(WIB)
    while now < end:
        spans = () if now.date() in clock.holidays else clock.week[now.weekday()]
        minutes += any(opens <= now.time() < closes for opens, closes in spans)
        now += timedelta(minutes=1)
    return minutes


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


def test_a_holiday_begins_and_ends_at_midnight_in_jakarta():
    # 23:59 WIB on the eve and 00:00 WIB after it lie on other dates in UTC.
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
        WorkingTime(week=((),) * 7).due(wib("2026-03-02T08:00"), 1)


def test_an_agency_may_keep_hours_of_its_own():
    saturdays = WorkingTime(week=(*[()] * 5, ((time(9), time(11)),), ()))
    assert saturdays.due(wib("2026-03-02T08:00"), 180) == wib("2026-03-14T10:00")


clocks = st.builds(
    WorkingTime,
    holidays=st.frozensets(st.dates(date(2026, 2, 20), date(2026, 3, 20)), max_size=12),
)
instants = st.datetimes(datetime(2026, 2, 23), datetime(2026, 3, 9)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=WIB))


@settings(max_examples=60)
@given(clocks, instants, st.integers(0, 8 * 24 * 60))
def test_minutes_between_agrees_with_looking_at_every_minute(clock, start, elapsed):
    end = start + timedelta(minutes=elapsed)
    assert clock.minutes_between(start, end) == counted(clock, start, end)


@settings(max_examples=60)
@given(clocks, instants, st.integers(1, 1000))
def test_the_due_time_is_the_first_instant_with_so_many_minutes_behind_it(clock, start, minutes):
    due = clock.due(start, minutes)
    assert clock.minutes_between(start, due) == minutes
    assert clock.minutes_between(start, due - timedelta(minutes=1)) == minutes - 1


@given(clocks, instants, st.integers(1, 900), st.integers(1, 900))
def test_waiting_twice_is_waiting_for_the_sum(clock, start, first, second):
    assert clock.due(clock.due(start, first), second) == clock.due(start, first + second)


@given(clocks, instants, instants, st.integers(0, 900))
def test_what_begins_later_is_never_due_earlier(clock, one, other, minutes):
    earlier, later = sorted([one, other])
    assert clock.due(earlier, minutes) <= clock.due(later, minutes)
