"""The names of exchanges, queues and routing keys that subscribers depend on. They never change.

A tool is a team's own program that subscribes to one stage. It has a broker user and two queues of its own: one for the
stage's events, one for events that it asked the stage to publish to it again.
"""

TOOL_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
"""The form of a tool's name. It has no dots, because it is one word of a routing key."""

REPLAY = "x-nkk-replay"
"""The header of what a stage publishes to a tool again: the id of the tool's request."""

REPLAY_REST = "rest"
"""The routing key of requests that a stage puts back. It has no dot; a tool's keys have one, behind its name."""

REPLAY_MARKER = "replay"
"""The last word of the routing key of the message that ends a replay."""

REPLAY_ENDED = "replay.ended"
REPLAY_REFUSED = "replay.refused"
"""The AMQP types of that message."""


def exchange_name(service: str) -> str:
    """Return the name of the exchange to which `service` publishes its events."""
    return f"{service}.events"


def moves_name(service: str) -> str:
    """Return the name of the exchange through which `service`, and no other, moves events between its own queues."""
    return f"{service}.moves"


def replay_name(service: str) -> str:
    """Return the name of the exchange to which `service` publishes past events again, for the tool that asked."""
    return f"{service}.replay"


def replay_requests_name(service: str) -> str:
    """Return the name of the exchange, and of the queue, of tools' requests for past events of `service`."""
    return f"{service}.replay-requests"


def opd_key(opd: str, type_: str) -> str:
    """Return the second routing key of an event of `type_` that concerns `opd`."""
    return f"opd.{opd}.{type_}"


def replay_key(tool: str, key: str) -> str:
    """Return the routing key of what is published to `tool` alone; `key` is the one that the live event has."""
    return f"{tool}.{key}"


def tool_user(tool: str) -> str:
    """Return the name of the tool's broker user."""
    return f"tool.{tool}"


def tool_queue(tool: str, service: str) -> str:
    """Return the name of the queue in which events of `service` wait for `tool`."""
    return f"tool.{tool}.{service}"


def tool_replay_queue(tool: str, service: str) -> str:
    """Return the name of the queue in which past events that `tool` requested of `service` wait for it."""
    return f"{tool_queue(tool, service)}.replay"


TOOLS_DROPPED = "tools.dropped"
"""The exchange and the queue of what tools' queues dropped because of their limits of age and length."""
