"""A tool's request for past events, and the reading of what the stage publishes again.

The tool publishes the request to `<stage>.replay-requests`; the stage answers into the tool's replay queue with the
events in their order and, behind them, a marker. Each of these messages names the request. Events that happen meanwhile
wait in the tool's live queue, so reading the replay queue up to the marker, and then the live queue, leaves no gap.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from amqp.basic_message import Message as Delivery
from amqp.exceptions import NotFound
from kombu import Connection

from nkk.client.credential import SubscriptionError
from nkk.client.deliveries import batches, consume, read_event
from nkk.contracts import UnreadableEventError, read_envelope
from nkk.exchanges import (
    REPLAY,
    REPLAY_MARKER,
    REPLAY_REFUSED,
    exchange_name,
    replay_key,
    replay_name,
    replay_requests_name,
    tool_queue,
    tool_replay_queue,
    tool_user,
)
from nkk.messaging.origin import Origin
from nkk.messaging.publisher import BatchPublisher, Message
from nkk.sop.clock import read_instant, write_instant

TRY_AGAIN_SECONDS = 1.0
SAY_SECONDS = 10.0
SILENT_SECONDS = 30
SKEW = timedelta(hours=1)
"""More than the clocks of two instances of a stage may differ by."""


class ReplayRefusedError(SubscriptionError):
    """The stage refused to publish past events again; the message is its reason."""


class Seen:
    """The ids of events, kept as digests of 16 bytes."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def __contains__(self, event_id: str) -> bool:
        return _digest(event_id) in self._digests

    def add(self, event_id: str) -> None:
        self._digests.add(_digest(event_id))

    def clear(self) -> None:
        """Forget them all."""
        self._digests.clear()

    def take(self, event_id: str) -> bool:
        """Forget `event_id`, and return whether it was known."""
        digest = _digest(event_id)
        known = digest in self._digests
        self._digests.discard(digest)
        return known


def _digest(event_id: str) -> bytes:
    return hashlib.blake2b(event_id.encode(), digest_size=16).digest()


