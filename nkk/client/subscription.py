"""A durable subscription to one stage's events, with plain kombu."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from amqp.basic_message import Message
from amqp.exceptions import AccessRefused, NotAllowed, PreconditionFailed
from kombu import Connection, Exchange, Queue, binding

from nkk.contracts import EVENTS, STAGES, UnreadableEventError, read_envelope
from nkk.messaging.origin import ForgedError, Origin, check_origin
from nkk.messaging.plain import read_any_properties
from nkk.messaging.publisher import BROKER_ERRORS, connected
from nkk.messaging.topology import NO_DELIVERY_LIMIT
from nkk.sop.clock import write_instant

RECONNECT_SECONDS = 1.0
PREFETCH = 50
LOOK_SECONDS = 1.0
"""How long prefetched events are yielded before the connection is read again."""

_KNOWN = {event.TYPE: event for event in EVENTS}


def subscribe(
    stage: str,
    name: str,
    uri: str | Callable[[], str],
    on_trouble: Callable[[str], None] = lambda _: None,
    on_listening: Callable[[], None] = lambda: None,
    until: Callable[[], bool] = lambda: False,
) -> Iterator[dict[str, Any]]:
    """Yield every event of `stage` as its CloudEvents envelope, at least once, endlessly or until `until` is true.

    Private events (registrations) are not included. Messages that the stage did not publish itself are skipped.

    The queue `tool.<name>.<stage>` is durable: events wait in it while no tool reads. An event is acknowledged when the
    next one is requested, so an event that was in work when the process ended is redelivered. Tools with the same name
    share the events: each goes to one of them. Lost connections are reopened; a `uri` that is a function is called for
    each connection. A tool that takes longer than the broker waits for acknowledgements (30 minutes for all prefetched
    events) gets the events again, and is sent one at a time from then on.

    `on_trouble` is called with a sentence about each such problem, and `on_listening` once, when the queue exists and
    events can arrive. `until` is called at least once a second while none arrive, and before each event. Raises
    ValueError where the stage is unknown or the name is invalid; amqp's AccessRefused or NotAllowed where the broker
    refuses the user or the virtual host; PreconditionFailed where it refuses the queue.
    """
    if stage not in STAGES:
        raise ValueError(f"no such stage: {stage}; one of {', '.join(STAGES)}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError("a name is 1 to 64 letters, digits, dots, hyphens or underscores")
    read_any_properties()
    subscription = _Subscription(stage, name, on_trouble, on_listening, until)
    while not until():
        try:
            yield from subscription.consume(uri if isinstance(uri, str) else uri())
        except BROKER_ERRORS as error:
            subscription.look_into(error)
            sleep(RECONNECT_SECONDS)


class _Subscription:
    """A tool's consumption of its queue, across reconnections."""

    def __init__(
        self,
        stage: str,
        name: str,
        on_trouble: Callable[[str], None],
        on_listening: Callable[[], None],
        until: Callable[[], bool],
    ) -> None:
        exchange = Exchange(f"{stage}.events", type="topic", no_declare=True)
        # By default RabbitMQ 4 drops an event after 20 deliveries, and a tool that ends returns all prefetched events.
        self._queue = Queue(
            f"tool.{name}.{stage}",
            durable=True,
            queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": NO_DELIVERY_LIMIT},
            bindings=[
                binding(exchange, routing_key=event.TYPE)
                for event in EVENTS
                if stage in event.SERVICES and not event.PRIVATE
            ],
        )
        self._stage = stage
        self._on_trouble = on_trouble
        self._on_listening = on_listening
        self._until = until
        self._prefetch = PREFETCH
        self._consuming = self._has_consumed = self._is_away = False

    def consume(self, uri: str) -> Iterator[dict[str, Any]]:
        """Yield events from one connection. Raises one of BROKER_ERRORS when it is lost."""
        arrived: deque[Message] = deque()
        self._consuming = False
        # No heartbeat, because the tool may take any time over one event.
        with connected(uri, heartbeat=0) as connection:
            channel = connection.default_channel
            self._begin(channel, arrived)
            while not self._until():
                # With prefetched events, read without waiting: the broker may have closed the channel meanwhile.
                _read_all(connection, 0.001 if arrived else 1)
                began = monotonic()
                while arrived and monotonic() - began < LOOK_SECONDS and not self._until():
                    message = arrived.popleft()
                    event = _read(message, self._stage, self._on_trouble)
                    if event is not None:
                        yield event
                    channel.basic_ack(message.delivery_tag)

    def look_into(self, error: Exception) -> None:
        """Report why the connection ended. Raises `error` where reconnecting would not help."""
        refused = isinstance(error, (AccessRefused, PreconditionFailed))
        # A virtual host that existed before and is missing now may be restored.
        never = isinstance(error, NotAllowed) and not self._has_consumed
        if never or (refused and not self._consuming):
            raise error
        if refused:
            self._prefetch = 1
            self._on_trouble(f"the broker took the events back ({error}); they come again, one at a time")
        elif not self._is_away:
            self._is_away = True
            self._on_trouble(f"the broker is away ({type(error).__name__}); trying again until it is back")

    def _begin(self, channel: Any, arrived: deque[Message]) -> None:
        self._queue(channel).declare()
        others = channel.queue_declare(self._queue.name, passive=True).consumer_count
        # After a reconnection, the other consumer may be this tool's old connection, not closed by the broker yet.
        if others and not self._has_consumed:
            self._on_trouble(
                f"{others} more of this name listen to {self._stage}: each event goes to one of you; take "
                "another name to hear them all"
            )
        channel.basic_qos(0, self._prefetch, False)
        # Not kombu's Consumer, which decompresses a message before any check.
        channel.basic_consume(queue=self._queue.name, no_ack=False, consumer_tag="", callback=arrived.append)
        is_first, self._consuming, self._has_consumed = not self._has_consumed, True, True
        if self._is_away:
            self._is_away = False
            self._on_trouble("the broker is back")
        if is_first:
            self._on_listening()


def _read_all(connection: Connection, patience: float) -> None:
    """Read what the broker has sent, waiting at most `patience` seconds for the first. Raises one of BROKER_ERRORS."""
    with suppress(TimeoutError):
        while True:
            connection.drain_events(timeout=patience)
            patience = 0.001


def _read(message: Message, stage: str, on_trouble: Callable[[str], None]) -> dict[str, Any] | None:
    try:
        envelope = read_envelope(message.body)
        event = _KNOWN.get(envelope["type"])
        # An event type of a newer version of this stage is accepted only from that stage.
        tellers = event.tellers(envelope["data"]) if event else (stage,)
        check_origin(envelope["type"], tellers, Origin.of(message), envelope["source"])
    except (UnreadableEventError, ForgedError) as error:
        on_trouble(f"skipped a message that is no event: {error}")
        return None
    return envelope | {"time": write_instant(envelope["time"])}
