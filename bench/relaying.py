"""Events per second through the relay, and messages per second published without one.

The relay is measured with its database work: rows of an outbox, written beforehand, are claimed, published with
confirms to a quorum queue, and marked. For comparison, the same bodies are published to the same kind of queue without
a database: as most programs do it (persistent, mandatory, each confirmed before the next), and as fast as possible
(written 50 at a time, confirmed once per batch). `python -m bench.relaying` measures one of these in a process of its
own, patched as by `nameko run`.
"""

import json
import subprocess
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any

from kombu import Connection, Exchange, Queue
from sqlalchemy import insert

from bench.workplace import Workplace
from nkk.contracts.events import ComplaintHandedOver
from nkk.messaging.publisher import Message, publisher
from nkk.messaging.relay import Relay
from nkk.store.database import Database, new_metadata
from nkk.store.outbox import outbox_table

SERVICE = "bench"
BATCH = 50
_NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def measure(place: Workplace) -> dict[str, Any]:
    """Return events per second, the median of rounds that measure all in turn: `one_by_one`, `in_batches`, and `relay`
    by kind of database."""
    place.postgres.create("relay")
    uri = place.node.new_vhosts("relay")[0]
    databases = {"PostgreSQL": place.postgres.url("relay"), "SQLite": f"sqlite:///{place.folder / 'relay.db'}"}
    counts = {"one_by_one": place.size(1_500, 100), "in_batches": place.size(20_000, 500)} | dict.fromkeys(
        databases, place.size(6_000, 300)
    )
    rounds = []
    for _ in range(place.size(3, 1)):
        rounds.append({kind: _in_child(uri, kind, count, databases.get(kind, "")) for kind, count in counts.items()})
    rates = {kind: median(each[kind] for each in rounds) for kind in counts}
    return {
        "one_by_one": rates["one_by_one"],
        "in_batches": rates["in_batches"],
        "relay": {name: rates[name] for name in databases},
        "rounds": rounds,
        "counts": counts,
        "batch": BATCH,
        "body_bytes": len(_body("0")),
    }


def _in_child(uri: str, kind: str, count: int, database: str) -> float:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.relaying"],
        capture_output=True,
        text=True,
        input=json.dumps({"uri": uri, "kind": kind, "count": count, "database": database}),
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"measuring {kind} failed: {done.stderr[-2000:]}")
    return float(done.stdout)


class TimedRelay(Relay):
    """The product's relay, timed from its first batch to the mark of its last. It stops when nothing is unsent."""

    began: float | None = None
    relayed = 0

    def relay_batch(self, publisher: Any) -> int:
        self.began = self.began or perf_counter()
        count = super().relay_batch(publisher)
        if count:
            self.relayed, self.ended = self.relayed + count, perf_counter()
        else:
            self.stop()
        return count


def relayed_per_second(uri: str, database_url: str, count: int) -> float:
    """Return the rows per second that are published from an outbox and marked; each event has a subject of its own."""
    database, metadata = Database(database_url), new_metadata()
    outbox = outbox_table(metadata)
    metadata.create_all(database.engine)
    with database.writing() as connection:
        connection.execute(insert(outbox), [_row() for _ in range(count)])
    relay = TimedRelay(database, outbox, SERVICE, uri)
    relay.run()
    database.dispose()
    if relay.relayed != count or relay.began is None:
        raise RuntimeError(f"{relay.relayed} of {count} events relayed")
    return count / (relay.ended - relay.began)


def one_by_one_per_second(uri: str, count: int) -> float:
    """Return the messages published per second where each is confirmed before the next."""
    with Connection(uri, transport_options={"confirm_publish": True}) as connection:
        producer = connection.Producer()
        bodies = [_body(str(uuid.uuid4())) for _ in range(count)]
        began = perf_counter()
        for body in bodies:
            producer.publish(
                body,
                exchange=f"{SERVICE}.events",
                routing_key=ComplaintHandedOver.TYPE,
                mandatory=True,
                delivery_mode=2,
                content_type="application/cloudevents+json",
                content_encoding="utf-8",
            )
        return count / (perf_counter() - began)


def in_batches_per_second(uri: str, count: int) -> float:
    """Return the messages published per second where BATCH of them are written at a time and confirmed together."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    messages = [
        Message(
            id=each,
            exchange=f"{SERVICE}.events",
            routing_key=ComplaintHandedOver.TYPE,
            body=_body(each),
            type=ComplaintHandedOver.TYPE,
        )
        for each in ids
    ]
    with publisher(uri) as channel:
        began = perf_counter()
        confirmed = sum(len(channel.publish(messages[first : first + BATCH])) for first in range(0, count, BATCH))
        took = perf_counter() - began
    if confirmed != count:
        raise RuntimeError(f"{confirmed} of {count} messages confirmed")
    return count / took


def _row() -> dict[str, Any]:
    event_id = str(uuid.uuid4())
    return {
        "event_id": event_id,
        "type": ComplaintHandedOver.TYPE,
        "exchange": f"{SERVICE}.events",
        "subject": event_id,
        "body": _body(event_id),
        "mandatory": True,
        "created_at": _NOW,
    }


def _body(event_id: str) -> str:
    return ComplaintHandedOver(
        ticket="NKK-2026-EDXY-ER30",
        reporter_kind="public",
        claimed_kind="complaint",
        category="kode-perilaku",
        sub_category="disiplin",
        subject_line="Loket tutup sebelum waktunya",
        place="Loket 3, kantor pelayanan",
        text="Loket pelayanan ditutup pukul 14.00 padahal antrean masih panjang. " * 4,
        happened_on=None,
        accused_name=None,
        accused_position="Petugas loket",
        accused_opd="disdukcapil",
        confidential=False,
        submitted_at=_NOW,
        service_due_at=_NOW,
        by="operator",
    ).to_json(event_id, _NOW)


def _with_queue(uri: str, kind: str, count: int, database: str) -> float:
    """Return the figure of one round, with a new quorum queue that is deleted afterwards."""
    queue = Queue(
        f"{SERVICE}.{uuid.uuid4().hex[:8]}",
        Exchange(f"{SERVICE}.events", type="topic", durable=True),
        routing_key="#",
        durable=True,
        queue_arguments={"x-queue-type": "quorum"},
    )
    with Connection(uri) as connection:
        bound = queue(connection.default_channel)
        bound.declare()
        try:
            if kind == "one_by_one":
                return one_by_one_per_second(uri, count)
            return (
                in_batches_per_second(uri, count) if kind == "in_batches" else relayed_per_second(uri, database, count)
            )
        finally:
            with suppress(TimeoutError):
                bound.delete()


if __name__ == "__main__":
    import eventlet

    eventlet.monkey_patch()
    print(_with_queue(**json.load(sys.stdin)))
