"""The outbox relay: publishes the outbox's events, in order per subject, and marks them sent once confirmed.

Each commit that adds an event wakes it, and it also polls every second, so that no event depends on a signal. Several
instances of a stage relay side by side: each locks the rows that it publishes, and an event is eligible only when every
earlier event of its subject is marked. An event that is published but not marked when the process dies is published
again; consumers deduplicate by its id.
"""

from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Table, bindparam, func, literal_column, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from nkk.clock import Clock, utc_now
from nkk.exchanges import opd_key
from nkk.log import get_logger
from nkk.messaging import pulse
from nkk.messaging.host import Signal, sleep
from nkk.messaging.publisher import BROKER_ERRORS, BatchPublisher, Message, connected, keep_alive, trouble
from nkk.messaging.topology import exchange
from nkk.store.database import Database

BATCH = 200
RESCAN_SECONDS = 1.0
LINGER_SECONDS = 0.005
"""The pause after a batch that emptied the outbox, so that the next events are published as one batch."""

HOLD_SECONDS = 5
FLUSH_SECONDS = 5

IN_ORDER = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
"""Settings that make PostgreSQL walk the index of unsent rows. With stale statistics, from a time when no row was
unsent, its planner would sort the whole backlog for each batch."""

INTERRUPTIONS: tuple[type[Exception], ...] = (*BROKER_ERRORS, SQLAlchemyError)

log = get_logger()


class Relay:
    """The relay of one stage's outbox to the broker at `uri`."""

    def __init__(self, database: Database, outbox: Table, service: str, uri: str, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._database = database
        self._outbox = outbox
        self._service = service
        self._uri = uri
        self._woken = Signal()
        self._stopping = False
        self._eligible = eligible(outbox)

    def wake(self) -> None:
        """Wake the relay, because there is an event to publish."""
        self._woken.set()

    def stop(self) -> None:
        """End `run` once the remaining events are published, or after FLUSH_SECONDS."""
        self._stopping = True
        self.wake()

    def run(self) -> None:
        """Relay until stopped; reconnect whenever the broker or the database is lost."""
        while not self._stopping:
            try:
                self._run_connected()
            except INTERRUPTIONS as error:
                log.warning("relay interrupted", service=self._service, **trouble(error))
                self._pause(RESCAN_SECONDS)
            except Exception:
                log.exception("relay failed", service=self._service)
                self._pause(RESCAN_SECONDS)

    def relay_batch(self, publisher: BatchPublisher) -> int:
        """Publish one batch and return the number of events that were confirmed and marked."""
        with self._database.claiming("relay") as claim:
            with claim.statement() as connection:
                if not self._database.is_sqlite:
                    connection.exec_driver_sql(IN_ORDER)
                rows = connection.execute(self._eligible, {"now": self._clock()}).all()
            if not rows:
                return 0
            confirmed = publisher.publish(_message(row) for row in rows)
            with claim.statement() as connection:
                self._mark(connection, rows, confirmed)
        return len(confirmed)

    def _run_connected(self) -> None:
        with connected(self._uri) as connection:
            channel = connection.channel()
            exchange(self._service)(channel).declare()
            channel.close()
            publisher = BatchPublisher(connection)
            while not self._stopping:
                count = self.relay_batch(publisher)
                pulse.beat("relay")
                if count == 0:
                    self._pause(RESCAN_SECONDS)
                    keep_alive(connection)
                elif count < BATCH:
                    sleep(LINGER_SECONDS)
            deadline = monotonic() + FLUSH_SECONDS
            while monotonic() < deadline and self.relay_batch(publisher):
                pass

    def _pause(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self._woken.clear()

    def _mark(self, connection: Any, rows: Any, confirmed: set[str]) -> None:
        now = self._clock()
        outbox = self._outbox
        sent = [row.id for row in rows if row.event_id in confirmed]
        held = [row.id for row in rows if row.event_id not in confirmed]
        if sent:
            connection.execute(update(outbox).where(outbox.c.id.in_(sent)).values(sent_at=now))
        if held:
            log.error(
                "no queue is bound for these events; run `nkk topology`",
                service=self._service,
                types=sorted({row.type for row in rows if row.id in held}),
                count=len(held),
            )
            connection.execute(
                update(outbox).where(outbox.c.id.in_(held)).values(held_until=now + timedelta(seconds=HOLD_SECONDS))
            )


def eligible(outbox: Table) -> Any:
    """Return the query of the rows to publish at `now`, locked: the first unsent row of each subject."""
    same = outbox.alias("same")
    # A subquery instead of a join: PostgreSQL would evaluate the join for each row, over the whole backlog.
    first = select(func.min(same.c.id)).where(same.c.subject == outbox.c.subject, same.c.sent_at.is_(None))
    query = select(outbox).where(
        outbox.c.sent_at.is_(None),
        # Repeats the condition of the index of unsent rows (nkk.store.outbox), so that the planner uses it.
        outbox.c.id > literal_column("0"),
        or_(outbox.c.held_until.is_(None), outbox.c.held_until <= bindparam("now", type_=outbox.c.held_until.type)),
        outbox.c.id == first.scalar_subquery(),
    )
    return query.order_by(outbox.c.id).limit(BATCH).with_for_update(skip_locked=True, of=outbox)


def _message(row: Any) -> Message:
    return Message(
        id=row.event_id,
        exchange=row.exchange,
        routing_key=row.type,
        body=row.body,
        type=row.type,
        content_type="application/cloudevents+json",
        mandatory=row.mandatory,
        correlation_id=row.correlation_id,
        headers={"CC": [opd_key(row.opd, row.type)]} if row.opd else {},
    )
