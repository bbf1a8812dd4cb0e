"""Reading the messages that the broker delivers from one queue, and the events in them."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any

from amqp.basic_message import Message
from kombu import Connection

from nkk.contracts import EVENTS, UnreadableEventError, read_envelope
from nkk.messaging.origin import ForgedError, Origin, check_origin
from nkk.sop.clock import write_instant

LOOK_SECONDS = 1.0
"""How long prefetched messages are yielded before the connection is read again, and how long it is read for one."""

_KNOWN = {event.TYPE: event for event in EVENTS}


def consume(channel: Any, queue: str, prefetch: int) -> deque[Message]:
    """Consume `queue` on `channel`, and return where its messages arrive when the connection is read."""
    arrived: deque[Message] = deque()
    channel.basic_qos(0, prefetch, False)
    # Not kombu's Consumer, which decompresses a message before any check.
    channel.basic_consume(queue=queue, no_ack=False, consumer_tag="", callback=arrived.append)
    return arrived


def batches(
    connection: Connection, arrived: deque[Message], until: Callable[[], bool], most: int
) -> Iterator[list[Message]]:
    """Yield lists of at most `most` messages as they arrive, until `until` is true; empty after a second without any.

    Raises one of BROKER_ERRORS when the connection is lost.
    """
    while not until():
        # With prefetched messages, read without waiting: the broker may have closed the channel meanwhile.
        _read_all(connection, 0.001 if arrived else LOOK_SECONDS)
        if not arrived:
            yield []
        began = monotonic()
        while arrived and monotonic() - began < LOOK_SECONDS and not until():
            yield [arrived.popleft() for _ in range(min(most, len(arrived)))]


def _read_all(connection: Connection, patience: float) -> None:
    """Read what the broker has sent, waiting at most `patience` seconds for the first. Raises one of BROKER_ERRORS."""
    with suppress(TimeoutError):
        while True:
            connection.drain_events(timeout=patience)
            patience = 0.001


def read_event(
    message: Message, stage: str, origin: Origin, on_trouble: Callable[[str], None]
) -> dict[str, Any] | None:
    """Return the event in `message`, published by `stage` at `origin`; None where it is no such event."""
    try:
        envelope = read_envelope(message.body)
        event = _KNOWN.get(envelope["type"])
        # An event type of a newer version of this stage is accepted only from that stage.
        tellers = event.tellers(envelope["data"]) if event else (stage,)
        check_origin(envelope["type"], tellers, origin, envelope["source"])
    except (UnreadableEventError, ForgedError) as error:
        on_trouble(f"skipped a message that is no event: {error}")
        return None
    return envelope | {"time": write_instant(envelope["time"])}
