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
"""How long events at hand are given out without a look at what the broker says."""

_KNOWN = {event.TYPE: event for event in EVENTS}


def subscribe(
    stage: str,
    name: str,
    uri: str | Callable[[], str],
    on_trouble: Callable[[str], None] = lambda _: None,
    on_listening: Callable[[], None] = lambda: None,
) -> Iterator[dict[str, Any]]:
    """Every event of `stage` as its CloudEvents envelope, for ever and at least once, from the queue
    `tool.<name>.<stage>`; registrations excepted, which are no tool's business. What did not come from the stage's own
    exchange as what it tells is skipped.

    The queue is durable: what is told while nobody reads waits in it. An event is acknowledged when the next one is
    asked for, so one that was being worked on when the process ended comes again. Losing the broker is waited out; a
    `uri` that is a function is asked for each connection. Who takes longer over events than the broker waits for their
    acknowledgement (30 minutes for all that were fetched) hears them again, and is given one at a time from then on.
    Tools of one name share the events: each goes to one of them. `on_trouble` is told of all this, and `on_listening`
    is called once, when the queue is there and the first events may come. Raises ValueError where there is no such
    stage or the name will not do; amqp's AccessRefused or NotAllowed where the broker lets nobody of this name in, or
    not into this virtual host; PreconditionFailed where it will not have the queue.
    """
    if stage not in STAGES:
        raise ValueError(f"no such stage: {stage}; one of {', '.join(STAGES)}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError("a name is 1 to 64 letters, digits, dots, hyphens or underscores")
    read_any_properties()
    subscription = _Subscription(stage, name, on_trouble, on_listening)
    while True:
        try:
            yield from subscription.consume(uri if isinstance(uri, str) else uri())
        except BROKER_ERRORS as error:
            subscription.look_into(error)
            sleep(RECONNECT_SECONDS)


class _Subscription:
    """One tool's queue, over one connection after another."""

    def __init__(
        self, stage: str, name: str, on_trouble: Callable[[str], None], on_listening: Callable[[], None]
    ) -> None:
        exchange = Exchange(f"{stage}.events", type="topic", no_declare=True)
        # RabbitMQ 4 drops what was delivered 20 times, and a tool that ends gives back all it had fetched.
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
        self._prefetch = PREFETCH
        self._consuming = self._has_consumed = self._is_away = False

    def consume(self, uri: str) -> Iterator[dict[str, Any]]:
        """Events, over one connection. Raises one of BROKER_ERRORS."""
        arrived: deque[Message] = deque()
        self._consuming = False
        # No heartbeat: whoever reads may take as long as they like over one event.
        with connected(uri, heartbeat=0) as connection:
            channel = connection.default_channel
            self._begin(channel, arrived)
            while True:
                # With events at hand only a look: the broker may have taken them back while the last was worked on.
                _read_all(connection, 0.001 if arrived else 1)
                began = monotonic()
                while arrived and monotonic() - began < LOOK_SECONDS:
                    message = arrived.popleft()
                    event = _read(message, self._stage, self._on_trouble)
                    if event is not None:
                        yield event
                    channel.basic_ack(message.delivery_tag)

    def look_into(self, error: Exception) -> None:
        """Say why the connection ended. Raises `error` where waiting would not help."""
        refused = isinstance(error, (AccessRefused, PreconditionFailed))
        # A virtual host that is there no more may be on its way back.
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
        # After the first time it may be this tool itself, of whose going the broker has not heard.
        if others and not self._has_consumed:
            self._on_trouble(
                f"{others} more of this name listen to {self._stage}: each event goes to one of you; take "
                "another name to hear them all"
            )
        channel.basic_qos(0, self._prefetch, False)
        # Not kombu's Consumer: that unpacks what says that it is compressed before anybody has looked at it.
        channel.basic_consume(queue=self._queue.name, no_ack=False, consumer_tag="", callback=arrived.append)
        is_first, self._consuming, self._has_consumed = not self._has_consumed, True, True
        if self._is_away:
            self._is_away = False
            self._on_trouble("the broker is back")
        if is_first:
            self._on_listening()


def _read_all(connection: Connection, patience: float) -> None:
    """Take what the broker has sent, once it has sent anything. Raises one of BROKER_ERRORS."""
    with suppress(TimeoutError):
        while True:
            connection.drain_events(timeout=patience)
            patience = 0.001


def _read(message: Message, stage: str, on_trouble: Callable[[str], None]) -> dict[str, Any] | None:
    try:
        envelope = read_envelope(message.body)
        event = _KNOWN.get(envelope["type"])
        # What a newer version of this stage tells comes from it alone.
        tellers = event.tellers(envelope["data"]) if event else (stage,)
        check_origin(envelope["type"], tellers, Origin.of(message), envelope["source"])
    except (UnreadableEventError, ForgedError) as error:
        on_trouble(f"skipped a message that is no event: {error}")
        return None
    return envelope | {"time": write_instant(envelope["time"])}
