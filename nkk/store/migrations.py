"""Alembic for one stage: each stage has its own migrations folder, whose `env.py` uses this module."""

from pathlib import Path
from typing import Any, Literal

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from nkk.store.database import Database, UtcDateTime


def run(metadata: MetaData) -> None:
    """Run the migrations on the connection that `upgrade` or `downgrade` passed; called by each `env.py`."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, render_item=_render)
    with context.begin_transaction():
        context.run_migrations()


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Render our own column type by its short name, which migrations import."""
    return "UtcDateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


def upgrade(folder: Path, url: str, revision: str = "head") -> None:
    """Upgrade the database at `url` to `revision` of the migrations in `folder`. Concurrent upgrades are serialised."""
    _with_database(folder, url, lambda config: command.upgrade(config, revision))


def downgrade(folder: Path, url: str, revision: str) -> None:
    """Downgrade the database at `url` to `revision` of the migrations in `folder`."""
    _with_database(folder, url, lambda config: command.downgrade(config, revision))


def differences(metadata: MetaData, url: str) -> list:
    """Return the differences between the database at `url` and `metadata`; empty where migrations match the models."""
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
            # SQLite's tables are altered by recreating them, which would violate foreign keys to them. The pragma works
            # only outside a transaction, and stays in force on the pool's one connection.
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
                raise RuntimeError("a migration would leave rows with broken foreign keys; nothing was changed")
    finally:
        database.dispose()
