"""What each broker user can do to teams' tools, and each tool to everything else: every operation, on a real broker.

The expected outcomes are written by hand; a right that the code would give by mistake is not in them.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import amqp
import pytest
from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed
from kombu import Connection

from nkk.contracts import STAGES
from nkk.exchanges import TOOLS_DROPPED, replay_requests_name
from ops import tools
from ops.broker_api import BrokerApi, BrokerApiError
from ops.stack.broker import PrivateNode
from ops.stack.run import declare_topology
from ops.tools import Tool
from tests.hostile.users import USERS, create_users, uri_of
from tests.installations import new_vhost

OPDS = ("dinas-kesehatan", "dinas-sosial")
KES, SOS, ALL = (
    Tool("rights-kes", "triage", OPDS[0]),
    Tool("rights-sos", "triage", OPDS[1]),
    Tool("rights-all", "opd_response"),
)
TOOLS = (KES, SOS, ALL)
QUEUES = [queue for tool in TOOLS for queue in (tool.queue, tool.replay_queue)]
EXCHANGES = [
    *("amq.direct", "amq.fanout", "amq.headers", "amq.topic", TOOLS_DROPPED),
    *(f"{stage}.{kind}" for stage in STAGES for kind in ("events", "moves", "replay", "replay-requests")),
]

Operation = Callable[[Any], Any]


def publishing(exchange: str, key: str, **properties: Any) -> Operation:
    return lambda channel: channel.basic_publish_confirm(amqp.Message(b"{}", **properties), exchange, key)


OPERATIONS: dict[str, Operation] = {
    "declare a queue": lambda channel: channel.queue_declare("tool.rights-kes.more", exclusive=True),
    "declare a queue with a line end": lambda channel: channel.queue_declare("\n", exclusive=True),
    "declare a queue without a name": lambda channel: channel.queue_declare("", exclusive=True),
    "declare an exchange": lambda channel: channel.exchange_declare("tool.rights-kes", "fanout", auto_delete=True),
    **{f"delete {queue}": lambda channel, queue=queue: channel.queue_delete(queue) for queue in QUEUES},
    **{
        f"bind {queue} to {exchange} by {key}": lambda channel, queue=queue, exchange=exchange, key=key: (
            channel.queue_bind(queue, exchange, key)
        )
        for queue in QUEUES
        for exchange, key in (
            ("triage.events", "#"),
            ("triage.events", f"opd.{OPDS[1]}.complaint.forwarded.v1"),
            ("intake.events", "reporter.registered.v1"),
            ("triage.replay", "#"),
            ("triage.replay", f"rights-sos.opd.{OPDS[1]}.complaint.forwarded.v1"),
            ("nameko-rpc", "intake.*"),
            ("amq.topic", "#"),
        )
    },
    **{
        f"unbind {tool.queue}": lambda channel, tool=tool: channel.queue_unbind(
            tool.queue, *next(iter(tool.bindings()))
        )
        for tool in TOOLS
    },
    "bind an exchange": lambda channel: channel.exchange_bind("triage.replay-requests", "triage.events", "#"),
    **{
        f"read {queue}": lambda channel, queue=queue: channel.basic_get(queue, no_ack=True)
        for queue in [*QUEUES, TOOLS_DROPPED]
    },
    **{
        f"consume {queue}": lambda channel, queue=queue: channel.basic_consume(queue, no_ack=True)
        for queue in [*QUEUES, TOOLS_DROPPED, "triage.inbox", "triage.replay"]
    },
    **{f"purge {queue}": lambda channel, queue=queue: channel.queue_purge(queue) for queue in QUEUES},
    **{f"publish to {exchange}": publishing(exchange, "tool.rights-kes.triage") for exchange in EXCHANGES},
    "publish to the default exchange": publishing("", KES.queue),
    "call intake": publishing("nameko-rpc", "intake.ping"),
    "ask for the past as rights-kes": publishing(
        replay_requests_name("triage"), replay_requests_name("triage"), user_id=KES.user
    ),
    "ask for the past as rights-all": publishing(
        replay_requests_name("opd_response"), replay_requests_name("opd_response"), user_id=ALL.user
    ),
    "look at a queue of another": lambda channel: channel.queue_declare(SOS.queue, passive=True),
    "look at the inbox of triage": lambda channel: channel.queue_declare("triage.inbox", passive=True),
    "look at an exchange": lambda channel: channel.exchange_declare("triage.events", "topic", passive=True),
}

LOOKING = {"look at a queue of another", "look at the inbox of triage", "look at an exchange"}
"""Nobody who may connect can be kept from this: whether a queue is there, and how many messages and readers it has."""


def own(tool: Tool) -> set[str]:
    """A tool's rights: its two queues to read and to empty, and requests for the past of its stage."""
    return {
        *LOOKING,
        f"publish to {tool.stage}.replay-requests",
        *(f"{act} {queue}" for act in ("read", "consume", "purge") for queue in (tool.queue, tool.replay_queue)),
    }


