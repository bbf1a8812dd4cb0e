"""Replays: which past events a tool receives on request, in which order, and how interruptions and faults end."""

import json
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from kombu import Connection, Exchange, Queue, binding

from nkk.contracts.events import AnswerSent, PasswordResetRequested, ResponseReturned
from nkk.exchanges import (
    REPLAY,
    REPLAY_ENDED,
    REPLAY_MARKER,
    REPLAY_REFUSED,
    opd_key,
    replay_key,
    replay_name,
    replay_requests_name,
    tool_replay_queue,
)
from nkk.messaging import replay, topology
from nkk.messaging.publisher import BatchPublisher, Message, publisher
from nkk.messaging.replay import Replayer
from nkk.sop.clock import write_instant
from nkk.sop.ticket import new_ticket
from ops.tools.queues import REQUESTS
from tests.installations import eventually
from tests.integration.conftest import PlainWork

NOW = datetime.now(UTC)
PRIVATE = (PasswordResetRequested.TYPE,)
SLICE = 20


@pytest.fixture(autouse=True)
def topics(connection: Connection):
    channel = connection.channel()
    topology.replay("triage")(channel).declare()
    for queue in (topology.replay_requests("triage")(channel), topology.replay_rest("triage")(channel)):
        queue.declare()
        queue.purge()


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice has few events, because each event that a test's tool takes is a request to the broker."""
    monkeypatch.setattr(replay, "SLICE", SLICE)


class Tool:
    """A tool's queue for past events, with the bindings that it is granted."""

    def __init__(self, connection, *keys, name=None):
        self.name = name or f"tool-{uuid.uuid4().hex[:8]}"
        exchange = Exchange(replay_name("triage"), type="topic", no_declare=True)
        bound = [binding(exchange, routing_key=replay_key(self.name, key)) for key in (*keys, REPLAY_MARKER)]
        self.queue = Queue(
            tool_replay_queue(self.name, "triage"), bindings=bound, queue_arguments={"x-queue-type": "quorum"}
        )(connection.channel())
        self.queue.declare()
        self.markers, self.requests = [], []

    def read(self):
        """Return the past events that arrived since the last call, and keep the markers in `markers`."""
        events = []
        while message := self.queue.get(accept=None):
            message.ack()
            self.requests.append(message.headers[REPLAY])
            body = json.loads(message.body)
            if message.properties["type"] in (REPLAY_ENDED, REPLAY_REFUSED):
                self.markers.append((message.properties["type"], body))
            else:
                assert message.properties["message_id"] == body["id"]
                assert message.delivery_info["routing_key"] == replay_key(self.name, body["type"])
                events.append(body)
        return events


def ask(uri, tool, since=None, body=None, asked=None):
    """Request a replay for `tool` as the stage's own user, the only one of this broker; return the request's id."""
    asked = asked or str(uuid.uuid4())
    name = replay_requests_name("triage")
    body = json.dumps({"since": since, "tool": tool}) if body is None else body
    with publisher(uri) as channel:
        assert channel.publish([Message(id=asked, exchange=name, routing_key=name, body=body, user_id="nkk")]) == {
            asked
        }
    return asked


@contextmanager
def at_work(database, uri, **settings):
    """Yield a function that carries out up to `turns` slices of the waiting requests, by default all."""
    stage = Replayer(database, PlainWork.OUTBOX, "triage", uri, PRIVATE, timedelta(days=90), **settings)
    with Connection(uri) as connection:
        channel, sender = connection.channel(), BatchPublisher(connection)

        def work(turns=1_000):
            while turns and stage.carry_out(channel, connection, sender) is not None:
                turns -= 1

        yield work


def told(uow, count, opd="inspektorat", at=None):
    ticket = new_ticket(2026)
    with uow.begin() as work:
        return work.emit(
            *(ResponseReturned(ticket=ticket, opd=opd, round=n, note="x", by="y") for n in range(1, count + 1)), at=at
        )


