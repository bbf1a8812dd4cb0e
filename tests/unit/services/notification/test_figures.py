from datetime import UTC, datetime
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.clock import WIB
from services.notification.figures import FEWEST, Answers, Stretch, beginnings, shown

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
YEAR, MONTH = beginnings(NOW)


def stretch(since=YEAR, times=(), in_time=0):
    made = Stretch(since, accepted=7, closed=3)
    made.count(Answers(True, minutes, 1, int(number < in_time)) for number, minutes in enumerate(times))
    return made


@pytest.mark.parametrize(
    ("now", "year", "month"),
    [
        ("2026-03-15T02:00", "2025-04-01", "2026-03-01"),
        ("2026-12-31T16:59", "2026-01-01", "2026-12-01"),
        ("2026-12-31T17:00", "2026-02-01", "2027-01-01"),
        ("2024-02-29T00:00", "2023-03-01", "2024-02-01"),
    ],
)
def test_the_months_are_those_of_the_calendar_in_jakarta(now, year, month):
    found = beginnings(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == tuple(datetime.fromisoformat(day).replace(tzinfo=WIB) for day in (year, month))


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_the_median_is_the_middle_of_all_times(times):
    assert stretch(times=times).median == int(median(times))


def test_figures_say_how_much_and_how_fast():
    times = [100, 200, 300, 400, 1_000]
    found = shown(stretch(times=times, in_time=4), stretch(MONTH, times, 4), NOW)
    assert found["as_of"] == "2026-03-15T00:00:00+07:00"
    assert found["promised_minutes"] == 900
    assert found["this_month"] == {
        "since": "2026-02-28T17:00:00.000000Z",
        "accepted": 7,
        "answered": 5,
        "closed": 3,
        "in_time_share": 0.8,
        "median_minutes": 300,
    }
    assert found["last_12_months"] == found["this_month"] | {"since": "2025-03-31T17:00:00.000000Z"}


@pytest.mark.parametrize("count", range(FEWEST))
def test_no_share_and_no_median_is_told_of_a_few(count):
    found = shown(stretch(times=[100] * count), stretch(MONTH, [100] * count), NOW)
    for part in ("last_12_months", "this_month"):
        assert found[part]["in_time_share"] is found[part]["median_minutes"] is None
        assert found[part]["answered"] == count


@pytest.mark.parametrize(("earlier", "told"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_few_cannot_be_told_by_taking_the_month_from_the_year(earlier, told):
    month = [100] * 6
    found = shown(stretch(times=month + [900] * earlier), stretch(MONTH, month), NOW)
    assert found["last_12_months"]["median_minutes"] is not None
    assert (found["this_month"]["median_minutes"] is not None) is told
    assert (found["this_month"]["in_time_share"] is not None) is told


def test_an_answer_whose_time_is_not_known_is_part_of_no_share():
    found = stretch(times=[100] * 5, in_time=5)
    found.count([Answers(True, None, 3, 3)])
    assert (found.answered, found.timed, found.in_time) == (8, 5, 5)
