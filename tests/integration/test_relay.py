"""The relay: it publishes all events, in order for each subject, also with several instances and a failing broker."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from kombu import Connection, Queue, binding
from sqlalchemy import insert, select, text, update

from nkk.contracts.asyncapi import SAMPLES
from nkk.contracts.events import AnswerSent, ComplaintHandedOver, ResponseReturned
from nkk.exchanges import opd_key
from nkk.messaging import topology
from nkk.messaging.publisher import publisher
from nkk.messaging.relay import BATCH, IN_ORDER, Relay, eligible
from nkk.sop.ticket import new_ticket
from nkk.store.work import UnitOfWork
from tests.integration.conftest import PlainWork

SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END';
CREATE TRIGGER slow BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION slow()
"""


@pytest.fixture
def heard(connection: Connection, request: pytest.FixtureRequest):
    """Yield a function that reads all events published by triage so far, in order, as (subject, round)."""
    channel = connection.channel()
    topology.exchange("triage")(channel).declare()
    queue = Queue("ears", topology.exchange("triage"), routing_key="#", queue_arguments={"x-queue-type": "quorum"})(
        channel
    )
    queue.declare()

    def read():
        events = []
        while message := queue.get():
            message.ack()
            event = json.loads(message.body)
            events.append((event["subject"], event["data"]["round"]))
        return events

    yield read
    queue.delete()
    topology.exchange("triage")(channel).delete()


def relay(database, uri):
    return Relay(database, PlainWork.OUTBOX, "triage", uri)


def tell(uow, tickets, rounds):
    for number in rounds:
        for ticket in tickets:
            with uow.begin() as work:
                work.emit(ResponseReturned(ticket=ticket, opd="inspektorat", round=number, note="x", by="y"))


def drain(relay, uri):
    with publisher(uri) as channel:
        while relay.relay_batch(channel):
            pass


def unsent(database):
    with database.reading() as connection:
        return connection.execute(select(PlainWork.OUTBOX).where(PlainWork.OUTBOX.c.sent_at.is_(None))).all()


def in_order(events):
    rounds = {}
    for subject, number in events:
        rounds.setdefault(subject, []).append(number)
    return all(numbers == sorted(numbers) for numbers in rounds.values())


def test_everything_told_is_published_once_and_marked(database, uow, uri, heard):
    tickets = [new_ticket(2026) for _ in range(5)]
    tell(uow, tickets, range(1, 4))
    drain(relay(database, uri), uri)
    events = heard()
    assert sorted(events) == sorted((ticket, number) for ticket in tickets for number in range(1, 4))
    assert in_order(events)
    assert unsent(database) == []


def test_what_was_rolled_back_is_never_told(database, uow, uri, heard):
    def tell_and_fail():
        with uow.begin() as work:
            work.emit(ResponseReturned(ticket=new_ticket(2026), opd="inspektorat", round=1, note="x", by="y"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tell_and_fail()
    drain(relay(database, uri), uri)
    assert heard() == []


def test_several_relays_side_by_side_keep_the_order_of_each_subject_and_repeat_nothing(database, uow, uri, heard):
    tickets = [new_ticket(2026) for _ in range(40)]
    tell(uow, tickets, range(1, 11))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: drain(relay(database, uri), uri), range(3)))
    drain(relay(database, uri), uri)
    events = heard()
    assert len(events) == len(set(events)) == 400
    assert in_order(events)


def test_a_backlog_larger_than_a_batch_is_drained(database, uow, uri, heard):
    tell(uow, [new_ticket(2026) for _ in range(BATCH + 30)], [1])
    with publisher(uri) as channel:
        batches = [relay(database, uri).relay_batch(channel) for _ in range(3)]
    assert batches == [BATCH, 30, 0]
    assert len(heard()) == BATCH + 30


def test_an_event_no_queue_takes_stays_and_holds_back_its_own_subject_only(database, uow, uri, heard):
    lost, fine = new_ticket(2026), new_ticket(2026)
    with uow.begin() as work:
        work.emit(ResponseReturned(ticket=lost, opd="inspektorat", round=1, note="x", by="y"))
    with database.writing() as connection:
        connection.execute(update(PlainWork.OUTBOX).values(exchange="amq.direct"))
    tell(uow, [lost, fine], [2])
    drain(relay(database, uri), uri)
    assert heard() == [(fine, 2)]
    assert [row.subject for row in unsent(database)] == [lost, lost]
    with database.writing() as connection:
        connection.execute(update(PlainWork.OUTBOX).values(exchange="triage.events", held_until=None))
    drain(relay(database, uri), uri)
    assert heard() == [(lost, 1), (lost, 2)]


def test_an_event_for_tooling_alone_is_sent_though_nobody_listens(database, uri, connection):
    topology.exchange("notification")(connection.default_channel).declare()
    with UnitOfWork(database, PlainWork, "notification").begin() as work:
        work.emit(AnswerSent(ticket=new_ticket(2026), path="complaint", by="y"))
    drain(relay(database, uri), uri)
    assert unsent(database) == []


