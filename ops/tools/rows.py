"""The state of each tool: whether it is connected, what waits for it, and what was dropped."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from kombu import Connection

from nkk.exchanges import TOOLS_DROPPED
from ops.broker_api import BrokerApi
from ops.stack.status import age_of_oldest, depth
from ops.tools.queues import DAY, DROPPED_DAYS, MOST_DROPPED, POLICY, bound, policy
from ops.tools.registry import kept, tools
from ops.tools.tool import Tool


def rows(api: BrokerApi) -> list[dict[str, Any]]:
    """Return a row for each tool, with None for values that cannot be determined.

    `oldest_seconds` is the age of the first waiting event. It is determined only while the tool is not connected,
    because fetching and requeueing an event would change the order for a connected tool.
    """
    dropped = _dropped(api)
    about = kept(api)
    with Connection(api.uri, connect_timeout=5) as connection:
        return [
            _row(api, connection, tool) | {"since": about[tool.name]["created_at"], "dropped": dropped[tool.name]}
            for tool in tools(api)
        ]


def left_over(api: BrokerApi) -> list[str]:
    """Return the queues that are named like a tool's and belong to none. Tools of earlier versions declared them."""
    owned = {queue for tool in tools(api) for queue in (tool.queue, tool.replay_queue)}
    queues = [queue["name"] for queue in api.get("queues", api.vhost) or []]
    return sorted(queue for queue in queues if queue.startswith("tool.") and queue not in owned)


def limits(api: BrokerApi) -> tuple[int, int]:
    """Return the current limits of each tool's queue: (seconds, events)."""
    found = api.get("policies", api.vhost, POLICY)
    definition = found["definition"] if found else policy()
    return definition["message-ttl"] // 1000, definition["max-length"]


def warnings(found: Iterable[dict[str, Any]], seconds: int, events: int) -> list[str]:
    """Return a sentence for each tool whose queue is more than half full, or has dropped events lately."""
    said = []
    for row in found:
        name, waiting, oldest = row["name"], row["waiting"] or 0, row["oldest_seconds"] or 0
        if waiting * 2 > events:
            said.append(f"tool {name}: {waiting} events wait for it, and at {events} the oldest are dropped")
        if oldest * 2 > seconds:
            said.append(
                f"tool {name}: its oldest event has waited {oldest // DAY} days; after {seconds // DAY} it is dropped"
            )
        if row["dropped"]:
            more = " or more" if row["dropped"] >= MOST_DROPPED else ""
            said.append(
                f"tool {name}: {row['dropped']}{more} events were dropped in the last {DROPPED_DAYS} days, because "
                f"nobody read them; with its credential, `nkk subscribe {row['stage']} --since …` has them again"
            )
    return said


def _row(api: BrokerApi, connection: Connection, tool: Tool) -> dict[str, Any]:
    waiting, consumers = depth(connection, tool.queue)
    replay_waiting, replay_consumers = depth(connection, tool.replay_queue)
    consumers, replay_consumers = consumers or 0, replay_consumers or 0
    is_whole = (
        api.get("permissions", api.vhost, tool.user) is not None
        and bound(api, tool.queue) == tool.bindings()
        and bound(api, tool.replay_queue) == tool.replay_bindings()
    )
    return {
        "name": tool.name,
        **tool.kept(),
        "connected": bool(consumers + replay_consumers),
        "waiting": waiting,
        "oldest_seconds": age_of_oldest(connection, tool.queue) if waiting and not consumers else None,
        "replay_waiting": replay_waiting,
        "whole": is_whole,
    }


def _dropped(api: BrokerApi) -> Counter[str]:
    """Return how many events each tool's queues dropped by their limits, as far as `tools.dropped` still holds them."""
    dropped: Counter[str] = Counter()
    owners = {queue: tool.name for tool in tools(api) for queue in (tool.queue, tool.replay_queue)}
    wish = {"count": MOST_DROPPED, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": 1}
    for message in api.post("queues", api.vhost, TOOLS_DROPPED, "get", **wish) or []:
        (death, *_) = message["properties"]["headers"]["x-death"]
        if death["reason"] in ("expired", "maxlen") and death["queue"] in owners:
            dropped[owners[death["queue"]]] += 1
    return dropped
