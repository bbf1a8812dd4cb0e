"""The repository of a desk's cases: one row of the stage's table for each case."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select, true, update

from nkk.desk.clocks import due_alarms
from nkk.desk.recusals import hidden_from_all, may_see
from nkk.desk.worklist import EVERYTHING, Sort, Wanted, in_order, narrowed
from nkk.sop.claims import Claimable
from nkk.sop.refusals import UnknownTicket
from nkk.sop.report import WRITTEN, Report
from nkk.store.database import Inserts
from nkk.store.paging import page
from nkk.trust.actor import Actor

Held = TypeVar("Held", bound=Claimable)


class Rows(Generic[Held]):
    """A repository of the rows of `TABLE` as `HELD` objects, whose fields are the columns.

    `OPEN` selects the rows of the worklist. Where an `actor` is given, only cases that they may see are found: of their
    group, for a desk that is divided by groups (see `_of_group`), and none from which they stepped aside (`RECUSALS`).
    """

    TABLE: ClassVar[Table]
    RECUSALS: ClassVar[Table]
    HELD: ClassVar[type[Any]]
    OPEN: ClassVar[ColumnElement[bool]]
    NEWEST: ClassVar[Column[Any] | None] = None
    """A second column of the primary key, for a table that may have several rows of a ticket: the newest is its
    case."""

    _names: ClassVar[tuple[str, ...]]
    _changing: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        cls._names = tuple(cls.TABLE.c.keys())
        stays = WRITTEN if issubclass(cls.HELD, Report) else ()
        cls._changing = tuple(field.name for field in fields(cls.HELD) if field.name not in stays)

    def __init__(self, connection: Connection, inserts: Inserts) -> None:
        self._connection = connection
        self._inserts = inserts

    def add(self, held: Held) -> None:
        """Insert a new case."""
        self._inserts.add(self.TABLE, dict(vars(held)))

    def save(self, held: Held) -> None:
        """Update all columns of a case except the report's, which never change."""
        row = {name: getattr(held, name) for name in self._changing}
        key = [column == getattr(held, column.name) for column in self.TABLE.primary_key]
        self._connection.execute(update(self.TABLE).where(*key).values(row))

    def due_alarms(self, now: datetime, limit: int) -> list[Held]:
        """Return cases with an alarm to raise at `now`, locked."""
        return [self._read(row) for row in due_alarms(self._connection, self.TABLE, now, limit)]

    def get(self, ticket: str, actor: Actor | None = None, for_update: bool = False) -> Held:
        """Return the case of `ticket`, locked with `for_update`. Raises UnknownTicket."""
        held = self.find(ticket, actor, for_update)
        if held is None:
            raise UnknownTicket
        return held

    def find(self, ticket: str, actor: Actor | None = None, for_update: bool = False) -> Held | None:
        """Return the case of `ticket`, locked with `for_update`; None where this desk has none that `actor` may see."""
        self._inserts.flush()
        query = select(self.TABLE).where(self.TABLE.c.ticket == ticket, *self._seen_by(actor))
        if self.NEWEST is not None:
            query = query.order_by(self.NEWEST.desc()).limit(1)
        row = self._connection.execute(query.with_for_update() if for_update else query).first()
        return self._read(row) if row else None

    def asking(self, ticket: str, question: str) -> Held | None:
        """Return the locked case whose last question has this id; None where it has gone on to another step."""
        self._inserts.flush()
        query = select(self.TABLE).where(self.TABLE.c.ticket == ticket, self.TABLE.c.question == question)
        row = self._connection.execute(query.with_for_update()).first()
        return self._read(row) if row else None

    def open(
        self, cursor: str | None, limit: int | None, wanted: Wanted = EVERYTHING, actor: Actor | None = None
    ) -> tuple[list[Held], str | None]:
        """Return a page of the filtered worklist in its order, and the cursor of the next page."""
        category = self._category() if wanted.sort == Sort.CATEGORY else None
        query: Select[Any] = select(self.TABLE).where(self.OPEN, *self._seen_by(actor))
        query = narrowed(query, self.TABLE, wanted, self._of_category(wanted))
        query = query if category is None else query.add_columns(category)
        return page(
            self._connection,
            query,
            in_order(self.TABLE, wanted.sort, category),
            cursor,
            limit,
            self._read,
            descending=wanted.sort == Sort.NEWEST,
        )

    def _read(self, row: Any) -> Held:
        """Return the case of a row that begins with the table's columns, whose names the row itself is slow to give."""
        held: Held = self.HELD(**dict(zip(self._names, row, strict=False)))
        return held

    def unseen(self, seats: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the tickets of the worklist's cases that none of the accounts `seats` of this desk may see."""
        by_group: dict[str | None, list[Mapping[str, Any]]] = {}
        for seat in seats:
            by_group.setdefault(seat["opd"], []).append(seat)
        return sorted(
            ticket for group, those in by_group.items() for ticket in hidden_from_all(self._hidden(group, those), those)
        )

    def _hidden(self, group: str | None, seats: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
        recusals, ticket = self.RECUSALS.c, self.TABLE.c.ticket
        known = [name for seat in seats for name in seat["known_as"]]
        query = select(ticket, recusals.whom).join(self.RECUSALS, recusals.ticket == ticket)
        rows = self._connection.execute(query.where(self.OPEN, self._of_group(group), recusals.whom.in_(known)))
        return [(row[0], row[1]) for row in rows]

    def _seen_by(self, actor: Actor | None) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of the rows that `actor` may see; a stage itself, without an actor, sees all."""
        if actor is None:
            return ()
        return self._of_group(actor.group), may_see(self.RECUSALS, self.TABLE.c.ticket, actor)

    def _of_group(self, group: str | None) -> ColumnElement[bool]:
        """Return the condition of the rows that `group` may see; by default all rows."""
        return true()

    def _category(self) -> ColumnElement[str] | None:
        """Return what the cases are sorted by as their category, for a table without a category column; else None."""
        return None

    def _of_category(self, wanted: Wanted) -> ColumnElement[bool] | None:
        """Return the condition of the wanted category for a table without a category column; else None."""
        return None
