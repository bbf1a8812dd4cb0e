"""A worklist, narrowed: by category, to what is late, to a ticket or words of a subject line.

Only what is open is ever looked through, by the index that the whole list is read by: a worklist is as long as the work
that waits, however many cases are closed. A cursor names a place in the desk's one order, so that taken over to another
narrowing it goes on from there, and shows nothing that the narrowing leaves out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import ColumnElement, Select, Table, or_

from nkk.contracts.fields import SUBJECT_LENGTH, PlainText, Slug
from nkk.messaging.validation import load
from nkk.sop.ticket import read_group, read_ticket

SHORTEST = 2
"""One letter would find nearly everything."""


@dataclass(frozen=True)
class Wanted:
    """What is to be shown of a worklist; everything where nothing is said."""

    category: str | None = None
    late: bool = False
    q: str | None = None


class WantedForm(Schema):
    """A `Wanted` as it crosses the wire."""

    category = Slug()
    late = fields.Boolean(truthy={True}, falsy={False})
    q = PlainText(SUBJECT_LENGTH, least=SHORTEST)


def read_wanted(form: Mapping[str, Any] | None) -> Wanted:
    """What `form` asks for. Raises InvalidInput."""
    return Wanted(**load(WantedForm, dict(form or {})))


def narrowed(query: Select, table: Table, wanted: Wanted, now: datetime,
             of_category: ColumnElement[bool] | None = None) -> Select:
    """`query` over the open rows of `table`, left with those that are wanted.

    `of_category` stands in where the table itself has no category.
    """
    if wanted.category is not None:
        query = query.where(table.c.category == wanted.category if of_category is None else of_category)
    if wanted.late:
        query = query.where(table.c.due_at < now)
    return query.where(_found(table, wanted.q)) if wanted.q else query


def _found(table: Table, q: str) -> ColumnElement[bool]:
    """Rows of the ticket `q`, of one with `q` for a group of four, or with `q` in their subject line, if any."""
    ways = [table.c.ticket == (read_ticket(q) or "")]
    group = read_group(q)
    if group is not None:
        ways.append(table.c.ticket.like(f"NKK-____-%{group}%"))
    if "subject_line" in table.c:
        # Escaped: a person who looks for "100%" means that, and no wildcard.
        ways.append(table.c.subject_line.icontains(q, autoescape=True))
    return or_(*ways)
