"""What stands in a running installation's databases, looked at from outside."""

from collections.abc import Container
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, MetaData, create_engine, make_url, select
from sqlalchemy.pool import NullPool

from tests.installations import Installation


def engine(installation: Installation, stage: str) -> Engine:
    """The database of `stage`, for a test's own look or touch."""
    return _engine(installation.stack.database_url(stage))


@cache
def _engine(written: str) -> Engine:
    url = make_url(written)
    return create_engine(
        url.set(drivername="postgresql+psycopg2") if url.drivername == "postgresql" else url, poolclass=NullPool
    )


def tables(installation: Installation, stage: str) -> MetaData:
    """The tables of `stage`, as its database has them: looked at once."""
    return _tables(engine(installation, stage))


@cache
def _tables(engine: Engine) -> MetaData:
    found = MetaData()
    found.reflect(engine)
    return found


def everything_in(installation: Installation, stage: str, but: Container[str] = ()) -> str:
    """All that the database of `stage` holds: of SQLite the files' own bytes, deleted rows and journal included; of
    PostgreSQL each row, `but` for columns such as `messages.tries`."""
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
