"""The queries behind the public figures: aggregates over covering indexes, so that no journey is loaded."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, case, func, literal, select

from services.notification.figures import FEWEST, Answers, Numbers, Stretch
from services.notification.storage import answers, has_ended, journeys


def counted(connection: Connection, months: Sequence[datetime], until: datetime) -> tuple[Stretch, Stretch, Numbers]:
    """Return how fast answers were from the first of `months`, and from the last, to `until`; and all numbers."""
    sent = _answers(connection, months[0], months[-1], until)
    latest = _latest_answers(connection, months[0], months[-1], until)
    whole = Stretch(months[0], latest=latest)
    running = Stretch(months[-1], latest=[answer for answer in latest if answer.this_month])
    whole.count(sent)
    running.count(some for some in sent if some.this_month)
    by_category: dict[int, dict[str, int]] = defaultdict(dict)
    accepted: Counter[int] = Counter()
    for month, category, number in _numbers(connection, journeys.c.submitted_at, months, until, journeys.c.category):
        accepted[month] += number
        if category is not None:
            by_category[month][category] = number
    answered, closed = (
        Counter(dict(_numbers(connection, at, months, until))) for at in (journeys.c.answered_at, journeys.c.closed_at)
    )
    # What was withdrawn is no longer open, and was not closed by an answer.
    closed -= Counter(dict(_numbers(connection, journeys.c.closed_at, months, until, where=has_ended)))
    return whole, running, Numbers(accepted, answered, closed, by_category)


def rated(connection: Connection, months: Sequence[datetime], until: datetime) -> defaultdict[int, Counter[int]]:
    """Return the numbers of ratings, by the place among `months` of the month in which they were given, and by rating.

    The rating of an answer stays, where its reporter objected to it later.
    """
    found: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for at, rating in ((answers.c.rated_at, answers.c.rating), (answers.c.first_rated_at, answers.c.first_rating)):
        for place, of, number in _numbers(connection, at, months, until, rating):
            found[place][of] += number
    return found


def _numbers(
    connection: Connection,
    at: Column[datetime],
    months: Sequence[datetime],
    until: datetime,
    *by: ColumnElement[Any],
    where: ColumnElement[bool] | None = None,
) -> list[tuple[Any, ...]]:
    """Return the numbers of complaints with `at` within `months` and before `until`, by month's place and `by`."""
    ends = [(at < end, literal(number)) for number, end in enumerate(months[1:])]
    place = case(*ends, else_=literal(len(months) - 1)).label("place")
    query = select(place, *by, func.count()).where(at >= months[0], at < until).group_by("place", *by)
    query = query if where is None else query.where(where)
    return [tuple(row) for row in connection.execute(query)]


def _answers(connection: Connection, year: datetime, month: datetime, until: datetime) -> list[Answers]:
    """Return the answers counted by month and duration, so that the median needs no sorting of all answers."""
    in_time = func.sum(case((journeys.c.answered_at <= journeys.c.service_due_at, 1), else_=0))
    query = (
        select((journeys.c.answered_at >= month).label("this_month"), journeys.c.answer_minutes, func.count(), in_time)
        .where(journeys.c.answered_at >= year, journeys.c.answered_at < until)
        .group_by("this_month", journeys.c.answer_minutes)
    )
    return [Answers(bool(row[0]), *row[1:]) for row in connection.execute(query)]


def _latest_answers(connection: Connection, year: datetime, month: datetime, until: datetime) -> list[Answers]:
    """Return the last answers of known duration that may be beyond full FEWEST, the newest first."""
    answered_at, minutes, due_at = journeys.c.answered_at, journeys.c.answer_minutes, journeys.c.service_due_at
    query = (
        select(answered_at, minutes, due_at)
        .where(answered_at >= year, answered_at < until, minutes.is_not(None))
        # Answers of the same instant that are alike in the rest as well count alike.
        .order_by(answered_at.desc(), minutes.desc(), due_at.desc())
        .limit(FEWEST - 1)
    )
    return [Answers(at >= month, took, 1, int(at <= due)) for at, took, due in connection.execute(query)]
