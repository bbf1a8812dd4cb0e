"""The live feed across restarts of the broker."""

import json
from collections.abc import Iterator

import amqp
import pytest
from kombu import Connection

from gateway import live
from gateway.desks import ANSWERS, INTAKE
from gateway.live import LiveFeed, Stream
from nkk.contracts import STAGES
from nkk.contracts.asyncapi import SAMPLES
from nkk.messaging import topology
from nkk.messaging.plain import take_as_they_are
from nkk.messaging.publisher import Message, publisher
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from tests.installations import eventually


@pytest.fixture(scope="module")
def node(own_node: PrivateNode) -> PrivateNode:
    """Return a broker that may be stopped, with every stage's exchange."""
    _declare(own_node)
    return own_node


@pytest.fixture
def feed(node: PrivateNode) -> Iterator[LiveFeed]:
    feed = LiveFeed(node.uri, 8)
    yield feed
    feed.close()


def tell(node: PrivateNode, kind: str, event_id: str, subject: str | None = None, **data: str) -> None:
    """Publish the sample event of type `kind` as its stage would, with the id `event_id`, and `data` in its data."""
    body = json.loads((SAMPLES / f"{kind}.json").read_text("utf-8")) | {"id": event_id}
    body |= {"subject": subject or body["subject"], "data": body["data"] | data}
    exchange = f"{body['source'].rpartition('/')[2]}.events"
    with publisher(node.uri) as channel:
        channel.publish([Message(id=event_id, exchange=exchange, routing_key=kind, body=json.dumps(body))])


def following(stream: Stream) -> Iterator[str]:
    """Return the stream's events, without comments and the first line."""
    return (text for text in stream if text.startswith("event:"))


def ids(texts: Iterator[str], until: str) -> set[str]:
    """Return the ids of the changes that the stream sends, up to `until`."""
    found: set[str] = set()
    while until not in found:
        found |= {line[4:] for line in next(texts).splitlines() if line.startswith("id: ")}
    return found


@pytest.mark.long
def test_a_page_hears_what_is_told_and_after_a_restart_is_told_to_look_for_itself(
    node: PrivateNode, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST_PAUSE_SECONDS", 0.5)
    texts = following(feed.open(ANSWERS, None, "one", 120))
    assert next(texts).startswith("event: ready")
    tell(node, "complaint.forwarded.v1", "elsewhere")
    tell(node, "response.approved.v1", "first")
    assert ids(texts, "first") == {"first"}
    node.stop()
    late = following(feed.open(ANSWERS, None, "one", 120))
    node.start()
    # Both end, because the feed may not have heard who stepped aside meanwhile.
    assert not any("second" in text for text in [*texts, *late])
    again = following(feed.open(ANSWERS, None, "one", 120))
    assert next(again).startswith("event: ready")
    tell(node, "answer.sent.v1", "second")
    assert ids(again, "second") == {"second"}


def test_registrations_are_not_heard(node: PrivateNode, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    monkeypatch.setattr(feed, "_hear", lambda message: heard.append(message.delivery_info["routing_key"]))
    texts = following(feed.open(INTAKE, None, "one", 60))
    assert next(texts).startswith("event: ready")
    for kind in ("reporter.registered.v1", "calendar.changed.v1", "complaint.closed.v1", "complaint.submitted.v2"):
        tell(node, kind, kind)
    eventually(lambda: "complaint.submitted.v2" in heard)
    assert heard == ["complaint.submitted.v2"]


def test_whoever_steps_aside_hears_no_more_of_the_case(node: PrivateNode, feed: LiveFeed) -> None:
    theirs, colleagues = (following(feed.open(INTAKE, None, account, 60)) for account in ("one", "two"))
    assert next(theirs).startswith("event: ready")
    assert next(colleagues).startswith("event: ready")
    case = "NKK-2026-0000-0001"
    tell(node, "case.recused.v1", "aside", case, ticket=case, account="one", desk="intake")
    tell(node, "complaint.handed_over.v1", "of the case", case)
    assert ids(colleagues, "of the case") == {"of the case"}
    tell(node, "complaint.handed_over.v1", "of another")
    assert ids(theirs, "of another") == {"of another"}


def test_the_queue_goes_with_the_process(node: PrivateNode) -> None:
    feed, api = LiveFeed(node.uri, 8), BrokerApi(node.api, node.uri)

    def has_queue() -> bool:
        return any(queue["name"].startswith("live.gateway-") for queue in api.get("queues", "/"))

    next(following(feed.open(INTAKE, None, "one", 60)))
    eventually(has_queue)
    feed.close()
    eventually(lambda: not has_queue())


def test_a_feed_that_is_refused_tries_again_ever_more_slowly(
    node: PrivateNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(live, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(live, "LONGEST_PAUSE_SECONDS", 0.05)
    feed = LiveFeed(node.new_vhosts("empty")[0], 8)
    monkeypatch.setattr(feed._closed, "wait", lambda pause: pauses.append(pause))
    stream = feed.open(INTAKE, None, "one", 60)
    eventually(lambda: len(pauses) >= 4)
    # There is no exchange to bind to, so no page is told that the feed is ready.
    assert stream._news.empty()
    assert pauses[:4] == [0.02, 0.04, 0.05, 0.05]
    feed._closed.set()


def _declare(node: PrivateNode) -> None:
    with Connection(node.uri) as connection:
        for stage in STAGES:
            topology.exchange(stage)(connection.default_channel).declare()


def test_rubbish_and_what_another_tells_disturb_no_stream(node: PrivateNode, feed: LiveFeed) -> None:
    take_as_they_are()  # as the gateway does
    texts = following(feed.open(ANSWERS, None, "one", 60))
    assert next(texts).startswith("event: ready")
    with Connection(node.uri) as connection:
        channel = connection.default_channel
        forged = (SAMPLES / "response.approved.v1.json").read_bytes()
        for body, properties in (
            (b"\xff", {}),
            (b"[" * 100_000, {}),
            (b"{}", {"type": b"\xff"}),
            (forged, {}),
            (b"{}", {"application_headers": {"compression": "application/x-gzip"}}),
        ):
            channel.basic_publish(amqp.Message(body, **properties), "opd_response.events", "response.submitted.v1")
    tell(node, "answer.sent.v1", "after")
    # The next event is the change itself, and not a "ready", which would mean a new start.
    assert "id: after" in next(texts)
