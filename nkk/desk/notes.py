"""Notes of staff about a case: for their own desk and for Tim Utama, never for a reporter, a tool or another stage."""

import json
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, insert, select

from nkk.desk.record import RecordedWork
from nkk.desk.recusals import RECUSED, RecusingWork, may_see
from nkk.store.database import UtcDateTime
from nkk.trust.actor import Actor


def notes_table(metadata: MetaData) -> Table:
    """Declare the table of notes; `opd` is the agency of an OPD team that wrote one."""
    return Table(
        "notes",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("ticket", String(20), nullable=False, index=True),
        Column("at", UtcDateTime, nullable=False),
        Column("by", String(64), nullable=False),
        Column("opd", String(64)),
        Column("text", Text, nullable=False),
    )


class NotingWork(RecordedWork, RecusingWork):
    """One transaction of a stage whose desk writes notes."""

    NOTES: ClassVar[Table]

    def add_note(self, actor: Actor, ticket: str, text: str) -> None:
        """Add a note of `actor` about a case."""
        row = {"ticket": ticket, "at": self.now, "by": actor.id, "opd": actor.group, "text": text}
        self.connection.execute(insert(self.NOTES), row)

    def notes_on(self, ticket: str, actor: Actor) -> list[Any]:
        """Return the notes about a case that `actor` may see, oldest first; for an OPD team only its own."""
        notes = self.NOTES.c
        query = select(self.NOTES).where(notes.ticket == ticket, may_see(self.RECUSALS, notes.ticket, actor))
        query = query if actor.group is None else query.where(notes.opd == actor.group)
        return list(self.connection.execute(query.order_by(notes.id)))

    def recused_by(self, ticket: str) -> dict[tuple[str, datetime], str]:
        """Return the accounts that stepped aside from a case, or were set aside, by who did it and when.

        The note of the same account and instant is the reason.
        """
        record = self.RECORD.c
        query = select(record.actor, record.at, record.detail).where(record.ticket == ticket, record.act == RECUSED)
        return {(by, at): json.loads(detail)["account"] for by, at, detail in self.connection.execute(query)}
