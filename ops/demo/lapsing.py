"""A question to a reporter that lapses now instead of after days, so that people can see what follows from it."""

from datetime import UTC, datetime

from sqlalchemy import Column, MetaData, String, Table, update

from nkk.sop.clock import day_of
from nkk.store.database import Database, UtcDateTime

OPEN = "open"

# The columns of notification's table that a lapse depends on.
_questions = Table(
    "questions",
    MetaData(),
    Column("ticket", String(20)),
    Column("state", String(20)),
    Column("lapses_at", UtcDateTime),
)


def let_lapse(url: str, ticket: str, at: datetime | None = None) -> int:
    """End the time to answer the open question about a complaint, in notification's database at `url`.

    It ends with yesterday, or at the instant `at`. Notification lets the question lapse when it looks next, within
    seconds, and tells its desk. Returns the number of questions whose time was ended: 0 where none is open.
    """
    database = Database(url, size=1)
    try:
        with database.writing() as connection:
            is_open = (_questions.c.ticket == ticket) & (_questions.c.state == OPEN)
            ends = at or day_of(datetime.now(UTC))
            return connection.execute(update(_questions).where(is_open).values(lapses_at=ends)).rowcount
    finally:
        database.dispose()
