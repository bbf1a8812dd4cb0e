"""opd_response's database: the complaints forwarded to the agencies' helper teams."""

from functools import cached_property

from sqlalchemy import Column, ColumnElement, Index, Integer, String, Table, Text, func, literal_column, select

from nkk.desk import (
    AttachingWork,
    ClockedWork,
    RecordedWork,
    Rows,
    alarm_index,
    attached_table,
    calendars_table,
    claim_columns,
    clock_columns,
    files_column,
    in_turn,
    record_table,
    report_columns,
)
from nkk.store.database import UtcDateTime, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from services.opd_response.domain import Case, State

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)
attached = attached_table(metadata)

cases = Table(
    "cases",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("opd", String(64), nullable=False),
    Column("note", Text),
    *report_columns(),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("service_calendar", Integer),
    *clock_columns(),
    *claim_columns(),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("round", Integer, nullable=False),
    Column("response", Text),
    Column("return_note", Text),
    files_column(),
    files_column("response_files"),
)
# A literal, not a bound parameter: SQLite uses a partial index only where the query shows the value.
_open = cases.c.state == literal_column(f"'{State.AWAITING_RESPONSE}'")
Index("ix_cases_open", cases.c.opd, *in_turn(cases), sqlite_where=_open, postgresql_where=_open)
alarm_index(cases)


class Cases(Rows[Case]):
    """The repository of the cases at the helper teams' desks. A team's queries see only its own agency's cases."""

    TABLE = cases
    HELD = Case
    OPEN = _open

    def _of_group(self, group: str | None) -> ColumnElement[bool]:
        return cases.c.opd == group

    def open_by_opd(self) -> dict[str, int]:
        """Return the number of cases that await a response, by agency."""
        query = select(cases.c.opd, func.count()).where(_open).group_by(cases.c.opd)
        return {row.opd: row[1] for row in self._connection.execute(query)}


class OpdResponseWork(ClockedWork, RecordedWork, AttachingWork):
    """opd_response's unit of work: one database transaction."""

    OUTBOX = outbox
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record
    ATTACHED = attached

    @cached_property
    def cases(self) -> Cases:
        return Cases(self.connection, self.inserts)

    @property
    def clocked(self) -> Cases:
        return self.cases