def test_publishing_everything_again_may_take_longer_than_other_statements(database, uow, uri, heard):
    tell(uow, [new_ticket(2026)], range(1, 4))
    drain(relay(database, uri), uri)
    with uow.begin() as work:
        if not database.is_sqlite:
            work.connection.exec_driver_sql("SET LOCAL statement_timeout = 100")
            work.connection.exec_driver_sql(SLOW)
        assert work.republish(datetime(2026, 1, 1, tzinfo=UTC)) == 3
    assert len(unsent(database)) == 3


def test_what_was_published_and_not_marked_is_published_again(database, uow, uri, heard, monkeypatch):
    tell(uow, [ticket := new_ticket(2026)], [1])
    dying = relay(database, uri)
    monkeypatch.setattr(dying, "_mark", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with publisher(uri) as channel, pytest.raises(KeyboardInterrupt):
        dying.relay_batch(channel)
    drain(relay(database, uri), uri)
    assert heard() == [(ticket, 1), (ticket, 1)]


def test_an_event_carries_what_any_client_needs(database, uri, connection):
    channel = connection.channel()
    topology.declare(channel, ["intake", "triage", "notification"], [ComplaintHandedOver])
    sample = ComplaintHandedOver.read((SAMPLES / "complaint.handed_over.v1.json").read_text("utf-8"))
    with UnitOfWork(database, PlainWork, "intake").begin() as work:
        work.emit(sample.data, at=sample.time)
    drain(relay(database, uri), uri)
    message = Queue("triage.inbox")(channel).get()
    message.ack()
    assert message.properties["type"] == "complaint.handed_over.v1"
    assert message.properties["delivery_mode"] == 2
    assert message.content_type == "application/cloudevents+json"
    heard = ComplaintHandedOver.read(message.body)
    assert (heard.data, heard.time, heard.id) == (sample.data, sample.time, message.properties["message_id"])


def rows_touched(plan):
    """Return how many rows the nodes of a plan returned or discarded, over all their loops."""
    looked_at = plan["Actual Rows"] + sum(
        plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Join Filter", "Index Recheck")
    )
    return looked_at * plan["Actual Loops"] + sum(map(rows_touched, plan.get("Plans", [])))


@pytest.mark.parametrize("statistics", ["none", "all sent", "a backlog"])
def test_a_backlog_is_walked_once_for_a_batch_whatever_the_statistics(on_postgres, statistics):
    outbox, now = PlainWork.OUTBOX, datetime.now(UTC)

    def tell_many(sent_at):
        with on_postgres.writing() as connection:
            connection.execute(
                insert(outbox),
                [
                    {
                        "event_id": str(uuid.uuid4()),
                        "type": "response.returned.v1",
                        "exchange": "triage.events",
                        "subject": new_ticket(2026),
                        "body": "x" * 500,
                        "mandatory": True,
                        "created_at": now,
                        "sent_at": sent_at,
                    }
                    for _ in range(5_000)
                ],
            )

    def analyze():
        with on_postgres.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE outbox"))

    tell_many(sent_at=now)
    if statistics == "all sent":
        analyze()
    tell_many(sent_at=None)
    if statistics == "a backlog":
        analyze()
    with on_postgres.writing() as connection:
        connection.exec_driver_sql(IN_ORDER)
        statement = eligible(outbox).params(now=now).compile(connection, compile_kwargs={"literal_binds": True})
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}").scalar_one()
    assert plan["Plan"]["Actual Rows"] == BATCH
    assert rows_touched(plan["Plan"]) < 10 * BATCH, plan


def test_an_event_that_concerns_an_opd_is_published_under_its_key_too_and_arrives_once(database, uow, uri, connection):
    channel = connection.channel()
    exchange = topology.exchange("triage")
    exchange(channel).declare()
    arguments = {"x-queue-type": "quorum"}
    keys = {
        "theirs": [opd_key("inspektorat", ResponseReturned.TYPE)],
        "another's": [opd_key("inspektorat-jenderal", ResponseReturned.TYPE)],
        "both": [ResponseReturned.TYPE, opd_key("inspektorat", ResponseReturned.TYPE)],
    }
    queues = {
        name: Queue(name, bindings=[binding(exchange, routing_key=key) for key in bound], queue_arguments=arguments)(
            channel
        )
        for name, bound in keys.items()
    }
    for queue in queues.values():
        queue.declare()
    tell(uow, [new_ticket(2026)], range(1, 3))
    drain(relay(database, uri), uri)
    found = {name: [] for name in queues}
    for name, queue in queues.items():
        while message := queue.get():
            message.ack()
            # The routing key, by which consumers check the type, is still the event's own.
            assert message.delivery_info["routing_key"] == ResponseReturned.TYPE
            found[name].append(json.loads(message.body)["data"]["round"])
        queue.delete()
    exchange(channel).delete()
    assert found == {"theirs": [1, 2], "another's": [], "both": [1, 2]}
