"""Adding tools, giving them new secrets, removing them, and bringing them to this version of the service."""

import re
import secrets
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from kombu import Connection

from nkk.contracts import STAGES
from nkk.exchanges import replay_requests_name, tool_queue, tool_replay_queue, tool_user
from nkk.settings import NKK_TOOLS_HOST, NKK_TOOLS_PORT
from ops.broker_api import BrokerApi
from ops.tools.queues import Say, declare, limit_queues, take_over
from ops.tools.registry import find, kept, no_such_tool, parameter_of, tools
from ops.tools.tool import Tool, ToolError
from ops.turn import one_at_a_time

CONNECTIONS, CHANNELS = 10, 50
"""The most connections and channels that a tool may have open. They leave room for old ones that are not closed yet."""

SHARED_USER, ITS_QUEUES = "tooling", r"^tool\.[A-Za-z0-9._-]+$"
"""The broker user that all tools shared under earlier versions, and the names of the queues that it might declare."""

FORMER_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""The form of a tool's name under earlier versions."""


def add(api: BrokerApi, tool: Tool, say: Say = lambda _: None) -> str:
    """Create the tool's queues, bindings and user, and return the user's secret, which is stored nowhere.

    Its queue collects events from now on. The events in an existing queue of this name are kept if all of them are for
    the tool, and dropped otherwise; `say` is called with a sentence about it. An interrupted call can be repeated.
    Raises ToolError if the name is taken or the tool is invalid.
    """
    tool.check()
    with one_at_a_time(api.uri, "tools"):
        return _add(api, tool, say)


def _add(api: BrokerApi, tool: Tool, say: Say) -> str:
    if other := kept(api).get(tool.name):
        raise ToolError(
            f"There is a tool {tool.name} already, at {other['stage']}: take another name, or first remove it "
            f"(`nkk tools remove {tool.name}`). A new secret for it: `nkk tools rotate {tool.name}`."
        )
    limit_queues(api)
    with Connection(api.uri, connect_timeout=5) as connection:
        take_over(api, connection, tool, say)
        declare(api, connection, tool)
    secret = _create_user(api, tool)
    # Last, so that a tool that is kept is whole, and one that is not whole can be added again.
    about = tool.kept() | {"vhost": api.vhost, "created_at": datetime.now(UTC).isoformat(timespec="seconds")}
    api.put("global-parameters", parameter_of(tool.name), value=about)
    return secret


def rotate(api: BrokerApi, name: str) -> tuple[Tool, str]:
    """Give the tool a new secret and close its connections; return the tool and the secret. Raises ToolError."""
    with one_at_a_time(api.uri, "tools"):
        tool = find(api, name)
        return tool, _create_user(api, tool)


def remove(api: BrokerApi, name: str) -> int:
    """Disconnect and delete the tool and its queues, and return how many events waited in them.

    An interrupted call can be repeated. Queues of earlier versions' tools, and of an interrupted `add`, are found by
    their names. Raises ToolError if there is nothing with this name.
    """
    with one_at_a_time(api.uri, "tools"):
        queues = what_goes(api, name)
        api.delete("users", tool_user(name))
        with Connection(api.uri, connect_timeout=5) as connection:
            waiting = sum(connection.default_channel.queue_delete(queue) for queue in queues)
        api.delete("global-parameters", parameter_of(name))
        return waiting


def what_goes(api: BrokerApi, name: str) -> list[str]:
    """Return the queues that `remove` would delete. Raises ToolError if there is nothing with this name."""
    if not re.fullmatch(FORMER_NAME, name):
        raise ToolError(f"No tool has such a name: {name!r}.")
    about = kept(api).get(name)
    if about and about["vhost"] != api.vhost:
        raise ToolError(f"The tool {name} belongs to the virtual host {about['vhost']}, and this is {api.vhost}.")
    others = {queue for tool in tools(api) if tool.name != name for queue in (tool.queue, tool.replay_queue)}
    candidates = [tool_user(name), *(of(name, stage) for stage in STAGES for of in (tool_queue, tool_replay_queue))]
    if about:
        candidates = [of(name, about["stage"]) for of in (tool_queue, tool_replay_queue)]
    queues = [queue for queue in candidates if queue not in others and api.get("queues", api.vhost, queue)]
    if not about and not queues and not api.get("users", tool_user(name)):
        raise no_such_tool(api, name)
    return queues


def bring_up_to_date(api: BrokerApi) -> list[str]:
    """Update limits, and every tool's queues, bindings and permissions, to this version; return what was done.

    Deletes the user that tools shared under earlier versions. Its queues are kept, and go on collecting.
    """
    with one_at_a_time(api.uri, "tools"):
        return _bring_up_to_date(api)


def _bring_up_to_date(api: BrokerApi) -> list[str]:
    limit_queues(api)
    said = []
    with Connection(api.uri, connect_timeout=5) as connection:
        for tool in tools(api):
            try:
                declare(api, connection, tool)
            except ToolError as error:
                said.append(str(error))
                continue
            if api.get("users", tool.user):
                _permit(api, tool)
                said.append(tool.queue)
            else:
                said.append(f"the tool {tool.name} has no user any more: `nkk tools rotate {tool.name}` makes one")
    # Another installation of this broker may have a user of this name.
    permissions = api.get("permissions", api.vhost, SHARED_USER)
    if permissions and permissions["configure"] == ITS_QUEUES:
        api.delete("users", SHARED_USER)
        said.append(
            f"the user {SHARED_USER}, which all tools shared, is deleted; their queues go on collecting, and "
            "`nkk tools add` with the same name takes them over (docs/tools.md)"
        )
    return said


def connection_line(uri: str, tool: Tool, secret: str) -> str:
    """Return the AMQP URI with which the tool connects, by TLS where that is set up."""
    parts, vhost = urlsplit(uri), quote(str(Connection(uri).virtual_host), safe="")
    if host := NKK_TOOLS_HOST.get():
        return f"amqps://{tool.user}:{secret}@{host}:{NKK_TOOLS_PORT.get()}/{vhost}"
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{tool.user}:{secret}@{place}/{vhost}"


def _create_user(api: BrokerApi, tool: Tool) -> str:
    """Create the tool's user, in the place of one that is there, and return its secret."""
    # The broker itself disconnects a user that is deleted, at once.
    api.delete("users", tool.user)
    secret = secrets.token_urlsafe(24)
    api.put("users", tool.user, password=secret, tags="")
    _permit(api, tool)
    return secret


def _permit(api: BrokerApi, tool: Tool) -> None:
    """Give the tool's user its permissions and limits."""
    api.put("user-limits", tool.user, "max-connections", value=CONNECTIONS)
    api.put("user-limits", tool.user, "max-channels", value=CHANNELS)
    # First of all: without a row of its own, an exchange is open to every routing key.
    for exchange in api.get("exchanges", api.vhost):
        if exchange["type"] == "topic":
            api.put("topic-permissions", api.vhost, tool.user, exchange=exchange["name"], write="^$", read="^$")
    api.put(
        "permissions",
        api.vhost,
        tool.user,
        configure="^$",
        write=f"^{re.escape(replay_requests_name(tool.stage))}$",
        read=rf"^{re.escape(tool.queue)}(\.replay)?$",
    )
