"""How reporters are reached, and what versions before kept of them in the clear."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    delete,
    select,
    update,
)

from nkk.store.database import insert_if_absent
from services.notification.storage.tables import contacts, is_plain, journeys, keyed_contacts, messages


class Contact(NamedTuple):
    """A sealed box with the address of `reporter` (a keyed hash), and since when they have had it."""

    sealed_contact: str
    reporter: str | None = None
    since: datetime | None = None


class Contacts:
    """How reporters are reached: the newest box with an address, under a keyed hash of whose it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, reporter: str, sealed_contact: str, at: datetime) -> tuple[str, datetime] | None:
        """Remember how to reach `reporter`; the newest wins. Returns (sealed contact, since when) whose place it took,
        if any."""
        row = {"sealed_contact": sealed_contact, "changed_at": at}
        if insert_if_absent(self._connection, keyed_contacts, row | {"reporter": reporter}):
            return None
        same = keyed_contacts.c.reporter == reporter
        known = self._connection.execute(select(keyed_contacts).where(same).with_for_update()).one()
        if known.changed_at >= at:
            return None
        self._connection.execute(update(keyed_contacts).where(same).values(**row))
        return known.sealed_contact, known.changed_at

    def of(self, reporters: Mapping[str, str]) -> dict[str, Contact]:
        """The newest contacts of `reporters`, keyed hashes by id, as far as they are known; by id."""
        ids = {reporter: reporter_id for reporter_id, reporter in reporters.items()}
        kept = [(ids[row.reporter], row) for row in self._in(keyed_contacts.c.reporter, ids)]
        kept += [(row.reporter_id, row) for row in self._in(contacts.c.reporter_id, reporters)]
        return {
            id_: Contact(row.sealed_contact, reporters[id_], row.changed_at)
            for id_, row in sorted(kept, key=lambda known: known[1].changed_at)
        }

    def _in(self, column: Any, values: Iterable[str]) -> Iterable[Any]:
        return self._connection.execute(select(column.table).where(column.in_(list(values))))

    def take_plain(self, reporter_id: str | None, limit: int = 1) -> list[Any]:
        """Rows that a version before kept under `reporter_id`, or under any; taken out."""
        query = (
            select(contacts) if reporter_id is None else select(contacts).where(contacts.c.reporter_id == reporter_id)
        )
        rows = list(self._connection.execute(query.order_by(contacts.c.reporter_id).limit(limit).with_for_update()))
        if rows:
            taken = [row.reporter_id for row in rows]
            self._connection.execute(delete(contacts).where(contacts.c.reporter_id.in_(taken)))
        return rows


class Plain:
    """Reporter ids in the clear beside tickets and codes, as a version before kept them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def journeys(self, limit: int) -> list[Any]:
        """(ticket, reporter_id) of journeys that name theirs, this transaction's alone."""
        query = select(journeys.c.ticket, journeys.c.reporter_id).where(is_plain).order_by(journeys.c.ticket)
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def hide_journey(self, ticket: str, author: str, sealed_reporter: str) -> None:
        """Keep these in the place of the id."""
        self._connection.execute(
            update(journeys)
            .where(journeys.c.ticket == ticket)
            .values(reporter_id=None, author=author, sealed_reporter=sealed_reporter)
        )

    def codes(self, limit: int) -> list[Any]:
        """(id, reporter_id) of letters with a code that name whose, this transaction's alone."""
        query = select(messages.c.id, messages.c.reporter_id).where(messages.c.reporter_id.is_not(None))
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def hide_code(self, message_id: str, reporter: str) -> None:
        """Keep this in the place of the id."""
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(reporter_id=None, reporter=reporter)
        )
