"""Looking into a stage's quarantine, and healing what is there."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from kombu import Connection

from nkk.contracts import EVENTS, STAGES, UnreadableEventError, read_envelope
from nkk.messaging.origin import ORIGIN, ForgedError, Origin, check_origin
from nkk.messaging.plain import read_any_properties
from nkk.messaging.publisher import Message, publisher
from nkk.messaging.topology import ATTEMPT, FAILED_AT, REASON, inbox_name, moves_name, quarantine_name

_KNOWN = {event.TYPE: event for event in EVENTS}

HEARING = tuple(stage for stage in STAGES if any(stage in event.CONSUMERS for event in EVENTS))
"""The stages that hear events, and so can fail to handle one."""


@dataclass(frozen=True)
class Item:
    """One event in quarantine."""

    id: str
    type: str
    content_type: str
    correlation_id: str | None
    headers: dict[str, Any]
    body: bytes

    def summary(self) -> dict[str, Any]:
        """What can be shown to anyone on duty: ids and the reason, nothing of the content."""
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
            "reason": self.headers.get(REASON) or "delivered too often without an answer",
        }

    @property
    def origin(self) -> Origin | None:
        """Where it came from, as the stage noted it when it put it here. What the broker put here has the headers that
        its sender wrote, and a note of its death."""
        return None if "x-death" in self.headers else Origin.in_header(self.headers)

    def check(self) -> None:
        """Raises ForgedError where the stage would not believe it: it did not come from its owner, or nobody knows."""
        try:
            envelope = read_envelope(self.body)
        except UnreadableEventError:
            return  # no fault of its origin, and the stage says so
        event = _KNOWN.get(self.type)
        if event or self.origin is None:
            tellers = event.tellers(envelope["data"]) if event else ()
            check_origin(self.type, tellers, self.origin, envelope["source"])

    def whole(self) -> str:
        """The summary and the event as it came."""
        try:
            event = json.loads(self.body)
        except ValueError:
            event = self.body.decode("utf-8", "replace")
        return json.dumps(self.summary() | {"event": event}, indent=1, ensure_ascii=False)


class NotInQuarantineError(ValueError):
    """There is no such event."""


def items(uri: str, stage: str) -> list[Item]:
    """Everything in the quarantine of `stage`, which stays there."""
    with _holding(uri, stage) as held:
        return [item for item, _ in held]


def find(uri: str, stage: str, event_id: str) -> Item:
    """One event. Raises NotInQuarantineError."""
    for item in items(uri, stage):
        if item.id == event_id:
            return item
    raise NotInQuarantineError(f"{event_id} is not in the quarantine of {stage}; `nkk quarantine list {stage}`")


def retry(uri: str, stage: str, event_ids: set[str] | None) -> tuple[list[str], dict[str, str]]:
    """Send events (all of them for None) back to the stage's inbox, with the origin that the stage noted and judges
    again: which, and why others stay. One leaves only when the other has it."""
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
    """Take one event out for ever. Raises NotInQuarantineError."""
    with _holding(uri, stage) as held:
        for item, settle in held:
            if item.id == event_id:
                settle()
                return
    raise NotInQuarantineError(f"{event_id} is not in the quarantine of {stage}")


@contextmanager
def _holding(uri: str, stage: str) -> Iterator[list[tuple[Item, Callable[[], None]]]]:
    """Every message of the quarantine, each with what acknowledges it; what is not acknowledged goes back."""
    read_any_properties()
    with Connection(uri, connect_timeout=5) as connection:
        channel = connection.channel()
        queue = quarantine_name(stage)
        _, depth, _ = channel.queue_declare(queue, passive=True)
        held: list[tuple[Item, Callable[[], None]]] = []
        for _ in range(depth):
            message = channel.basic_get(queue)
            if message is None:
                break
            held.append((_item(message), partial(channel.basic_ack, message.delivery_tag)))
        yield held


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
