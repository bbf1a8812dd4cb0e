"""`nkk webhooks` at a real broker: added with a tool of its own, tried, rotated, removed; what cannot be is refused."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from kombu import Connection
from standardwebhooks.webhooks import Webhook as Verifier

from nkk.clock import utc_now
from nkk.settings.addresses import hosts
from nkk.store.database import Database
from ops import tools
from ops.broker_api import BrokerApi
from ops.cli import main
from ops.stack.broker import PrivateNode
from ops.stack.run import ROOT, declare_topology
from ops.tools import Tool
from tests.forks import run_nkk
from tests.installations import eventually, new_vhost
from tests.receivers import HOST, Authority, Receiver, answers, receiver
from tests.tools import FakeStage
from webhooks.domain import tool_of
from webhooks.posting import Poster, trust
from webhooks.process import Process
from webhooks.storage import Store
from webhooks.worker import Means

KEY = Fernet.generate_key().decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def uri(managed_rabbit: PrivateNode) -> str:
    """A virtual host with every exchange and queue of the service."""
    uri = new_vhost(managed_rabbit)
    declare_topology(uri)
    return uri


@pytest.fixture(autouse=True)
def api(managed_rabbit: PrivateNode, uri: str) -> Iterator[BrokerApi]:
    """The broker's management API; no tool is left for the next test."""
    api = BrokerApi(managed_rabbit.api, uri)
    yield api
    for tool in tools.tools(api):
        tools.remove(api, tool.name)


@pytest.fixture
def good(authority: Authority) -> Iterator[Receiver]:
    with receiver(authority.issue()) as found:
        yield found


@pytest.fixture
def nkk(managed_rabbit: PrivateNode, uri: str, authority: Authority, tmp_path: Path) -> Callable[..., Any]:
    """Run `nkk webhooks` with the settings of somebody who operates the installation."""

    environment = {
        "AMQP_URI": uri,
        "NKK_BROKER_API": managed_rabbit.api,
        "WEBHOOKS_DATABASE_URL": f"sqlite:///{tmp_path}/webhooks.db",
        "NKK_WEBHOOKS_KEYS": KEY,
        "NKK_WEBHOOKS_ALLOWED": HOST,
        "NKK_WEBHOOKS_CA": str(authority.file),
    }

    def run(*arguments: str, **settings: str) -> Any:
        command = ["--var", str(tmp_path), "webhooks", *arguments]
        return CliRunner().invoke(main, command, env=environment | settings, input="n\n")

    run.environment = os.environ | environment | {"PYTHONPATH": str(ROOT)}  # type: ignore[attr-defined]
    return run


@contextmanager
def running(uri: str, authority: Authority, tmp_path: Path) -> Iterator[None]:
    """Run the process of all webhooks."""
    database = Database(f"sqlite:///{tmp_path}/webhooks.db")
    context, stopping = trust(str(authority.file)), Event()
    means = Means(Store(database, [KEY]), uri, utc_now, lambda: Poster(context, hosts(HOST)))
    thread = Thread(target=Process(means).run, args=[stopping])
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        database.dispose()


def listed(nkk: Callable[..., Any], name: str) -> dict[str, Any]:
    return next(row for row in json.loads(nkk("list", "--json").stdout) if row["name"] == name)


