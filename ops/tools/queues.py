"""The queues of tools: their limits, their bindings, and existing queues that are taken over."""

from collections.abc import Callable
from typing import Any

from amqp.exceptions import NotFound, PreconditionFailed
from kombu import Connection

from nkk.contracts import STAGES
from nkk.exchanges import TOOLS_DROPPED, exchange_name
from nkk.messaging.topology import NO_DELIVERY_LIMIT, QUORUM
from nkk.settings import NKK_TOOL_DAYS, NKK_TOOL_EVENTS
from ops.broker_api import BrokerApi
from ops.tools.tool import Binding, Tool, ToolError, public_events

POLICY, REQUESTS_POLICY = "nkk-tools", "nkk-replay-requests"

REQUESTS = {"max-length": 1_000, "max-length-bytes": 16 * 2**20, "overflow": "reject-publish"}
"""The limits of each stage's queue of requests for past events, so that no tool can fill the broker with them."""

MOST_DROPPED = 1_000
DROPPED_DAYS = 7
DAY = 24 * 3600

QUEUE = QUORUM | {"x-delivery-limit": NO_DELIVERY_LIMIT}
"""The arguments of a tool's queues. A queue that the tool declared itself under an earlier version has them too."""

Say = Callable[[str], None]


def limit_queues(api: BrokerApi) -> None:
    """Set the limits of all tools' queues and of their requests, and declare the queue of what the queues drop."""
    with Connection(api.uri, connect_timeout=5) as connection:
        channel = connection.default_channel
        channel.exchange_declare(TOOLS_DROPPED, "fanout", durable=True, auto_delete=False)
        kept = {"x-max-length": MOST_DROPPED, "x-overflow": "drop-head", "x-message-ttl": DROPPED_DAYS * DAY * 1000}
        channel.queue_declare(TOOLS_DROPPED, durable=True, auto_delete=False, arguments=QUEUE | kept)
        channel.queue_bind(TOOLS_DROPPED, TOOLS_DROPPED)
    for name, pattern, definition in (
        (POLICY, r"^tool\.", policy()),
        (REQUESTS_POLICY, rf"^({'|'.join(STAGES)})\.replay-requests$", REQUESTS),
    ):
        rule = {"pattern": pattern, "apply-to": "queues", "definition": definition}
        api.put("policies", api.vhost, name, **rule, priority=10)


def policy() -> dict[str, Any]:
    """Return the limits that are set for each queue of a tool."""
    return {
        "message-ttl": NKK_TOOL_DAYS.get() * DAY * 1000,
        "max-length": NKK_TOOL_EVENTS.get(),
        # Never reject-publish, by which one tool that is away would hold back the stage.
        "overflow": "drop-head",
        "dead-letter-exchange": TOOLS_DROPPED,
    }


def take_over(api: BrokerApi, connection: Connection, tool: Tool, say: Say) -> None:
    """Keep an existing queue with this name if all its events are for the tool, else delete it; say which."""
    channel = connection.default_channel
    channel.queue_delete(tool.replay_queue)
    found = api.get("queues", api.vhost, tool.queue)
    if not found:
        return
    same_form = found["durable"] and found["arguments"] == QUEUE
    public = {(exchange_name(tool.stage), event.TYPE) for event in public_events(tool.stage)}
    whole = not tool.opd and not tool.types and bound(api, tool.queue) <= public
    if same_form and whole:
        waiting = channel.queue_declare(tool.queue, passive=True).message_count
        say(f"the queue {tool.queue} was there before and is taken over, with the {waiting} events that wait in it")
        return
    why = "it may hold what the tool may not receive" if same_form else "it was made in another form"
    dropped = channel.queue_delete(tool.queue)
    say(
        f"the queue {tool.queue} was there before and is made anew, because {why}: {dropped} events that waited in it "
        f"are dropped; with its credential, `nkk subscribe {tool.stage} --since …` has again what is the tool's"
    )


def declare(api: BrokerApi, connection: Connection, tool: Tool) -> None:
    """Declare the tool's missing queues, and bind both to exactly what the tool may receive. Raises ToolError."""
    for queue, wanted in ((tool.queue, tool.bindings()), (tool.replay_queue, tool.replay_bindings())):
        channel = connection.channel()
        try:
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUEUE)
            found = bound(api, queue)
            for exchange, key in sorted(wanted - found):
                channel.queue_bind(queue, exchange, key)
            for exchange, key in found - wanted:
                channel.queue_unbind(queue, exchange, key)
        except PreconditionFailed:
            raise ToolError(
                f"The queue {queue} was made in another form: `nkk tools remove {tool.name}`, and add it again."
            ) from None
        except NotFound:
            raise ToolError(f"The exchanges of {tool.stage} are missing: run `nkk topology` first.") from None
        channel.close()


def bound(api: BrokerApi, queue: str) -> set[Binding]:
    """Return what `queue` is bound to."""
    bindings = api.get("queues", api.vhost, queue, "bindings") or []
    return {(each["source"], each["routing_key"]) for each in bindings if each["source"]}
