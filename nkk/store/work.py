"""The unit of work: the changes of a command or an event and the events they publish, committed in one transaction."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Table, delete, func, select, update

from nkk.clock import Clock, utc_now
from nkk.exchanges import exchange_name
from nkk.log import correlation_id
from nkk.sop.clock import day_of
from nkk.store.database import Database, Inserts, insert_absent, insert_if_absent


class Publishable(Protocol):
    """What the outbox accepts: an event's data that can write its own envelope."""

    TYPE: ClassVar[str]
    CONSUMERS: ClassVar[tuple[str, ...]]

    @property
    def subject(self) -> str: ...

    @property
    def agency(self) -> str | None: ...

    def to_json(
        self, event_id: str, time: datetime, correlation_id: str | None = None, service: str | None = None
    ) -> str: ...


class AlreadyHandledError(Exception):
    """This event was handled before; its redelivery is acknowledged without an effect."""


class Work:
    """One transaction of a stage. Subclasses add the stage's repositories, each on `connection`.

    `now` is the time at which it began, and the time of all its changes. Rows in `inserts` are written before the
    commit; calls passed to `afterwards` are made once, after it.
    """

    OUTBOX: ClassVar[Table]
    INBOX: ClassVar[Table]
    CLOSED: ClassVar[Table]
    PRIVATE: ClassVar[tuple[str, ...]] = ()
    """The types of this stage's events that no tool may receive."""

    def __init__(self, connection: Connection, service: str, now: datetime) -> None:
        self.connection = connection
        self.service = service
        self.now = now
        self.inserts = Inserts(connection)
        self.told = False
        self._afterwards: dict[Callable[[], None], None] = {}

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have `call` made after the commit, once however often it was passed."""
        self._afterwards[call] = None

    @contextmanager
    def part(self) -> Iterator[None]:
        """Open a savepoint. An exception rolls back the changes and events made within it, and none made before."""
        self.inserts.flush()
        told, afterwards = self.told, dict(self._afterwards)
        try:
            with self.connection.begin_nested():
                yield
                self.inserts.flush()
        except BaseException:
            self.inserts.drop()
            self.told, self._afterwards = told, afterwards
            raise

    def emit(self, *events: Publishable, at: datetime | None = None, by_day: bool = False) -> list[str]:
        """Add `events` to the outbox, to be published after the commit, and return their ids.

        `at` is the time of the fact, by default that of the transaction. With `by_day` the events say only its day, as
        its first instant in WIB, because a reporter's act must not be told to the minute.
        """
        at, ids = at or self.now, []
        told_at = day_of(at) if by_day else at
        for event in events:
            event_id = str(uuid.uuid4())
            self.inserts.add(
                self.OUTBOX,
                {
                    "event_id": event_id,
                    "type": event.TYPE,
                    "exchange": exchange_name(self.service),
                    "subject": event.subject,
                    "opd": event.agency,
                    "body": event.to_json(event_id, told_at, correlation_id(), self.service),
                    "mandatory": any(consumer != self.service for consumer in event.CONSUMERS),
                    "correlation_id": correlation_id(),
                    "created_at": at,
                },
            )
            ids.append(event_id)
            self.told = True
        return ids

    def republish(self, since: datetime) -> int:
        """Mark every event since then as unsent, to be published again, and return their number.

        Consumers deduplicate by event id.
        """
        outbox = self.OUTBOX
        again = update(outbox).where(outbox.c.created_at >= since, outbox.c.sent_at.is_not(None))
        self.told = True
        if self.connection.dialect.name == "postgresql":
            # One transaction even for millions of rows: new events must not overtake these.
            self.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        return self.connection.execute(again.values(sent_at=None)).rowcount

    def close(self, ticket: str, at: datetime) -> None:
        """Note that a complaint was closed at `at`, so that the rows about it are pruned in time."""
        insert_if_absent(self.connection, self.CLOSED, {"ticket": ticket, "closed_at": at})

    def reopen(self, ticket: str) -> None:
        """Note that a complaint which was closed goes on, so that the rows about it are kept."""
        self.connection.execute(delete(self.CLOSED).where(self.CLOSED.c.ticket == ticket))

    def prune_by_age(self, before: datetime, limit: int) -> int:
        """Delete sent events that are not about a complaint and no longer needed, `limit` at most; return how many."""
        return 0

    def unsent(self) -> tuple[int, datetime | None]:
        """Return the number of unpublished events, and the time of the oldest or None."""
        outbox = self.OUTBOX
        query = select(func.count(), func.min(outbox.c.created_at)).where(outbox.c.sent_at.is_(None))
        count, oldest = self.connection.execute(query).one()
        return count, oldest


W = TypeVar("W", bound=Work)


class UnitOfWork(Generic[W]):
    """A factory of one stage's transactions.

    `service` is the stage's name; `on_told` is called after a commit that added events; `clock` gives the time.
    """

    def __init__(
        self,
        database: Database,
        work_cls: type[W],
        service: str,
        on_told: Callable[[], None] = lambda: None,
        clock: Clock = utc_now,
    ) -> None:
        self.database = database
        self.clock = clock
        self._work_cls = work_cls
        self._service = service
        self._on_told = on_told

    @contextmanager
    def begin(self) -> Iterator[W]:
        """Begin a transaction for a command."""
        with self.database.writing() as connection:
            work = self._work_cls(connection, self._service, self.clock())
            yield work
            work.inserts.flush()
        if work.told:
            self._on_told()
        for call in work._afterwards:
            call()

    @contextmanager
    def handling(self, event: Any) -> Iterator[W]:
        """Begin a transaction for the effect of `event`. Raises AlreadyHandledError where it was handled before."""
        with self.begin() as work:
            row = {"consumer": self._service, "handled_at": work.now, **_known(event)}
            if not insert_if_absent(work.connection, work.INBOX, row):
                raise AlreadyHandledError(event.id)
            yield work

    @contextmanager
    def batch(self, events: Iterable[Any]) -> Iterator["Batch[W]"]:
        """Begin one transaction for a batch of `events`, and yield the unit of work for their handlers."""
        # Inserted in id order: two instances that received the same events do not deadlock.
        known = sorted({event.id: _known(event) for event in events}.items())
        with self.begin() as work:
            fresh = insert_absent(
                work.connection,
                work.INBOX,
                [{"consumer": self._service, "handled_at": work.now, **row} for _, row in known],
                "event_id",
            )
            yield Batch(self, work, fresh)

    @contextmanager
    def reading(self) -> Iterator[W]:
        """Open the repositories for reading only."""
        with self.database.reading() as connection:
            yield self._work_cls(connection, self._service, self.clock())


def _known(event: Any) -> dict[str, Any]:
    """Return the inbox columns that come from `event`."""
    return {"event_id": event.id, "ticket": getattr(event.data, "ticket", None)}


class Batch(Generic[W]):
    """The unit of work of the handlers of a batch, whose effects share one transaction.

    A handler's exception, other than AlreadyHandledError, must end the transaction: it is not rolled back alone.
    """

    def __init__(self, uow: UnitOfWork[W], work: W, fresh: set[str]) -> None:
        self._work = work
        self._fresh = fresh
        self.clock = uow.clock
        self.reading = uow.reading

    @contextmanager
    def handling(self, event: Any) -> Iterator[W]:
        """Yield the batch's transaction for the effect of `event`. Raises AlreadyHandledError as UnitOfWork does."""
        if event.id not in self._fresh:
            raise AlreadyHandledError(event.id)
        self._fresh.remove(event.id)
        yield self._work
