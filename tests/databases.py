"""The content of a running installation's databases, read from outside."""

from collections.abc import Container
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, MetaData, create_engine, make_url, select
from sqlalchemy.pool import NullPool

from tests.installations import Installation


def engine(installation: Installation, stage: str) -> Engine:
    """Return an engine of `stage`'s database, for a test to read or change it."""
    return _engine(installation.stack.database_url(stage))


@cache
def _engine(written: str) -> Engine:
    url = make_url(written)
    return create_engine(
        url.set(drivername="postgresql+psycopg2") if url.drivername == "postgresql" else url, poolclass=NullPool
    )


def tables(installation: Installation, stage: str) -> MetaData:
    """Return the tables of `stage`, reflected once from its database."""
    return _tables(engine(installation, stage))


@cache
def _tables(engine: Engine) -> MetaData:
    found = MetaData()
    found.reflect(engine)
    return found


def everything_in(installation: Installation, stage: str, but: Container[str] = ()) -> str:
    """Return everything in the database of `stage`.

    For SQLite these are the files' bytes, including deleted rows and the journal; for PostgreSQL all rows, without the
    columns in `but`, such as `messages.tries`.
    """
    url = make_url(installation.stack.database_url(stage))
    if url.drivername.startswith("sqlite"):
        path = Path(str(url.database))
        return "".join(file.read_bytes().decode(errors="replace") for file in sorted(path.parent.glob(f"{path.name}*")))
    with engine(installation, stage).connect() as connection:
        shown = [
            select(*(column for column in table.c if str(column) not in but))
            for table in tables(installation, stage).sorted_tables
        ]
        return "\n".join(sorted(str(tuple(row)) for query in shown for row in connection.execute(query)))