def test_a_tool_receives_all_that_the_outbox_keeps_in_its_order_and_then_the_end(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, SLICE + 50) + told(uow, 10)
    with at_work(database, uri) as work:
        asked = ask(uri, tool.name)
        work()
    assert [event["id"] for event in tool.read()] == ids
    [(type_, end)] = tool.markers
    assert type_ == REPLAY_ENDED
    assert end["request"] == asked
    assert end["count"] == len(ids)
    assert end["since"] is None
    assert NOW - timedelta(days=91) < datetime.fromisoformat(end["reaches"]) < NOW - timedelta(days=89)
    assert set(tool.requests) == {asked}


def test_of_no_events_only_the_end_is_told(database, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    with at_work(database, uri) as work:
        ask(uri, tool.name)
        work()
    assert tool.read() == []
    assert [(type_, end["count"]) for type_, end in tool.markers] == [(REPLAY_ENDED, 0)]


def test_a_tool_receives_what_happened_since_then(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    told(uow, 3, at=NOW - timedelta(days=3))
    ids = told(uow, 2, at=NOW - timedelta(days=1))
    # An event with an earlier time that was written later.
    told(uow, 1, at=NOW - timedelta(days=4))
    ids += told(uow, 2, at=NOW)
    with at_work(database, uri) as work:
        ask(uri, tool.name, write_instant(NOW - timedelta(days=2)))
        work()
    assert [event["id"] for event in tool.read()] == ids


def test_a_tool_of_an_opd_receives_the_events_of_this_opd_alone(database, uow, uri, connection):
    tool = Tool(connection, opd_key("dinas-kesehatan", ResponseReturned.TYPE))
    told(uow, 2, "dinas-kesehatan-hewan")
    ids = told(uow, 2, "dinas-kesehatan")
    told(uow, 2)
    with at_work(database, uri) as work:
        ask(uri, tool.name)
        work()
    assert [event["id"] for event in tool.read()] == ids


def test_a_private_event_reaches_nobody_whatever_is_bound(database, uow, uri, connection):
    tool = Tool(connection, "#")
    with uow.begin() as work:
        work.emit(PasswordResetRequested(reporter_id="x", sealed_letter="x", expires_at=NOW))
        (seen,) = work.emit(AnswerSent(ticket=new_ticket(2026), path="complaint", by="y"))
    with at_work(database, uri) as work:
        ask(uri, tool.name)
        work()
    assert [event["id"] for event in tool.read()] == [seen]


def test_two_tools_take_turns(database, uow, uri, connection):
    one, other = Tool(connection, ResponseReturned.TYPE), Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 3 * SLICE)
    with at_work(database, uri) as work:
        ask(uri, one.name)
        ask(uri, other.name)
        work(turns=4)
        assert [len(tool.read()) for tool in (one, other)] == [2 * SLICE, 2 * SLICE]
        assert not one.markers + other.markers
        work()
    assert [event["id"] for event in one.read()] == ids[2 * SLICE :]
    assert [event["id"] for event in other.read()] == ids[2 * SLICE :]
    assert [type_ for type_, _ in one.markers + other.markers] == [REPLAY_ENDED, REPLAY_ENDED]


def test_a_replay_that_was_interrupted_goes_on_where_it_was(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 3 * SLICE)
    asked = ask(uri, tool.name)
    with at_work(database, uri) as work:
        work(turns=1)
    with at_work(database, uri) as work:
        work()
    assert [event["id"] for event in tool.read()] == ids
    assert [end["request"] for _, end in tool.markers] == [asked]


def test_what_is_written_meanwhile_is_left_to_the_live_queue(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, SLICE + 1)
    with at_work(database, uri) as work:
        ask(uri, tool.name)
        work(turns=1)
        told(uow, 5)
        work()
    assert [event["id"] for event in tool.read()] == ids


def test_a_tool_that_takes_nothing_is_waited_for_and_holds_up_no_other(database, uow, uri, connection, monkeypatch):
    monkeypatch.setattr(replay, "MOST_WAITING", 2 * SLICE)
    slow, other = Tool(connection, ResponseReturned.TYPE), Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 5 * SLICE)
    with at_work(database, uri) as work:
        ask(uri, slow.name)
        for _ in range(4):
            work()
        assert len(slow.read()) == 2 * SLICE
        ask(uri, other.name)
        found = []
        for _ in range(12):
            work()
            found += other.read()
        assert [event["id"] for event in found] == ids
        rest = slow.read()
        for _ in range(12):
            work()
            rest += slow.read()
    assert [event["id"] for event in rest] == ids[2 * SLICE :]
    assert [type_ for type_, _ in slow.markers] == [REPLAY_ENDED]


