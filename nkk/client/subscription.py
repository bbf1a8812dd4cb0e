"""A durable subscription to one stage's events, with plain kombu."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic, sleep
from typing import Any, Literal

from amqp.basic_message import Message
from amqp.exceptions import AccessRefused, ConsumerCancelled, NotAllowed, NotFound, PreconditionFailed
from kombu import Connection, Exchange, Queue, binding

from nkk.client.credential import SubscriptionError, check_authority, tool_of, untrusted
from nkk.client.deliveries import batches, consume, read_event
from nkk.client.replay import Replay, Seen
from nkk.clock import utc_now
from nkk.contracts import EVENTS, STAGES
from nkk.exchanges import exchange_name, tool_queue, tool_replay_queue
from nkk.messaging.origin import Origin
from nkk.messaging.plain import read_any_properties
from nkk.messaging.publisher import BROKER_ERRORS, connected
from nkk.messaging.topology import NO_DELIVERY_LIMIT
from nkk.settings import NKK_TOOL_CA, NKK_TOOL_URI
from nkk.sop.clock import is_reasonable

RECONNECT_SECONDS = 1.0
PREFETCH = 50
FORGET_SECONDS = 3600.0
"""How long after a replay an event of it may still come live: the stage publishes it later where it had to wait."""


def subscribe(
    stage: str,
    name: str | None = None,
    uri: str | Callable[[], str] | None = None,
    on_trouble: Callable[[str], None] = lambda _: None,
    on_listening: Callable[[], None] = lambda: None,
    until: Callable[[], bool] = lambda: False,
    *,
    since: datetime | Literal["first"] | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
    on_replayed: Callable[[], None] = lambda: None,
    ca: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield every event of `stage` as its CloudEvents envelope, at least once, endlessly or until `until` is true.

    `uri` holds the credential of a tool, which `nkk tools add` made together with its queue and with what it receives;
    by default it is NKK_TOOL_URI. `name` is then the tool's and can be left out. Another broker user needs a `name`,
    and the permission to declare the queue `tool.<name>.<stage>`. Private events (registrations) are not included.
    Messages that the stage did not publish itself are skipped.

    The queue is durable: events wait in it while no tool reads. An event is acknowledged when the next one is
    requested, so an event that was in work when the process ended is redelivered. Tools with the same name share the
    events: each goes to one of them. Lost connections are reopened; a `uri` that is a function is called for each
    connection. A tool that takes longer than the broker waits for acknowledgements (30 minutes for all prefetched
    events) gets the events again, and is sent one at a time from then on.

    With `since`, the events that the stage still keeps from that moment on, or from the first, come before those that
    happen, without a gap; those that would come both ways come once. Only a tool's credential can do this.

    Over `amqps` the broker's certificate must name its host and be signed by an authority in the file `ca` (by default
    NKK_TOOL_CA), or without one by an authority that this machine trusts.

    `on_trouble` is called with a sentence about each such problem, `on_progress` with one about a replay now and then,
    `on_replayed` once, when the last past event was acknowledged, and `on_listening` once, when the queue exists and
    events can arrive. `until` is called at least once a second while none arrive, and before each event. Raises
    ValueError where the stage is unknown or the name is invalid; its subclass SubscriptionError where a tool's
    credential or the certificate is not accepted, or the tool has no such queue (any more), and ReplayRefusedError
    where the stage refuses `since`. For another user, raises amqp's AccessRefused or NotAllowed where the broker
    refuses the user or the virtual host; PreconditionFailed where it refuses the queue.
    """
    for batch in subscribe_batches(
        stage,
        name,
        uri,
        on_trouble,
        on_listening,
        until,
        most=1,
        since=since,
        on_progress=on_progress,
        on_replayed=on_replayed,
        ca=ca,
    ):
        yield from batch


