"""Triage's database: the cases on Tim Utama's desk."""

from datetime import datetime
from functools import cached_property

from sqlalchemy import (
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
    update,
)

from nkk.clocks import ClockedWork, alarm_index, calendars_table, clock_columns, to_tell
from nkk.desks import EVERYTHING, RecordedWork, Wanted, claim_columns, in_turn, narrowed, record_table
from nkk.messaging.database import Inserts, UtcDateTime, new_metadata
from nkk.messaging.outbox import inbox_table, outbox_table
from nkk.messaging.paging import page
from nkk.sop.refusals import UnknownTicket
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
    Column("category", String(64), nullable=False),
    Column("sub_category", String(64), nullable=False),
    Column("subject_line", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("place", String(150)),
    Column("happened_on", String(150)),
    Column("accused_name", String(150)),
    Column("accused_position", String(150)),
    Column("accused_opd", String(64)),
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


class Cases:
    """The cases on Tim Utama's desk."""

    def __init__(self, connection: Connection, inserts: Inserts) -> None:
        self._connection = connection
        self._inserts = inserts

    def add(self, case: Case) -> None:
        """Keep a new case."""
        self._inserts.add(cases, dict(vars(case)))

    def get(self, ticket: str, for_update: bool = False) -> Case:
        """The case of `ticket`. Raises UnknownTicket."""
        self._inserts.flush()
        query = select(cases).where(cases.c.ticket == ticket)
        row = self._connection.execute(query.with_for_update() if for_update else query).first()
        if row is None:
            raise UnknownTicket
        return Case(**row._mapping)

    def save(self, case: Case) -> None:
        """Write what has become of the case; what was handed over never changes."""
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
                opd=case.opd,
                round=case.round,
                response=case.response,
                claimed_by=case.claimed_by,
                claimed_at=case.claimed_at,
            )
        )

    def to_tell(self, now: datetime, limit: int) -> list[Case]:
        """Cases with an alarm to be told."""
        return [Case(**row._mapping) for row in to_tell(self._connection, cases, now, limit)]

    def open(self, cursor: str | None, limit: int | None, wanted: Wanted = EVERYTHING) -> tuple[list[Case], str | None]:
        """What is wanted of the worklist, oldest due first."""
        query = narrowed(select(cases).where(_open), cases, wanted)
        return page(self._connection, query, in_turn(cases), cursor, limit, lambda row: Case(**row._mapping))


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
