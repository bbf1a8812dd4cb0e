"""The repository of the questions to reporters."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select, update

from nkk.sop.refusals import UnknownTicket
from services.notification.asking import Asked, UnknownQuestion
from services.notification.storage.tables import is_asked, journeys, questions

MOST_QUESTIONS = 2**31 - 1
"""The largest number of a question that the column can have."""


class Questions:
    """The repository of the questions to reporters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_number(self, ticket: str) -> int:
        """Return the number of the next question about a complaint, whose journey stays locked until the commit.

        Raises UnknownTicket, so that the event is retried, until the complaint is known.
        """
        known = select(journeys.c.ticket).where(journeys.c.ticket == ticket).with_for_update()
        if self._connection.execute(known).first() is None:
            raise UnknownTicket
        query = select(func.coalesce(func.max(questions.c.number), 0)).where(questions.c.ticket == ticket)
        return int(self._connection.execute(query).scalar_one()) + 1

    def add(self, asked: Asked) -> None:
        """Insert a question."""
        self._connection.execute(insert(questions).values(vars(asked)))

    def save(self, asked: Asked) -> None:
        """Update a question."""
        self._connection.execute(update(questions).where(questions.c.id == asked.id).values(vars(asked)))

    def get(self, ticket: str, number: int) -> Asked:
        """Return and lock question `number` of a complaint. Raises UnknownQuestion."""
        if number > MOST_QUESTIONS:
            raise UnknownQuestion
        query = select(questions).where(questions.c.ticket == ticket, questions.c.number == number)
        row = self._connection.execute(query.with_for_update()).first()
        if row is None:
            raise UnknownQuestion
        return Asked(**row._mapping)

    def locked(self, id_: str) -> Asked:
        """Return and lock the question of this id."""
        query = select(questions).where(questions.c.id == id_).with_for_update()
        return Asked(**self._connection.execute(query).one()._mapping)

    def of(self, tickets: list[str]) -> dict[str, list[Asked]]:
        """Return the questions about complaints by ticket, in the order of their numbers."""
        found: dict[str, list[Asked]] = {ticket: [] for ticket in tickets}
        query = select(questions).where(questions.c.ticket.in_(tickets)).order_by(questions.c.number)
        for row in self._connection.execute(query):
            found[row.ticket].append(Asked(**row._mapping))
        return found

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of open questions that have lapsed, or of which a reminder is due."""
        over = or_(questions.c.lapses_at <= now, questions.c.remind_at <= now)
        query = select(questions.c.id).where(is_asked, over).order_by(questions.c.lapses_at).limit(limit)
        return list(self._connection.execute(query).scalars())
