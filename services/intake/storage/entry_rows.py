"""The repository of the reports that websites sent in."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from nkk.store.paging import page
from services.intake.entries import Entry
from services.intake.storage.tables import entries


class Entries:
    """The repository of the reports that websites sent in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> None:
        """Add `entry`."""
        self._connection.execute(insert(entries).values(**asdict(entry)))

    def get(self, ticket: str) -> Entry:
        """Return the entry of `ticket`, which must exist."""
        return _entry(self._connection.execute(select(entries).where(entries.c.ticket == ticket)).one())

    def find(self, ticket: str) -> Entry | None:
        """Return the entry of `ticket`; None where no website sent it in."""
        return self._one(select(entries).where(entries.c.ticket == ticket))

    def of_code(self, code_hash: str, for_update: bool = False) -> Entry | None:
        """Return the entry whose code has this hash, locked with `for_update`; None where there is none."""
        query = select(entries).where(entries.c.code_hash == code_hash)
        return self._one(query.with_for_update() if for_update else query)

    def use(self, ticket: str, now: datetime) -> None:
        """Mark an entry's code as used."""
        self._connection.execute(update(entries).where(entries.c.ticket == ticket).values(used_at=now))

    def of_website(self, website_id: str, cursor: str | None, limit: int | None) -> tuple[list[Entry], str | None]:
        """Return a page of a website's entries, newest first, and the cursor of the next page."""
        return page(
            self._connection,
            select(entries).where(entries.c.website_id == website_id),
            [entries.c.entered_at, entries.c.ticket],
            cursor,
            limit,
            _entry,
            descending=True,
        )

    def _one(self, query: Select[Any]) -> Entry | None:
        row = self._connection.execute(query).first()
        return None if row is None else _entry(row)


def _entry(row: Any) -> Entry:
    return Entry(**row._mapping)
