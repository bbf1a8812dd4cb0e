"""The queries behind the public figures: two aggregates over indexes, so that no journey is loaded."""

from datetime import datetime

from sqlalchemy import Connection, case, func, select

from services.notification.figures import Answers, Stretch
from services.notification.storage import journeys


def counted(connection: Connection, year: datetime, month: datetime, until: datetime) -> tuple[Stretch, Stretch]:
    """Return the figures from `year` to `until` and from `month`, the later, to `until`."""
    counts = [
        select(func.count()).where(column >= since, column < until).scalar_subquery()
        for column in (journeys.c.submitted_at, journeys.c.closed_at)
        for since in (year, month)
    ]
    accepted_year, accepted_month, closed_year, closed_month = connection.execute(select(*counts)).one()
    answers = _answers(connection, year, month, until)
    whole, running = Stretch(year, accepted_year, closed_year), Stretch(month, accepted_month, closed_month)
    whole.count(answers)
    running.count(some for some in answers if some.this_month)
    return whole, running


def _answers(connection: Connection, year: datetime, month: datetime, until: datetime) -> list[Answers]:
    """Return the answers counted by month and duration, so that the median needs no sorting of all answers."""
    in_time = func.sum(case((journeys.c.answered_at <= journeys.c.service_due_at, 1), else_=0))
    query = (
        select((journeys.c.answered_at >= month).label("this_month"), journeys.c.answer_minutes, func.count(), in_time)
        .where(journeys.c.answered_at >= year, journeys.c.answered_at < until)
        .group_by("this_month", journeys.c.answer_minutes)
    )
    return [Answers(bool(row[0]), *row[1:]) for row in connection.execute(query)]