@pytest.mark.parametrize("does_read", [False, True])
def test_a_tool_that_asks_a_thousand_times_has_no_more_turns_than_another(
    database, uow, uri, connection, monkeypatch, does_read
):
    monkeypatch.setattr(replay, "MOST_WAITING", 2 * SLICE)
    greedy, other = Tool(connection, ResponseReturned.TYPE), Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 3 * SLICE)
    with at_work(database, uri) as work:
        name = replay_requests_name("triage")
        body = json.dumps({"since": None, "tool": greedy.name})
        asked = [
            Message(id=f"{number:036}", exchange=name, routing_key=name, body=body, user_id="nkk")
            for number in range(1000)
        ]
        with publisher(uri) as channel:
            assert len(channel.publish(asked)) == len(asked)
        ask(uri, other.name)
        found, taken = [], 0
        for _ in range(10):
            work(turns=1100)
            found += other.read()
            if does_read:
                taken += len(greedy.read())
            if other.markers:
                break
        assert [event["id"] for event in found] == ids
        assert taken + len(greedy.read()) <= len(found) + 2 * SLICE
        for _ in range(3):
            work()
            greedy.read()
    assert [end["request"] for _, end in greedy.markers] == [asked[-1].id]


def test_two_requests_of_one_tool_that_no_instance_saw_together_have_one_turn_in_a_round(
    database, uow, uri, connection
):
    greedy, other = Tool(connection, ResponseReturned.TYPE), Tool(connection, ResponseReturned.TYPE)
    told(uow, 4 * SLICE)
    for _ in range(2):
        with at_work(database, uri) as instance:
            ask(uri, greedy.name)
            instance(turns=1)
    assert len(greedy.read()) == 2 * SLICE
    with at_work(database, uri) as instance:
        ask(uri, other.name)
        instance(turns=3)
    assert (len(greedy.read()), len(other.read())) == (SLICE, SLICE)


def test_a_replay_goes_on_though_the_queue_of_requests_is_full(database, uow, uri, connection, rabbit):
    limit = json.dumps(REQUESTS | {"max-length": 5})
    pattern = f"^{replay_requests_name('triage')}$"
    rabbit.ctl("set_policy", "-p", connection.virtual_host, "full", pattern, limit, "--apply-to", "queues")
    tool = Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 2 * SLICE)
    try:
        asked = replay_requests_name("triage")
        body = json.dumps({"since": None, "tool": tool.name})
        more = Message(id="", exchange=asked, routing_key=asked, body=body, user_id="nkk")
        with publisher(uri) as channel:
            eventually(lambda: not channel.publish([replace(more, id=str(uuid.uuid4())) for _ in range(5)]))
        with at_work(database, uri) as work:
            work()
    finally:
        rabbit.ctl("clear_policy", "-p", connection.virtual_host, "full")
    assert [event["id"] for event in tool.read()] == ids


def test_a_request_is_given_up_when_its_tool_took_nothing_for_a_day(database, uow, uri, connection, monkeypatch):
    monkeypatch.setattr(replay, "MOST_WAITING", SLICE)
    now = NOW
    tool = Tool(connection, ResponseReturned.TYPE)
    told(uow, 4 * SLICE)
    with at_work(database, uri, clock=lambda: now) as work:
        ask(uri, tool.name)
        work()
        now += timedelta(hours=23)
        work()
        assert len(tool.read()) == SLICE
        # It takes events again, however slowly: the day begins anew.
        work()
        now += timedelta(hours=23)
        work()
        assert len(tool.read()) == SLICE
        assert not tool.markers
        work()
        now += timedelta(hours=25)
        work()
        assert len(tool.read()) == SLICE
    [(type_, refusal)] = tool.markers
    assert type_ == REPLAY_REFUSED
    assert "request them again" in refusal["reason"]
    assert topology.replay_requests("triage")(connection.channel()).get() is None


