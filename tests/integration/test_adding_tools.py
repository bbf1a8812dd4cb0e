"""Teams' tools at a real broker: added, listed, given a new secret, removed; what becomes of what nobody reads."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from amqp.exceptions import AccessRefused, NotAllowed
from click.testing import CliRunner
from kombu import Connection

from nkk.client import SubscriptionError, subscribe
from nkk.contracts.asyncapi import SAMPLES
from nkk.exchanges import TOOLS_DROPPED, exchange_name, opd_key, replay_requests_name
from nkk.messaging.publisher import BROKER_ERRORS, BatchPublisher, Message
from nkk.messaging.rpc_client import RpcClient
from ops import tools
from ops.broker_api import BrokerApi, BrokerApiError
from ops.cli import main, speaking
from ops.cli.events import print_tools
from ops.stack.broker import PrivateNode
from ops.stack.keys import new_keys
from ops.stack.run import declare_topology
from ops.tools import Tool, ToolError, queues
from ops.tools.queues import DAY, POLICY, QUEUE
from ops.turn import BusyError, one_at_a_time
from tests.installations import eventually, new_vhost

FORWARDED, INFORMATION = "complaint.forwarded.v1", "complaint.classified_as_information.v1"
DINKES = "dinas-kesehatan"


@pytest.fixture(scope="module")
def uri(managed_rabbit: PrivateNode) -> str:
    """A virtual host with every exchange and queue of the service."""
    uri = new_vhost(managed_rabbit)
    declare_topology(uri)
    return uri


@pytest.fixture
def api(managed_rabbit: PrivateNode, uri: str) -> BrokerApi:
    return BrokerApi(managed_rabbit.api, uri)


@pytest.fixture
def name(api: BrokerApi) -> Iterator[str]:
    """The name of a tool, which is removed afterwards."""
    name = f"kasus-{uuid.uuid4().hex[:8]}"
    yield name
    if tools.left_over(api) or any(tool.name == name for tool in tools.tools(api)):
        tools.remove(api, name)


@pytest.fixture
def command(managed_rabbit: PrivateNode, uri: str, tmp_path: Any) -> Callable[..., Any]:
    """Run `nkk` with the settings of somebody who operates the installation."""

    def run(*arguments: str, **settings: str) -> Any:
        environment = {"AMQP_URI": uri, "NKK_BROKER_API": managed_rabbit.api} | settings
        return CliRunner().invoke(main, ["--var", str(tmp_path), *arguments], env=environment, input="n\n")

    return run


def publish(uri: str, *types: str, opd: str = DINKES, service: str = "triage") -> list[str]:
    """Publish an event of each of `types` as the stage does, and return their ids once they are in the queues."""
    messages = [event(type_, opd, service) for type_ in types]
    with Connection(uri) as connection:
        published = BatchPublisher(connection).publish(messages)
    assert published == {message.id for message in messages}
    return [message.id for message in messages]


def event(type_: str, opd: str, service: str) -> Message:
    told = json.loads((SAMPLES / f"{type_}.json").read_text("utf-8")) | {"id": str(uuid.uuid4())}
    headers = {"CC": [opd_key(opd, type_)]} if "opd" in told["data"] else {}
    return Message(told["id"], exchange_name(service), type_, json.dumps(told), type_, mandatory=False, headers=headers)


def heard(line: str, tool: Tool) -> list[str]:
    """Return the ids of the events that wait for a tool, which it reads with its connection line."""
    found = []
    with Connection(line) as connection:
        while message := connection.default_channel.basic_get(tool.queue, no_ack=True):
            found.append(message.properties["message_id"])
    return found


def added(api: BrokerApi, tool: Tool) -> str:
    return tools.connection_line(api.uri, tool, tools.add(api, tool))


def test_a_tool_collects_what_its_stage_publishes_from_the_moment_it_is_added(api: BrokerApi, name: str) -> None:
    publish(api.uri, FORWARDED)
    tool = Tool(name, "triage")
    line = added(api, tool)
    ids = publish(api.uri, FORWARDED, INFORMATION)
    publish(api.uri, "complaint.submitted.v2", service="intake")
    assert heard(line, tool) == ids


def test_a_tool_of_an_opd_hears_its_cases_alone(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage", DINKES)
    line = added(api, tool)
    publish(api.uri, FORWARDED, opd="dinas-sosial")
    publish(api.uri, INFORMATION)
    assert heard(line, tool) == []
    ids = publish(api.uri, FORWARDED, "response.returned.v1")
    assert heard(line, tool) == ids


def test_a_tool_of_some_types_hears_these_alone(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage", types=(INFORMATION,))
    line = added(api, tool)
    _, expected, _ = publish(api.uri, FORWARDED, INFORMATION, "response.approved.v1")
    assert heard(line, tool) == [expected]


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "-a",
        "A",
        "a b",
        "a.b",
        "a_b",
        "a\n",
        "a#",
        "a*",
        "../a",
        "a" * 41,
        "ä",
        "a$",
        "a|b",
        "a%2F",
        "a;b",
        "’",
        "tool.",
    ],
)
def test_a_name_with_odd_characters_is_refused_and_nothing_is_made(api: BrokerApi, odd: str) -> None:
    with pytest.raises(ToolError, match="small letters, digits and hyphens"):
        tools.add(api, Tool(odd, "triage"))
    assert tools.left_over(api) == []


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (Tool("a", "billing"), "There is no stage billing: one of intake, triage, opd_response, notification."),
        (Tool("a", "intake", DINKES), "Events of intake name no OPD: --opd is for triage and opd_response."),
        (Tool("a", "notification", DINKES), "Events of notification name no OPD"),
        (Tool("a", "triage", "Dinas Kesehatan"), "An OPD is named as in the roster"),
        (Tool("a", "triage", "#"), "An OPD is named as in the roster"),
        (Tool("a", "triage", "dinas.*"), "An OPD is named as in the roster"),
        (Tool("a", "triage", "dinas\n"), "An OPD is named as in the roster"),
        (Tool("a", "intake", types=("reporter.registered.v1",)), "intake publishes nothing for tools as reporter"),
        (Tool("a", "triage", types=("#",)), "triage publishes nothing for tools as #: choose from"),
        (Tool("a", "triage", DINKES, (INFORMATION,)), "triage publishes nothing, with the name of an OPD, for"),
    ],
)
def test_what_can_be_no_tool_is_refused_in_a_sentence(api: BrokerApi, tool: Tool, why: str) -> None:
    with pytest.raises(ToolError) as refused:
        tools.add(api, tool)
    assert str(refused.value).startswith(why)


def test_a_name_that_is_taken_is_refused_whatever_else_is_asked_for(api: BrokerApi, name: str) -> None:
    line = added(api, Tool(name, "triage"))
    for again in (Tool(name, "triage"), Tool(name, "intake")):
        with pytest.raises(ToolError, match=f"There is a tool {name} already, at triage"):
            tools.add(api, again)
    assert heard(line, Tool(name, "triage")) == []


def test_a_credential_may_be_used_twice_at_once_and_each_event_goes_to_one_of_them(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage")
    line = added(api, tool)
    came: list[list[str]] = [[], []]
    with Connection(line) as one, Connection(line) as other:
        for connection, found in zip((one, other), came, strict=True):
            channel = connection.default_channel
            channel.basic_qos(0, 1, False)

            def keep(message: Any, channel: Any = channel, found: list[str] = found) -> None:
                found.append(message.properties["message_id"])
                channel.basic_ack(message.delivery_tag)

            channel.basic_consume(tool.queue, callback=keep)
        ids = publish(api.uri, *[FORWARDED] * 20)

        def all_came() -> bool:
            for connection in (one, other):
                try:
                    connection.drain_events(timeout=0.05)
                except TimeoutError:
                    continue
            return len(came[0]) + len(came[1]) == len(ids)

        eventually(all_came)
    assert sorted(came[0] + came[1]) == sorted(ids)
    assert all(came)


def test_a_user_has_a_limit_of_connections_and_of_channels(api: BrokerApi, name: str) -> None:
    line = added(api, Tool(name, "triage"))
    with Connection(line) as connection:
        for _ in range(50):
            connection.connection.channel()
        with pytest.raises(NotAllowed, match="limit"):
            connection.connection.channel()
    held = [Connection(line).ensure_connection(max_retries=0) for _ in range(10)]
    with pytest.raises(NotAllowed, match="limit"), Connection(line) as one_more:
        one_more.connection.channel()
    for connection in held:
        connection.release()


def is_cut_off(connection: Connection) -> None:
    """Assert that the broker ends the connection within seconds."""
    with pytest.raises(BROKER_ERRORS) as ended:
        connection.drain_events(timeout=5)
    assert not isinstance(ended.value, TimeoutError)


def test_a_tool_that_is_removed_while_it_is_connected_is_cut_off_at_once(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage")
    line = added(api, tool)
    publish(api.uri, FORWARDED)
    with Connection(line) as connection:
        connection.default_channel.basic_consume(tool.replay_queue)
        assert tools.remove(api, name) == 1
        is_cut_off(connection)
    with pytest.raises(AccessRefused), Connection(line) as connection:
        connection.connect()
    assert api.get("users", tool.user) is None
    assert api.get("queues", api.vhost, tool.queue) is None
    assert tools.left_over(api) == []
    with pytest.raises(ToolError, match=f"There is no tool {name}"):
        tools.remove(api, name)


def test_a_new_secret_closes_the_connections_of_the_former_and_what_waits_stays(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage", DINKES)
    line = added(api, tool)
    ids = publish(api.uri, FORWARDED)
    with Connection(line) as connection:
        connection.default_channel.basic_consume(tool.replay_queue)
        _, secret = tools.rotate(api, name)
        is_cut_off(connection)
    with pytest.raises(AccessRefused), Connection(line) as connection:
        connection.connect()
    assert heard(tools.connection_line(api.uri, tool, secret), tool) == ids


def test_a_tool_of_an_earlier_version_is_taken_over_with_what_waits_for_it(api: BrokerApi, name: str) -> None:
    tool, said = Tool(name, "triage"), []
    with Connection(api.uri) as connection:
        channel = connection.default_channel
        channel.queue_declare(tool.queue, durable=True, auto_delete=False, arguments=QUEUE)
        for exchange, key in tool.bindings():
            channel.queue_bind(tool.queue, exchange, key)
    ids = publish(api.uri, FORWARDED, INFORMATION)
    assert tools.left_over(api) == [tool.queue]
    secret = tools.add(api, tool, said.append)
    assert said == [f"the queue {tool.queue} was there before and is taken over, with the 2 events that wait in it"]
    assert heard(tools.connection_line(api.uri, tool, secret), tool) == ids


def test_no_tool_receives_the_event_that_names_its_reporter_and_one_that_did_is_taken_over(
    api: BrokerApi, name: str
) -> None:
    tool, said = Tool(name, "intake"), []
    former = (exchange_name("intake"), "complaint.submitted.v1")
    with Connection(api.uri) as connection:
        channel = connection.default_channel
        channel.queue_declare(tool.queue, durable=True, auto_delete=False, arguments=QUEUE)
        channel.queue_bind(tool.queue, *former)
    secret = tools.add(api, tool, said.append)
    assert "is taken over, with the 0 events" in said[0]
    publish(api.uri, "complaint.submitted.v1", service="intake")
    (expected,) = publish(api.uri, "complaint.submitted.v2", service="intake")
    assert heard(tools.connection_line(api.uri, tool, secret), tool) == [expected]
    with pytest.raises(ToolError, match=r"intake publishes nothing for tools as complaint\.submitted\.v1"):
        Tool(name, "intake", types=("complaint.submitted.v1",)).check()


@pytest.mark.parametrize(
    ("opd", "types", "bound_to", "why"),
    [
        (DINKES, (), (exchange_name("triage"), FORWARDED), "it may hold what the tool may not receive"),
        (None, (FORWARDED,), (exchange_name("triage"), FORWARDED), "it may hold what the tool may not receive"),
        (None, (), (exchange_name("opd_response"), "#"), "it may hold what the tool may not receive"),
        (None, (), None, "it was made in another form"),
    ],
)
def test_a_queue_that_may_hold_what_the_tool_may_not_hear_is_made_anew_and_it_is_said(
    api: BrokerApi, name: str, opd: str | None, types: tuple[str, ...], bound_to: tuple[str, str] | None, why: str
) -> None:
    tool, said = Tool(name, "triage", opd, types), []
    with Connection(api.uri) as connection:
        channel = connection.default_channel
        arguments = QUEUE if bound_to else {}
        channel.queue_declare(tool.queue, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(tool.queue, *(bound_to or (exchange_name("triage"), FORWARDED)))
    publish(api.uri, FORWARDED)
    publish(api.uri, "response.submitted.v1", service="opd_response")
    secret = tools.add(api, tool, said.append)
    assert said == [
        f"the queue {tool.queue} was there before and is made anew, because {why}: 1 events that waited in it are "
        f"dropped; with its credential, `nkk subscribe triage --since …` has again what is the tool's"
    ]
    assert heard(tools.connection_line(api.uri, tool, secret), tool) == []


class Crash(Exception):
    """The command ended here."""


def crashing(api: BrokerApi, after: int) -> BrokerApi:
    """Return another client of the same API, which ends with its request number `after` that changes something."""
    other = BrokerApi.__new__(BrokerApi)
    other.__dict__ |= api.__dict__
    done = [0]

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*path: str, **content: Any) -> Any:
            if done[0] == after:
                raise Crash
            done[0] += 1
            return act(*path, **content)

        return acting

    other.put, other.delete = counted(api.put), counted(api.delete)  # type: ignore[method-assign]
    return other


@pytest.mark.parametrize("others", [(None, ()), (DINKES, ()), (None, (INFORMATION,))])
def test_of_two_who_add_the_same_name_at_once_one_has_a_credential_that_works_and_the_other_is_refused(
    api: BrokerApi, name: str, others: tuple[str | None, tuple[str, ...]]
) -> None:
    wanted = (Tool(name, "triage"), Tool(name, "triage", *others))
    starting = Barrier(2)

    def act(tool: Tool) -> str | ToolError:
        starting.wait()
        try:
            return added(api, tool)
        except ToolError as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        came = list(pool.map(act, wanted))
    ((line, tool),) = [(each, tool) for each, tool in zip(came, wanted, strict=True) if isinstance(each, str)]
    (refused,) = [each for each in came if isinstance(each, ToolError)]
    assert f"There is a tool {name} already, at triage" in str(refused)
    assert _row(api, name)["whole"]
    assert heard(line, tool) == []


def test_a_change_waits_for_another_one_and_says_so_where_that_does_not_end(
    api: BrokerApi, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.turn.PATIENCE_SECONDS", 0.5)
    with one_at_a_time(api.uri, "tools"), pytest.raises(BusyError, match="Another command"):
        added(api, Tool(name, "triage"))
    added(api, Tool(name, "triage"))
    with one_at_a_time(api.uri, "tools"), pytest.raises(BusyError, match="Another command"):
        tools.rotate(api, name)
    with one_at_a_time(api.uri, "tools"), pytest.raises(BusyError, match="Another command"):
        tools.remove(api, name)
    tools.remove(api, name)


def test_an_add_that_ended_halfway_is_completed_by_the_same_add(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "opd_response", DINKES)
    # Before the limits, the user, its secret, its limits, some permissions, and the entry that makes it known.
    for after in (0, 1, 2, 4, 8, 15):
        with pytest.raises(Crash):
            tools.add(crashing(api, after), tool)
        assert name not in {each.name for each in tools.tools(api)}
        line = added(api, tool)
        assert _row(api, name)["whole"]
        (expected,) = publish(api.uri, "response.submitted.v1", service="opd_response")
        assert heard(line, tool) == [expected]
        tools.remove(api, name)


def test_a_removal_that_ended_halfway_is_completed_by_the_same_removal(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage")
    for after in (0, 1):
        tools.add(api, tool)
        with pytest.raises(Crash):
            tools.remove(crashing(api, after), name)
        tools.remove(api, name)
        assert (tools.left_over(api), api.get("users", tool.user)) == ([], None)
        assert name not in {each.name for each in tools.tools(api)}


def test_what_an_add_that_ended_halfway_left_can_be_removed_too(api: BrokerApi, name: str) -> None:
    with pytest.raises(Crash):
        tools.add(crashing(api, 4), Tool(name, "triage"))
    assert tools.left_over(api)
    tools.remove(api, name)
    assert (tools.left_over(api), api.get("users", f"tool.{name}")) == ([], None)


def test_no_removal_of_a_former_name_takes_another_tools_queue(api: BrokerApi, name: str) -> None:
    tools.add(api, Tool(name, "triage"))
    with pytest.raises(ToolError, match="There is no tool"):
        tools.remove(api, f"{name}.triage")
    assert api.get("queues", api.vhost, f"tool.{name}.triage")


def test_a_queue_that_nobody_reads_drops_the_oldest_and_it_is_counted_and_nobody_is_held_back(
    api: BrokerApi, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = queues.policy() | {"max-length": 1000}
    monkeypatch.setattr(queues, "policy", lambda: limits)
    tool = Tool(name, "triage")
    tools.add(api, tool)
    half = publish(api.uri, *[FORWARDED] * 501)
    assert _warnings(api) == [f"tool {name}: 501 events wait for it, and at 1000 the oldest are dropped"]
    publish(api.uri, *[FORWARDED] * 502)
    eventually(lambda: _row(api, name)["dropped"] == 3)
    assert _row(api, name)["waiting"] == 1000
    assert f"tool {name}: 3 events were dropped in the last 7 days" in "".join(_warnings(api))
    with Connection(api.uri) as connection:
        first = connection.default_channel.basic_get(TOOLS_DROPPED)
        assert first.properties["message_id"] == half[0]
    tools.remove(api, name)
    monkeypatch.undo()
    _purge_dropped(api)


def test_no_tool_can_fill_the_broker_with_requests(api: BrokerApi, name: str) -> None:
    tool, requests = Tool(name, "intake"), replay_requests_name("intake")
    line = added(api, tool)
    messages = [Message(str(number), requests, requests, "{}", user_id=tool.user) for number in range(1_500)]
    with Connection(line) as connection:
        taken = BatchPublisher(connection).publish(messages)
    with Connection(api.uri) as connection:
        waiting = connection.default_channel.queue_purge(requests)
    assert 1_000 <= waiting == len(taken) < len(messages)


def test_the_status_names_each_tool_whose_queue_is_more_than_half_full(
    api: BrokerApi, managed_rabbit: PrivateNode, name: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    tools.add(api, Tool(name, "triage"))
    publish(api.uri, FORWARDED)
    monkeypatch.setenv("AMQP_URI", api.uri)
    monkeypatch.setenv("NKK_BROKER_API", managed_rabbit.api)
    print_tools()
    said = capsys.readouterr()
    assert f"tool {name}: its oldest event has waited" in said.out
    monkeypatch.setenv("NKK_BROKER_API", "http://nkk:x@127.0.0.1:1")
    print_tools()
    assert "does not answer" in capsys.readouterr().err


def test_what_has_waited_too_long_is_dropped_and_counted(api: BrokerApi, name: str) -> None:
    tools.add(api, Tool(name, "triage"))
    definition = api.get("policies", api.vhost, POLICY)["definition"]
    assert definition == {
        "message-ttl": 30 * 24 * 3600 * 1000,
        "max-length": 1_000_000,
        "overflow": "drop-head",
        "dead-letter-exchange": TOOLS_DROPPED,
    }
    quick = {"pattern": r"^tool\.", "apply-to": "queues", "definition": definition | {"message-ttl": 1}}
    api.put("policies", api.vhost, POLICY, **quick)
    publish(api.uri, FORWARDED)
    eventually(lambda: _row(api, name)["dropped"] == 1)
    tools.bring_up_to_date(api)
    assert api.get("policies", api.vhost, POLICY)["definition"] == definition
    _purge_dropped(api)


def test_the_age_of_the_oldest_event_is_known_while_the_tool_is_away(api: BrokerApi, name: str) -> None:
    tool = Tool(name, "triage")
    line = added(api, tool)
    ids = publish(api.uri, FORWARDED, FORWARDED)
    row = _row(api, name)
    assert (row["connected"], row["waiting"], row["whole"]) == (False, 2, True)
    assert row["oldest_seconds"] > 15 * DAY  # the sample is of long ago
    assert "its oldest event has waited" in "".join(_warnings(api))
    assert heard(line, tool) == ids
    with Connection(line) as connection:
        connection.default_channel.basic_consume(tool.queue)
        publish(api.uri, FORWARDED)
        row = _row(api, name)
        assert (row["connected"], row["oldest_seconds"]) == (True, None)


def test_a_new_version_brings_bindings_up_to_date_and_deletes_the_shared_user(
    managed_rabbit: PrivateNode, api: BrokerApi, name: str
) -> None:
    tool = Tool(name, "triage")
    tools.add(api, tool)
    with Connection(api.uri) as connection:
        connection.default_channel.queue_unbind(tool.queue, exchange_name("triage"), FORWARDED)
        connection.default_channel.queue_bind(tool.queue, exchange_name("triage"), "complaint.forgotten.v1")
    api.put("users", "tooling", password="x", tags="")
    former = {"configure": "^tool\\.[A-Za-z0-9._-]+$", "write": "^tool\\.[A-Za-z0-9._-]+$", "read": ".*"}
    api.put("permissions", api.vhost, "tooling", **former)
    assert not _row(api, name)["whole"]
    said = declare_topology(api.uri, managed_rabbit.api)
    assert _row(api, name)["whole"]
    assert tool.queue in said
    assert said[-1].startswith("the user tooling, which all tools shared, is deleted; their queues go on collecting")
    assert api.get("users", "tooling") is None
    api.put("users", "tooling", password="x", tags="")
    api.put("permissions", api.vhost, "tooling", configure=".*", write=".*", read=".*")
    tools.bring_up_to_date(api)
    assert api.get("users", "tooling"), "one of somebody else's"
    api.delete("users", "tooling")


def test_of_a_tool_without_a_user_it_is_said_how_it_gets_one(api: BrokerApi, name: str) -> None:
    tools.add(api, Tool(name, "triage"))
    api.delete("users", f"tool.{name}")
    assert f"the tool {name} has no user any more: `nkk tools rotate {name}` makes one" in tools.bring_up_to_date(api)
    tools.rotate(api, name)
    assert _row(api, name)["whole"]


def test_an_admin_who_listens_under_a_tools_name_is_refused_and_the_tool_receives_no_more_than_before(
    api: BrokerApi, name: str
) -> None:
    tool = Tool(name, "triage", DINKES)
    line = added(api, tool)
    with pytest.raises(SubscriptionError, match=f"{name} is a tool with a credential of its own"):
        next(subscribe("triage", name, api.uri, on_listening=lambda: pytest.fail("it listens")))
    assert queues.bound(api, tool.queue) == tool.bindings()
    publish(api.uri, FORWARDED, opd="disdukcapil")
    (expected,) = publish(api.uri, FORWARDED)
    assert heard(line, tool) == [expected]


def test_a_tool_that_may_receive_too_much_is_listed_with_what_mends_it(
    command: Callable[..., Any], api: BrokerApi, name: str
) -> None:
    tool = Tool(name, "triage", DINKES)
    added(api, tool)
    with Connection(api.uri) as connection:
        connection.default_channel.queue_bind(tool.queue, exchange_name("triage"), FORWARDED)
    said = f"tool {name}: its user or its bindings are not those that it was added with: `nkk topology` mends"
    assert said in command("tools", "list").output
    declare_topology(api.uri)
    tools.bring_up_to_date(api)
    assert said not in command("tools", "list").output


def test_without_the_exchanges_it_is_said_what_makes_them(managed_rabbit: PrivateNode, name: str) -> None:
    empty = BrokerApi(managed_rabbit.api, new_vhost(managed_rabbit))
    with pytest.raises(ToolError, match="The exchanges of triage are missing: run `nkk topology` first"):
        tools.add(empty, Tool(name, "triage"))


def test_an_api_that_is_not_there_or_refuses_is_said_without_its_password(
    managed_rabbit: PrivateNode, api: BrokerApi
) -> None:
    password = managed_rabbit.api.split(":")[2].partition("@")[0]
    for url, why in (
        (f"http://nkk:{password}@127.0.0.1:1", "does not answer"),
        (managed_rabbit.api.replace(password, "wrong"), "refuses the user of NKK_BROKER_API"),
    ):
        with pytest.raises(BrokerApiError, match=why) as error:
            tools.tools(BrokerApi(url, api.uri))
        assert password not in str(error.value)


def test_by_command_a_tool_is_added_listed_given_another_secret_and_removed(
    command: Callable[..., Any], api: BrokerApi, name: str
) -> None:
    done = command("tools", "add", name, "--stage", "triage", "--opd", DINKES, "--types", f"{FORWARDED}, {FORWARDED}")
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"amqp://tool.{name}:")
    tool = Tool(name, "triage", DINKES, (FORWARDED,))
    ids = publish(api.uri, FORWARDED)
    (row,) = json.loads(command("tools", "list", "--json").stdout)
    assert row | {"since": "", "oldest_seconds": 0} == {
        "name": name,
        "stage": "triage",
        "opd": DINKES,
        "types": [FORWARDED],
        "connected": False,
        "waiting": 1,
        "oldest_seconds": 0,
        "replay_waiting": 0,
        "whole": True,
        "since": "",
        "dropped": 0,
    }
    assert name in command("tools", "list").stdout
    assert heard(line, tool) == ids
    rotated = command("tools", "rotate", name).stdout.strip()
    assert rotated.rpartition("@")[2] == line.rpartition("@")[2]
    assert rotated != line
    asked = command("tools", "remove", name)
    assert (asked.exit_code, "Remove it?" in asked.output) == (1, True)
    assert [each.name for each in tools.tools(api)] == [name]
    assert command("tools", "remove", name, "--yes").exit_code == 0
    assert tools.tools(api) == []


def test_a_command_that_cannot_be_carried_out_says_why_in_a_sentence(command: Callable[..., Any]) -> None:
    for arguments, why in (
        (("rotate", "nobody"), "There is no tool nobody: there is none yet."),
        (("remove", "nobody", "--yes"), "There is no tool nobody: there is none yet."),
        (("add", "a b", "--stage", "triage"), "A tool's name is 1 to 40 small letters"),
        (("add", "a", "--stage", "intake", "--opd", DINKES), "Events of intake name no OPD"),
    ):
        done = command("tools", *arguments)
        assert (done.exit_code, why in done.output) == (1, True), done.output
    without = command("tools", "list", NKK_BROKER_API="")
    assert without.exit_code == 1
    assert "Error: NKK_BROKER_API is not set. Users and limits of tools are set by RabbitMQ's" in without.output


@pytest.mark.parametrize(
    "arguments", [("status", "--json"), ("staff", "list"), ("tools", "add", "a", "--stage", "triage")]
)
def test_without_a_broker_nothing_is_printed_but_a_sentence(
    command: Callable[..., Any], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "RpcClient", lambda uri, timeout: RpcClient(uri, timeout / 10))
    away = {"AMQP_URI": "amqp://nkk:secret@127.0.0.1:1/", "NKK_BROKER_API": "http://nkk:secret@127.0.0.1:1"}
    done = command(*arguments, **away, **new_keys())
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.output
    assert done.stderr.startswith("Error: ")
    assert "secret" not in done.stderr


def test_a_uri_is_printed_alone_where_no_stage_can_be_asked(
    command: Callable[..., Any], api: BrokerApi, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "RpcClient", lambda _, timeout: RpcClient("amqp://127.0.0.1:1/", timeout))
    done = command("tools", "add", name, "--stage", "triage", "--opd", DINKES)
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"amqp://tool.{name}:")


def _row(api: BrokerApi, name: str) -> dict[str, Any]:
    return next(row for row in tools.rows(api) if row["name"] == name)


def _warnings(api: BrokerApi) -> list[str]:
    return [line for line in tools.warnings(tools.rows(api), *tools.limits(api)) if "oldest event" not in line] or (
        tools.warnings(tools.rows(api), *tools.limits(api))
    )


def _purge_dropped(api: BrokerApi) -> None:
    with Connection(api.uri) as connection:
        connection.default_channel.queue_purge(TOOLS_DROPPED)
