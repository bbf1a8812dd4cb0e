"""A tool with a credential of its own: what it receives live and again, and what it is told where it cannot."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from kombu import Connection

from nkk.client import ReplayRefusedError, SubscriptionError, replay, subscribe, subscribe_batches, subscription
from nkk.exchanges import REPLAY, replay_key, replay_name, replay_requests_name, tool_queue, tool_replay_queue
from nkk.messaging.publisher import Message, publisher
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.tools import remove
from tests.installations import eventually, new_vhost
from tests.tools import FakeStage, add_tools, tool_uri

NAMES = map("tool-{}".format, count())


@pytest.fixture
def uri(managed_rabbit: PrivateNode) -> str:
    """A virtual host of this test's own, in which no other test's requests wait."""
    return new_vhost(managed_rabbit)


@pytest.fixture
def tools(managed_rabbit: PrivateNode, uri: str) -> list[str]:
    """The credentials of two tools of triage."""
    return add_tools(managed_rabbit, uri, "triage", next(NAMES), next(NAMES))


@pytest.fixture
def tool(tools: list[str]) -> str:
    """The credential of a tool of triage."""
    return tools[0]


@pytest.fixture
def stage(uri: str) -> Iterator[FakeStage]:
    """Triage, which answers requests for past events."""
    stage = FakeStage(uri)
    with stage.answering():
        yield stage


def heard(events: Iterator[dict[str, Any]], number: int) -> list[str]:
    """Return the ids of the next `number` events, acknowledged except for the last, which is so when it is closed."""
    return [next(events)["id"] for _ in range(number)]


def test_a_credential_is_all_that_a_tool_needs(uri, tool):
    stage = FakeStage(uri)
    told = [stage.tell(f"ticket-{number}") for number in range(3)]
    said: list[str] = []
    with closing(subscribe("triage", uri=tool, on_listening=lambda: said.append("listening"))) as events:
        assert heard(events, 3) == told, "it collects from the moment that it was added"
    assert said == ["listening"]


def test_two_processes_with_one_credential_share_the_events_and_the_second_is_told(uri, tool):
    stage, said = FakeStage(uri), []
    told = [stage.tell("ticket")]
    with closing(subscribe("triage", uri=tool)) as first:
        assert heard(first, 1) == told
        second = subscribe("triage", uri=tool, on_trouble=said.append, until=lambda: bool(said))
        assert list(second) == []
    assert said == [
        "1 more of this name listen to triage: each event goes to one of you; `nkk tools add` makes a tool that hears "
        "them all"
    ]


def test_a_tool_of_another_stage_is_told_which_is_its_own(tool):
    with pytest.raises(SubscriptionError, match=r"^the tool tool-\d+ is for triage, not for intake$"):
        next(subscribe("intake", uri=tool))


def test_a_credential_that_is_not_accepted_is_said_at_once(uri, tool):
    wrong = tool_uri(uri, tool.split("tool.")[1].split(":")[0], "another-secret")
    with pytest.raises(SubscriptionError, match=r"refuses the credential of the tool tool-\d+: it is mistyped"):
        next(subscribe("triage", uri=wrong))
    with pytest.raises(SubscriptionError, match="refuses the credential of the tool nobody"):
        next(subscribe("triage", uri=tool_uri(uri, "nobody", "secret")))
    with pytest.raises(SubscriptionError, match=r"refuses the tool tool-\d+: .*vhost no-such not found"):
        next(subscribe("triage", uri=f"{tool.rpartition('/')[0]}/no-such"))


def test_a_tool_that_is_removed_while_it_listens_is_told_so(managed_rabbit, uri, tool):
    stage = FakeStage(uri)
    stage.tell("ticket")
    with closing(subscribe("triage", uri=tool)) as events:
        heard(events, 1)
        name = tool.split("tool.")[1].split(":")[0]
        remove(BrokerApi(managed_rabbit.api, uri), name)
        with pytest.raises(SubscriptionError, match=f"the tool {name} was removed, or its credential rotated"):
            next(events)


def test_a_queue_that_is_deleted_while_its_tool_listens_is_missed(uri, tool):
    stage = FakeStage(uri)
    stage.tell("ticket")
    said: list[str] = []
    name = tool.split("tool.")[1].split(":")[0]
    with closing(subscribe("triage", uri=tool, on_trouble=said.append)) as events:
        heard(events, 1)
        with Connection(uri) as connection:
            connection.default_channel.queue_delete(tool_queue(name, "triage"))
        with pytest.raises(SubscriptionError, match=f"the queue tool.{name}.triage does not exist: .*nkk tools add"):
            next(events)
    assert said == [f"the queue tool.{name}.triage was deleted"]


def test_the_past_comes_first_then_what_happens_and_each_event_once(stage, tool):
    past = [stage.tell("ticket", live=False) for _ in range(50)]
    both = [stage.tell("ticket") for _ in range(5)]
    said: list[str] = []
    with closing(subscribe("triage", uri=tool, since="first", on_progress=said.append)) as events:
        assert heard(events, 55) == past + both
        live = [stage.tell("ticket") for _ in range(5)]
        assert heard(events, 5) == live
    assert [request["since"] for request in stage.requests] == [None]
    assert said == [
        "asked triage for its events from the first that it keeps",
        "55 past events of triage from the first that it keeps; now those that happen",
        "of complaints closed before 2026-01-01 00:00 UTC none are kept",
    ]


@pytest.mark.parametrize("since", [None, "first"])
def test_events_that_have_arrived_come_together_and_are_acknowledged_together(stage, tool, since):
    past = [stage.tell("ticket", live=since is None) for _ in range(120)]
    with closing(subscribe_batches("triage", uri=tool, most=40, since=since)) as batches:
        came: list[str] = []
        while len(came) < 80:
            batch = [event["id"] for event in next(batches)]
            assert 0 < len(batch) <= 40
            came += batch
        assert came == past[: len(came)]
    # Those of the last list come again, as they were not acknowledged.
    missing = past[len(came) - len(batch) :]
    with closing(subscribe_batches("triage", uri=tool, most=40)) as batches:
        again: list[str] = []
        if since is None:
            while len(again) < len(missing):
                again += [event["id"] for event in next(batches)]
            assert again == missing
        live = stage.tell("ticket")
        assert [event["id"] for event in next(batches)] == [live]


def test_the_past_begins_where_the_tool_says(stage, tool):
    now = datetime.now(UTC)
    stage.tell("old", at=now - timedelta(days=9), live=False)
    wanted = [stage.tell("new", at=now - timedelta(days=days), live=False) for days in (7, 6)]
    since = now - timedelta(days=8)
    said: list[str] = []
    with closing(subscribe("triage", uri=tool, since=since, on_progress=said.append)) as events:
        assert heard(events, 2) == wanted
        live = stage.tell("new")
        assert heard(events, 1) == [live]
    assert len(said) == 2, "what was pruned concerns only who asked for it"


def test_what_waits_in_the_live_queue_from_before_comes_in_its_order(stage, tool):
    now = datetime.now(UTC)
    told = [stage.tell("ticket", at=now - timedelta(days=days)) for days in (9, 8, 3, 2)]
    with closing(subscribe("triage", uri=tool, since=now - timedelta(days=5))) as events:
        assert heard(events, 4) == told


@pytest.mark.parametrize("seed", range(3))
def test_no_event_is_missing_at_the_seam_and_each_complaint_keeps_its_order(stage, tool, seed):
    random, subjects = Random(seed), [f"ticket-{number}" for number in range(5)]
    for _ in range(200):
        stage.tell(random.choice(subjects), live=random.random() < 0.1)
    stage.slice = random.choice([7, 50, 1000])
    publishing = threading.Thread(target=lambda: [stage.tell(random.choice(subjects)) for _ in range(150)])
    came: list[dict[str, Any]] = []
    with closing(subscribe("triage", uri=tool, since="first")) as events:
        publishing.start()
        while len(came) < 350:
            came.append(next(events))
        publishing.join()
    assert Counter(event["id"] for event in came) == Counter(told.id for told in stage.outbox)
    for subject in subjects:
        of_subject = [told.id for told in stage.outbox if f'"{subject}"' in told.body]
        assert [event["id"] for event in came if event["subject"] == subject] == of_subject


def test_two_tools_have_their_replays_at_once_and_each_its_own(stage, tools):
    stage.slice = 3
    past = [stage.tell("ticket", live=False) for _ in range(30)]
    first, second = (subscribe("triage", uri=uri, since="first") for uri in tools)
    with closing(first), closing(second):
        pairs = [(next(first)["id"], next(second)["id"]) for _ in past]
    assert pairs == [(id_, id_) for id_ in past]


def test_a_credential_that_is_used_twice_at_once_has_one_replay_after_the_other(stage, tool, monkeypatch):
    monkeypatch.setattr(replay, "TRY_AGAIN_SECONDS", 0.05)
    past = [stage.tell("ticket", live=False) for _ in range(30)]
    said: list[str] = []
    came: list[str] = []
    second = subscribe("triage", uri=tool, since="first", on_trouble=said.append)
    with closing(subscribe("triage", uri=tool, since="first")) as first:
        assert heard(first, 1) == past[:1]
        reading = threading.Thread(target=lambda: came.extend(heard(second, 30)))
        reading.start()
        eventually(lambda: any("another process, or an earlier connection, reads" in trouble for trouble in said))
        assert heard(first, 29) == past[1:]
        assert came == []
        first.close()
    reading.join(30)
    assert came == past


def test_a_tool_that_is_killed_in_the_middle_asks_anew_and_takes_nothing_of_the_earlier_answer(stage, tool):
    stage.slice = 5
    past = [stage.tell("ticket", live=False) for _ in range(60)]
    with closing(subscribe("triage", uri=tool, since="first")) as events:
        assert heard(events, 20) == past[:20]
    with closing(subscribe("triage", uri=tool, since="first")) as events:
        assert heard(events, 60) == past
        live = stage.tell("ticket")
        assert heard(events, 1) == [live]
    assert len({request["id"] for request in stage.requests}) == 2


def test_a_tool_that_dies_at_every_event_gets_all_once_it_does_not(stage, tool):
    past = [stage.tell("ticket", live=False) for _ in range(10)]
    for _ in range(5):
        with closing(subscribe("triage", uri=tool, since="first")) as events:
            assert heard(events, 1) == past[:1]
    with closing(subscribe("triage", uri=tool, since="first")) as events:
        assert heard(events, 10) == past


def test_answers_to_other_requests_are_passed_over(uri, stage, tool):
    name = tool.split("tool.")[1].split(":")[0]
    past = [stage.tell("ticket", live=False) for _ in range(3)]

    def foreign(kind: str) -> Message:
        body = stage.outbox[0].body.replace(past[0], "foreign") if kind != "replay" else '{"count": 0}'
        type_ = "replay.ended" if kind == "replay" else kind
        return Message("foreign", replay_name("triage"), replay_key(name, kind), body, type_, headers={REPLAY: "old"})

    with closing(subscribe("triage", uri=tool, since="first")) as events:
        assert heard(events, 1) == past[:1]
        with publisher(uri) as channel:
            assert channel.publish([foreign("response.returned.v1"), foreign("replay")])
        assert heard(events, 2) == past[1:]
        live = stage.tell("ticket")
        assert heard(events, 1) == [live]


def test_a_refused_request_is_an_error_with_its_reason(stage, tool):
    stage.refuses = "no reason of the field"
    with pytest.raises(ReplayRefusedError, match=r"^triage refuses: no reason of the field$"):
        next(subscribe("triage", uri=tool, since="first"))


def test_a_stage_that_knows_no_replays_is_said_to_be_of_an_older_version(uri, tool):
    with Connection(uri) as connection:
        connection.default_channel.queue_delete("triage.replay-requests")
        with pytest.raises(SubscriptionError, match="triage takes no requests for past events: it is of an older"):
            next(subscribe("triage", uri=tool, since="first"))
        connection.default_channel.exchange_delete("triage.replay-requests")
    with pytest.raises(SubscriptionError, match="triage takes no requests for past events: it is of an older"):
        next(subscribe("triage", uri=tool, since="first"))


def test_a_tool_without_a_queue_for_past_events_is_told_so(uri, tool):
    name = tool.split("tool.")[1].split(":")[0]
    with Connection(uri) as connection:
        connection.default_channel.queue_delete(tool_replay_queue(name, "triage"))
    with pytest.raises(SubscriptionError, match=f"the queue tool.{name}.triage.replay does not exist"):
        next(subscribe("triage", uri=tool, since="first"))


def test_what_was_in_the_replay_is_not_remembered_for_ever(stage, tool, monkeypatch):
    monkeypatch.setattr(subscription, "FORGET_SECONDS", 0.0)
    cleared = []
    monkeypatch.setattr(replay.Seen, "clear", lambda seen: cleared.append(len(seen._digests)))
    past = [stage.tell("ticket", live=False) for _ in range(3)]
    with closing(subscribe("triage", uri=tool, since="first", until=lambda: bool(cleared))) as events:
        assert [event["id"] for event in events] == past
    assert cleared == [3]


def test_a_stage_at_which_too_many_requests_wait_is_asked_again(uri, tool, monkeypatch):
    monkeypatch.setattr(replay, "TRY_AGAIN_SECONDS", 0.05)
    stage, said, came = FakeStage(uri), [], []
    past = stage.tell("ticket", live=False)
    name = replay_requests_name("triage")
    with Connection(uri) as connection:
        channel = connection.default_channel
        channel.queue_delete(name)
        full = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=full)
        channel.queue_bind(name, name, name)
        with publisher(uri) as sender:
            assert sender.publish([Message("other", name, name, '{"since": null, "tool": "gone"}')])
        events = subscribe("triage", uri=tool, since="first", on_trouble=said.append)
        reading = threading.Thread(target=lambda: came.extend(heard(events, 1)))
        reading.start()
        eventually(lambda: said == ["too many requests for past events wait at triage; trying again"])
        channel.queue_purge(name)
        with stage.answering():
            reading.join(30)
    assert came == [past]
    events.close()


def test_a_stage_that_is_away_is_waited_for_and_said_to_be(uri, tool, monkeypatch):
    monkeypatch.setattr(replay, "SILENT_SECONDS", 1)
    stage, said, came = FakeStage(uri), [], []
    past = stage.tell("ticket", live=False)
    events = subscribe("triage", uri=tool, since="first", on_trouble=said.append)
    reading = threading.Thread(target=lambda: came.extend(heard(events, 1)))
    reading.start()
    eventually(lambda: said == ["triage has not answered for 1 seconds; it answers the request when it is back"])
    with stage.answering():
        reading.join(30)
    assert came == [past]
    events.close()


@pytest.mark.long
def test_a_replay_goes_on_after_the_broker_restarts_in_its_middle(own_node, own_uri):
    uri = own_uri
    (tool,) = add_tools(own_node, uri, "triage", "steady")
    stage, said = FakeStage(uri, slice=5), []
    past = [stage.tell("ticket", live=False) for _ in range(200)]
    live = [stage.tell("ticket") for _ in range(5)]
    with stage.answering(), closing(subscribe("triage", uri=tool, since="first", on_trouble=said.append)) as events:
        came = heard(events, 60)
        own_node.stop()
        own_node.start()
        came += heard(events, 145)
        assert came == past + live
        latest = stage.tell("ticket")
        assert heard(events, 1) == [latest]
        assert len(stage.requests) == 1, "it does not ask again"
    assert [trouble.split(" (")[0] for trouble in said if "another process" not in trouble] == [
        "the broker is away",
        "the broker is back",
    ]


@pytest.mark.long
def test_a_tool_that_never_acknowledges_gets_the_past_one_at_a_time(own_node, own_uri, until_one_is_too_slow):
    uri = own_uri
    (tool,) = add_tools(own_node, uri, "triage", "slow")
    stage, said = FakeStage(uri), []
    past = [stage.tell("ticket", live=False) for _ in range(5)]
    with stage.answering(), closing(subscribe("triage", uri=tool, since="first", on_trouble=said.append)) as events:
        assert heard(events, 1) == past[:1]
        until_one_is_too_slow()
        assert heard(events, 4) == past[1:], "the first was finished, although the broker had taken it back"
    assert [trouble for trouble in said if trouble.startswith("the broker took the events back")] == said
    assert said
    with Connection(uri) as connection:
        replayed = connection.default_channel.queue_declare(tool_replay_queue("slow", "triage"), passive=True)
        eventually(lambda: replayed.message_count <= 2)
