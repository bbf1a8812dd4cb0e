"""The unit of work: what a command or an event changes is committed once, whole, with what has to be told about it."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Table, func, select, update

from nkk.clock import Clock, utc_now
from nkk.exchanges import exchange_name
from nkk.log import correlation_id
from nkk.store.database import Database, Inserts, insert_absent, insert_if_absent


class Tellable(Protocol):
    """What the outbox can take: an event's data, able to write itself."""

    TYPE: ClassVar[str]
    CONSUMERS: ClassVar[tuple[str, ...]]

    @property
    def subject(self) -> str: ...

    def to_json(
        self, event_id: str, time: datetime, correlation_id: str | None = None, service: str | None = None
    ) -> str: ...


class AlreadyHandledError(Exception):
    """This event had its effect before; the delivery is to be acknowledged quietly."""


class Work:
    """One transaction of a stage. Subclasses add the stage's repositories, each on `connection`.

    `now` is when it began, and is the time of all that it does. What `inserts` takes is written before the commit; what
    `afterwards` takes is called after it, once.
    """

    OUTBOX: ClassVar[Table]
    INBOX: ClassVar[Table]
    CLOSED: ClassVar[Table]

    def __init__(self, connection: Connection, service: str, now: datetime) -> None:
        self.connection = connection
        self.service = service
        self.now = now
        self.inserts = Inserts(connection)
        self.told = False
        self._afterwards: dict[Callable[[], None], None] = {}

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have `call` made once this transaction is committed, however often it was asked for."""
        self._afterwards[call] = None

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of this transaction. An exception undoes what was changed and was to be told within it; what was
        before stands, where whoever catches it goes on."""
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

    def emit(self, *events: Tellable, at: datetime | None = None) -> list[str]:
        """Tell `events` once this transaction is committed; `at` is when the fact came about, now by default. Their
        ids."""
        at, ids = at or self.now, []
        for event in events:
            event_id = str(uuid.uuid4())
            self.inserts.add(
                self.OUTBOX,
                {
                    "event_id": event_id,
                    "type": event.TYPE,
                    "exchange": exchange_name(self.service),
                    "subject": event.subject,
                    "body": event.to_json(event_id, at, correlation_id(), self.service),
                    "mandatory": any(consumer != self.service for consumer in event.CONSUMERS),
                    "correlation_id": correlation_id(),
                    "created_at": at,
                },
            )
            ids.append(event_id)
            self.told = True
        return ids

    def republish(self, since: datetime) -> int:
        """Have every event published again that was told since then. Returns how many; who handled one knows its id."""
        outbox = self.OUTBOX
        again = update(outbox).where(outbox.c.created_at >= since, outbox.c.sent_at.is_not(None))
        self.told = True
        if self.connection.dialect.name == "postgresql":
            # All at once or none, of millions too: what is told meanwhile must not overtake it.
            self.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        return self.connection.execute(again.values(sent_at=None)).rowcount

    def close(self, ticket: str, at: datetime) -> None:
        """Note that a complaint was closed: what is kept of its events may be pruned in time."""
        insert_if_absent(self.connection, self.CLOSED, {"ticket": ticket, "closed_at": at})

    def prune_by_age(self, before: datetime, limit: int) -> int:
        """Delete sent events that are about no complaint and of no use any more. Returns how many; at most `limit`."""
        return 0

    def unsent(self) -> tuple[int, datetime | None]:
        """How many events wait to be published, and when the first of them was told."""
        outbox = self.OUTBOX
        query = select(func.count(), func.min(outbox.c.created_at)).where(outbox.c.sent_at.is_(None))
        count, oldest = self.connection.execute(query).one()
        return count, oldest


W = TypeVar("W", bound=Work)


class UnitOfWork(Generic[W]):
    """Begins transactions of one stage.

    `service` is the stage's name; `on_told` is called after a commit that has something to tell; `clock` is what the
    stage knows the time by.
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
        """One transaction for a command."""
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
        """One transaction for the effect of `event`. Raises AlreadyHandledError where it had its effect before."""
        with self.begin() as work:
            row = {"consumer": self._service, "handled_at": work.now, **_known(event)}
            if not insert_if_absent(work.connection, work.INBOX, row):
                raise AlreadyHandledError(event.id)
            yield work

    @contextmanager
    def together(self, events: Iterable[Any]) -> Iterator["Together[W]"]:
        """One transaction for the effects of all `events`: what their handlers are given as their unit of work."""
        # In one order whoever inserts: two instances that were delivered the same events wait, and do not deadlock.
        known = sorted({event.id: _known(event) for event in events}.items())
        with self.begin() as work:
            fresh = insert_absent(
                work.connection,
                work.INBOX,
                [{"consumer": self._service, "handled_at": work.now, **row} for _, row in known],
                "event_id",
            )
            yield Together(self, work, fresh)

    @contextmanager
    def reading(self) -> Iterator[W]:
        """The repositories, for reading only."""
        with self.database.reading() as connection:
            yield self._work_cls(connection, self._service, self.clock())


def _known(event: Any) -> dict[str, Any]:
    """Return what the inbox remembers of `event`."""
    return {"event_id": event.id, "ticket": getattr(event.data, "ticket", None)}


class Together(Generic[W]):
    """The unit of work of one of several handlers whose effects are committed together.

    An exception of any of them but AlreadyHandledError is to end the transaction: what it had done is not undone alone.
    """

    def __init__(self, uow: UnitOfWork[W], work: W, fresh: set[str]) -> None:
        self._work = work
        self._fresh = fresh
        self.clock = uow.clock
        self.reading = uow.reading

    @contextmanager
    def handling(self, event: Any) -> Iterator[W]:
        """As UnitOfWork's, within the transaction of all."""
        if event.id not in self._fresh:
            raise AlreadyHandledError(event.id)
        self._fresh.remove(event.id)
        yield self._work
