"""Notes of staff about a case: for their own desk and for Tim Utama, never for a reporter, a tool or another stage."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, insert, select

from nkk.store.database import UtcDateTime
from nkk.store.work import Work
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


class NotingWork(Work):
    """One transaction of a stage whose desk writes notes."""

    NOTES: ClassVar[Table]

    def add_note(self, actor: Actor, ticket: str, text: str) -> None:
        """Add a note of `actor` about a case."""
        row = {"ticket": ticket, "at": self.now, "by": actor.id, "opd": actor.group, "text": text}
        self.connection.execute(insert(self.NOTES), row)

    def notes_on(self, ticket: str, opd: str | None) -> list[Any]:
        """Return the notes about a case, oldest first; only those of the team of `opd`, unless that is None."""
        query = select(self.NOTES).where(self.NOTES.c.ticket == ticket).order_by(self.NOTES.c.id)
        return list(self.connection.execute(query if opd is None else query.where(self.NOTES.c.opd == opd)))
