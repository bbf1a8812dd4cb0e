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
    func,
    literal_column,
    or_,
    select,
)

from nkk.contracts.events import CaseRecused
from nkk.desk import (
    ClockedWork,
    NotingWork,
    Rows,
    Wanted,
    additions_column,
    alarm_index,
    calendars_table,
    claim_columns,
    clock_columns,
    ending_columns,
    files_column,
    gathered_column,
    in_turn,
    narrowed,
    notes_table,
    question_columns,
    record_table,
    recusals_table,
    report_columns,
)
from nkk.store.database import UtcDateTime, insert_of, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from nkk.trust.actor import Actor
from services.triage.domain import OPEN, UNDECIDED, Case, State

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
    *question_columns(),
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
    gathered_column(),
    Column("joined_to", String(20)),
)
# Literals, not bound parameters: SQLite uses a partial index only where the query shows the values.
_open = cases.c.state.in_([literal_column(f"'{state}'") for state in OPEN])
_asks = and_(cases.c.asked_days.is_not(None), cases.c.granted_days.is_(None))
_waiting = or_(_open, _asks)
Index("ix_cases_open", *in_turn(cases), sqlite_where=_waiting, postgresql_where=_waiting)
_undecided = cases.c.state.in_([literal_column(f"'{state}'") for state in UNDECIDED])
Index("ix_cases_undecided", cases.c.category, cases.c.came_at, sqlite_where=_undecided, postgresql_where=_undecided)
alarm_index(cases)
_is_joined = cases.c.joined_to.is_not(None)
Index("ix_cases_joined", cases.c.joined_to, sqlite_where=_is_joined, postgresql_where=_is_joined)

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

    def of_both(self, one: str, other: str, actor: Actor) -> dict[str, Case]:
        """Return those of two cases that `actor` may see, by ticket. They are locked in the order of their tickets."""
        found = {ticket: self.find(ticket, actor, for_update=True) for ticket in sorted({one, other})}
        return {ticket: case for ticket, case in found.items() if case is not None}

    def similar(self, case: Case, q: str | None, actor: Actor, limit: int) -> list[Case]:
        """Return the newest cases of the same category that one may be joined with, by words of the subject line."""
        others = _undecided & cases.c.ended.is_(None) & (cases.c.ticket != case.ticket)
        query = select(cases).where(others, cases.c.category == case.category, *self._seen_by(actor))
        query = narrowed(query, cases, Wanted(q=q)).order_by(cases.c.came_at.desc(), cases.c.ticket)
        return [self._read(row) for row in self._connection.execute(query.limit(limit))]

    def joined_with(self, first: str, actor: Actor | None = None) -> list[str]:
        """Return the tickets of the cases that were joined with `first`, as far as `actor` may see them."""
        joined = cases.c.joined_to == first, *self._seen_by(actor)
        return list(self._connection.execute(select(cases.c.ticket).where(*joined).order_by(cases.c.ticket)).scalars())

    def joined_all(self, ticket: str) -> list[str]:
        """Return the tickets of all reports that are joined with each other, that of `ticket` among them."""
        first = select(func.coalesce(cases.c.joined_to, cases.c.ticket)).where(cases.c.ticket == ticket)
        together = or_(cases.c.ticket == first.scalar_subquery(), cases.c.joined_to == first.scalar_subquery())
        return list(self._connection.execute(select(cases.c.ticket).where(together).order_by(cases.c.ticket)).scalars())

    def resting_with(self, first: str) -> list[Case]:
        """Return and lock the cases that rest with `first`, in the order of their tickets."""
        resting = cases.c.joined_to == first, cases.c.state == State.JOINED
        query = select(cases).where(*resting).order_by(cases.c.ticket).with_for_update()
        return [self._read(row) for row in self._connection.execute(query)]


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


class TriageWork(ClockedWork, NotingWork):
    """Triage's unit of work: one database transaction."""

    OUTBOX = outbox
    PRIVATE = (CaseRecused.TYPE,)
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record
    NOTES = notes
    RECUSALS = recusals

    def recuse(self, ticket: str, account: str, by: str | None = None) -> bool:
        """Hide a case from `account`, and with it the reports that are joined with it, at every stage."""
        is_new = super().recuse(ticket, account, by)
        if is_new and by is not None:
            self._recuse_from([each for each in self.cases.joined_all(ticket) if each != ticket], account, by)
        return is_new

    def hide_together(self, ticket: str, by: str) -> None:
        """Hide each report that is joined with `ticket` from whoever may not see one of them; `by` joined them.

        Threat: reports about one matter share its result, so that the accused would read in one what another brought.
        """
        tickets = self.cases.joined_all(ticket)
        known = select(recusals.c.whom).where(recusals.c.ticket.in_(tickets)).distinct().order_by(recusals.c.whom)
        for account in self.connection.execute(known).scalars().all():
            self._recuse_from(tickets, account, by)

    def _recuse_from(self, tickets: list[str], account: str, by: str) -> None:
        for ticket in tickets:
            if super().recuse(ticket, account, by):
                self.emit(CaseRecused(ticket=ticket, desk="triage", account=account, by=by))

    @cached_property
    def cases(self) -> Cases:
        return Cases(self.connection, self.inserts)

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.connection)

    @property
    def clocked(self) -> Cases:
        return self.cases
