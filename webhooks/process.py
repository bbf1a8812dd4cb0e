"""The process of all webhooks: it starts and ends their workers as the admin adds, changes and removes webhooks."""

import fcntl
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO, Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from nkk.clock import utc_now
from nkk.log import configure, get_logger
from nkk.messaging import pulse
from nkk.priority import give_way
from nkk.settings import (
    AMQP_URI,
    NKK_WEBHOOKS_ALLOWED,
    NKK_WEBHOOKS_CA,
    NKK_WEBHOOKS_KEYS,
    OF,
    WEBHOOKS_DATABASE_URL,
    check,
)
from nkk.store.database import Database
from webhooks.posting import SECONDS, Poster, trust
from webhooks.storage import Store
from webhooks.worker import Means, Worker

LOOP = "webhooks"
TURN_SECONDS = 1.0
SILENT_SECONDS = 60.0
"""For how long a worker may make no turn. Each request and each statement to the database ends much sooner."""

NICENESS = 19
"""As much as there is: on one machine, complaints are accepted first."""

PRUNE_SECONDS = 3600.0
ADVISORY_LOCK = 6712

log = get_logger()


def main() -> None:
    """Run until SIGTERM or SIGINT. Raises SettingsError."""
    configure()
    check(OF["webhooks"])
    give_way(NICENESS)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    pulse.begin("webhooks")
    context, allowed = trust(NKK_WEBHOOKS_CA.get()), NKK_WEBHOOKS_ALLOWED.get()
    with opened() as store:
        means = Means(store, AMQP_URI.get(), utc_now, lambda: Poster(context, allowed))
        Process(means).run(stopping)


@contextmanager
def opened() -> Iterator[Store]:
    """Open the database of webhooks that the settings name. Raises SettingsError."""
    database = Database(WEBHOOKS_DATABASE_URL.get())
    try:
        yield Store(database, NKK_WEBHOOKS_KEYS.get())
    finally:
        database.dispose()


class Process:
    """The workers of all webhooks. Of several processes with one database, one works and the others stand by."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._turn = Turn(means.store.database)
        self._workers: dict[int, Worker] = {}
        self._prune_at = 0.0

    def run(self, stopping: Event) -> None:
        """Work until `stopping` is set."""
        pulse.expect(LOOP)
        while not stopping.is_set():
            try:
                self._look()
            except SQLAlchemyError as error:
                log.warning("the database of webhooks does not answer", error=type(error).__name__)
            if all(worker.silent_seconds() < SILENT_SECONDS for worker in self._workers.values()):
                pulse.beat(LOOP)
            stopping.wait(TURN_SECONDS)
        self._end(list(self._workers))
        self._turn.leave()

    def _look(self) -> None:
        has_turn = False
        try:
            has_turn = self._turn.take()
        finally:
            if not has_turn:
                self._end(list(self._workers))
        if not has_turn:
            return
        webhooks = {webhook.id: webhook for webhook in self._means.store.all()}
        self._end([id_ for id_ in self._workers if id_ not in webhooks])
        for id_, webhook in webhooks.items():
            if id_ not in self._workers:
                log.info("webhook begins", webhook=webhook.name)
                self._workers[id_] = Worker(webhook, self._means)
                self._workers[id_].start()
        if monotonic() > self._prune_at:
            if dropped := self._means.store.prune(self._means.clock()):
                log.warning("events dropped that could not be delivered", count=dropped)
            self._prune_at = monotonic() + PRUNE_SECONDS

    def _end(self, ids: list[int]) -> None:
        ending = [self._workers.pop(id_) for id_ in ids]
        for worker in ending:
            worker.stop()
        until = monotonic() + SECONDS + 2
        for worker in ending:
            worker.join(max(0.1, until - monotonic()))
            log.info("webhook ends", webhook=worker.name)


class Turn:
    """The right to send, which one process at a time has: two would send an event twice, and out of order.

    It is a lock of the database server's, or of a file beside an SQLite database. A crash releases it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._file: IO[Any] | None = None
        self._has: bool | None = None

    def take(self) -> bool:
        """Return whether this process has the turn, and take it where no other has it. Raises SQLAlchemyError."""
        has = self._take_file() if self._database.is_sqlite else self._take_lock()
        if has is not self._has:
            log.info("webhooks are sent by this process" if has else "webhooks are sent by another process")
            self._has = has
        return has

    def leave(self) -> None:
        """Give the turn to another process."""
        self._has = None
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _take_file(self) -> bool:
        if self._file is None:
            with ExitStack() as opened:
                file = opened.enter_context(Path(f"{self._database.engine.url.database}.turn").open("w"))
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                opened.pop_all()
                self._file = file
        return True

    def _take_lock(self) -> bool:
        try:
            if self._connection is None:
                options = {"isolation_level": "AUTOCOMMIT"}
                self._connection = self._database.engine.connect().execution_options(**options)
            # The lock lasts as long as the session: once it is held, a lost session raises here.
            query = "SELECT true" if self._has else f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})"
            return bool(self._connection.execute(text(query)).scalar())
        except SQLAlchemyError:
            self.leave()
            raise
