"""Alembic for one stage: each has its own migrations folder, and this is what their `env.py` share."""

from pathlib import Path
from typing import Any, Literal

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from nkk.store.database import Database, UtcDateTime


def run(metadata: MetaData) -> None:
    """What an `env.py` does: run the migrations on the connection that `upgrade` handed over."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, render_item=_render)
    with context.begin_transaction():
        context.run_migrations()


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column type by its short name; migrations import it."""
    return "UtcDateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


def upgrade(folder: Path, url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision` of the migrations in `folder`. Two at once wait for each other."""
    _with_database(folder, url, lambda config: command.upgrade(config, revision))


def downgrade(folder: Path, url: str, revision: str) -> None:
    """Take the database at `url` back to `revision`."""
    _with_database(folder, url, lambda config: command.downgrade(config, revision))


def differences(metadata: MetaData, url: str) -> list:
    """What the database at `url` lacks or has beside `metadata`; empty where migrations match the models."""
    database = Database(url, size=1)
    try:
        with database.reading() as connection:
            return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    finally:
        database.dispose()


def _with_database(folder: Path, url: str, run_command) -> None:  # type: ignore[no-untyped-def]
    database = Database(url, size=1)
    try:
        if database.is_sqlite:
            # A table that SQLite cannot alter is made anew, and others refer to it meanwhile. It takes that outside
            # a transaction only: for the one connection that there is.
            with database.reading() as connection:
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        with database.writing() as connection:
            if not database.is_sqlite:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(6711)")
            config = Config()
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            config.attributes["connection"] = connection
            run_command(config)
            if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("a migration would leave rows that refer to nothing; nothing was changed")
    finally:
        database.dispose()
