"""Repositories of used boxes, and of the counts of wrong passwords."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    Connection,
    delete,
    insert,
    or_,
    select,
    update,
)

from nkk.store.database import insert_if_absent, insert_of
from services.intake.attempts import FREE, Count, Door
from services.intake.storage.tables import PRUNED, attempts, used_boxes


class Boxes:
    """The repository of used boxes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def use(self, nonce: str, sealed_at: datetime) -> bool:
        """Mark a box as used; return False where it was used before.

        Where a concurrent transaction has marked it, this waits for that transaction's end.
        """
        return insert_if_absent(self._connection, used_boxes, {"nonce": nonce, "sealed_at": sealed_at})

    def is_used(self, nonce: str) -> bool:
        """Return whether a box was used."""
        query = select(used_boxes.c.nonce).where(used_boxes.c.nonce == nonce)
        return self._connection.execute(query).first() is not None

    def forget(self, before: datetime) -> None:
        """Delete the marks of boxes sealed before `before`."""
        self._connection.execute(delete(used_boxes).where(used_boxes.c.sealed_at < before))


class Attempts:
    """The repository of the counts of wrong passwords."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, counts: Iterable[Count]) -> None:
        """Lock the rows of `counts`, adding those that are missing, and read their values into `counts`.

        Every caller must pass the counts of a user name first, because the common order avoids deadlocks.
        """
        known = {count.key: count for count in counts}
        rows = [asdict(count) for count in known.values()]
        statement = insert_of(self._connection, attempts)
        statement = (
            statement.values(rows)
            .on_conflict_do_update(index_elements=["key"], set_={"key": statement.excluded.key})
            .returning(attempts)
        )
        for row in self._connection.execute(statement).all():
            vars(known[row.key]).update(row._mapping)

    def lock_all(self, doors: list[Door]) -> None:
        """Lock and read the counts of all `doors`."""
        self.lock(_names_first(doors))

    def save(self, counts: Iterable[Count]) -> None:
        """Store `counts`, and delete the empty ones."""
        for count in counts:
            if count.is_empty:
                self._connection.execute(delete(attempts).where(attempts.c.key == count.key))
            else:
                self._connection.execute(update(attempts).where(attempts.c.key == count.key).values(**asdict(count)))

    def save_all(self, doors: list[Door]) -> None:
        """Store the counts of all `doors`."""
        self.save(_names_first(doors))

    def add(self, count: Count) -> None:
        """Add a new count."""
        self._connection.execute(insert(attempts).values(**asdict(count)))

    def forget(self, login_index: str, kind: str) -> None:
        """Delete all counts at the user name of an account of this kind."""
        self._connection.execute(delete(attempts).where(attempts.c.login_index == login_index, attempts.c.kind == kind))

    def waiting(self, login_indexes: list[str], kind: str, now: datetime) -> dict[str, list[Count]]:
        """Return the counts with a wait in force at accounts of this kind, by the hash of the user name."""
        query = select(attempts).where(
            attempts.c.login_index.in_(login_indexes), attempts.c.kind == kind, attempts.c.waits_until > now
        )
        found: dict[str, list[Count]] = defaultdict(list)
        for row in self._connection.execute(query):
            count = Count(**row._mapping)
            if count.waits(now):
                found[row.login_index].append(count)
        return found

    def prune(self, few_before: datetime, many_before: datetime) -> None:
        """Delete counts below FREE with no failure since `few_before`, and others with none since `many_before`.

        Rows that another transaction has locked are skipped.
        """
        old = attempts.c.last_at < few_before
        query = select(attempts.c.key).where(old, or_(attempts.c.failed < FREE, attempts.c.last_at < many_before))
        keys = self._connection.execute(query.limit(PRUNED).with_for_update(skip_locked=True)).scalars().all()
        self._connection.execute(delete(attempts).where(attempts.c.key.in_(keys)))


def _names_first(doors: list[Door]) -> list[Count]:
    return sorted((count for door in doors for count in door.counts), key=lambda count: count.what != "name")
