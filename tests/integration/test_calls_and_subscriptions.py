"""The gateway's calls and a tool's subscription, also across restarts of the broker."""

import copy
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from time import sleep as pause
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import amqp
import pytest
from amqp.exceptions import AccessRefused, NotAllowed, PreconditionFailed
from kombu import Connection, Consumer, Exchange, Producer, Queue

from nkk.client import subscribe
from nkk.contracts.asyncapi import SAMPLES
from nkk.messaging import rpc as stage_rpc
from nkk.messaging import rpc_client, topology
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.messaging.host import Timeout, sleep, spawn
from nkk.messaging.publisher import Message, publisher
from nkk.messaging.rpc_client import RpcClient
from tests.installations import eventually

RPC = Exchange("nameko-rpc", type="topic", durable=True)


@contextmanager
def stage(uri: str, answer) -> Iterator[None]:
    """Run a stage that answers each call to `echo` with what `answer(body, headers)` returns; None is not answered."""
    serving, leaving = threading.Event(), threading.Event()

    def serve() -> None:
        with Connection(uri) as connection:
            queue = Queue("rpc-echo", RPC, routing_key="echo.*")

            def reply(body, message):
                message.ack()
                payload = answer(body, message.headers)
                if payload is not None:
                    Producer(connection.default_channel).publish(
                        payload,
                        exchange=RPC,
                        routing_key=message.properties["reply_to"],
                        serializer="json",
                        correlation_id=message.properties["correlation_id"],
                    )

            with Consumer(connection.default_channel, [queue], callbacks=[reply], accept=["json"]):
                serving.set()
                while not leaving.is_set():
                    try:
                        connection.drain_events(timeout=0.1)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=serve)
    thread.start()
    assert serving.wait(20)
    try:
        yield
    finally:
        leaving.set()
        thread.join()


@pytest.fixture(scope="module", autouse=True)
def declared(uri: str) -> None:
    """Declare the exchange of calls, which `nkk topology` does otherwise."""
    with Connection(uri) as connection:
        RPC(connection.default_channel).declare()


@pytest.fixture
def client(uri: str) -> Iterator[RpcClient]:
    calling = RpcClient(uri, timeout=2)
    yield calling
    calling.close()


def result(value):
    return {"result": value, "error": None}


def test_many_threads_get_each_their_own_answer(client, uri):
    with stage(uri, lambda body, headers: result(body["args"][0])), ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda number: client.call("echo", "say", number), range(300))) == list(range(300))


def test_a_client_that_is_closed_waits_for_no_more_replies(uri, monkeypatch):
    monkeypatch.setattr(rpc_client, "LOOK_SECONDS", 600.0)
    closing = RpcClient(uri, timeout=20)
    with stage(uri, lambda body, headers: result("here")):
        assert closing.call("echo", "say") == "here"
    closing.close()
    closing.close()
    assert not closing._listener.is_alive()


def test_the_context_travels_in_the_headers_and_nothing_else_does(client, uri):
    with stage(uri, lambda body, headers: result(headers)):
        headers = client.call("echo", "say", context={"actor": "token", "correlation_id": "abc", "none": None})
    assert headers == {"nameko.actor": "token", "nameko.correlation_id": "abc"}


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (
            {"exc_type": "AlreadyHandedOver", "exc_args": ["Done before.", {"stands": {"state": "x"}}]},
            RefusedRemotelyError,
        ),
        ({"exc_type": "Unavailable", "exc_args": []}, StageUnavailableError),
        ({"exc_type": "Failed", "exc_args": []}, StageFailedError),
        ({"exc_type": "KeyError", "exc_args": ["a person's words"]}, StageFailedError),
    ],
)
def test_an_error_comes_back_as_what_it_is(client, uri, error, raised):
    with stage(uri, lambda body, headers: {"result": None, "error": error}), pytest.raises(raised) as met:
        client.call("echo", "say")
    assert "words" not in str(met.value)


