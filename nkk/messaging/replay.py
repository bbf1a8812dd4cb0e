"""Replays: a stage publishes past events of its outbox again, for the tool that requested them.

An instance takes tools' requests into a queue of the stage's own, and carries out a slice of one at a time: it
publishes some events, puts the rest of the request back at the end of that queue, and acknowledges the slice. So
several tools take turns, and a restart of the stage or of the broker repeats one slice at most. The broker verifies
which user sent a request, and its bindings decide which of the published events the tool receives.
"""

import json
import re
from collections import deque
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from amqp.exceptions import NotFound
from kombu import Connection
from sqlalchemy import Table, func, select

from nkk.clock import Clock, utc_now
from nkk.exchanges import (
    REPLAY,
    REPLAY_ENDED,
    REPLAY_MARKER,
    REPLAY_REFUSED,
    REPLAY_REST,
    TOOL_NAME,
    opd_key,
    replay_key,
    replay_name,
    replay_requests_name,
    tool_replay_queue,
    tool_user,
)
from nkk.log import get_logger
from nkk.messaging import pulse
from nkk.messaging.host import Signal, sleep
from nkk.messaging.publisher import BatchPublisher, Message, NotConfirmedError, connected, keep_alive, trouble
from nkk.messaging.relay import INTERRUPTIONS
from nkk.messaging.topology import replay, replay_requests, replay_rest
from nkk.sop.clock import read_instant, write_instant
from nkk.store.database import Database

SLICE = 200
EVENTS_A_SECOND = 1_000
"""The pace of all replays of one instance, which leaves room for the events of the day."""

MOST_WAITING = 10_000
"""The events that may wait for a tool before the stage waits for the tool; its queue drops events above its limit."""

WAIT_SECONDS = 1.0
MOST_REPLACED = 1_000
"""How many requests of a tool that it replaced by later ones an instance knows: as many as may wait in the queue."""

MOST_TAKEN = 100
"""How many of tools' requests an instance takes in before the next slice."""

PATIENCE = timedelta(days=1)
"""How long a request is kept for a tool that takes no events at all."""

log = get_logger()


class UnusableRequestError(Exception):
    """A request cannot be carried out; the message says what is wrong with it."""


@dataclass(frozen=True)
class Request:
    """What is left of a request: the events from `since` on whose outbox ids are above `after`, up to `until`.

    `count` events were published already; `reaches` is the time before which closed complaints have no events left;
    `waiting_since` is when the tool's queue was found full, None after it took events.
    """

    tool: str
    since: str | None
    after: int
    until: int
    count: int
    reaches: str
    asked_at: str
    waiting_since: str | None = None