def test_a_newer_request_of_a_tool_replaces_the_one_that_is_carried_out(database, uow, uri, connection):
    """A tool that dies and asks again would otherwise have all its requests carried out, and hold up the others."""
    tool = Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 3 * SLICE)
    with at_work(database, uri) as work:
        older = ask(uri, tool.name)
        work(turns=1)
        newer = ask(uri, tool.name)
        work()
        events = tool.read()
    found = list(zip(tool.requests, [event["id"] for event in events], strict=False))
    assert [event_id for request, event_id in found if request == newer] == ids
    assert [event_id for request, event_id in found if request == older] == ids[:SLICE]
    assert [marker["request"] for _, marker in tool.markers] == [newer]


def test_a_request_is_not_replaced_by_one_that_another_instance_carried_out_before(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    ids = told(uow, 3 * SLICE)
    with at_work(database, uri) as one, at_work(database, uri) as other:
        ask(uri, tool.name)
        one()
        tool.read()
        newer = ask(uri, tool.name)
        other(turns=1)
        one()
    assert [event["id"] for event in tool.read()] == ids
    assert tool.markers[-1][1]["request"] == newer


def test_a_request_with_the_longest_id_is_answered(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    told(uow, 1)
    with at_work(database, uri) as work:
        asked = ask(uri, tool.name, asked="x" * 255)
        work()
        ask(uri, tool.name)
        work()
        assert len(tool.read()) == 2
    assert tool.markers[0][1]["request"] == asked


def test_only_the_stage_itself_continues_a_request(database, uri):
    """The check is called directly, because this broker has no tool's user. A tool could send what no query takes."""
    stage = Replayer(database, PlainWork.OUTBOX, "triage", uri, PRIVATE, timedelta(days=90))
    body = {"since": None, "tool": "other", "after": "x", "until": {}, "count": "x", "reaches": 1, "asked_at": 2}
    properties = {"message_id": "x", "user_id": "tool.mine"}
    request = SimpleNamespace(body=json.dumps(body), properties=properties)
    assert stage._sender(request) == ("mine", {"since": None})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "[" * 100_000,
        '{"since": "yesterday"}',
        '{"since": 5}',
        '{"since": "2026-11-01T00:00:00"}',
        '{"since": "0001-01-01T00:00:00Z"}',
    ],
)
def test_a_request_that_cannot_be_read_is_refused_with_what_to_write(database, uow, uri, connection, body):
    tool = Tool(connection, ResponseReturned.TYPE)
    told(uow, 1)
    if body.startswith("{"):
        body = json.dumps(json.loads(body) | {"tool": tool.name})
    with at_work(database, uri) as work:
        ask(uri, tool.name, body=body)
        work()
        assert tool.read() == []
        if body.startswith("{"):
            [(type_, refusal)] = tool.markers
            assert type_ == REPLAY_REFUSED
            assert "2026-11-01T00:00:00Z" in refusal["reason"]
        ask(uri, tool.name)
        work()
    assert len(tool.read()) == 1, "a request that was refused holds up the next"


def test_a_request_of_a_tool_without_a_queue_is_dropped(database, uow, uri, connection):
    tool = Tool(connection, ResponseReturned.TYPE)
    told(uow, 1)
    with at_work(database, uri) as work:
        ask(uri, "gone")
        ask(uri, tool.name)
        work()
    assert len(tool.read()) == 1


@pytest.mark.parametrize("user", ["guest", "tool.", "tool.Other", "tool.x.y", "intake", None])
def test_a_request_that_is_not_a_tools_own_is_dropped(database, uow, uri, connection, user):
    """The check is called directly, because the broker accepts no message with another user's name."""
    stage = Replayer(database, PlainWork.OUTBOX, "triage", uri, PRIVATE, timedelta(days=90))
    tool = Tool(connection, ResponseReturned.TYPE, name="other")
    properties = {"message_id": "x"} | ({"user_id": user} if user else {})
    request = SimpleNamespace(body=json.dumps({"since": None, "tool": tool.name}), properties=properties)
    with pytest.raises(replay.UnusableRequestError):
        stage._sender(request)
