"""Exchanges, queues, publisher confirms and quarantine on a real broker."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from amqp.exceptions import NotFound, PreconditionFailed
from kombu import Connection, Queue

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.asyncapi import SAMPLES
from nkk.messaging import topology
from nkk.messaging.origin import ORIGIN
from nkk.messaging.publisher import Message, publisher
from ops.stack import quarantine
from tests.installations import eventually


@pytest.fixture(scope="module", autouse=True)
def declared(uri: str) -> None:
    with pytest.MonkeyPatch.context() as patch, Connection(uri) as connection:
        patch.setenv("NKK_RETRY_DELAYS", "0.3,0.6")
        topology.declare(connection.default_channel, STAGES, EVENTS)


@pytest.fixture(autouse=True)
def delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NKK_RETRY_DELAYS", "0.3,0.6")


def moved(queue: str, message_id: str = "m1", **more) -> Message:
    service = queue.partition(".")[0]
    return Message(id=message_id, exchange=f"{service}.moves", routing_key=queue, body=b"{}", **more)


def taken(connection: Connection, queue: str):
    message = Queue(queue)(connection.default_channel).get()
    if message is not None:
        message.ack()
    return message


def test_declaring_twice_changes_nothing(connection):
    assert topology.declare(connection.default_channel, STAGES, EVENTS) == topology.declare(
        connection.default_channel, STAGES, EVENTS
    )


def test_a_queue_with_other_arguments_is_refused_by_the_broker(connection):
    with pytest.raises(PreconditionFailed):
        Queue("triage.inbox", durable=True)(connection.channel()).declare()


def test_an_event_in_a_retry_queue_returns_to_the_inbox_as_it_was(connection, uri):
    with publisher(uri) as channel:
        channel.publish([moved("triage.retry.300", type="a.b.v1", headers={topology.ATTEMPT: 1})])
    back = eventually(lambda: taken(connection, "triage.inbox"))
    assert (back.properties["type"], back.headers[topology.ATTEMPT], back.body) == ("a.b.v1", 1, "{}")


def test_each_event_reaches_the_inboxes_of_its_consumers_and_no_others(connection, uri):
    for event, teller in [(told, teller) for told in EVENTS for teller in told.SERVICES]:
        consumers = set(event.CONSUMERS) - {teller}
        with publisher(uri) as channel:
            channel.publish(
                [
                    Message(
                        id=event.TYPE,
                        exchange=f"{teller}.events",
                        routing_key=event.TYPE,
                        body=b"{}",
                        mandatory=bool(consumers),
                    )
                ]
            )
        found = {stage for stage in quarantine.HEARING if taken(connection, f"{stage}.inbox")}
        assert found == consumers


def test_a_batch_is_confirmed_but_for_what_no_queue_takes(uri):
    messages = [moved("triage.quarantine", f"m{number}") for number in range(20)]
    messages.insert(7, Message(id="lost", exchange="triage.events", routing_key="nobody", body=b""))
    with publisher(uri) as channel:
        assert channel.publish(messages) == {f"m{number}" for number in range(20)}
        assert channel.publish([moved("triage.quarantine", "after")]) == {"after"}
    sent, refused = quarantine.retry(uri, "triage", None)
    assert (len(sent), refused) == (21, {})


def test_publishing_to_an_exchange_that_is_not_there_says_so(uri):
    with publisher(uri) as channel, pytest.raises(NotFound):
        channel.publish([Message(id="x", exchange="nowhere", routing_key="x", body=b"")])


def test_a_stage_and_only_one_event_of_many_is_healed(connection, uri):
    while taken(connection, "triage.inbox"):
        pass
    with publisher(uri) as channel:
        channel.publish(
            [
                moved(
                    "triage.quarantine",
                    name,
                    type="a.b.v1",
                    headers={topology.REASON: "KeyError at a.py:1", topology.ATTEMPT: 6},
                )
                for name in ("one", "two", "three")
            ]
        )
    assert [item.id for item in quarantine.items(uri, "triage")] == ["one", "two", "three"]
    assert quarantine.retry(uri, "triage", {"two", "four"}) == (["two"], {})
    healed = eventually(lambda: taken(connection, "triage.inbox"))
    assert (healed.properties["message_id"], healed.properties["type"]) == ("two", "a.b.v1")
    assert topology.ATTEMPT not in healed.headers
    assert sorted(item.id for item in quarantine.items(uri, "triage")) == ["one", "three"]


def test_readers_one_after_the_other_and_at_once_see_every_event(uri):
    names = {f"each-{number}" for number in range(30)}
    with publisher(uri) as channel:
        channel.publish([moved("opd_response.quarantine", name) for name in names])

    def seen(_: int) -> set[str]:
        return {item.id for item in quarantine.items(uri, "opd_response")}

    for number in range(10):
        assert seen(number) == names
    with ThreadPoolExecutor(4) as readers:
        assert list(readers.map(seen, range(8))) == [names] * 8
    quarantine.drop(uri, "opd_response", "each-7")
    assert seen(0) == names - {"each-7"}


def test_what_is_dropped_is_gone_and_the_rest_stays(uri):
    with publisher(uri) as channel:
        channel.publish([moved("notification.quarantine", name) for name in ("keep", "drop")])
    quarantine.drop(uri, "notification", "drop")
    assert json.loads(quarantine.find(uri, "notification", "keep").whole())["id"] == "keep"
    with pytest.raises(quarantine.NotInQuarantineError, match="nkk quarantine list"):
        quarantine.find(uri, "notification", "drop")
    with pytest.raises(quarantine.NotInQuarantineError):
        quarantine.drop(uri, "notification", "drop")


SAMPLE = (SAMPLES / "response.approved.v1.json").read_text("utf-8")
TELLS = {"exchange": "triage.events", "key": "response.approved.v1", "seal": "whatever"}


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (TELLS | {"exchange": "opd_response.events"}, "response.approved.v1 from opd_response.events under"),
        (
            TELLS | {"key": "response.submitted.v1"},
            "from triage.events under response.submitted.v1, which does not publish it",
        ),
        (None, "the origin of this response.approved.v1 is not known: republish it from its owner"),
    ],
)
def test_what_its_owner_did_not_tell_stays_in_quarantine_and_the_rest_goes(connection, uri, header, why):
    headers = {ORIGIN: header} if header else {}
    for queue in ("notification.quarantine", "notification.inbox"):
        connection.default_channel.queue_purge(queue)
    with publisher(uri) as channel:
        channel.publish(
            [
                replace(moved("notification.quarantine", name, type="response.approved.v1", headers=said), body=SAMPLE)
                for name, said in (("forged", headers), ("told", {ORIGIN: TELLS}))
            ]
        )
    sent, refused = quarantine.retry(uri, "notification", None)
    assert (sent, list(refused)) == (["told"], ["forged"])
    assert why in refused["forged"]
    healed = eventually(lambda: taken(connection, "notification.inbox"))
    assert (healed.properties["message_id"], healed.headers[ORIGIN]) == ("told", TELLS)
    assert [item.id for item in quarantine.items(uri, "notification")] == ["forged"]
    came_from = quarantine.find(uri, "notification", "forged").summary()["came_from"]
    assert came_from == (f"{header['exchange']} under {header['key']}" if header else None)
