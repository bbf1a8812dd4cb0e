"""The repository of the catalogue and the roster, and of their last published versions."""

import json
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Connection,
    func,
    insert,
    select,
    update,
)

from nkk.sop import catalogue as defaults
from nkk.store.database import insert_if_absent
from services.intake.storage.tables import lists, past_lists, published_lists

DEFAULTS: dict[str, Any] = {
    "categories": defaults.CATEGORIES,
    "opds": defaults.OPDS,
    "inspectorate": defaults.INSPECTORATE,
}


class Lists:
    """The catalogue and the roster: the procedure's defaults until an admin replaces them.

    `kept` holds the stored lists as JSON by name, where they have already been read.
    """

    def __init__(self, connection: Connection, kept: dict[str, str] | None = None) -> None:
        self._connection = connection
        self._read = kept

    def categories(self) -> dict[str, Any]:
        """Return the categories by key."""
        return self._kept.get("categories") or DEFAULTS["categories"]

    def opds(self) -> dict[str, str]:
        """Return the names of the agencies by key."""
        return self._kept.get("opds") or DEFAULTS["opds"]

    def inspectorate(self) -> str | None:
        """Return the key of the agency that is offered first for a complaint with a conflict of interest.

        None where the roster has no such agency.
        """
        key: str = self._kept.get("inspectorate") or DEFAULTS["inspectorate"]
        return key if key in self.opds() else None

    def replace(self, name: str, content: Any, by: str, now: datetime) -> None:
        """Replace the list `name` by `content`, and keep the replaced one among the past lists."""
        row = {"content": json.dumps(content, ensure_ascii=False), "changed_at": now, "changed_by": by}
        before = json.dumps(DEFAULTS[name], ensure_ascii=False)
        if not insert_if_absent(self._connection, lists, row | {"name": name}):
            same = lists.c.name == name
            before = self._connection.execute(select(lists.c.content).where(same).with_for_update()).scalar_one()
            self._connection.execute(update(lists).where(same).values(**row))
        if before != row["content"]:
            self._connection.execute(insert(past_lists).values(name=name, content=before, replaced_at=now))
        self._read = None
        self.__dict__.pop("_kept", None)

    def changed_at(self) -> datetime | None:
        """Return when the lists last changed; None where they are still the defaults."""
        return self._connection.execute(select(func.max(past_lists.c.replaced_at))).scalar_one()

    def at(self, moment: datetime) -> "Lists":
        """Return the lists as they were at `moment`."""
        kept = dict(self._written())
        first = (
            select(past_lists.c.content)
            .where(past_lists.c.replaced_at > moment)
            .order_by(past_lists.c.replaced_at, past_lists.c.id)
            .limit(1)
        )
        for name in DEFAULTS:
            content = self._connection.execute(first.where(past_lists.c.name == name)).scalar()
            if content is not None:
                kept[name] = content
        return Lists(self._connection, kept)

    def published(self, name: str) -> tuple[int, list[str]]:
        """Return the version and the roster that were published last as `name`, and lock them for this transaction."""
        insert_if_absent(self._connection, published_lists, {"name": name, "version": 0, "opds": "[]"})
        query = select(published_lists).where(published_lists.c.name == name)
        row = self._connection.execute(query.with_for_update()).one()
        return row.version, json.loads(row.opds)

    def keep_published(self, name: str, version: int, opds: list[str]) -> None:
        """Store the version and the roster that this transaction publishes."""
        same = published_lists.c.name == name
        self._connection.execute(update(published_lists).where(same).values(version=version, opds=json.dumps(opds)))

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {name: json.loads(content) for name, content in self._written().items()}

    def _written(self) -> dict[str, str]:
        if self._read is None:
            rows = self._connection.execute(select(lists.c.name, lists.c.content))
            self._read = {row.name: row.content for row in rows}
        return self._read