def test_a_stage_that_does_not_answer_is_unavailable_and_its_calls_expire(client, uri, connection):
    Queue("rpc-silent", RPC, routing_key="silent.*")(connection.default_channel).declare()
    with pytest.raises(StageUnavailableError):
        client.call("silent", "say", timeout=0.3)
    eventually(lambda: connection.default_channel.queue_declare("rpc-silent", passive=True).message_count == 0)
    assert client._waiting == {}


def test_a_stage_that_does_not_answer_is_tried_now_and_then_and_by_all_when_it_does_again(client, uri):
    answering, asked = threading.Event(), []

    def answer(body, _headers):
        asked.append(body["args"][0])
        return result("here") if answering.is_set() else None

    def call(number):
        try:
            return client.call("echo", "say", number)
        except StageUnavailableError:
            return "away"

    with stage(uri, answer), ThreadPoolExecutor(16) as pool:
        assert list(pool.map(call, range(16))) == ["away"] * 16
        assert sorted(asked) == list(range(16)), "until one waits in vain, all are asked for"
        asked.clear()
        began = monotonic()
        assert list(pool.map(call, range(100))) == ["away"] * 100
        assert len(asked) <= 1 + (monotonic() - began) / rpc_client.TRY_SECONDS
        answering.set()
        assert eventually(lambda: call("once more") == "here")
        assert list(pool.map(call, range(100))) == ["here"] * 100


def test_one_call_unanswered_among_others_that_are_is_no_silence(client, uri):
    with stage(uri, lambda body, headers: result("here") if body["args"] else None), ThreadPoolExecutor(4) as pool:
        lost = pool.submit(client.call, "echo", "say")
        while not lost.done():
            assert client.call("echo", "say", 1) == "here"
            pause(0.02)
        with pytest.raises(StageUnavailableError):
            lost.result()
        assert list(pool.map(lambda _: client.call("echo", "say", 1), range(50))) == ["here"] * 50


def test_one_reply_that_is_lost_refuses_no_later_call(client, uri):
    asked = []

    def answer(body, _headers):
        asked.append(body["args"])
        return result("here") if len(asked) > 1 else None

    with stage(uri, answer):
        with pytest.raises(StageUnavailableError):
            client.call("echo", "say")
        assert client.call("echo", "say") == "here"


def test_who_has_less_patience_than_others_does_not_judge_for_them(client, uri):
    with stage(uri, lambda body, headers: result("here") if body["args"] else None):
        with pytest.raises(StageUnavailableError):
            client.call("echo", "say", timeout=0.2)
        assert client._silent == {}


def test_steady_calls_keep_the_connection_alive(uri, monkeypatch):
    # Replies are not acknowledged, so without heartbeats the broker would close a connection that only reads.
    monkeypatch.setattr(rpc_client, "HEARTBEAT_SECONDS", 2)
    calling = RpcClient(uri, timeout=2)
    until = monotonic() + 8
    with stage(uri, lambda body, headers: result("here")):
        calling.call("echo", "say")
        listener = calling._listening
        while monotonic() < until:
            assert calling.call("echo", "say") == "here"
            assert listener.is_set()
            pause(0.02)
    calling.close()


def test_the_connection_that_replies_go_out_on_is_missed_before_a_reply_is(uri, monkeypatch):
    monkeypatch.setattr(stage_rpc, "HEARTBEAT_SECONDS", 2)
    replies = stage_rpc.Replies(uri)
    request = SimpleNamespace(properties={"reply_to": str(uuid4()), "correlation_id": "x"})
    looking = spawn(replies.look_after)
    replies.send(request, result("here"))
    first = replies._connection
    # The node hangs: nothing is received any more, and the connection is not closed.
    first.connection.transport.sock.shutdown(socket.SHUT_RD)
    with Timeout(30):
        while replies._connection is first:
            sleep(0.05)
    replies.send(request, result("here"))
    assert replies._connection is not None
    looking.kill()
    replies.close()


