"""Repositories of reporters' sealed addresses, and of reporter ids that earlier versions stored in the clear."""

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
    """The sealed address of `reporter` (a keyed hash), and since when they have had it."""

    sealed_contact: str
    reporter: str | None = None
    since: datetime | None = None


class Contacts:
    """The repository of reporters' newest sealed addresses, by keyed hash of the reporter."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, reporter: str, sealed_contact: str, at: datetime) -> tuple[str, datetime] | None:
        """Store the sealed address of `reporter`, unless a newer one is stored.

        Returns the (sealed contact, since when) that it replaced, or None.
        """
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
        """Return the newest known contacts by reporter id; `reporters` are keyed hashes by id."""
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
        """Delete and return rows of an earlier version with this `reporter_id`, or with any where it is None."""
        query = (
            select(contacts) if reporter_id is None else select(contacts).where(contacts.c.reporter_id == reporter_id)
        )
        rows = list(self._connection.execute(query.order_by(contacts.c.reporter_id).limit(limit).with_for_update()))
        if rows:
            taken = [row.reporter_id for row in rows]
            self._connection.execute(delete(contacts).where(contacts.c.reporter_id.in_(taken)))
        return rows


class Plain:
    """The repository of reporter ids in the clear, as an earlier version stored them with tickets and codes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def journeys(self, limit: int) -> list[Any]:
        """Return and lock (ticket, reporter_id) of journeys with an id in the clear."""
        query = select(journeys.c.ticket, journeys.c.reporter_id).where(is_plain).order_by(journeys.c.ticket)
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def hide_journey(self, ticket: str, author: str, sealed_reporter: str) -> None:
        """Replace the reporter's id in a journey by the author's hash and the sealed box."""
        self._connection.execute(
            update(journeys)
            .where(journeys.c.ticket == ticket)
            .values(reporter_id=None, author=author, sealed_reporter=sealed_reporter)
        )

    def codes(self, limit: int) -> list[Any]:
        """Return and lock (id, reporter_id) of letters with a code and an id in the clear."""
        query = select(messages.c.id, messages.c.reporter_id).where(messages.c.reporter_id.is_not(None))
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def hide_code(self, message_id: str, reporter: str) -> None:
        """Replace the reporter's id in a letter by the keyed hash."""
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(reporter_id=None, reporter=reporter)
        )
