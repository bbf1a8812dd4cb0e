"""What stands at a desk, kept: a row of the stage's table for each."""

from dataclasses import fields
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, select, update

from nkk.desk.clocks import to_tell
from nkk.desk.worklist import Wanted, in_turn, narrowed
from nkk.sop.claims import Claimable
from nkk.sop.report import WRITTEN, Report
from nkk.store.database import Inserts
from nkk.store.paging import page

Held = TypeVar("Held", bound=Claimable)


class Rows(Generic[Held]):
    """The rows of `TABLE`, each a `HELD`, whose fields are its columns."""

    TABLE: ClassVar[Table]
    HELD: ClassVar[type[Any]]

    _changing: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        stays = WRITTEN if issubclass(cls.HELD, Report) else ()
        cls._changing = tuple(field.name for field in fields(cls.HELD) if field.name not in stays)

    def __init__(self, connection: Connection, inserts: Inserts) -> None:
        self._connection = connection
        self._inserts = inserts

    def add(self, held: Held) -> None:
        """Keep a new one."""
        self._inserts.add(self.TABLE, dict(vars(held)))

    def save(self, held: Held) -> None:
        """Write what has become of it: all but the report, which never changes."""
        row = {name: getattr(held, name) for name in self._changing}
        self._connection.execute(update(self.TABLE).where(self.TABLE.c.ticket == held.ticket).values(row))

    def to_tell(self, now: datetime, limit: int) -> list[Held]:
        """Those with an alarm to be told."""
        return [self.HELD(**row._mapping) for row in to_tell(self._connection, self.TABLE, now, limit)]

    def _find(self, ticket: str, *of: ColumnElement[bool], for_update: bool = False) -> Held | None:
        self._inserts.flush()
        query = select(self.TABLE).where(self.TABLE.c.ticket == ticket, *of)
        row = self._connection.execute(query.with_for_update() if for_update else query).first()
        return self.HELD(**row._mapping) if row else None

    def _page(
        self, of: ColumnElement[bool], cursor: str | None, limit: int | None, wanted: Wanted, **more: Any
    ) -> tuple[list[Held], str | None]:
        query: Select[Any] = narrowed(select(self.TABLE).where(of), self.TABLE, wanted, **more)
        return page(self._connection, query, in_turn(self.TABLE), cursor, limit, lambda row: self.HELD(**row._mapping))