def test_a_webhook_is_added_tried_fed_rotated_and_removed(nkk, api, uri, good, authority, tmp_path):
    done = nkk("add", good.url, "--name", "kasus", "--stage", "triage")
    assert done.exit_code == 0, done.output
    secret = done.stdout.strip()
    assert secret.startswith("whsec_")
    assert "hook-kasus" in {tool.name for tool in tools.tools(api)}

    assert nkk("test", "kasus").output == "kasus answered 204\n"
    tried = Verifier(secret).verify(good.got[0].body, good.got[0].headers)
    assert (tried["type"], tried["id"]) == ("webhook.test.v1", good.got[0].headers["webhook-id"])

    told = FakeStage(uri).tell("ticket")
    with running(uri, authority, tmp_path):
        eventually(lambda: listed(nkk, "kasus")["last_answer"] == "204")
        row = listed(nkk, "kasus")
        assert Verifier(secret).verify(good.got[1].body, good.got[1].headers)["id"] == told
        assert (row["state"], row["waiting"], row["last_answer"], row["trouble"]) == ("on", 0, "204", None)
        newer = nkk("rotate", "kasus").stdout.strip()
        nkk("pause", "kasus")
        FakeStage(uri).tell("ticket")
        eventually(lambda: listed(nkk, "kasus")["waiting"] == 1)
        assert listed(nkk, "kasus")["state"] == "paused"
        waits = "webhook kasus: paused, and 1 event waits, which is dropped after 30 days (`nkk webhooks resume kasus`)"
        assert waits in nkk("list").output
        nkk("resume", "kasus")
        eventually(lambda: len(good.got) == 3)
        for each in (secret, newer):
            Verifier(each).verify(good.got[2].body, good.got[2].headers)

    assert nkk("remove", "kasus").exit_code == 1, "it asks"
    assert nkk("remove", "kasus", "--yes").exit_code == 0
    assert "hook-kasus" not in {tool.name for tool in tools.tools(api)}
    with Connection(uri) as connection, pytest.raises(connection.channel_errors):
        connection.default_channel.queue_declare("tool.hook-kasus.triage", passive=True)
    assert nkk("list", "--json").stdout == "[]\n"
    for command in ("test", "pause", "resume", "rotate", "remove"):
        done = nkk(command, "kasus")
        assert (done.exit_code, "there is no webhook kasus" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "settings", "why"),
    [
        (["https://user:geheim@localhost/", "--name", "x"], {}, "holds a user or a password"),
        (["https://localhost/?token=geheim", "--name", "x"], {}, "has a query"),
        (["http://localhost/", "--name", "x"], {"NKK_WEBHOOKS_ALLOWED": ""}, "is not encrypted"),
        (["https://localhost/", "--name", "x"], {"NKK_WEBHOOKS_ALLOWED": ""}, "localhost has a private address"),
        (["https://169.254.169.254/", "--name", "x"], {}, "is a private address"),
        (["https://localhost/", "--name", "X y"], {}, "small letters, digits and hyphens"),
        (["https://localhost/", "--name", "x" * 36], {}, "1 to 35"),
        (["https://localhost/", "--name", "x", "--types", "no.such.v1"], {}, "no.such.v1"),
        (["https://localhost/", "--name", "x"], {"NKK_WEBHOOKS_KEYS": ""}, "NKK_WEBHOOKS_KEYS is not set"),
        (["https://localhost/", "--name", "x"], {"NKK_BROKER_API": ""}, "NKK_BROKER_API"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_in_a_sentence_and_leaves_no_tool(nkk, api, arguments, settings, why):
    done = nkk("add", *arguments, "--stage", "triage", **settings)
    assert done.exit_code == 1
    assert why in done.output
    assert "geheim" not in done.output
    assert not [tool.name for tool in tools.tools(api) if tool.name.startswith("hook-")]


def test_only_stages_whose_events_name_an_opd_have_webhooks_of_one(nkk, good, api):
    done = nkk("add", good.url, "--name", "x", "--stage", "intake", "--opd", "dinas-kesehatan")
    assert done.exit_code == 1
    done = nkk("add", good.url, "--name", "x", "--stage", "triage", "--opd", "dinas-kesehatan")
    assert done.exit_code == 0, done.output
    (tool,) = [tool for tool in tools.tools(api) if tool.name == "hook-x"]
    assert tool.opd == "dinas-kesehatan"
    assert nkk("add", good.url, "--name", "x", "--stage", "triage").exit_code == 1
    assert nkk("remove", "x", "--yes").exit_code == 0


def test_a_tool_is_taken_back_where_its_webhook_cannot_be_stored(nkk, good, api, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Store, "add", full)
    assert nkk("add", good.url, "--name", "x", "--stage", "triage").exit_code == 1
    assert not [tool.name for tool in tools.tools(api) if tool.name.startswith("hook-")]


@pytest.fixture
def command(managed_rabbit: PrivateNode, uri: str, tmp_path: Path) -> Callable[..., Any]:
    """Run `nkk tools`."""

    def run(*arguments: str) -> Any:
        environment = {"AMQP_URI": uri, "NKK_BROKER_API": managed_rabbit.api}
        return CliRunner().invoke(main, ["--var", str(tmp_path), "tools", *arguments], env=environment)

    return run


def test_what_an_add_that_was_killed_left_is_taken_over_by_the_same_add_or_removed(nkk, api, good):
    for name in ("x", "y"):
        tools.add(api, Tool(tool_of(name), "triage"))
    assert nkk("add", good.url, "--name", "x", "--stage", "triage", "--opd", "dinas-kesehatan").exit_code == 0
    assert {tool.name: tool.opd for tool in tools.tools(api)} == {"hook-x": "dinas-kesehatan", "hook-y": None}
    assert nkk("remove", "y", "--yes").output == "y is removed\n"
    assert {tool.name for tool in tools.tools(api)} == {"hook-x"}
    assert "there is no webhook y" in nkk("remove", "y", "--yes").output
    assert nkk("remove", "x", "--yes").exit_code == 0


def test_of_two_who_add_the_same_webhook_at_once_one_is_refused_and_the_other_hears(
    nkk, api, uri, good, authority, tmp_path
):
    with ThreadPoolExecutor(2) as pool:
        # Processes, because what click prints is the whole process's.
        command = ["--var", str(tmp_path), "webhooks", "add", good.url, "--name", "x", "--stage", "triage"]
        done = list(pool.map(lambda _: run_nkk(*command, environment=nkk.environment), range(2)))
    assert sorted(each.returncode for each in done) == [0, 1], [each.stderr for each in done]
    assert "there is a webhook x already" in "".join(each.stderr for each in done)
    (secret,) = [each.stdout.strip() for each in done if each.stdout]
    told = FakeStage(uri).tell("ticket")
    with running(uri, authority, tmp_path):
        eventually(lambda: good.got)
    assert Verifier(secret).verify(good.got[0].body, good.got[0].headers)["id"] == told


def test_the_tool_of_a_webhook_is_not_added_or_rotated_by_hand(nkk, command, api, good):
    done = command("add", "hook-x", "--stage", "triage")
    assert (done.exit_code, tools.tools(api)) == (1, [])
    assert "nkk webhooks add" in done.output
    assert nkk("add", good.url, "--name", "x", "--stage", "triage").exit_code == 0
    done = command("rotate", "hook-x")
    assert done.exit_code == 1
    assert "a webhook's" in done.output


def test_a_test_says_what_came_back(nkk, good):
    assert nkk("add", good.url, "--name", "x", "--stage", "triage").exit_code == 0
    good.behave = answers(500)
    done = nkk("test", "x")
    assert (done.exit_code, done.output) == (1, "Error: x answered 500, and not 2xx\n")
    done = nkk("test", "x", NKK_WEBHOOKS_ALLOWED="")
    assert (done.exit_code, done.output) == (1, "Error: nothing could be posted to x: private address\n")
    assert nkk("remove", "x", "--yes").exit_code == 0


def test_before_the_first_webhook_the_list_is_empty(nkk):
    assert (nkk("list").exit_code, nkk("list", "--json").output) == (0, "[]\n")
    assert nkk("list").output.startswith("webhook  posts to")
    done = nkk("test", "x")
    assert (done.exit_code, done.output) == (1, "Error: there are no webhooks yet: `nkk webhooks add` adds one\n")


@pytest.mark.parametrize("since", ["tomorrow", "2026-13-01", "2199-01-01", "1999-12-31", "0001-01-01", "9999-12-31"])
def test_a_replay_needs_a_time_that_can_be_read_and_is_past(nkk, good, since):
    nkk("add", good.url, "--name", "x", "--stage", "triage")
    assert nkk("replay", "x", "--since", since).exit_code == 2
    assert nkk("replay", "x").exit_code == 2
    assert nkk("replay", "x", "--since", "first", "--set-aside").exit_code == 2
    done = nkk("replay", "x", "--since", "first")
    assert done.output == "all events that triage keeps are sent again; `nkk webhooks list` shows how many wait\n"
    done = nkk("replay", "x", "--since", "2026-01-01T08:00+07:00")
    assert done.output.startswith("the events since 2026-01-01T08:00+07:00 that triage keeps are sent again; ")
    assert listed(nkk, "x")["replaying_since"] == "2026-01-01T01:00:00.000000Z"
    assert nkk("replay", "x", "--set-aside").output == "0 events are sent again\n"
    assert nkk("remove", "x", "--yes").exit_code == 0
