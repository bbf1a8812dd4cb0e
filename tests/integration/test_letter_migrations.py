"""The migration that adds and removes letters without a complaint, which leaves the other letters alone."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from nkk.store.database import Database
from nkk.store.migrations import downgrade, upgrade
from tests.effort import DATABASES

SERVICES = Path(__file__).parents[2] / "services"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LETTER = (
    "INSERT INTO messages (id, ticket, kind, created_at, next_try_at, tries) "
    "VALUES (:id, :ticket, 'received', :now, :now, 0)"
)
CODE = (
    "INSERT INTO messages (id, kind, created_at, next_try_at, tries, reporter_id, sealed_letter, expires_at) "
    "VALUES (:id, 'password_reset', :now, :now, 0, 'reporter-1', 'box', :now)"
)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/stage.db"
    postgres = request.getfixturevalue("postgres")
    name = f"migrated_{uuid.uuid4().hex[:8]}"
    postgres.create(name)
    return postgres.url(name)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = Database(url, size=2)
    yield found
    found.dispose()


def write(database: Database, statement: str, **values: str) -> None:
    with database.writing() as connection:
        connection.execute(text(statement), values | {"now": str(NOW)})


def letters(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT id, ticket FROM messages ORDER BY id"))]


def unsent_index(database: Database) -> str:
    """Return the condition of the index by which the mailer finds unsent letters."""
    (index,) = [
        index for index in inspect(database.engine).get_indexes("messages") if index["name"] == "ix_messages_unsent"
    ]
    return str(index["dialect_options"][f"{database.engine.dialect.name}_where"]).lower()


def test_letters_outlast_the_coming_and_going_of_those_about_no_complaint(database: Database, url: str) -> None:
    folder = SERVICES / "notification" / "migrations"
    upgrade(folder, url, "0002")
    write(database, LETTER, id="1", ticket="NKK-2026-EDXY-ER30")
    upgrade(folder, url, "0003")
    write(database, CODE, id="2")
    assert letters(database) == [("1", "NKK-2026-EDXY-ER30"), ("2", None)]
    assert "given_up_at is null" in unsent_index(database)
    downgrade(folder, url, "0002")
    assert letters(database) == [("1", "NKK-2026-EDXY-ER30")]
    assert "given_up_at is null" in unsent_index(database)
    with pytest.raises(IntegrityError):
        write(database, LETTER.replace(":ticket", "NULL"), id="3")
    upgrade(folder, url, "0003")
    assert letters(database) == [("1", "NKK-2026-EDXY-ER30")]
