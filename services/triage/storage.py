"""Triage's database: the cases on Tim Utama's desk."""

import json
from functools import cached_property

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    literal_column,
    select,
)

from nkk.desk import (
    ClockedWork,
    RecordedWork,
    Rows,
    alarm_index,
    calendars_table,
    claim_columns,
    clock_columns,
    in_turn,
    record_table,
    report_columns,
)
from nkk.store.database import UtcDateTime, insert_of, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from services.triage.domain import OPEN, Case

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)

cases = Table(
    "cases",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("reporter_kind", String(20), nullable=False),
    Column("claimed_kind", String(20), nullable=False),
    *report_columns(),
    Column("confidential", Boolean, nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("service_calendar", Integer),
    *clock_columns(),
    *claim_columns(),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("opd", String(64)),
    Column("round", Integer, nullable=False),
    Column("response", Text),
)
# Written out, not bound: SQLite uses a partial index only where it can see the values.
_open = cases.c.state.in_([literal_column(f"'{state}'") for state in OPEN])
Index("ix_cases_open", *in_turn(cases), sqlite_where=_open, postgresql_where=_open)
alarm_index(cases)

# As intake published them last.
lists = Table(
    "lists",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("opds", Text, nullable=False),
)


class Cases(Rows[Case]):
    """The cases on Tim Utama's desk."""

    TABLE = cases
    HELD = Case
    OPEN = _open


class Lists:
    """The lists that an admin keeps at intake, as far as triage decides on them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, name: str, version: int, opds: list[str]) -> None:
        """Keep this version, unless a newer one is kept."""
        statement = insert_of(self._connection, lists)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"version": new.version, "opds": new.opds},
            where=new.version > lists.c.version,
        )
        self._connection.execute(statement, {"name": name, "version": version, "opds": json.dumps(opds)})

    def roster(self) -> set[str] | None:
        """Return the keys of the agencies that complaints may be forwarded to; None where they were not heard yet."""
        opds = self._connection.execute(select(lists.c.opds)).scalar()
        return opds and set(json.loads(opds))


class TriageWork(ClockedWork, RecordedWork):
    """One transaction of triage."""

    OUTBOX = outbox
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record

    @cached_property
    def cases(self) -> Cases:
        return Cases(self.connection, self.inserts)

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.connection)

    @property
    def clocked(self) -> Cases:
        return self.cases