class Replay:
    """One request by `tool` for the events of `stage` from `since` on; all that are kept where it is None.

    Reading goes on after a reconnection, without another request. `seen` holds the ids of the events that were read.
    """

    def __init__(
        self,
        stage: str,
        tool: str,
        since: datetime | None,
        on_trouble: Callable[[str], None],
        on_progress: Callable[[str], None],
        until: Callable[[], bool],
    ) -> None:
        self.has_ended = False
        self.seen = Seen()
        self._stage = stage
        self._tool = tool
        self._since = since
        self._queue = tool_replay_queue(tool, stage)
        self._marked = Origin(replay_name(stage), replay_key(tool, REPLAY_MARKER))
        self._on_trouble = on_trouble
        self._on_progress = on_progress
        self._until = until
        self._request = ""
        self._count = 0

    def read(self, connection: Connection, prefetch: int, most: int) -> Iterator[list[dict[str, Any]]]:
        """Yield past events up to the marker, at most `most` at a time. Raises one of BROKER_ERRORS."""
        try:
            channel, arrived = self._consume_alone(connection, prefetch)
        except NotFound as error:
            if "no queue" not in str(error):
                raise
            raise SubscriptionError(f"the queue {self._queue} does not exist: run `nkk topology`") from None
        if self._until():
            return
        if not self._request:
            channel.queue_purge(self._queue)
            self._ask(connection, channel)
        for batch in self._answers(connection, arrived, most):
            ours = [message for message in batch if (message.headers or {}).get(REPLAY) == self._request]
            marker = next((message for message in ours if Origin.of(message) == self._marked), None)
            if events := self._unseen(ours[: ours.index(marker)] if marker else ours):
                yield events
                self._count += len(events)
            channel.basic_ack((marker or batch[-1]).delivery_tag, multiple=True)
            if marker:
                channel.close()
                return self._end(marker.properties.get("type"), json.loads(marker.body))

    def _consume_alone(self, connection: Connection, prefetch: int) -> tuple[Any, deque[Delivery]]:
        """Consume the replay queue once no other process does, which would take events of this one's replay."""
        is_said = False
        while True:
            channel = connection.connection.channel()
            if self._until():
                return channel, deque()
            # Asked once more afterwards, because two may have begun at the same moment.
            if not _consumers(channel, self._queue):
                arrived = consume(channel, self._queue, prefetch)
                if _consumers(channel, self._queue) == 1:
                    return channel, arrived
            channel.close()
            if not is_said:
                self._on_trouble(
                    f"another process, or an earlier connection, reads past events as {self._tool}; waiting until it "
                    "has ended"
                )
                is_said = True
            sleep(TRY_AGAIN_SECONDS)

    def _ask(self, connection: Connection, channel: Any) -> None:
        since = self._since and min(self._since, _oldest(channel, tool_queue(self._tool, self._stage), self._since))
        name = replay_requests_name(self._stage)
        body = json.dumps({"since": since and write_instant(since)})
        request = Message(str(uuid4()), name, name, body, user_id=tool_user(self._tool))
        publisher, is_said = BatchPublisher(connection), False
        try:
            while not publisher.publish([request]):
                _consumers(channel, name)  # the broker returned it because there is no such queue, or the queue is full
                if not is_said:
                    self._on_trouble(f"too many requests for past events wait at {self._stage}; trying again")
                    is_said = True
                if self._until():
                    return
                sleep(TRY_AGAIN_SECONDS)
        except NotFound:
            raise SubscriptionError(
                f"{self._stage} takes no requests for past events: it is of an older version, or `nkk topology` has "
                "not run since it was upgraded"
            ) from None
        self._request = request.id
        self._on_progress(f"asked {self._stage} for its events {_since(since)}")

    def _answers(self, connection: Connection, arrived: deque[Delivery], most: int) -> Iterator[list[Delivery]]:
        """Yield the messages of the replay queue, and report how it goes."""
        quiet, said_at = 0, monotonic()
        for batch in batches(connection, arrived, self._until, most):
            if not batch:
                quiet += 1
                if quiet == SILENT_SECONDS:
                    self._on_trouble(
                        f"{self._stage} has not answered for {quiet} seconds; it answers the request when it is back"
                    )
                continue
            quiet = 0
            yield batch
            if monotonic() - said_at > SAY_SECONDS:
                said_at = monotonic()
                self._on_progress(f"{self._count} past events of {self._stage} so far")

    def _unseen(self, messages: list[Delivery]) -> list[dict[str, Any]]:
        """Return the events in `messages` that were not read before, and note that they were."""
        events = []
        for message in messages:
            event = self._event(message)
            if event is not None and event["id"] not in self.seen:
                self.seen.add(event["id"])
                events.append(event)
        return events

    def _event(self, message: Delivery) -> dict[str, Any] | None:
        came = Origin.of(message)
        if came.exchange == replay_name(self._stage):
            prefix = replay_key(self._tool, "")
            came = Origin(exchange_name(self._stage), came.routing_key.removeprefix(prefix))
        return read_event(message, self._stage, came, self._on_trouble)

    def _end(self, type_: str | None, said: dict[str, Any]) -> None:
        self.has_ended = True
        if type_ == REPLAY_REFUSED:
            raise ReplayRefusedError(f"{self._stage} refuses: {said['reason']}")
        since = read_instant(said["since"]) if said.get("since") else None
        reaches = read_instant(said["reaches"]) if said.get("reaches") else None
        self._on_progress(f"{self._count} past events of {self._stage} {_since(since)}; now those that happen")
        if reaches and (since is None or since < reaches):
            self._on_progress(f"of complaints closed before {_minute(reaches)} none are kept")


def _consumers(channel: Any, queue: str) -> int:
    return channel.queue_declare(queue, passive=True).consumer_count


def _oldest(channel: Any, queue: str, otherwise: datetime) -> datetime:
    """Return when the first event that waits in `queue` happened.

    It would come after the replay. A replay that begins at it has it in its place, before what happened later.
    """
    # Taken and given back, it could come out of its order to another consumer.
    head = None if _consumers(channel, queue) else channel.basic_get(queue)
    if head is None:
        return otherwise
    channel.basic_reject(head.delivery_tag, requeue=True)
    try:
        return read_envelope(head.body)["time"] - SKEW
    except UnreadableEventError:
        return otherwise


def _since(since: datetime | None) -> str:
    return f"since {_minute(since)}" if since else "from the first that it keeps"


def _minute(instant: datetime) -> str:
    return f"{write_instant(instant)[:16].replace('T', ' ')} UTC"
