"""A durable subscription to one stage's events, with plain kombu."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from amqp.basic_message import Message
from amqp.exceptions import AccessRefused, PreconditionFailed
from kombu import Exchange, Queue, binding

from nkk.contracts import EVENTS, STAGES, UnreadableEventError, read_envelope
from nkk.messaging.origin import ForgedError, Origin, check_origin
from nkk.messaging.plain import read_any_properties
from nkk.messaging.publisher import BROKER_ERRORS, connected
from nkk.messaging.topology import NO_DELIVERY_LIMIT
from nkk.sop.clock import write_instant

RECONNECT_SECONDS = 1.0
PREFETCH = 50

_KNOWN = {event.TYPE: event for event in EVENTS}


def subscribe(stage: str, name: str, uri: str, on_trouble: Callable[[str], None] = lambda _: None
              ) -> Iterator[dict[str, Any]]:
    """Every event of `stage` as its CloudEvents envelope, for ever and at least once, from the queue
    `tool.<name>.<stage>`; registrations excepted, which are no tool's business. What did not come from the stage's own
    exchange as what it tells is skipped.

    The queue is durable: what is told while nobody reads waits in it. An event is acknowledged when the next one is
    asked for, so one that was being worked on when the process ended comes again. Losing the broker is waited out;
    `on_trouble` is told. Raises ValueError where there is no such stage or the name will not do; amqp's AccessRefused
    or PreconditionFailed where the broker will not have it.
    """
    if stage not in STAGES:
        raise ValueError(f"no such stage: {stage}; one of {', '.join(STAGES)}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise ValueError("a name is 1 to 64 letters, digits, dots, hyphens or underscores")
    read_any_properties()
    exchange = Exchange(f"{stage}.events", type="topic", no_declare=True)
    # RabbitMQ 4 drops what was delivered 20 times, and a tool that ends gives back all it had fetched.
    queue = Queue(f"tool.{name}.{stage}", durable=True,
                  queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": NO_DELIVERY_LIMIT},
                  bindings=[binding(exchange, routing_key=event.TYPE) for event in EVENTS
                            if stage in event.SERVICES and not event.PRIVATE])
    while True:
        try:
            yield from _consume(uri, stage, queue, on_trouble)
        except (AccessRefused, PreconditionFailed):
            raise  # waiting would not help
        except BROKER_ERRORS as error:
            on_trouble(f"the broker is away ({type(error).__name__}); trying again")
            time.sleep(RECONNECT_SECONDS)


def _consume(uri: str, stage: str, queue: Queue, on_trouble: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    arrived: deque[Message] = deque()
    # No heartbeat: whoever reads may take as long as they like over one event.
    with connected(uri, heartbeat=0) as connection:
        channel = connection.default_channel
        queue(channel).declare()
        channel.basic_qos(0, PREFETCH, False)
        # Not kombu's Consumer: that unpacks what says that it is compressed before anybody has looked at it.
        channel.basic_consume(queue=queue.name, no_ack=False, consumer_tag="", callback=arrived.append)
        while True:
            with suppress(TimeoutError):
                connection.drain_events(timeout=1)
            while arrived:
                message = arrived.popleft()
                event = _read(message, stage, on_trouble)
                if event is not None:
                    yield event
                channel.basic_ack(message.delivery_tag)


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
