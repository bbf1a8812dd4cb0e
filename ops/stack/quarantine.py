"""The quarantine of a stage (its dead letters): listing, retrying and dropping events."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic, sleep
from typing import Any

from kombu import Connection

from nkk.contracts import EVENTS, STAGES, UnreadableEventError, read_envelope
from nkk.messaging.origin import ORIGIN, ForgedError, Origin, check_origin
from nkk.messaging.plain import read_any_properties
from nkk.messaging.publisher import Message, publisher
from nkk.messaging.topology import ATTEMPT, FAILED_AT, REASON, inbox_name, moves_name, quarantine_name
from ops.turn import one_at_a_time

_KNOWN = {event.TYPE: event for event in EVENTS}

BACK_SECONDS = 10.0
LOOK_SECONDS = 0.02

HEARING = tuple(stage for stage in STAGES if any(stage in event.CONSUMERS for event in EVENTS))
"""The stages that consume events, and therefore have a quarantine."""


@dataclass(frozen=True)
class Item:
    """An event in quarantine."""

    id: str
    type: str
    content_type: str
    correlation_id: str | None
    headers: dict[str, Any]
    body: bytes

    def summary(self) -> dict[str, Any]:
        """Return the ids and the reason, without the event's content, so that it may be shown to any operator."""
        try:
            subject = read_envelope(self.body)["subject"]
        except UnreadableEventError:
            subject = None
        return {
            "id": self.id,
            "type": self.type,
            "subject": subject,
            "failed_at": self.headers.get(FAILED_AT),
            "attempts": self.headers.get(ATTEMPT),
            "came_from": str(self.origin) if self.origin else None,
            "reason": self.headers.get(REASON) or "delivered too often without an acknowledgement",
        }

    @property
    def origin(self) -> Origin | None:
        """The event's origin, as noted by the stage that quarantined it; None where it is not known.

        An event that the broker dead-lettered itself (`x-death`) has the sender's headers, which are not trusted.
        """
        return None if "x-death" in self.headers else Origin.in_header(self.headers)

    def check(self) -> None:
        """Raise ForgedError where the event did not come from its owner, or its origin is not known."""
        try:
            envelope = read_envelope(self.body)
        except UnreadableEventError:
            return  # not a fault of its origin; the stage reports it
        event = _KNOWN.get(self.type)
        if event or self.origin is None:
            tellers = event.tellers(envelope["data"]) if event else ()
            check_origin(self.type, tellers, self.origin, envelope["source"])

    def whole(self) -> str:
        """Return the summary and the whole event as JSON."""
        try:
            event = json.loads(self.body)
        except ValueError:
            event = self.body.decode("utf-8", "replace")
        return json.dumps(self.summary() | {"event": event}, indent=1, ensure_ascii=False)


class NotInQuarantineError(ValueError):
    """The event is not in the quarantine."""


def items(uri: str, stage: str) -> list[Item]:
    """Return all events in the quarantine of `stage`, without removing them."""
    with _holding(uri, stage) as held:
        return [item for item, _ in held]


def find(uri: str, stage: str, event_id: str) -> Item:
    """Return one event. Raises NotInQuarantineError."""
    for item in items(uri, stage):
        if item.id == event_id:
            return item
    raise NotInQuarantineError(f"{event_id} is not in the quarantine of {stage}; `nkk quarantine list {stage}`")


def retry(uri: str, stage: str, event_ids: set[str] | None) -> tuple[list[str], dict[str, str]]:
    """Send events back to the stage's inbox (all of them for None), with the origin noted by the stage, to check again.

    Returns the ids of those sent, and for the others why they stay. An event is removed from the quarantine only after
    the broker has confirmed it in the inbox.
    """
    sent: list[str] = []
    refused: dict[str, str] = {}
    with _holding(uri, stage) as held, publisher(uri) as channel:
        for item, settle in held:
            if event_ids is not None and item.id not in event_ids:
                continue
            try:
                item.check()
            except ForgedError as error:
                refused[item.id] = str(error)
                continue
            if channel.publish([_moved(stage, item)]):
                settle()
                sent.append(item.id)
    return sent, refused


def drop(uri: str, stage: str, event_id: str) -> None:
    """Delete one event. Raises NotInQuarantineError."""
    with _holding(uri, stage) as held:
        for item, settle in held:
            if item.id == event_id:
                settle()
                return
    raise NotInQuarantineError(f"{event_id} is not in the quarantine of {stage}")


@contextmanager
def _holding(uri: str, stage: str) -> Iterator[list[tuple[Item, Callable[[], None]]]]:
    """Yield every event of the quarantine with a function that acknowledges it; the others are requeued at the end.

    Events that are held are invisible to everybody else: the next reader waits until they are all back.
    """
    read_any_properties()
    with one_at_a_time(uri, f"{stage}.quarantine"), Connection(uri, connect_timeout=5) as connection:
        channel = connection.channel()
        queue = quarantine_name(stage)
        tags: set[int] = set()
        held: list[tuple[Item, Callable[[], None]]] = []
        for _ in range(_depth(channel, queue)):
            message = channel.basic_get(queue)
            if message is None:
                break
            tags.add(message.delivery_tag)
            held.append((_item(message), partial(_settle, channel, tags, message.delivery_tag)))
        try:
            yield held
        finally:
            _requeue(channel, queue, tags)


def _depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def _settle(channel: Any, tags: set[int], tag: int) -> None:
    channel.basic_ack(tag)
    tags.remove(tag)


def _requeue(channel: Any, queue: str, tags: set[int]) -> None:
    """Give the events back and wait until the broker offers them again, which it does a moment after it is asked to."""
    for tag in sorted(tags):
        channel.basic_reject(tag, requeue=True)
    until = monotonic() + BACK_SECONDS
    while _depth(channel, queue) < len(tags) and monotonic() < until:
        sleep(LOOK_SECONDS)


def _moved(stage: str, item: Item) -> Message:
    return Message(
        id=item.id,
        exchange=moves_name(stage),
        routing_key=inbox_name(stage),
        body=item.body,
        type=item.type,
        content_type=item.content_type,
        correlation_id=item.correlation_id,
        headers={name: value for name, value in item.headers.items() if name == ORIGIN},
    )


def _item(message: Any) -> Item:
    properties = message.properties
    body = message.body
    return Item(
        id=properties.get("message_id", ""),
        type=properties.get("type", ""),
        content_type=properties.get("content_type", ""),
        correlation_id=properties.get("correlation_id"),
        headers=properties.get("application_headers") or {},
        body=body if isinstance(body, bytes) else body.encode(),
    )
