"""Who may not see a case: the accounts that stepped aside from it, and those of the person whom the report is about.

That person's accounts are known by a keyed hash of the NIP, which intake alone can compute. Every query of a case for
an actor has the condition `may_see`, so that to them the case is as one that never was.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from marshmallow import Schema, fields
from sqlalchemy import Column, ColumnElement, MetaData, String, Table, or_, select, true

from nkk.sop.steps import Role
from nkk.store.database import UtcDateTime, insert_if_absent
from nkk.store.work import Work
from nkk.trust.actor import Actor

RECUSED = "recused"
"""The act of stepping aside; `account` in the detail is the account that sees the case no more."""


def recusals_table(metadata: MetaData) -> Table:
    """Declare the table of recusals.

    `whom` is the id of an account, and `by` that of the account that had it step aside. Of the person whom the report
    is about, `whom` is the keyed hash of the NIP, without a `by`.
    """
    return Table(
        "recusals",
        metadata,
        Column("ticket", String(20), primary_key=True),
        Column("whom", String(64), primary_key=True, index=True),
        Column("at", UtcDateTime, nullable=False),
        Column("by", String(64)),
    )


def may_see(recusals: Table, ticket: Column[Any], actor: Actor | None) -> ColumnElement[bool]:
    """Return the condition that `actor` may see the case of `ticket`; a stage itself, without an actor, sees all."""
    if actor is None or actor.role == Role.REPORTER:
        return true()
    known_as = [name for name in (actor.id, actor.barred) if name is not None]
    # Not by EXISTS, whose joining with each case PostgreSQL plans for as long as it takes to read an empty worklist.
    hidden = select(recusals.c.ticket).where(or_(*(recusals.c.whom == name for name in known_as)))
    return ticket.not_in(hidden)


class Seat(Schema):
    """An open account of a desk: its role, its OPD, and what recusals may know it as."""

    role = fields.String(required=True)
    opd = fields.String(required=True, allow_none=True)
    known_as = fields.List(fields.String(), required=True)


class Seats(Schema):
    """The open accounts of all desks."""

    seats = fields.List(fields.Nested(Seat), required=True)


def hidden_from_all(hidden: Iterable[tuple[str, str]], seats: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the tickets of `hidden`, pairs of (ticket, whom), that are hidden from each of `seats`."""
    whom: dict[str, set[str]] = {}
    for ticket, name in hidden:
        whom.setdefault(ticket, set()).add(name)
    return sorted(ticket for ticket, names in whom.items() if all(names & {*seat["known_as"]} for seat in seats))


class RecusingWork(Work):
    """One transaction of a stage from whose cases staff may step aside."""

    RECUSALS: ClassVar[Table]

    def bar(self, ticket: str, barred: str | None) -> None:
        """Note that accounts with `barred`, the keyed hash of the accused's NIP, do not see the case; None for none."""
        if barred is not None:
            self.recuse(ticket, barred)

    def recuse(self, ticket: str, account: str, by: str | None = None) -> bool:
        """Note that `account` does not see the case; return False where that was noted before."""
        row = {"ticket": ticket, "whom": account, "at": self.now, "by": by}
        return insert_if_absent(self.connection, self.RECUSALS, row)

    def recused_from(self, actor: Actor) -> list[str]:
        """Return the tickets that recusals hide from the account of `actor`, in order."""
        found = self.RECUSALS.c
        query = select(found.ticket).where(found.whom == actor.id).order_by(found.ticket)
        return list(self.connection.execute(query).scalars())

    def stepped_aside(self, ticket: str, actor: Actor) -> bool:
        """Return whether `actor` stepped aside from the case of their own accord."""
        found = self.RECUSALS.c
        query = select(found.whom).where(found.ticket == ticket, found.whom == actor.id, found.by == actor.id)
        return self.connection.execute(query).first() is not None