def subscribe_batches(
    stage: str,
    name: str | None = None,
    uri: str | Callable[[], str] | None = None,
    on_trouble: Callable[[str], None] = lambda _: None,
    on_listening: Callable[[], None] = lambda: None,
    until: Callable[[], bool] = lambda: False,
    *,
    most: int = PREFETCH,
    since: datetime | Literal["first"] | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
    on_replayed: Callable[[], None] = lambda: None,
    ca: str | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Yield the events of `stage` as `subscribe` does, but all that have arrived together: 1 to `most` in a list.

    The events of a list are acknowledged together when the next list is requested, so a tool can store them in one
    transaction.
    """
    if stage not in STAGES:
        raise ValueError(f"no such stage: {stage}; one of {', '.join(STAGES)}")
    given = uri or NKK_TOOL_URI.get()
    where = given if callable(given) else lambda: given
    tool = tool_of(where())
    name = _name(tool, name)
    if since is not None:
        _check_since(since, tool)
    ca = ca or NKK_TOOL_CA.get() or None
    check_authority(ca)
    read_any_properties()
    subscription = _Subscription(stage, name, tool is not None, ca, on_trouble, on_listening, until)
    if since is not None:
        subscription.on_replayed = on_replayed
        subscription.replay = Replay(stage, name, None if since == "first" else since, on_trouble, on_progress, until)
    while not until():
        try:
            yield from subscription.consume(where(), most)
        except BROKER_ERRORS as error:
            subscription.look_into(error)
            sleep(RECONNECT_SECONDS)


def _name(tool: str | None, name: str | None) -> str:
    if tool is not None:
        if name not in (None, tool):
            raise SubscriptionError(f"this credential is the tool {tool}'s, which cannot listen as {name}")
        return tool
    if name is None:
        raise ValueError(
            "the broker's user in this URI is not a tool's. Set NKK_TOOL_URI to the URI that `nkk tools add` printed, "
            "or give a name (`--as` of nkk subscribe)"
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError("a name is 1 to 64 letters, digits, dots, hyphens or underscores")
    return name


def _check_since(since: datetime | Literal["first"], tool: str | None) -> None:
    if tool is None:
        raise SubscriptionError(
            "past events are published again only to a tool with a credential of its own: `nkk tools add` prints one"
        )
    if since == "first":
        return
    if not isinstance(since, datetime) or since.tzinfo is None:
        raise ValueError("since is an aware datetime, or 'first'")
    if not is_reasonable(since):
        raise ValueError(f"since is not between the years 2000 and 2199: {since.isoformat()}")
    if since > utc_now():
        raise ValueError(f"since is in the future: {since.isoformat()}")


class _Subscription:
    """A tool's consumption of its queue, across reconnections."""

    replay: Replay | None = None
    on_replayed: Callable[[], None]
    """Called when the replay has ended, where there is one."""

    def __init__(
        self,
        stage: str,
        name: str,
        is_tool: bool,
        ca: str | None,
        on_trouble: Callable[[str], None],
        on_listening: Callable[[], None],
        until: Callable[[], bool],
    ) -> None:
        self._stage = stage
        self._name = name
        self._is_tool = is_tool
        self._ca = ca
        self._queue = tool_queue(name, stage)
        self._on_trouble = on_trouble
        self._on_listening = on_listening
        self._until = until
        self._prefetch = PREFETCH
        self._begun = self._has_begun = False
        self._away: str | None = None

    def consume(self, uri: str, most: int) -> Iterator[list[dict[str, Any]]]:
        """Yield events from one connection, at most `most` at a time. Raises one of BROKER_ERRORS when it is lost."""
        self._begun = False
        # No heartbeat, because the tool may take any time over one event.
        with connected(uri, heartbeat=0, ca=self._ca) as connection:
            others = self._find_queue(connection)
            if self.replay is None or self.replay.has_ended:
                arrived = self._consume(connection)
                self._report(others)
            else:
                self._report(others)
                yield from self.replay.read(connection, self._prefetch, most)
                if self.replay.has_ended:
                    self.on_replayed()
                arrived = self._consume(connection)
            yield from self._live(connection, arrived, most, self.replay.seen if self.replay else Seen())

    def look_into(self, error: Exception) -> None:
        """Report why the connection ended. Raises `error`, or what it means, where reconnecting would not help."""
        not_trusted = untrusted(error)
        refusal = self._refusal(error) if self._is_tool else ""
        if refusal or (not_trusted and not self._has_begun):
            raise SubscriptionError(refusal or not_trusted) from error
        # A virtual host that existed before and is missing now may be restored.
        never = isinstance(error, NotAllowed) and not self._has_begun
        is_taken_back = isinstance(error, PreconditionFailed) and self._begun
        if never or (isinstance(error, (AccessRefused, PreconditionFailed)) and not is_taken_back):
            raise error
        if is_taken_back:
            self._prefetch = 1
            self._on_trouble(f"the broker took the events back ({error}); they come again, one at a time")
        elif isinstance(error, ConsumerCancelled):
            self._on_trouble(f"the queue {self._queue} was deleted")
        elif self._away != not_trusted:
            self._away = not_trusted
            away = f"the broker is away ({type(error).__name__}); trying again until it is back"
            self._on_trouble(not_trusted or away)

    def _find_queue(self, connection: Connection) -> int:
        """Return how many others consume the queue, which is declared where the user is no tool's."""
        if not self._is_tool:
            # Threat: a tool's queue that is declared here receives what the tool may not.
            if _consumers(connection, tool_replay_queue(self._name, self._stage)) is not None:
                raise SubscriptionError(
                    f"{self._name} is a tool with a credential of its own: set NKK_TOOL_URI to it, or take another name"
                )
            _queue(self._stage, self._queue)(connection.default_channel).declare()
        others = _consumers(connection, self._queue)
        if others is None:
            raise SubscriptionError(self._missing(connection))
        return others

    def _consume(self, connection: Connection) -> deque[Message]:
        return consume(connection.default_channel, self._queue, self._prefetch)

    def _report(self, others: int) -> None:
        # After a reconnection, the other consumer may be this tool's old connection, not closed by the broker yet.
        if others and not self._has_begun:
            another = "`nkk tools add` makes a tool that hears" if self._is_tool else "take another name to hear"
            self._on_trouble(
                f"{others} more of this name listen to {self._stage}: each event goes to one of you; {another} them all"
            )
        is_first, self._begun, self._has_begun = not self._has_begun, True, True
        if self._away is not None:
            self._away = None
            self._on_trouble("the broker is back")
        if is_first:
            self._on_listening()

    def _live(
        self, connection: Connection, arrived: deque[Message], most: int, seen: Seen
    ) -> Iterator[list[dict[str, Any]]]:
        forget_at = monotonic() + FORGET_SECONDS
        for batch in batches(connection, arrived, self._until, most):
            if not batch:
                if monotonic() > forget_at:
                    seen.clear()
                continue
            read = [read_event(each, self._stage, Origin.of(each), self._on_trouble) for each in batch]
            events = [event for event in read if event is not None and not seen.take(event["id"])]
            if events:
                yield events
            connection.default_channel.basic_ack(batch[-1].delivery_tag, multiple=True)

    def _refusal(self, error: Exception) -> str:
        """Return a sentence where `error` means that the broker refuses this tool, else an empty one."""
        if isinstance(error, NotAllowed) and not self._has_begun:
            return f"the broker refuses the tool {self._name}: {error.reply_text}"
        if not isinstance(error, AccessRefused):
            return ""
        if self._has_begun:
            return f"the tool {self._name} was removed, or its credential rotated: `nkk tools list`"
        return (
            f"the broker refuses the credential of the tool {self._name}: it is mistyped, was rotated, or the tool was "
            "removed; `nkk tools rotate` prints a new one"
        )

    def _missing(self, connection: Connection) -> str:
        for stage in STAGES:
            if _consumers(connection, tool_queue(self._name, stage)) is not None:
                return f"the tool {self._name} is for {stage}, not for {self._stage}"
        return f"the queue {self._queue} does not exist: the tool was removed; `nkk tools add` makes it anew"


def _consumers(connection: Connection, queue: str) -> int | None:
    """Return how many consume `queue`, or None where there is no such queue."""
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).consumer_count)
        except NotFound as error:
            # A queue whose node is away is not found either.
            if "no queue" not in str(error):
                raise
            return None


def _queue(stage: str, name: str) -> Queue:
    """Return the queue of a user that is no tool's; that of a tool is declared by `nkk tools add`."""
    exchange = Exchange(exchange_name(stage), type="topic", no_declare=True)
    # By default RabbitMQ 4 drops an event after 20 deliveries, and a tool that ends returns all prefetched events.
    return Queue(
        name,
        durable=True,
        queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": NO_DELIVERY_LIMIT},
        bindings=[
            binding(exchange, routing_key=event.TYPE)
            for event in EVENTS
            if stage in event.SERVICES and not event.PRIVATE
        ],
    )
