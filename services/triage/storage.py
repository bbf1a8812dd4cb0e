"""Triage's database: the cases on Tim Utama's desk."""

from functools import cached_property

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    literal_column,
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
from nkk.store.database import UtcDateTime, new_metadata
from nkk.store.outbox import inbox_table, outbox_table
from services.triage.domain import OPEN, Case

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
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


class Cases(Rows[Case]):
    """The cases on Tim Utama's desk."""

    TABLE = cases
    HELD = Case
    OPEN = _open


class TriageWork(ClockedWork, RecordedWork):
    """One transaction of triage."""

    OUTBOX = outbox
    INBOX = inbox
    CALENDARS = calendars
    RECORD = record

    @cached_property
    def cases(self) -> Cases:
        return Cases(self.connection, self.inserts)

    @property
    def clocked(self) -> Cases:
        return self.cases