def a_stage(stage: str) -> set[str]:
    return {*LOOKING, *(f"publish to {stage}.{kind}" for kind in ("events", "moves", "replay", "replay-requests"))}


ALLOWED: dict[str, set[str]] = {
    KES.user: own(KES) | {"ask for the past as rights-kes"},
    SOS.user: own(SOS),
    ALL.user: own(ALL) | {"ask for the past as rights-all"},
    "intake": a_stage("intake"),
    "triage": a_stage("triage") | {"consume triage.inbox", "consume triage.replay"},
    "opd_response": a_stage("opd_response"),
    "notification": a_stage("notification"),
    "gateway": LOOKING | {"call intake"},
    "topology": LOOKING
    | {"consume triage.inbox", "consume triage.replay", "bind an exchange"}
    | {f"publish to {stage}.{kind}" for stage in STAGES for kind in ("moves", "replay", "replay-requests")},
}


@pytest.fixture(scope="module")
def uris(managed_rabbit: PrivateNode) -> Iterator[dict[str, str]]:
    """The URI of every broker user, three tools among them."""
    uri = new_vhost(managed_rabbit)
    create_users(managed_rabbit, uri)
    declare_topology(uri, managed_rabbit.api)
    api = BrokerApi(managed_rabbit.api, uri)
    found = {tool.user: tools.connection_line(uri, tool, tools.add(api, tool)) for tool in TOOLS}
    # What there is to be lost or read.
    with Connection(uri) as connection:
        for queue in QUEUES:
            connection.default_channel.basic_publish(amqp.Message(b"{}"), "", queue)
    yield found | {user: uri_of(uri, user) for user in USERS}
    for tool in TOOLS:
        tools.remove(api, tool.name)


def may(connection: Connection, act: Operation) -> bool:
    """Whether the broker lets the connection's user do it."""
    channel = connection.connection.channel()
    try:
        channel.confirm_select()
        act(channel)
        return True
    except (AccessRefused, PreconditionFailed):
        return False
    except NotFound as error:
        raise AssertionError(f"there is no such thing: {error}") from None
    finally:
        # One that the broker closed was opened again by the client.
        channel.close()


@pytest.mark.parametrize("user", [*(tool.user for tool in TOOLS), *USERS])
def test_a_user_may_do_what_is_written_here_and_nothing_else(uris: dict[str, str], user: str) -> None:
    with Connection(uris[user]) as connection:
        connection.connect()
        assert {name for name, act in OPERATIONS.items() if may(connection, act)} == ALLOWED[user]


@pytest.mark.parametrize("user", [tool.user for tool in TOOLS])
def test_no_tool_may_declare_what_it_may_read(uris: dict[str, str], user: str) -> None:
    """By declaring it anew, a tool could give its queue another limit, or bind it."""
    with Connection(uris[user]) as connection:
        connection.connect()
        for queue in QUEUES:
            assert not may(connection, lambda channel, queue=queue: channel.queue_declare(queue, durable=True))


def test_a_request_for_the_past_in_the_name_of_another_is_refused_by_the_broker(uris: dict[str, str]) -> None:
    name = replay_requests_name("triage")
    with Connection(uris[KES.user]) as connection:
        connection.connect()
        for forged in (SOS.user, "triage", "nkk", f"{KES.user} ", "tool.x"):
            act = publishing(name, name, user_id=forged, message_id=str(uuid.uuid4()))
            assert not may(connection, act), forged


def test_a_tool_may_enter_no_other_virtual_host_and_not_the_management_api(
    managed_rabbit: PrivateNode, uris: dict[str, str]
) -> None:
    line = uris[KES.user]
    with pytest.raises(amqp.NotAllowed), Connection(f"{line.rpartition('/')[0]}/%2F") as connection:
        connection.connect()
    account = line.partition("://")[2].partition("@")[0]
    api = BrokerApi(f"http://{account}@{managed_rabbit.api.rpartition('@')[2]}", line)
    with pytest.raises(BrokerApiError, match="refuses the user"):
        api.get("queues")
