"""The repository of the reports that websites and operators entered."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from nkk.store.database import insert_if_absent
from nkk.store.paging import page
from services.intake.entries import Entry
from services.intake.storage.tables import entries, papers


class Entries:
    """The repository of the reports that websites and operators entered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> None:
        """Add `entry`."""
        self._connection.execute(insert(entries).values(**asdict(entry)))

    def take_paper(self, key: str, ticket: str) -> str | None:
        """Enter the letter or slip of `key` as `ticket`; return the ticket that it was entered as before, or None.

        Where a concurrent transaction enters it, this waits for that transaction's end.
        """
        if insert_if_absent(self._connection, papers, {"key": key, "ticket": ticket}):
            return None
        return str(self._connection.execute(select(papers.c.ticket).where(papers.c.key == key)).scalar_one())

    def renew(self, entry: Entry) -> None:
        """Store an entry's new code."""
        renewed = {"code_hash": entry.code_hash, "expires_at": entry.expires_at}
        self._connection.execute(update(entries).where(entries.c.ticket == entry.ticket).values(**renewed))

    def get(self, ticket: str) -> Entry:
        """Return the entry of `ticket`, which must exist."""
        return _entry(self._connection.execute(select(entries).where(entries.c.ticket == ticket)).one())

    def find(self, ticket: str, for_update: bool = False) -> Entry | None:
        """Return the entry of `ticket`, locked with `for_update`; None where its reporter submitted it."""
        query = select(entries).where(entries.c.ticket == ticket)
        return self._one(query.with_for_update() if for_update else query)

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
