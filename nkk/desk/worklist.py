"""Filters and orders of a worklist: by category, lateness, claim, ticket, or words of the subject line.

Only open cases are searched, through the index of the whole list, so the cost does not grow with the closed ones. A
cursor is a position in one order of the desk, so it stays valid when the filter changes. Each order has keys of its own
number, so a cursor of another order is refused.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import Column, ColumnElement, Select, Table, and_, func, not_, or_

from nkk.contracts.fields import Line, OneOf, Slug
from nkk.sop.claims import LASTS
from nkk.sop.report import SUBJECT_LENGTH
from nkk.sop.ticket import YEAR, read_part, read_ticket
from nkk.validation import load

SHORTEST = 2
"""The shortest search text: a single letter would match nearly everything."""


class Sort(StrEnum):
    """An order of a worklist."""

    DUE = "due"
    NEWEST = "newest"
    CATEGORY = "category"


class Waits(StrEnum):
    """For whom a case waits, by the claim on it; `reporter` for the answer to a question."""

    ME = "me"
    COLLEAGUES = "colleagues"
    NOBODY = "nobody"
    REPORTER = "reporter"


@dataclass(frozen=True)
class Wanted:
    """A filter and an order of a worklist; a None does not filter.

    Late cases are those due before the time of the request. `waits` is judged for the staff member `by`, and a claim
    made at `claimed_after` or before has lapsed.
    """

    category: str | None = None
    due_before: datetime | None = None
    q: str | None = None
    waits: str | None = None
    by: str | None = None
    claimed_after: datetime | None = None
    sort: str = Sort.DUE


EVERYTHING = Wanted()


def in_turn(table: Table) -> list[Column[Any]]:
    """Return the sort columns of every worklist: oldest due first, then first come first.

    Many cases are due at once, because all that arrive outside office hours count from the next opening.
    """
    return [table.c.due_at, table.c.came_at, table.c.ticket]


def in_order(table: Table, sort: str, category: ColumnElement[str] | None = None) -> list[ColumnElement[Any]]:
    """Return the sort columns of the order `sort`. `category` stands for the column of a table that has none."""
    if sort == Sort.NEWEST:
        return [table.c.came_at, table.c.ticket]
    if sort == Sort.CATEGORY:
        return [table.c.category if category is None else category, *in_turn(table)]
    return [*in_turn(table)]


class WantedForm(Schema):
    """The schema of a filter and an order."""

    category = Slug()
    late = fields.Boolean(truthy={True}, falsy={False})
    q = Line(SUBJECT_LENGTH, least=SHORTEST)
    waits = fields.String(validate=OneOf([*Waits]))
    sort = fields.String(validate=OneOf([*Sort]))


def read_wanted(form: Mapping[str, Any] | None, now: datetime, by: str | None = None) -> Wanted:
    """Parse the filter and order of a request of `by` at `now`. Raises InvalidInput."""
    asked = load(WantedForm, dict(form or {}))
    waits = asked.get("waits")
    return Wanted(
        asked.get("category"),
        now if asked.get("late") else None,
        asked.get("q"),
        waits,
        by if waits else None,
        now - LASTS if waits else None,
        asked.get("sort", Sort.DUE),
    )


def narrowed(query: Select, table: Table, wanted: Wanted, of_category: ColumnElement[bool] | None = None) -> Select:
    """Return `query`, over the open rows of `table`, with the conditions of the filter added.

    `of_category` is the category's condition where the table has no category column.
    """
    if wanted.category is not None:
        query = query.where(table.c.category == wanted.category if of_category is None else of_category)
    if wanted.due_before is not None:
        query = query.where(table.c.due_at < wanted.due_before)
        if "done_at" in table.c:
            # A case may be listed while its step is done, because another decision on it is awaited.
            query = query.where(table.c.done_at.is_(None))
            if "rests_since" in table.c:
                query = query.where(not_(_awaits_reporter(table)))
    if wanted.waits is not None:
        query = query.where(_WAITING[wanted.waits](table, wanted))
    return query.where(_found(table, wanted.q)) if wanted.q else query


def _is_claimed(table: Table, wanted: Wanted) -> ColumnElement[bool]:
    """Return the condition of a claim in force. The same rule as nkk.sop.claims.Claimable.claim_at."""
    return and_(table.c.claimed_by.is_not(None), table.c.claimed_at > wanted.claimed_after)


def _awaits_reporter(table: Table) -> ColumnElement[bool]:
    """Return the condition of a clock that rests until the reporter answers. The same rule as `Askable`'s."""
    return and_(table.c.rests_since.is_not(None), table.c.rests_until.is_(None), table.c.done_at.is_(None))


_WAITING: dict[str, Callable[[Table, Wanted], ColumnElement[bool]]] = {
    Waits.ME: lambda table, wanted: and_(_is_claimed(table, wanted), table.c.claimed_by == wanted.by),
    Waits.COLLEAGUES: lambda table, wanted: and_(_is_claimed(table, wanted), table.c.claimed_by != wanted.by),
    Waits.NOBODY: lambda table, wanted: or_(
        table.c.claimed_by.is_(None), table.c.claimed_at.is_(None), table.c.claimed_at <= wanted.claimed_after
    ),
    Waits.REPORTER: lambda table, _: _awaits_reporter(table),
}
"""The condition of each way to wait."""

_WILD = re.compile("[/%_]")
_TYPED_ALIKE = re.compile("[\"'`\u00b4\u02bc\u2018-\u201f\u2032\u2033\u00ab\u00bb\u2010-\u2015 \u00a0-]")
"""Characters that word processors replace by typographic ones; each matches any character in a search."""


def _pattern(q: str) -> str:
    """Return the LIKE pattern for `q` anywhere in a text.

    Wildcards in `q` are escaped ("100%" means itself); a typed quotation mark also matches the curved one.
    """
    return "%" + _TYPED_ALIKE.sub("_", _WILD.sub(r"/\g<0>", q)) + "%"


def _found(table: Table, q: str) -> ColumnElement[bool]:
    """Return the condition of rows with `q` as their ticket, as a part of it, or in their subject line, if any."""
    ways = [table.c.ticket == (read_ticket(q) or "")]
    part = read_part(q)
    if part is not None:
        # The same rule as nkk.sop.ticket.has_part.
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
    """Yield the spellings of `q`: as typed; compatibility forms replaced (NFKC), `...` for an ellipsis; with `…`."""
    plain = unicodedata.normalize("NFKC", q)
    yield from (q, plain, plain.replace("...", "\u2026"))
