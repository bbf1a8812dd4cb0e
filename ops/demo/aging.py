"""Reports of the demonstration that are a week old, so that a desk shows what is late."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Connection, DateTime, MetaData, select, update

from nkk.store.database import Database

AGE = timedelta(days=7)
"""A week: the working days and hours of each clock stay the same."""


def age(urls: Iterable[str], tickets: Sequence[str]) -> None:
    """Move all times of these reports back by AGE, in the stages' databases at `urls`.

    The stages raise the alarms that follow when they look next, within seconds.
    """
    for url in urls:
        database = Database(url, size=1)
        try:
            with database.writing() as connection:
                _age(connection, tickets)
        finally:
            database.dispose()


def _age(connection: Connection, tickets: Sequence[str]) -> None:
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.tables.values():
        times = [column for column in table.columns if isinstance(column.type, DateTime)]
        if "ticket" not in table.c or not times:
            continue
        for row in connection.execute(select(table).where(table.c.ticket.in_(tickets))).all():
            key = [column == row._mapping[column.name] for column in table.primary_key]
            earlier = {column.name: at - AGE for column in times if (at := row._mapping[column.name]) is not None}
            connection.execute(update(table).where(*key).values(earlier))
