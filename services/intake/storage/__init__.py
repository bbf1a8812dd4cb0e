"""Intake's database: accounts, identities, sessions, reports, and the lists that an admin keeps."""

from datetime import datetime
from functools import cached_property

from sqlalchemy import delete, select

from nkk.contracts.events import CaseRecused, PasswordResetRequested, ReporterRegistered
from nkk.desk import AttachingWork, ClockedWork, NotingWork
from services.intake.storage.account_rows import Accounts, Postboxes, Resets
from services.intake.storage.complaint_rows import Complaints, ToldPlain
from services.intake.storage.door_rows import Attempts, Boxes
from services.intake.storage.entry_rows import Entries
from services.intake.storage.list_rows import Lists
from services.intake.storage.tables import (
    accounts,
    attached,
    attempts,
    calendars,
    closed,
    codes,
    complaints,
    entries,
    inbox,
    lists,
    metadata,
    notes,
    outbox,
    papers,
    password_resets,
    past_lists,
    postboxes,
    published_lists,
    record,
    recusals,
    reporters,
    reset_requests,
    sessions,
    shares,
    submissions,
    submitting,
    used_boxes,
)

__all__ = [
    "IntakeWork",
    "accounts",
    "attached",
    "attempts",
    "calendars",
    "closed",
    "complaints",
    "entries",
    "inbox",
    "lists",
    "metadata",
    "notes",
    "outbox",
    "papers",
    "password_resets",
    "past_lists",
    "postboxes",
    "published_lists",
    "record",
    "recusals",
    "reporters",
    "reset_requests",
    "sessions",
    "shares",
    "submissions",
    "used_boxes",
]


class IntakeWork(ClockedWork, AttachingWork, NotingWork):
    """Intake's unit of work: one database transaction."""

    OUTBOX = outbox
    PRIVATE = (ReporterRegistered.TYPE, PasswordResetRequested.TYPE, CaseRecused.TYPE)
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record
    ATTACHED = attached
    NOTES = notes
    RECUSALS = recusals

    def prune_by_age(self, before: datetime, limit: int) -> int:
        """Delete published events with password codes, which are valid for an hour; return their number."""
        query = select(outbox.c.id).where(codes, outbox.c.created_at < before, outbox.c.sent_at.is_not(None))
        found = self.connection.execute(query.order_by(outbox.c.created_at).limit(limit)).scalars().all()
        self.connection.execute(delete(outbox).where(outbox.c.id.in_(found), outbox.c.sent_at.is_not(None)))
        return len(found)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.connection)

    @cached_property
    def complaints(self) -> Complaints:
        return Complaints(self.connection, self.inserts)

    @cached_property
    def entries(self) -> Entries:
        return Entries(self.connection)

    @cached_property
    def resets(self) -> Resets:
        return Resets(self.connection)

    @cached_property
    def postboxes(self) -> Postboxes:
        return Postboxes(self.connection)

    @cached_property
    def boxes(self) -> Boxes:
        return Boxes(self.connection)

    @cached_property
    def told_plain(self) -> ToldPlain:
        return ToldPlain(self.connection)

    @cached_property
    def attempts(self) -> Attempts:
        return Attempts(self.connection)

    @property
    def clocked(self) -> Complaints:
        return self.complaints

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.connection)

    def submitting(self, reporter_id: str) -> tuple[str, Lists]:
        """Return an existing reporter's kind, and the lists that their report is checked against."""
        rows = self.connection.execute(submitting, {"reporter_id": reporter_id}).all()
        return rows[0].kind, Lists(self.connection, {row.name: row.content for row in rows if row.name is not None})