class Replayer:
    """The replays of one stage's outbox over the broker at `uri`.

    Events of the types `private` are never published. `kept` is how long the outbox keeps the events of a complaint
    after it was closed.
    """

    def __init__(
        self,
        database: Database,
        outbox: Table,
        service: str,
        uri: str,
        private: Collection[str],
        kept: timedelta,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._service = service
        self._uri = uri
        self._user = unquote(urlsplit(uri).username or "guest")
        self._private = tuple(private)
        self._kept = kept
        self._clock = clock
        self._latest: dict[str, str] = {}
        self._replaced: dict[str, deque[str]] = {}
        self._served = ("", "")
        self._passed: set[str] = set()
        self._stopped = Signal()
        self._stopping = False

    def stop(self) -> None:
        """End `run` after the current slice."""
        self._stopping = True
        self._stopped.set()

    def run(self) -> None:
        """Carry out requests until stopped; reconnect whenever the broker or the database is lost."""
        while not self._stopping:
            try:
                with connected(self._uri) as connection:
                    self._run_connected(connection)
            except INTERRUPTIONS as error:
                log.warning("replays interrupted", service=self._service, **trouble(error))
            except Exception:
                log.exception("replays failed", service=self._service)
            self._stopped.wait(WAIT_SECONDS)

    def _run_connected(self, connection: Connection) -> None:
        channel = connection.channel()
        replay(self._service)(channel).declare()
        replay_requests(self._service)(channel).declare()
        replay_rest(self._service)(channel).declare()
        publisher = BatchPublisher(connection)
        while not self._stopping:
            pulse.beat("replays")
            began = monotonic()
            count = self.carry_out(channel, connection, publisher)
            if count is None:
                self._stopped.wait(WAIT_SECONDS)
                keep_alive(connection)
            else:
                sleep(max(0.0, count / EVENTS_A_SECOND - (monotonic() - began)))

    def carry_out(self, channel: Any, connection: Connection, publisher: BatchPublisher) -> int | None:
        """Carry out a slice of the next request; return how many events it published, None where none could be."""
        self._take_in(channel, publisher)
        message = channel.basic_get(replay_name(self._service))
        if message is None:
            return None
        count = self._slice_of(message, connection, publisher)
        channel.basic_ack(message.delivery_tag)
        return count

    def _take_in(self, channel: Any, publisher: BatchPublisher) -> None:
        """Move tools' requests into the stage's own queue, only the last one of each tool.

        Threat: their queue has a limit, and one tool can keep it full. Nothing could be put back there, and the other
        tools' requests have to find room in it soon.
        """
        taken: dict[tuple[str, str], Any] = {}
        answers: list[Message] = []
        message = None
        for _ in range(MOST_TAKEN):
            found = channel.basic_get(replay_requests_name(self._service))
            if found is None:
                break
            message, tool = found, ""
            request_id = message.properties.get("message_id") or ""
            try:
                tool, body = self._sender(message)
                _moment(body)
            except UnusableRequestError as fault:
                answers += self._refuse(request_id, tool, fault)
                continue
            # An instance of an earlier version puts rests back here.
            if not message.delivery_info["redelivered"] and "after" not in body:
                self._replace(tool, request_id)
            taken[tool, request_id] = body | {"tool": tool}
        answers += [
            self._rest(request_id, body)
            for (tool, request_id), body in taken.items()
            if request_id not in self._replaced.get(tool, ())
        ]
        if message:
            _publish(publisher, answers)
            channel.basic_ack(message.delivery_tag, multiple=True)

    def _refuse(self, request_id: str, tool: str, fault: UnusableRequestError) -> list[Message]:
        log.warning("replay refused", service=self._service, tool=tool or None, reason=str(fault))
        return [self._marker(request_id, tool, REPLAY_REFUSED, reason=str(fault))] if tool else []

    def _slice_of(self, message: Any, connection: Connection, publisher: BatchPublisher) -> int | None:
        request_id, tool = message.properties.get("message_id") or "", ""
        try:
            tool, body = self._sender(message)
            waiting = _waiting(connection, tool_replay_queue(tool, self._service))
            moment, request = _moment(body), _continued(tool, body)
        except UnusableRequestError as fault:
            _publish(publisher, self._refuse(request_id, tool, fault))
            return 0
        if request_id in self._replaced.get(tool, ()):
            return 0
        if self._passes(tool, request_id):
            _publish(publisher, [self._rest(request_id, body)])
            return 0
        request = request or self._begun(tool, moment)
        if waiting >= MOST_WAITING:
            self._put_off(request_id, request, publisher)
            return self._rested(request_id)
        self._served = tool, request_id
        self._passed.clear()
        return self._serve(request_id, request, publisher)

    def _serve(self, request_id: str, request: Request, publisher: BatchPublisher) -> int:
        """Publish a slice and put the rest of the request back, or mark its end; return the number of events."""
        tool, rows = request.tool, self._rows(request)
        request = replace(request, count=request.count + len(rows), waiting_since=None)
        # Confirmed before the rest of the request is put back: another instance may go on with it at once.
        _publish(publisher, [self._past(row, request_id, tool) for row in rows])
        if len(rows) == SLICE:
            _publish(publisher, [self._rest(request_id, asdict(replace(request, after=rows[-1].id)))])
        else:
            told = {name: getattr(request, name) for name in ("since", "count", "reaches")}
            _publish(publisher, [self._marker(request_id, tool, REPLAY_ENDED, until=request.asked_at, **told)])
            log.info("replay ended", service=self._service, tool=tool, since=request.since, count=request.count)
        return len(rows)

    def _replace(self, tool: str, request_id: str) -> None:
        """Note that a tool asked again: it ignores what answers the request that it sent before.

        Of that one this instance carries out nothing more. An instance that did not see both goes on with it, which
        costs time only.
        """
        earlier = self._latest.get(tool)
        if earlier is not None and earlier != request_id:
            self._replaced.setdefault(tool, deque(maxlen=MOST_REPLACED)).append(earlier)
        self._latest[tool] = request_id

    def _passes(self, tool: str, request_id: str) -> bool:
        """Return whether a request is passed over: its tool had the last slice, by another of its requests.

        Threat: a tool that asks a thousand times would have a thousand turns for one of the others. When a request
        comes again and nothing was published meanwhile, nobody else waits.
        """
        served, by = self._served
        if tool != served or request_id == by or request_id in self._passed:
            return False
        self._passed.add(request_id)
        return True

    def _rested(self, request_id: str) -> int | None:
        """Return 0 after a request was put off; None when it comes again and nothing was published meanwhile."""
        if request_id in self._passed:
            self._passed.clear()
            return None
        self._passed.add(request_id)
        return 0

    def _sender(self, message: Any) -> tuple[str, Any]:
        """Return the tool that sent a request, and the request's JSON. Raises UnusableRequestError."""
        try:
            body = json.loads(message.body)
        except (ValueError, RecursionError):
            body = None
        user = message.properties.get("user_id") or ""
        # Only this stage itself names another tool than its own user: to continue that tool's request.
        named = body.get("tool") if user == self._user and isinstance(body, dict) else user.removeprefix("tool.")
        tool = named if isinstance(named, str) else ""
        if not re.fullmatch(TOOL_NAME, tool) or user not in (self._user, tool_user(tool)):
            raise UnusableRequestError("it was not sent by a tool's own user.")
        if user != self._user and isinstance(body, dict):
            body = {"since": body.get("since")}  # only this stage itself continues a request
        return tool, body

    def _begun(self, tool: str, moment: datetime | None) -> Request:
        """Return a request for all that the outbox has now, from `moment` on."""
        now, outbox = self._clock(), self._outbox
        query = select(func.min(outbox.c.id), func.max(outbox.c.id))
        with self._database.reading() as connection:
            first, last = connection.execute(
                query if moment is None else query.where(outbox.c.created_at >= moment)
            ).one()
        return Request(
            tool=tool,
            since=None if moment is None else write_instant(moment),
            after=(first or 1) - 1,
            until=last or 0,
            count=0,
            reaches=write_instant(now - self._kept),
            asked_at=write_instant(now),
        )

    def _rows(self, request: Request) -> Any:
        outbox = self._outbox
        query = select(outbox).where(outbox.c.id > request.after, outbox.c.id <= request.until)
        query = query.where(outbox.c.type.not_in(self._private))
        if request.since is not None:
            query = query.where(outbox.c.created_at >= read_instant(request.since))
        with self._database.reading() as connection:
            return connection.execute(query.order_by(outbox.c.id).limit(SLICE)).all()

    def _put_off(self, request_id: str, request: Request, publisher: BatchPublisher) -> None:
        now = self._clock()
        request = replace(request, waiting_since=request.waiting_since or write_instant(now))
        if now - read_instant(request.waiting_since) <= PATIENCE:
            _publish(publisher, [self._rest(request_id, asdict(request))])
            return
        log.warning("replay given up: its tool takes no events", service=self._service, tool=request.tool)
        why = "the tool took no events for a day; request them again."
        _publish(publisher, [self._marker(request_id, request.tool, REPLAY_REFUSED, reason=why)])

    def _past(self, row: Any, request_id: str, tool: str) -> Message:
        second = [replay_key(tool, opd_key(row.opd, row.type))] if row.opd else []
        return Message(
            id=row.event_id,
            exchange=replay_name(self._service),
            routing_key=replay_key(tool, row.type),
            body=row.body,
            type=row.type,
            content_type="application/cloudevents+json",
            mandatory=False,  # what the tool may not hear is bound nowhere
            headers={"CC": second, REPLAY: request_id} if second else {REPLAY: request_id},
        )

    def _rest(self, request_id: str, request: dict[str, Any]) -> Message:
        return Message(
            id=request_id,
            exchange=replay_name(self._service),
            routing_key=REPLAY_REST,
            body=json.dumps(request),
            user_id=self._user,
        )

    def _marker(self, request_id: str, tool: str, type_: str, **told: Any) -> Message:
        return Message(
            id=str(uuid4()),
            exchange=replay_name(self._service),
            routing_key=replay_key(tool, REPLAY_MARKER),
            body=json.dumps({"request": request_id, **told}),
            type=type_,
            mandatory=False,
            headers={REPLAY: request_id},
        )


def _moment(body: Any) -> datetime | None:
    """Return since when a request is. Raises UnusableRequestError where that cannot be read."""
    if not isinstance(body, dict):
        raise UnusableRequestError("it is not a JSON object.")
    since = body.get("since")
    try:
        return None if since is None else read_instant(since)
    except ValueError:
        raise UnusableRequestError("`since` is not an instant such as 2026-11-01T00:00:00Z.") from None


def _continued(tool: str, body: dict[str, Any]) -> Request | None:
    """Return what is left of a request that the stage put back, None for another. Raises UnusableRequestError."""
    try:
        return Request(**body | {"tool": tool}) if "after" in body else None
    except TypeError:
        raise UnusableRequestError("it was put back by another version of this stage.") from None


def _publish(publisher: BatchPublisher, messages: list[Message]) -> None:
    """Publish `messages`. Raises NotConfirmedError where the broker refuses one, so that the slice is repeated."""
    if len(publisher.publish(messages)) < len({message.id for message in messages}):
        raise NotConfirmedError("a replay was not confirmed")


def _waiting(connection: Connection, queue: str) -> int:
    """Return the number of messages in `queue`. Raises UnusableRequestError where there is no such queue."""
    channel = connection.channel()
    try:
        waiting: int = channel.queue_declare(queue, passive=True).message_count
    except NotFound:
        raise UnusableRequestError("the tool has no queue for past events.") from None
    channel.close()
    return waiting