RUBBISH = {
    "no JSON": amqp.Message(b"<html>", content_type="application/json"),
    "nothing": amqp.Message(b""),
    "no object": amqp.Message(b"[7]", content_type="application/json"),
    "an error that is none": amqp.Message(b'{"result": 7, "error": "x"}', content_type="application/json"),
    "too deep": amqp.Message(b"[" * 100_000, content_type="application/json"),
    "a number without end": amqp.Message(b"9" * 10_000, content_type="application/json"),
    "no UTF-8": amqp.Message(b"\xff\xfe", content_type="application/json", content_encoding="utf-8"),
    "another encoding": amqp.Message(b"{}", content_type="application/json", content_encoding="no-such"),
    "an encoding that takes long": amqp.Message(
        b"a-" + b"9" * 300_000, content_type="application/json", content_encoding="punycode"
    ),
    "pickled": amqp.Message(b"(i__main__", content_type="application/x-python-serialize", content_encoding="binary"),
    "said to be compressed": amqp.Message(b"{}", application_headers={"compression": "application/x-gzip"}),
    "said to be compressed somehow": amqp.Message(b"{}", application_headers={"compression": "x"}),
    "properties that are no text": amqp.Message(b"{}", type=b"\xff"),
}


@contextmanager
def in_flight(uri: str, count: int) -> Iterator[Any]:
    """Yield a function that waits for `count` unanswered calls and returns them, and a channel."""
    with Connection(uri) as connection:
        channel = connection.default_channel
        queue = Queue("rpc-mute", RPC, routing_key="mute.*", auto_delete=True)(channel)
        queue.declare()

        def calls() -> list[Any]:
            found: list[Any] = []
            eventually(lambda: found.append(queue.get(no_ack=True)) or len([each for each in found if each]) == count)
            return [each for each in found if each]

        yield calls, channel


@pytest.mark.parametrize("kind", RUBBISH)
def test_a_reply_that_is_none_fails_its_own_call_and_no_other(uri, client, kind):
    client._ensure_listening(10)
    listener = client._listener
    with in_flight(uri, 2) as (calls, channel), ThreadPoolExecutor(2) as pool:
        asked = {name: pool.submit(client.call, "mute", name, timeout=10) for name in ("bad", "good")}
        came = {call.delivery_info["routing_key"].partition(".")[2]: call.properties for call in calls()}
        rubbish = copy.copy(RUBBISH[kind])
        rubbish.properties = rubbish.properties | {"correlation_id": came["bad"]["correlation_id"]}
        channel.basic_publish(rubbish, "nameko-rpc", came["bad"]["reply_to"])
        if kind != "properties that are no text":
            with pytest.raises(StageFailedError):
                asked["bad"].result(8)
        # Without readable properties a reply cannot be matched to its call, which goes on waiting.
        for name in ("good", "bad") if kind == "properties that are no text" else ("good",):
            channel.basic_publish(
                amqp.Message(
                    json.dumps(result(name)),
                    content_type="application/json",
                    correlation_id=came[name]["correlation_id"],
                ),
                "nameko-rpc",
                came[name]["reply_to"],
            )
            assert asked[name].result(8) == name
        assert client._listening.is_set()
    assert client._listener is listener


