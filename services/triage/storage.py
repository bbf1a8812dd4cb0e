"""Triage's database: the cases at Tim Utama's desk, and the roster."""

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
    and_,
    false,
    literal_column,
    or_,
    select,
)

from nkk.contracts.events import CaseRecused
from nkk.desk import (
    ClockedWork,
    NotingWork,
    RecordedWork,
    Rows,
    additions_column,
    alarm_index,
    calendars_table,
    claim_columns,
    clock_columns,
    ending_columns,
    files_column,
    in_turn,
    notes_table,
    question_column,
    record_table,
    recusals_table,
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
notes = notes_table(metadata)
recusals = recusals_table(metadata)

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
    question_column(),
    *claim_columns(),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("opd", String(64)),
    Column("round", Integer, nullable=False),
    Column("response", Text),
    files_column(),
    files_column("response_files"),
    additions_column(),
    *ending_columns(),
    Column("forwarding", Integer, nullable=False, server_default="1"),
    Column("round_before", Integer, nullable=False, server_default="0"),
    Column("cycle", Integer, nullable=False, server_default="1"),
    Column("kept", Boolean, nullable=False, server_default=false()),
    Column("back", String(100)),
    Column("back_why", Text),
    Column("better_opd", String(64)),
    Column("objected_to", Text),
    Column("asked_days", Integer),
    Column("asked_why", Text),
    Column("granted_days", Integer),
    Column("conflict", Boolean, nullable=False, server_default=false()),
    Column("barred", String(64)),
)
# Literals, not bound parameters: SQLite uses a partial index only where the query shows the values.
_open = cases.c.state.in_([literal_column(f"'{state}'") for state in OPEN])
_asks = and_(cases.c.asked_days.is_not(None), cases.c.granted_days.is_(None))
_waiting = or_(_open, _asks)
Index("ix_cases_open", *in_turn(cases), sqlite_where=_waiting, postgresql_where=_waiting)
alarm_index(cases)

# The roster as last published by intake.
lists = Table(
    "lists",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("opds", Text, nullable=False),
)


class Cases(Rows[Case]):
    """The repository of the cases at Tim Utama's desk."""

    TABLE = cases
    RECUSALS = recusals
    HELD = Case
    OPEN = _waiting & cases.c.ended.is_(None)


class Lists:
    """Triage's copy of the lists that an admin keeps at intake: of them, the roster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, name: str, version: int, opds: list[str]) -> None:
        """Store this version, unless a newer one is already stored."""
        statement = insert_of(self._connection, lists)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"version": new.version, "opds": new.opds},
            where=new.version > lists.c.version,
        )
        self._connection.execute(statement, {"name": name, "version": version, "opds": json.dumps(opds)})

    def roster(self) -> set[str] | None:
        """Return the keys of the agencies that complaints may be forwarded to; None before intake published them."""
        opds = self._connection.execute(select(lists.c.opds)).scalar()
        return opds and set(json.loads(opds))


class TriageWork(ClockedWork, RecordedWork, NotingWork):
    """Triage's unit of work: one database transaction."""

    OUTBOX = outbox
    PRIVATE = (CaseRecused.TYPE,)
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record
    NOTES = notes
    RECUSALS = recusals

    @cached_property
    def cases(self) -> Cases:
        return Cases(self.connection, self.inserts)

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.connection)

    @property
    def clocked(self) -> Cases:
        return self.cases
