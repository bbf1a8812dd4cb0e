"""Webhooks at work: events from a real broker to real HTTPS servers, through faults and deaths."""

import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from kombu import Connection
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Verifier

from nkk.client import deliveries
from nkk.clock import utc_now
from nkk.contracts.asyncapi import SAMPLES
from nkk.messaging.publisher import Message, publisher
from nkk.settings.addresses import hosts
from nkk.store.database import Database
from nkk.store.migrations import upgrade
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.stack.ports import free_port
from ops.stack.run import ROOT, without_account
from ops.tools import remove, tools
from tests.installations import eventually, new_vhost
from tests.receivers import HOST, TAKEN, Authority, Receiver, answers, receiver
from tests.tools import FakeStage, add_tools
from webhooks import domain, worker
from webhooks.domain import tool_of
from webhooks.posting import Poster, trust
from webhooks.process import Process
from webhooks.signing import new_secret
from webhooks.storage import Sealed, Store
from webhooks.tables import webhooks
from webhooks.worker import Means

KEY = Fernet.generate_key().decode()
TYPE = "complaint.forwarded.v1"
BODY = json.loads((SAMPLES / f"{TYPE}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def good(authority: Authority) -> Iterator[Receiver]:
    with receiver(authority.issue()) as found:
        yield found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are a fraction of a second."""
    monkeypatch.setattr(domain, "FIRST_PAUSE", domain.FIRST_PAUSE / 50)
    monkeypatch.setattr(domain, "LONGEST_PAUSE", domain.FIRST_PAUSE / 5)
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(deliveries, "LOOK_SECONDS", 0.1)


class Hooks:
    """A store of webhooks, a process that can be started and stopped, and a broker to publish to."""

    def __init__(self, url: str, node: PrivateNode, uri: str, authority: Authority) -> None:
        upgrade(ROOT / "webhooks" / "migrations", url)
        self.url, self.node, self.uri, self.authority = url, node, uri, authority
        self.database = Database(url)
        self.store = Store(self.database, [KEY])
        self._count = 0

    def add(self, name: str, url: str) -> str:
        (tool,) = add_tools(self.node, self.uri, "triage", tool_of(name))
        sealed = Sealed(url, urlsplit(tool).password or "", new_secret())
        self.store.add(name, HOST, "triage", None, [], sealed, utc_now())
        return sealed.secret

    def leave(self) -> None:
        """Remove the tools, whose names are those of the next test too."""
        api = BrokerApi(self.node.api, self.uri)
        for tool in tools(api):
            remove(api, tool.name)
        self.database.dispose()

    @contextmanager
    def running(self) -> Iterator[None]:
        context = trust(str(self.authority.file))
        means = Means(self.store, without_account(self.uri), utc_now, lambda: Poster(context, hosts(HOST), 1))
        stopping = Event()
        thread = Thread(target=Process(means).run, args=[stopping])
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def publish(self, count: int, subjects: int = 1, uri: str = "") -> list[str]:
        """Publish events, in turn of several complaints, and return their ids."""
        ids = [f"e{self._count + number}" for number in range(count)]
        bodies = [
            json.dumps(BODY | {"id": id_, "subject": f"S{(self._count + number) % subjects}"})
            for number, id_ in enumerate(ids)
        ]
        self._count += count
        with publisher(uri or self.uri) as channel:
            sent = channel.publish(
                Message(id=id_, exchange="triage.events", routing_key=TYPE, body=body, type=TYPE)
                for id_, body in zip(ids, bodies, strict=True)
            )
        assert sent == set(ids)
        return ids

    def waiting(self, name: str) -> int:
        return self.store.waiting(self.store.named(name).id)

    def summary(self, name: str) -> dict[str, Any]:
        return next(each for each in self.store.summaries(utc_now()) if each["name"] == name)


@pytest.fixture
def hooks(
    request: pytest.FixtureRequest, tmp_path: Path, managed_rabbit: PrivateNode, authority: Authority
) -> Iterator[Hooks]:
    """Webhooks on SQLite, or on PostgreSQL where the test says so; test_deliveries tries each on both."""
    url = f"sqlite:///{tmp_path}/webhooks.db"
    if getattr(request, "param", "sqlite") == "postgres":
        postgres = request.getfixturevalue("postgres")
        name = f"webhooks_{uuid.uuid4().hex[:8]}"
        postgres.create(name)
        url = postgres.url(name)
    found = Hooks(url, managed_rabbit, new_vhost(managed_rabbit), authority)
    yield found
    found.leave()


def ids(of: Receiver) -> list[str]:
    return [request.headers["webhook-id"] for request in list(of.got)]


def test_events_arrive_signed_at_least_once_and_in_order_per_complaint_through_failures(hooks, good):
    secret = hooks.add("kasus", good.url)
    taken: list[dict[str, Any]] = []
    dice, lock = random.Random(7), Lock()

    def behave(handler, request) -> None:
        event = Verifier(secret).verify(request.body, request.headers)
        with lock:
            status = dice.choice([200, 200, 204, 500, 503, 301])
            if status < 300:
                taken.append(event)
        answers(status)(handler, request)

    good.behave = behave
    with hooks.running():
        published = hooks.publish(60, subjects=7)
        eventually(lambda: len({event["id"] for event in taken}) == 60)
        eventually(lambda: hooks.waiting("kasus") == 0)
    assert {name: taken[0][name] for name in ("type", "source", "data")} == {
        name: BODY[name] for name in ("type", "source", "data")
    }
    assert None not in taken[0].values()
    assert good.got[0].headers["content-type"] == "application/cloudevents+json"
    for subject in {event["subject"] for event in taken}:
        heard = list(dict.fromkeys(event["id"] for event in taken if event["subject"] == subject))
        assert heard == sorted(heard, key=published.index)


def test_one_dead_webhook_holds_up_no_other_and_is_not_hammered(hooks, good, authority):
    asked = []

    def hang(handler, request) -> None:
        asked.append(monotonic())
        Event().wait(2)

    with receiver(authority.issue(), hang) as dead:
        hooks.add("dead", dead.url)
        hooks.add("closed", f"https://{HOST}:{free_port()}/")
        hooks.add("kasus", good.url)
        with hooks.running():
            began = monotonic()
            published = hooks.publish(30, subjects=30)
            eventually(lambda: len(ids(good)) == 30)
            assert sorted(ids(good)) == sorted(published)
            assert len(asked) <= (monotonic() - began) / 1 + 1, "a request at a time, whatever waits"
            eventually(lambda: hooks.summary("closed")["failing_since"])
            eventually(lambda: hooks.waiting("dead") == 30)
    assert hooks.summary("closed")["last_answer"] == "no connection (ECONNREFUSED)"
    assert hooks.summary("kasus")["last_answer"] == "204"


def test_the_first_event_is_sent_at_once_and_those_that_follow_it_closely_are_stored_together(hooks, good, monkeypatch):
    monkeypatch.setattr(worker, "GATHER_SECONDS", 1)
    stored = []
    hear = hooks.store.hear
    monkeypatch.setattr(hooks.store, "hear", lambda *args: stored.append(len(args[1])) or hear(*args))
    hooks.add("kasus", good.url)
    with hooks.running():
        first = hooks.publish(1)
        eventually(lambda: ids(good) == first)
        others = [hooks.publish(1) for _ in range(10)]
        eventually(lambda: len(ids(good)) == 11)
    assert ids(good) == [*first, *(id_ for each in others for id_ in each)]
    assert sum(stored) == 11
    assert len(stored) <= 5


def test_webhooks_are_added_paused_resumed_and_removed_while_the_process_runs(hooks, good, authority):
    with hooks.running(), receiver(authority.issue()) as other:
        hooks.add("kasus", good.url)
        hooks.add("other", other.url)
        hooks.publish(3)
        eventually(lambda: (len(good.got), len(other.got)) == (3, 3))
        hooks.store.pause("kasus")
        hooks.publish(3)
        eventually(lambda: len(other.got) == 6)
        eventually(lambda: hooks.waiting("kasus") == 3)
        assert len(good.got) == 3
        hooks.store.remove("other")
        hooks.store.resume("kasus", utc_now())
        eventually(lambda: len(good.got) == 6, 5)
        eventually(lambda: hooks.publish(1) and len(good.got) > 6)
        assert len(other.got) == 6


def test_a_receiver_that_is_gone_is_asked_no_more_until_it_is_resumed(hooks, good):
    hooks.add("kasus", good.url)
    good.behave = answers(410)
    with hooks.running():
        hooks.publish(3)
        eventually(lambda: hooks.summary("kasus")["state"] == "gone")
        eventually(lambda: hooks.waiting("kasus") == 3)
        assert len(good.got) == 1
        good.behave = TAKEN
        hooks.store.resume("kasus", utc_now())
        eventually(lambda: hooks.waiting("kasus") == 0)
    assert ids(good) == ["e0", "e0", "e1", "e2"]


def test_a_fault_of_our_own_with_one_event_holds_up_no_other(hooks, good, monkeypatch):
    post = Poster.post

    def faulty(self, url, headers, body):
        if headers["webhook-id"] == "e0":
            raise RuntimeError("a fault of our own")
        return post(self, url, headers, body)

    monkeypatch.setattr(Poster, "post", faulty)
    hooks.add("kasus", good.url)
    with hooks.running():
        hooks.publish(4, subjects=2)
        eventually(lambda: ids(good) == ["e1", "e3"])
        eventually(lambda: hooks.waiting("kasus") == 2)


def test_what_does_not_fit_the_store_waits_in_the_queue_and_comes_later(hooks, good, monkeypatch):
    monkeypatch.setattr(worker, "MOST_WAITING", 5)
    monkeypatch.setattr(worker, "BATCH", 1)
    hooks.add("kasus", good.url)
    hooks.store.pause("kasus")
    with hooks.running():
        published = hooks.publish(30)
        with Connection(hooks.uri) as connection:
            eventually(lambda: connection.default_channel.queue_declare("tool.hook-kasus.triage", passive=True)[1])
        eventually(lambda: hooks.waiting("kasus") == 5)
        hooks.store.resume("kasus", utc_now())
        eventually(lambda: len(good.got) >= 30)
    assert ids(good) == published


def test_while_a_secret_is_rotated_both_verify(hooks, good):
    before = hooks.add("kasus", good.url)
    after = hooks.store.rotate("kasus", datetime.now(UTC))
    with hooks.running():
        hooks.publish(1)
        eventually(lambda: good.got)
    (request,) = good.got
    for secret in (before, after):
        Verifier(secret).verify(request.body, request.headers)


def test_past_events_are_sent_again_in_their_order_with_the_same_ids_and_then_live_ones(hooks, good):
    hooks.add("kasus", good.url)
    stage = FakeStage(hooks.uri)
    past = [stage.tell("ticket", live=False) for _ in range(30)]
    with hooks.running(), stage.answering():
        live = [stage.tell("ticket") for _ in range(5)]
        eventually(lambda: ids(good) == live)
        # What was posted is stored a moment later.
        eventually(lambda: hooks.waiting("kasus") == 0)
        hooks.store.request_replay("kasus", None, utc_now())
        eventually(lambda: hooks.summary("kasus")["replaying_since"] is None)
        later = [stage.tell("ticket") for _ in range(3)]
        eventually(lambda: ids(good) == live + past + live + later)
        hooks.store.request_replay("kasus", utc_now(), utc_now())
        stage.refuses = "too much"
        hooks.store.request_replay("kasus", None, utc_now())
        eventually(lambda: "too much" in (hooks.summary("kasus")["trouble"] or ""))
        more = stage.tell("ticket")
        eventually(lambda: ids(good)[-1] == more)
        assert hooks.summary("kasus")["trouble"] is None


def test_the_same_past_events_are_sent_once_more_where_that_is_asked_for_at_once(hooks, good, monkeypatch):
    # The end of the first replay and the second request come between two looks.
    monkeypatch.setattr(worker, "IDLE_SECONDS", 1)
    hooks.add("kasus", good.url)
    stage = FakeStage(hooks.uri)
    past = [stage.tell("ticket", live=False) for _ in range(3)]
    with hooks.running(), stage.answering():
        for times in (1, 2):
            hooks.store.request_replay("kasus", None, utc_now())
            eventually(lambda: hooks.summary("kasus")["replaying_since"] is None)
            eventually(lambda times=times: ids(good) == past * times)


@pytest.mark.parametrize("since", ["1999-12-31T00:00:00.000000Z", "2199-01-01T00:00:00.000000Z", "soon"])
def test_a_replay_that_cannot_be_is_said_and_live_events_go_on(since, hooks, good):
    """A moment that was not in the future when it was asked for is, once the clock was put back."""
    hooks.add("kasus", good.url)
    with hooks.database.writing() as connection:
        connection.execute(update(webhooks).values(replay_since=since))
    with hooks.running():
        published = hooks.publish(2)
        eventually(lambda: ids(good) == published)
    assert hooks.summary("kasus")["replaying_since"] is None


def test_a_webhook_whose_tool_is_gone_says_so(hooks, good):
    hooks.add("kasus", good.url)
    with Connection(hooks.uri) as connection:
        connection.default_channel.queue_delete("tool.hook-kasus.triage")
    with hooks.running():
        eventually(lambda: "does not exist" in (hooks.summary("kasus")["trouble"] or ""))


DYING = """
import os, signal
from webhooks import process, storage
{how}
process.main()
"""
AFTER_STORING = """
hear = storage.Store.hear
def dying(self, *given):
    hear(self, *given)
    os.kill(os.getpid(), signal.SIGKILL)
storage.Store.hear = dying
"""
BEFORE_MARKING = """
storage.Store.mark = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


@contextmanager
def started(hooks: Hooks, tmp_path: Path, how: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the webhooks' own, which dies as `how` says."""
    environment = os.environ | {
        "AMQP_URI": without_account(hooks.uri),
        "WEBHOOKS_DATABASE_URL": hooks.url,
        "NKK_WEBHOOKS_KEYS": KEY,
        "NKK_WEBHOOKS_ALLOWED": HOST,
        "NKK_WEBHOOKS_CA": str(hooks.authority.file),
        "NKK_PULSE_FOLDER": str(tmp_path / "pulse"),
        "PYTHONPATH": str(ROOT),
    }
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-c", DYING.format(how=how)], env=environment, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize(
    ("hooks", "how"),
    [("sqlite", AFTER_STORING), ("postgres", BEFORE_MARKING)],
    ids=["between store and ack", "between send and mark"],
    indirect=["hooks"],
)
def test_a_process_that_is_killed_loses_nothing_and_what_comes_twice_has_the_same_id(how, hooks, good, tmp_path):
    hooks.add("kasus", good.url)
    with started(hooks, tmp_path, how) as dying:
        published = hooks.publish(3)
        assert dying.wait(20) == -signal.SIGKILL
    with started(hooks, tmp_path) as process:
        eventually(lambda: set(ids(good)) == set(published))
        eventually(lambda: hooks.waiting("kasus") == 0)
    assert process.returncode == 0
    *sent_before, _, _, _ = ids(good)
    assert ids(good) == [*sent_before, *published]
    assert sent_before == ([] if how == AFTER_STORING else published[: len(sent_before) or 1])
    log = (tmp_path / "log").read_text()
    assert "e2" in log
    assert not [word for word in (BODY["data"]["ticket"], '/kasus"', "whsec_", "Traceback") if word in log]


@pytest.mark.long
def test_events_go_on_after_the_broker_has_restarted(tmp_path, own_node, own_uri, authority, good):
    hooks = Hooks(f"sqlite:///{tmp_path}/webhooks.db", own_node, own_uri, authority)
    hooks.add("kasus", good.url)
    with hooks.running():
        first = hooks.publish(5)
        own_node.stop()
        own_node.start()
        second = hooks.publish(5)
        eventually(lambda: set(ids(good)) == {*first, *second})
        eventually(lambda: hooks.waiting("kasus") == 0)
    hooks.database.dispose()