def test_calls_and_subscriptions_go_on_after_the_broker_restarts_and_a_tool_learns_when_it_listens(own_node, own_uri):
    """A tool that starts while the broker is down is notified once events would reach it."""
    with Connection(own_uri) as connection:
        topology.exchange("triage")(connection.default_channel).declare()
    calling = RpcClient(own_uri, timeout=2)
    troubles: list[str] = []
    events = subscribe("triage", "tool", own_uri, on_trouble=troubles.append)
    told = threading.Thread(target=_tell_when_bound, args=(own_uri, "first"))
    told.start()
    assert next(events)["id"] == "first"
    told.join()
    with stage(own_uri, lambda body, headers: result("here")):
        assert calling.call("echo", "say") == "here"
    own_node.stop()
    with pytest.raises(StageUnavailableError):
        calling.call("echo", "say", timeout=0.5)
    said: list[str] = []
    listening = threading.Event()
    waiting = subscribe(
        "triage",
        "waiting",
        own_uri,
        lambda trouble: said.append(trouble.split(" (")[0]),
        lambda: (said.append("listening"), listening.set()),
    )

    second: list[str] = []
    reading = threading.Thread(target=lambda: second.append(next(waiting)["id"]), daemon=True)
    reading.start()
    assert eventually(lambda: said)
    # Not in a thread: the broker ends with the thread that started it.
    own_node.start()
    assert listening.wait(60)
    _tell(own_uri, "second")
    reading.join(60)
    assert second == ["second"]
    assert said == ["the broker is away", "the broker is back", "listening"]
    waiting.close()
    # "first" was not acknowledged before the broker stopped, so it is redelivered (at-least-once delivery).
    assert eventually(lambda: next(events)["id"] == "second")
    assert troubles
    with stage(own_uri, lambda body, headers: result("again")):
        assert eventually(lambda: _try_call(calling)) == "again"
    calling.close()


def test_what_is_no_event_is_skipped_and_named(uri, connection):
    topology.exchange("opd_response")(connection.default_channel).declare()
    troubles: list[str] = []
    events = subscribe("opd_response", "tool", uri, on_trouble=troubles.append)
    queue = Queue(
        "tool.tool.opd_response",
        topology.exchange("opd_response"),
        routing_key="response.submitted.v1",
        queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": topology.NO_DELIVERY_LIMIT},
    )
    queue(connection.default_channel).declare()
    sample = (SAMPLES / "response.submitted.v1.json").read_text("utf-8")
    channel = connection.default_channel
    for rubbish in RUBBISH.values():
        channel.basic_publish(rubbish, "opd_response.events", "response.submitted.v1")
    forged = sample.replace("/nkk/opd_response", "/nkk/triage")
    for body in (forged, (SAMPLES / "response.approved.v1.json").read_text("utf-8"), sample):
        channel.basic_publish(amqp.Message(body), "opd_response.events", "response.submitted.v1")
    assert next(events)["type"] == "response.submitted.v1"
    assert len(troubles) == len(RUBBISH) + 2
    assert all(trouble.startswith("skipped a message that is no event: ") for trouble in troubles)
    assert troubles[0].endswith("not JSON")
    assert "response.approved.v1 from opd_response.events under response.submitted.v1" in troubles[-1]


def test_registrations_are_no_tools_business(uri, connection):
    topology.exchange("intake")(connection.default_channel).declare()
    events = subscribe("intake", "curious", uri)

    def tell() -> bool:
        with publisher(uri) as channel:
            for kind in ("reporter.registered.v1", "complaint.submitted.v2"):
                body = (SAMPLES / f"{kind}.json").read_text("utf-8")
                heard = channel.publish([Message(id=kind, exchange="intake.events", routing_key=kind, body=body)])
        return bool(heard)

    telling = threading.Thread(target=lambda: eventually(tell))
    telling.start()
    assert next(events)["type"] == "complaint.submitted.v2"
    telling.join()


def test_a_subscription_ends_when_it_is_told_to_and_leaves_the_next_event_in_the_queue(uri, connection):
    topology.exchange("triage")(connection.default_channel).declare()
    heard: list[str] = []
    ready = threading.Event()

    def listen(count: int) -> None:
        for event in subscribe("triage", "ending", uri, on_listening=ready.set, until=lambda: len(heard) == count):
            heard.append(event["id"])

    body = json.loads((SAMPLES / "complaint.forwarded.v1.json").read_text("utf-8"))
    listening = threading.Thread(target=listen, args=[1])
    listening.start()
    assert ready.wait(10)
    with publisher(uri) as channel:
        channel.publish(
            Message(id=id_, exchange="triage.events", routing_key=body["type"], body=json.dumps(body | {"id": id_}))
            for id_ in ("first", "second")
        )
    listening.join(10)
    assert (heard, listening.is_alive()) == (["first"], False)
    listen(2)
    assert heard == ["first", "second"]


