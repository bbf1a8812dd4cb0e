"""opd_response's database: the complaints forwarded to the agencies' helper teams."""

from datetime import datetime
from functools import cached_property

from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, func, literal_column, select, update

from nkk.clocks import ClockedWork, alarm_index, calendars_table, clock_columns, to_tell
from nkk.desks import EVERYTHING, RecordedWork, Wanted, claim_columns, in_turn, narrowed, record_table
from nkk.messaging.database import Inserts, UtcDateTime, new_metadata
from nkk.messaging.outbox import inbox_table, outbox_table
from nkk.messaging.paging import page
from nkk.sop.refusals import UnknownTicket
from services.opd_response.domain import Case, State

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)

cases = Table(
    "cases",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("opd", String(64), nullable=False),
    Column("note", Text),
    Column("category", String(64), nullable=False),
    Column("sub_category", String(64), nullable=False),
    Column("subject_line", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("place", String(150)),
    Column("happened_on", String(150)),
    Column("accused_name", String(150)),
    Column("accused_position", String(150)),
    Column("accused_opd", String(64)),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("service_calendar", Integer),
    *clock_columns(),
    *claim_columns(),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("round", Integer, nullable=False),
    Column("response", Text),
    Column("return_note", Text),
)
# Written out, not bound: SQLite uses a partial index only where it can see the values.
_open = cases.c.state == literal_column(f"'{State.AWAITING_RESPONSE}'")
Index("ix_cases_open", cases.c.opd, *in_turn(cases), sqlite_where=_open, postgresql_where=_open)
alarm_index(cases)


class Cases:
    """The complaints on the helper teams' desks. Every look-up names the agency: another's cases do not exist."""

    def __init__(self, connection: Connection, inserts: Inserts) -> None:
        self._connection = connection
        self._inserts = inserts

    def add(self, case: Case) -> None:
        """Keep a new case."""
        self._inserts.add(cases, dict(vars(case)))

    def get(self, ticket: str, opd: str, for_update: bool = False) -> Case:
        """The case of `ticket` on the desk of `opd`. Raises UnknownTicket."""
        self._inserts.flush()
        query = select(cases).where(cases.c.ticket == ticket, cases.c.opd == opd)
        row = self._connection.execute(query.with_for_update() if for_update else query).first()
        if row is None:
            raise UnknownTicket
        return Case(**row._mapping)

    def save(self, case: Case) -> None:
        """Write what has become of the case; what was forwarded never changes."""
        self._connection.execute(
            update(cases)
            .where(cases.c.ticket == case.ticket)
            .values(
                state=case.state,
                since=case.since,
                came_at=case.came_at,
                due_at=case.due_at,
                calendar=case.calendar,
                done_at=case.done_at,
                tell_at=case.tell_at,
                round=case.round,
                response=case.response,
                return_note=case.return_note,
                claimed_by=case.claimed_by,
                claimed_at=case.claimed_at,
            )
        )

    def to_tell(self, now: datetime, limit: int) -> list[Case]:
        """Cases of every agency with an alarm to be told."""
        return [Case(**row._mapping) for row in to_tell(self._connection, cases, now, limit)]

    def open(
        self, opd: str, cursor: str | None, limit: int | None, wanted: Wanted = EVERYTHING
    ) -> tuple[list[Case], str | None]:
        """What is wanted of the worklist of `opd`, oldest due first."""
        query = narrowed(select(cases).where(_open, cases.c.opd == opd), cases, wanted)
        return page(self._connection, query, in_turn(cases), cursor, limit, lambda row: Case(**row._mapping))

    def open_by_opd(self) -> dict[str, int]:
        """How many cases await a response, by agency."""
        query = select(cases.c.opd, func.count()).where(_open).group_by(cases.c.opd)
        return {row.opd: row[1] for row in self._connection.execute(query)}


class OpdResponseWork(ClockedWork, RecordedWork):
    """One transaction of opd_response."""

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
