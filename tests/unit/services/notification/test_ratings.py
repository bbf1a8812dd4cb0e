"""What is told of a month's ratings, and what cannot be worked out from it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification.figures import FEWEST
from services.notification.ratings import FEWEST_BY_TENTHS, added, together, told

NOT_TOLD = {"count": None, "average": None, "by_rating": {}}
SOME = [some for size in range(1, 5) for some in combinations(range(5), size)]
"""Every choice of some of the five ratings, such as 1 and 2 together."""

numbers = st.dictionaries(st.integers(1, 5), st.integers(0, 40))


def ways(count: int, places: int = 5) -> Iterator[tuple[int, ...]]:
    """Yield every way in which `count` ratings can be given."""
    if places == 1:
        yield (count,)
        return
    for first in range(count + 1):
        for rest in ways(count - first, places - 1):
            yield first, *rest


def found(way: tuple[int, ...]) -> dict[str, Any]:
    return told(dict(enumerate(way, 1)))


def test_a_month_that_is_over_tells_number_average_and_every_rating_of_five_or_more() -> None:
    assert told({1: 5, 2: 5, 3: 5, 4: 10, 5: 15}) == {
        "count": 40,
        "average": 3.6,
        "by_rating": {"1": 5, "2": 5, "3": 5, "4": 10, "5": 15},
    }
    assert told({4: 3, 5: 4}) == {"count": 7, "average": 4.5, "by_rating": {}}
    assert told({1: 4, 2: 5, 3: 5, 4: 10, 5: 15}) == {"count": 39, "average": 3.7, "by_rating": {}}


@pytest.mark.parametrize("count", range(FEWEST))
def test_nothing_is_told_of_a_few(count: int) -> None:
    assert told({5: count}) == told({5: count}, lasts=True) == NOT_TOLD


@given(numbers)
def test_a_month_that_lasts_tells_full_fives_alone(given_: Mapping[int, int]) -> None:
    assert told(given_, lasts=True) == NOT_TOLD | {"count": sum(given_.values()) // FEWEST * FEWEST or None}


@pytest.mark.parametrize("count", [*range(FEWEST, 16), FEWEST_BY_TENTHS - 1, FEWEST_BY_TENTHS])
def test_no_few_can_be_worked_out_from_what_is_told(count: int) -> None:
    """Of all the ways in which the ratings can be, none is the only one with what is told, but that nobody gave one."""
    possible = defaultdict(set)
    for way in ways(count):
        told_of_it = str(found(way))
        for some in SOME:
            possible[told_of_it, some].add(sum(way[place] for place in some))
    assert not [each for each, sums in possible.items() if len(sums) == 1 and 0 < min(sums) < FEWEST]


def test_several_months_tell_no_more_than_each() -> None:
    months = [told({5: 10}), told({1: 5, 2: 15}), told({3: 2}), told({5: 10}, lasts=True)]
    assert together(months) == {"count": 30, "average": 3.0}
    assert together([NOT_TOLD]) == {"count": None, "average": None}


def test_the_public_figures_have_the_ratings_of_each_month_and_of_all() -> None:
    figures = {"last_12_months": {}, "this_month": {}, "months": [{"month": "2026-02"}, {"month": "2026-03"}]}
    with_ratings = added(figures, {0: {4: 6}, 1: {1: 7}})
    assert with_ratings == {
        "last_12_months": {"ratings": {"count": 6, "average": 4.0}},
        "this_month": {"ratings": {"count": 5, "average": None}},
        "months": [
            {"month": "2026-02", "ratings": {"count": 6, "average": 4.0, "by_rating": {}}},
            {"month": "2026-03", "ratings": {"count": 5, "average": None, "by_rating": {}}},
        ],
    }
