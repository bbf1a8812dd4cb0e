"""opd_response's database: the complaints forwarded to the agencies' helper teams."""

from functools import cached_property
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    func,
    literal_column,
    select,
    update,
)

from nkk.contracts.events import CaseRecused
from nkk.desk import (
    AttachingWork,
    ClockedWork,
    NotingWork,
    Rows,
    additions_column,
    alarm_index,
    attached_table,
    calendars_table,
    claim_columns,
    clock_columns,
    ending_columns,
    files_column,
    in_turn,
    notes_table,
    question_columns,
    record_table,
    recusals_table,
    report_columns,
)
from nkk.sop.refusals import UnknownTicket
from nkk.store.database import UtcDateTime, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from services.opd_response.domain import Case, State

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)
notes = notes_table(metadata)
recusals = recusals_table(metadata)
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
    *question_columns(),
    Column("kept", Boolean, nullable=False, server_default=false()),
    *claim_columns(),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("round", Integer, nullable=False),
    Column("response", Text),
    Column("return_note", Text),
    files_column(),
    files_column("response_files"),
    additions_column(),
    *ending_columns(),
    Column("forwarding", Integer, primary_key=True, autoincrement=False, server_default="1"),
    Column("overtaken", Boolean, nullable=False, server_default=false()),
    Column("goes_on_from", Integer, nullable=False, server_default="0"),
    Column("declined_why", Text),
    Column("better_opd", String(64)),
    Column("recalled_why", Text),
    Column("asked_for", Integer),
    Column("asked_days", Integer, nullable=False, server_default="0"),
    Column("asked_why", Text),
    Column("granted_days", Integer),
    Column("granted_note", Text),
    Column("granted_at", UtcDateTime),
    Column("due_first", UtcDateTime),
    Column("due_later", UtcDateTime),
    Column("first_before", UtcDateTime),
    Column("later_before", UtcDateTime),
)
# A literal, not a bound parameter: SQLite uses a partial index only where the query shows the value.
_open = cases.c.state == literal_column(f"'{State.AWAITING_RESPONSE}'")
Index("ix_cases_open", cases.c.opd, *in_turn(cases), sqlite_where=_open, postgresql_where=_open)
alarm_index(cases)


class Cases(Rows[Case]):
    """The repository of the cases at the helper teams' desks. A team's queries see only its own agency's cases."""

    TABLE = cases
    RECUSALS = recusals
    HELD = Case
    OPEN = _open & cases.c.ended.is_(None)
    NEWEST = cases.c.forwarding

    def _of_group(self, group: str | None) -> ColumnElement[bool]:
        return cases.c.opd == group

    def of_forwarding(self, ticket: str, opd: str, forwarding: int) -> Case:
        """Return the locked case of one forwarding of a complaint. Raises UnknownTicket."""
        self._inserts.flush()
        query = select(cases).where(cases.c.ticket == ticket, cases.c.opd == opd, cases.c.forwarding == forwarding)
        row = self._connection.execute(query.with_for_update()).first()
        if row is None:
            raise UnknownTicket
        return self._read(row)

    def still_of_forwarding(self, ticket: str, opd: str, forwarding: int) -> Case | None:
        """Return the locked case of one forwarding of a complaint; None where it has gone on under the next number.

        Raises UnknownTicket.
        """
        try:
            return self.of_forwarding(ticket, opd, forwarding)
        except UnknownTicket:
            self.of_forwarding(ticket, opd, forwarding + 1)
            return None

    def keep(self, ticket: str, forwarding: int) -> None:
        """Let the case of a forwarding go on under the next number, because Tim Utama lets the complaint go on."""
        self._inserts.flush()
        goes_on: dict[str, Any] = {"forwarding": forwarding + 1, "ended": None, "ended_at": None, "ended_why": None}
        goes_on["kept"] = True
        of_forwarding = cases.c.ticket == ticket, cases.c.forwarding == forwarding
        self._connection.execute(update(cases).where(*of_forwarding).values(goes_on))

    def go_on(self, ticket: str, forwarding: int) -> None:
        """Note that a complaint goes on with the number `forwarding`, whatever ending of one before it comes late."""
        self._inserts.flush()
        self._connection.execute(update(cases).where(cases.c.ticket == ticket).values(goes_on_from=forwarding))

    def goes_on(self, ticket: str, forwarding: int) -> bool:
        """Return whether a complaint is known to go on after an ending under the number `forwarding`."""
        self._inserts.flush()
        query = select(func.max(cases.c.goes_on_from)).where(cases.c.ticket == ticket)
        return (self._connection.execute(query).scalar() or 0) > forwarding

    def open_by_opd(self) -> dict[str, int]:
        """Return the number of cases that await a response, by agency."""
        query = select(cases.c.opd, func.count()).where(self.OPEN).group_by(cases.c.opd)
        return {row.opd: row[1] for row in self._connection.execute(query)}


class OpdResponseWork(ClockedWork, AttachingWork, NotingWork):
    """opd_response's unit of work: one database transaction."""

    OUTBOX = outbox
    PRIVATE = (CaseRecused.TYPE,)
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record
    NOTES = notes
    RECUSALS = recusals
    ATTACHED = attached

    @cached_property
    def cases(self) -> Cases:
        return Cases(self.connection, self.inserts)

    @property
    def clocked(self) -> Cases:
        return self.cases
