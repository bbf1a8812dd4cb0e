"""A worklist, narrowed: by category, to what is late, to a ticket or words of a subject line.

Only what is open is ever looked through, by the index that the whole list is read by: a worklist is as long as the work
that waits, however many cases are closed. A cursor names a place in the desk's one order, so that taken over to another
narrowing it goes on from there, and shows nothing that the narrowing leaves out.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import Column, ColumnElement, Select, Table, func, or_

from nkk.contracts.fields import Line, Slug
from nkk.sop.report import SUBJECT_LENGTH
from nkk.sop.ticket import YEAR, read_part, read_ticket
from nkk.validation import load

SHORTEST = 2
"""One letter would find nearly everything."""


@dataclass(frozen=True)
class Wanted:
    """What is to be shown of a worklist; everything where nothing is said. What is late is due before a moment."""

    category: str | None = None
    due_before: datetime | None = None
    q: str | None = None


EVERYTHING = Wanted()


def in_turn(table: Table) -> list[Column[Any]]:
    """The order of every worklist: oldest due first, and first come first of those due together. All that comes outside
    office hours is due together on the next morning."""
    return [table.c.due_at, table.c.came_at, table.c.ticket]


class WantedForm(Schema):
    """What is wanted, as it crosses the wire."""

    category = Slug()
    late = fields.Boolean(truthy={True}, falsy={False})
    q = Line(SUBJECT_LENGTH, least=SHORTEST)


def read_wanted(form: Mapping[str, Any] | None, now: datetime) -> Wanted:
    """What `form` asks for at `now`. Raises InvalidInput."""
    asked = load(WantedForm, dict(form or {}))
    return Wanted(asked.get("category"), now if asked.get("late") else None, asked.get("q"))


def narrowed(query: Select, table: Table, wanted: Wanted, of_category: ColumnElement[bool] | None = None) -> Select:
    """`query` over the open rows of `table`, left with those that are wanted.

    `of_category` stands in where the table itself has no category.
    """
    if wanted.category is not None:
        query = query.where(table.c.category == wanted.category if of_category is None else of_category)
    if wanted.due_before is not None:
        query = query.where(table.c.due_at < wanted.due_before)
    return query.where(_found(table, wanted.q)) if wanted.q else query


_WILD = re.compile("[/%_]")
_TYPED_ALIKE = re.compile("[\"'`\u00b4\u02bc\u2018-\u201f\u2032\u2033\u00ab\u00bb\u2010-\u2015 \u00a0-]")
"""Signs that a word processor writes in another way than a keyboard does."""


def _pattern(q: str) -> str:
    """`q` anywhere in a text. A person who looks for "100%" means that, and no wildcard; a typed quotation mark also
    means the curved one."""
    return "%" + _TYPED_ALIKE.sub("_", _WILD.sub(r"/\g<0>", q)) + "%"


def _found(table: Table, q: str) -> ColumnElement[bool]:
    """Rows of the ticket `q`, of one with `q` for a part of it, or with `q` in their subject line, if any."""
    ways = [table.c.ticket == (read_ticket(q) or "")]
    part = read_part(q)
    if part is not None:
        # As nkk.sop.ticket.has_part.
        symbols = func.replace(
            func.substr(table.c.ticket, len("NKK-2") if len(part) > YEAR else len("NKK-2026-2")), "-", ""
        )
        ways.append(symbols.like(f"%{part}%"))
    if "subject_line" in table.c:
        ways += [
            table.c.subject_line.ilike(_pattern(spelling), escape="/") for spelling in dict.fromkeys(_spellings(q))
        ]
    return or_(*ways)


def _spellings(q: str) -> Iterator[str]:
    """`q` as it is; with plain letters for ligatures and full width, three dots for an ellipsis; with the ellipsis."""
    plain = unicodedata.normalize("NFKC", q)
    yield from (q, plain, plain.replace("...", "\u2026"))
