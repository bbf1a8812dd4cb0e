from collections import defaultdict
from datetime import UTC, datetime
from itertools import product
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.clock import WIB
from services.notification.figures import FEWEST, Answers, Numbers, Stretch, beginnings, shown, unrevealing

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
YEAR, *_, MONTH = beginnings(NOW)
NONE = Numbers({}, {}, {}, {})
MOST = 24
"""The largest total of a month's categories that is tried, in every way in which they can add up to it."""


def stretch(since=YEAR, times=(), in_time=0):
    answers = [Answers(True, minutes, 1, int(number < in_time)) for number, minutes in enumerate(times)]
    made = Stretch(since, latest=answers[::-1])
    made.count(answers)
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
    assert (found[0], found[-1]) == tuple(datetime.fromisoformat(day).replace(tzinfo=WIB) for day in (year, month))
    assert [each.month for each in found] == [(found[0].month + after - 1) % 12 + 1 for after in range(12)]


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_the_median_is_the_middle_of_all_times(times):
    assert stretch(times=times).median == int(median(times))


def test_figures_say_how_much_and_how_fast():
    times = [100, 200, 300, 400, 1_000]
    numbers = Numbers({11: 7}, {11: 5}, {11: 3}, {})
    found = shown(stretch(times=times, in_time=4), stretch(MONTH, times, 4), numbers, NOW)
    assert found["as_of"] == "2026-03-15T00:00:00+07:00"
    assert found["promised_minutes"] == 900
    assert found["this_month"] == {
        "since": "2026-02-28T17:00:00.000000Z",
        "accepted": 5,
        "answered": 5,
        "closed": None,
        "in_time_share": 0.8,
        "median_minutes": 300,
    }
    assert found["last_12_months"] == found["this_month"] | {"since": "2025-03-31T17:00:00.000000Z"}


@pytest.mark.parametrize("count", range(FEWEST))
def test_no_share_and_no_median_is_told_of_a_few(count):
    found = shown(stretch(times=[100] * count), stretch(MONTH, [100] * count), NONE, NOW)
    for part in ("last_12_months", "this_month"):
        assert found[part]["in_time_share"] is found[part]["median_minutes"] is None


@pytest.mark.parametrize(("earlier", "told"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_few_cannot_be_told_by_taking_the_month_from_the_year(earlier, told):
    month = [100] * 6
    found = shown(stretch(times=month + [900] * earlier), stretch(MONTH, month), NONE, NOW)
    assert found["last_12_months"]["median_minutes"] is not None
    assert (found["this_month"]["median_minutes"] is not None) is told
    assert (found["this_month"]["in_time_share"] is not None) is told


@given(st.lists(st.integers(0, 5_000), max_size=30), st.integers(0, 30))
def test_share_and_median_of_two_days_are_the_same_or_differ_by_as_many_answers_as_may_be_shown(times, in_time):
    whole = len(times) // FEWEST * FEWEST
    days = [
        shown(stretch(times=told, in_time=in_time), stretch(MONTH, told, in_time), NONE, NOW)
        for told in (times, times[:whole])
    ]
    assert days[0] == days[1]


def test_an_answer_whose_time_is_not_known_is_part_of_no_share():
    found = stretch(times=[100] * 5, in_time=5)
    found.count([Answers(True, None, 3, 3)])
    assert (found.timed, found.in_time) == (5, 5)


monthly = st.dictionaries(st.integers(0, 11), st.integers(0, 30), max_size=12)


def published(accepted, by_category=None):
    return shown(stretch(), stretch(MONTH), Numbers(accepted, {}, {}, by_category or {}), NOW)


@given(monthly)
def test_no_number_is_of_a_few_and_each_month_that_is_over_has_its_own(accepted):
    found = published(accepted)
    for place, month in enumerate(found["months"][:-1]):
        true = accepted.get(place, 0)
        assert month["accepted"] == (true if true >= FEWEST else None)
    # Two days differ by none or by as many as may be shown.
    assert (found["this_month"]["accepted"] or FEWEST) % FEWEST == 0
    assert found["this_month"]["accepted"] == found["months"][-1]["accepted"]
    assert found["last_12_months"]["accepted"] is None or found["last_12_months"]["accepted"] >= FEWEST


@given(monthly)
def test_the_year_does_not_tell_a_withheld_month(accepted):
    """Whatever is withheld, each withheld month could also be another number."""
    found = published(accepted)
    told = [month["accepted"] or 0 for month in found["months"]]
    over = (found["last_12_months"]["accepted"] or 0) - sum(told)
    withheld = sum(1 for number in told[:-1] if not number)
    # The rest is over + 1 to over + 5 (or 0 to 5), and each of what is withheld is 0 to 4.
    assert over % FEWEST == 0
    assert over == 0 or over < withheld * (FEWEST - 1)


@given(monthly, st.integers(0, 30))
def test_the_year_does_not_tell_a_withheld_month_to_who_learns_later_how_many_the_current_one_had(accepted, later):
    """The number of a month is told when it is over; the total of an earlier day must not hold what was left of it."""

    def over(found):
        return (found["last_12_months"]["accepted"] or 0) - sum(month["accepted"] or 0 for month in found["months"])

    assert over(published(accepted)) == over(published(accepted | {11: later}))


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 12)), st.integers(0, 3))
def test_what_is_withheld_of_a_months_categories_is_never_a_few(by_category, unnamed):
    total = sum(by_category.values()) + unnamed
    found = published({3: total}, {3: by_category})["months"][3]
    assert all(by_category[name] == number >= FEWEST for name, number in found["categories"].items())
    if found["accepted"] is None:
        assert found["categories"] == {}
    elif found["categories"]:
        assert total - sum(found["categories"].values()) >= FEWEST


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_no_small_category_can_be_worked_out_from_a_months_other_numbers(names):
    """Of all the numbers that the categories can have, none is the only one with what is shown."""
    possible = defaultdict(set)
    for numbers in product(range(MOST + 1), repeat=len(names)):
        total = sum(numbers)
        if FEWEST <= total <= MOST:
            told = tuple(unrevealing(dict(zip(names, numbers, strict=True))).items())
            for name, number in zip(names, numbers, strict=True):
                possible[total, told, name].add(number)
    assert not [each for each, numbers in possible.items() if len(numbers) == 1 and min(numbers) < FEWEST]


def test_the_largest_categories_are_shown_and_none_of_a_month_that_lasts():
    by_category = {"a": 20, "b": 9, "c": 5, "d": 1}
    found = published({3: 35, 11: 35}, {3: by_category, 11: by_category})["months"]
    assert found[3] == {
        "month": "2025-07",
        "accepted": 35,
        "answered": None,
        "closed": None,
        "categories": {"a": 20, "b": 9},
    }
    assert found[11]["categories"] == {}
