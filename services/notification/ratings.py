"""What is told of the ratings of a month's answers: how many, their average, and how many there are of each.

Nothing told is of fewer than FEWEST ratings, and no such number can be worked out, except that there may be none:

- While the month lasts, the number is in full FEWEST and nothing else is told, so that two days differ by none or by
  as many. Once it is over, its ratings change no more.
- The numbers by rating are told together, where each is of FEWEST or more, or not at all. Threat: beside an average,
  some of them would tell the others.
- The average is rounded so far that several sums of the ratings have it: of five ratings, 4.8 would tell that one of
  them was a 4, and the others a 5.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from nkk.contracts import views
from nkk.sop.recap import RATINGS
from services.notification.figures import FEWEST

FEWEST_BY_TENTHS = 25
"""The fewest ratings whose average is told to the tenth; that of fewer is told to the half."""


def told(numbers: Mapping[int, int], lasts: bool = False) -> views.Ratings:
    """Return what is told of a month's `numbers` of ratings, by rating; `lasts` where the month is not over.

    `by_rating` holds the numbers that may be shown, of all ratings or of none: {"1": 5, "2": 6, …}.
    """
    count = sum(numbers.values())
    if lasts:
        return {"count": count // FEWEST * FEWEST or None, "average": None, "by_rating": {}}
    if count < FEWEST:
        return {"count": None, "average": None, "by_rating": {}}
    total = sum(rating * number for rating, number in numbers.items())
    by_rating = {str(rating): numbers.get(rating, 0) for rating in RATINGS}
    shown = by_rating if min(by_rating.values()) >= FEWEST else {}
    return {"count": count, "average": _average(total, count), "by_rating": shown}


def together(months: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is told of several months together: computed from what is told of each, so that it tells no more.

    The average is that of the months' averages, weighted by their numbers.
    """
    known = [month for month in months if month["average"] is not None]
    count = sum(month["count"] for month in known)
    average = round(sum(month["average"] * month["count"] for month in known) / count, 1) if count else None
    return {"count": count or None, "average": average}


def added(figures: Mapping[str, Any], by_month: Mapping[int, Mapping[int, int]]) -> dict[str, Any]:
    """Return the public figures with what is told of the ratings, given by the months' places."""
    *over, running = [
        told(by_month.get(place, {}), lasts=place == len(figures["months"]) - 1)
        for place in range(len(figures["months"]))
    ]
    return {
        **figures,
        "last_12_months": figures["last_12_months"] | {"ratings": together(over)},
        "this_month": figures["this_month"] | {"ratings": {"count": running["count"], "average": None}},
        "months": [
            month | {"ratings": ratings} for month, ratings in zip(figures["months"], [*over, running], strict=True)
        ],
    }


def _average(total: int, count: int) -> float:
    parts = 10 if count >= FEWEST_BY_TENTHS else 2
    # Rounded half up, in whole numbers.
    return (2 * parts * total + count) // (2 * count) / parts
