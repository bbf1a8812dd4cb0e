"""Fixtures of a small invented stage, so that the messaging is tested without a real one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import pytest
from sqlalchemy import Column, Integer, String, Table

from nkk.store.database import Database, UtcDateTime, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from nkk.store.work import Work

metadata = new_metadata()
things = Table(
    "things",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("count", Integer),
    Column("at", UtcDateTime),
)


class ThingWork(Work):
    OUTBOX = outbox_table(metadata)
    INBOX = inbox_table(metadata)
    CLOSED = closed_table(metadata)
    THINGS = things


@dataclass(frozen=True)
class ThingHappened:
    """An event for the outbox."""

    name: str
    TYPE: ClassVar[str] = "thing.happened.v1"
    CONSUMERS: ClassVar[tuple[str, ...]] = ("others",)
    agency: ClassVar[str | None] = None

    @property
    def subject(self) -> str:
        return self.name

    def to_json(
        self, event_id: str, time: datetime, correlation_id: str | None = None, service: str | None = None
    ) -> str:
        return f'{{"id": "{event_id}", "name": "{self.name}", "correlation": "{correlation_id}", "by": "{service}"}}'


@pytest.fixture
def database(tmp_path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/things.db", size=4)
    metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def work_cls() -> type[ThingWork]:
    return ThingWork


@pytest.fixture
def event_cls() -> type[ThingHappened]:
    return ThingHappened
