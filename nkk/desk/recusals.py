"""Who may not see a case: the accounts that stepped aside from it, and those of whom the report is about.

Every query of a case for an actor has the condition `may_see`, so that to them the case is as one that never was.
"""

from typing import Any, ClassVar

from sqlalchemy import Column, ColumnElement, MetaData, String, Table, exists, select, true

from nkk.sop.steps import Role
from nkk.store.database import UtcDateTime, insert_if_absent
from nkk.store.work import Work
from nkk.trust.actor import Actor

RECUSED = "recused"
"""The act of stepping aside; `account` in the detail is the account that sees the case no more."""


def recusals_table(metadata: MetaData) -> Table:
    """Declare the table of recusals; `whom` is the id of an account, `by` of the account that had it step aside."""
    return Table(
        "recusals",
        metadata,
        Column("ticket", String(20), primary_key=True),
        Column("whom", String(64), primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("by", String(64)),
    )


def may_see(recusals: Table, ticket: Column[Any], actor: Actor | None) -> ColumnElement[bool]:
    """Return the condition that `actor` may see the case of `ticket`; a stage itself, without an actor, sees all."""
    if actor is None or actor.role == Role.REPORTER:
        return true()
    return ~exists().where(recusals.c.ticket == ticket, recusals.c.whom == actor.id)


class RecusingWork(Work):
    """One transaction of a stage from whose cases staff may step aside."""

    RECUSALS: ClassVar[Table]

    def recuse(self, ticket: str, account: str, by: str) -> bool:
        """Note that `account` sees the case no more; return False where that was noted before."""
        row = {"ticket": ticket, "whom": account, "at": self.now, "by": by}
        return insert_if_absent(self.connection, self.RECUSALS, row)

    def stepped_aside(self, ticket: str, actor: Actor) -> bool:
        """Return whether `actor` stepped aside from the case of their own accord."""
        found = self.RECUSALS.c
        query = select(found.whom).where(found.ticket == ticket, found.whom == actor.id, found.by == actor.id)
        return self.connection.execute(query).first() is not None