def test_a_queue_the_broker_refuses_is_an_error_and_not_waited_for(uri, connection):
    Queue("tool.refused.triage", durable=True)(connection.default_channel).declare()
    with pytest.raises(PreconditionFailed):
        next(subscribe("triage", "refused", uri))


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [("amqp://nkk:x", AccessRefused), ("amqp://nobody:", AccessRefused), ("/no-such-", NotAllowed)],
)
def test_whom_the_broker_does_not_let_in_is_told_and_listens_to_nothing(uri, wrong, refusal):
    heard: list[str] = []
    head, _, tail = uri.rpartition("/") if wrong.startswith("/") else uri.partition("amqp://nkk:")
    strange = f"{head}{wrong}{tail}"
    with pytest.raises(refusal):
        next(subscribe("triage", "stranger", strange, heard.append, lambda: heard.append("listening")))
    assert heard == []


def test_a_tool_that_is_too_slow_for_the_broker_says_so_and_hears_the_events_again(own_uri, until_one_is_too_slow):
    troubles: list[str] = []
    with Connection(own_uri) as connection:
        channel = connection.default_channel
        topology.exchange("triage")(channel).declare()
        events = subscribe("triage", "slow", own_uri, on_trouble=troubles.append)
        telling = threading.Thread(target=lambda: [_tell_when_bound(own_uri, id_) for id_ in "abc"])
        telling.start()
        assert next(events)["id"] == "a"
        telling.join()
        # The tool is still working on the first event when the broker's consumer timeout expires.
        until_one_is_too_slow()
        assert [next(events)["id"] for _ in range(3)] == ["a", "b", "c"]
    assert len(troubles) == 1
    assert troubles[0].startswith("the broker took the events back")
    assert "acknowledgement on channel 1 timed out" in troubles[0]
    events.close()


def test_who_takes_a_name_that_another_tool_listens_under_is_told(uri, connection):
    topology.exchange("triage")(connection.default_channel).declare()
    troubles: dict[str, list[str]] = {"first": [], "second": []}
    listening = threading.Event()
    tools = {
        name: subscribe("triage", "shared", uri, on_trouble=said.append, on_listening=listening.set)
        for name, said in troubles.items()
    }
    # Other tests' queues are bound here too: that an event reaches a queue does not mean that it reaches this one.
    telling = threading.Thread(target=lambda: listening.wait(30) and _tell(uri, "one"))
    telling.start()
    assert next(tools["first"])["id"] == "one"
    telling.join()
    # The broker gives each event to one of the tools in turn; the first is still working on "one".
    telling = threading.Thread(
        target=lambda: (
            eventually(lambda: troubles["second"]) and [_tell_when_bound(uri, id_) for id_ in ("two", "three")]
        )
    )
    telling.start()
    assert next(tools["second"])["id"] in ("two", "three")
    telling.join()
    assert troubles["first"] == []
    assert [trouble.split(":")[0] for trouble in troubles["second"]] == ["1 more of this name listen to triage"]
    for tool in tools.values():
        tool.close()


@pytest.mark.parametrize(
    ("stage_name", "name"), [("archive", "tool"), ("triage", ""), ("triage", "a b"), ("triage", "x" * 65)]
)
def test_a_subscription_that_cannot_be_is_refused_at_once(uri, stage_name, name):
    with pytest.raises(ValueError, match=r"no such stage|a name is"):
        next(subscribe(stage_name, name, uri))


def _tell_when_bound(uri: str, event_id: str) -> None:
    eventually(lambda: _tell(uri, event_id))


def _tell(uri: str, event_id: str) -> set[str]:
    body = (SAMPLES / "response.returned.v1.json").read_text("utf-8")
    body = body.replace(json.loads(body)["id"], event_id)
    with publisher(uri) as channel:
        return channel.publish(
            [Message(id=event_id, exchange="triage.events", routing_key="response.returned.v1", body=body)]
        )


def _try_call(calling: RpcClient) -> str | None:
    try:
        return calling.call("echo", "say")
    except StageUnavailableError:
        return None
