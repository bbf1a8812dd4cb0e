"""What makes new work appear on a desk's page by itself: "something changed here", as server-sent events.

One thread a process hears the stages' events, on a queue that goes with its connection, and wakes the pages that are
open. A page is told that its desk changed and nothing of what changed: it asks for its list, as its role may see it.
A desk hears its own events, an OPD's team those of its own OPD. Losing the broker disturbs no request: a page learns
that its feed listens again, and looks for itself.

    ready    from here on every change is told: load the list
    change   the list is not what it was
"""

import json
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from flask import Response, current_app, request
from kombu import Connection, Consumer, Exchange, Queue, binding

from gateway.desks import ANSWERS, INTAKE, OPD, TRIAGE, Desk
from nkk.contracts import EventData, UnreadableEventError, read_envelope
from nkk.contracts.events import (
    AnswerSent,
    ComplaintClassifiedAsInformation,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintSubmitted,
    ComplaintSubmittedV1,
    ResponseApproved,
    ResponseReturned,
    ResponseSubmitted,
)
from nkk.exchanges import exchange_name
from nkk.log import get_logger
from nkk.messaging.origin import ForgedError, Origin, check_origin
from nkk.messaging.publisher import BROKER_ERRORS, connected, trouble
from nkk.sop.steps import Role
from nkk.trust.actor import LIFETIME, Actor

CHANGES: dict[type[EventData], tuple[Desk, ...]] = {
    # Published by an intake of the version before, while it is being replaced.
    ComplaintSubmittedV1: (INTAKE,),
    ComplaintSubmitted: (INTAKE,),
    ComplaintHandedOver: (INTAKE, TRIAGE),
    ComplaintClassifiedAsInformation: (TRIAGE, ANSWERS),
    ComplaintForwarded: (TRIAGE, OPD),
    ResponseSubmitted: (OPD, TRIAGE),
    ResponseReturned: (TRIAGE, OPD),
    ResponseApproved: (TRIAGE, ANSWERS),
    AnswerSent: (ANSWERS,),
}
"""The desks that each event brings work to or takes it from. What changes the OPDs' desk must name the OPD."""

LASTS_SECONDS = 600
HEARTBEAT_SECONDS = 15
"""For what stands between us and a page, and would take a silent line for a dead one."""
RETRY_MS = 5_000
TICK_SECONDS = 1.0

SETTLES_SECONDS = 0.3
AGAIN_SECONDS = 5.0
"""The desk's own stage hears the same event in the same moment: it is told once that stage should have dealt with it,
and once more for a stage that was slow. What comes meanwhile is told with it."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
BROKER_HEARTBEAT_SECONDS = 10

log = get_logger()

_HEARD = {event.TYPE: event for event in CHANGES}


class TooManyStreamsError(Exception):
    """Each stream holds a thread, and requests need the rest: the page is to ask for its list now and then instead.

    All places are taken, and whoever holds most of them holds no more than one beyond those of who asks.
    """


def queue(name: str) -> Queue:
    """The queue `name` of one process: it is nobody else's, and goes with the connection."""
    bindings = [
        binding(Exchange(exchange_name(stage), type="topic", no_declare=True), routing_key=event.TYPE)
        for event in CHANGES
        for stage in event.SERVICES
    ]
    return Queue(name, bindings=bindings, exclusive=True, auto_delete=True, durable=False)


class Stream:
    """What one page is told: iterated for the text to send; `close` gives its place away."""

    def __init__(self, feed: "LiveFeed", desk: Desk, opd: str | None, account: str, lasts: float) -> None:
        self.desk, self.opd, self.account = desk, opd, account
        self._feed = feed
        self._ends = monotonic() + lasts
        self._news: SimpleQueue[str | None] = SimpleQueue()
        self._has_gone: Callable[[], bool] = lambda: False

    def watch(self, has_gone: Callable[[], bool]) -> None:
        """The stream ends when `has_gone` says that its page hung up. A heartbeat alone would notice only at its
        second failure, and whoever walks from page to page would hold a place for each."""
        self._has_gone = has_gone

    def give_way(self) -> None:
        """Somebody who holds fewer gets its place: it ends now."""
        self._ends = 0.0
        self._news.put(None)

    def tell(self, event_id: str | None = None) -> None:
        """`event_id` changed the desk; without one: the feed listens from now on."""
        self._news.put(event_id)

    def close(self) -> None:
        self._feed.close_stream(self)

    def __iter__(self) -> Iterator[str]:
        yield f"retry: {RETRY_MS}\n\n"
        due: list[float] = []
        changed_by, spoke = "", monotonic()
        while (now := monotonic()) < self._ends and not self._is_over():
            text = ""
            if due and due[0] <= now:
                due.pop(0)
                text = self._text("change", changed_by)
            elif now - spoke >= HEARTBEAT_SECONDS:
                text = ": still here\n\n"
            if text:
                yield text
                spoke = now
            with suppress(Empty):
                news = self._news.get(timeout=max(0.0, min([TICK_SECONDS, *(at - now for at in due[:1])])))
                if news is None:
                    yield self._text("ready")
                else:
                    changed_by, due = news, _when_to_tell(due)

    def _is_over(self) -> bool:
        return self._feed.is_leaving() or self._has_gone()

    def _text(self, name: str, event_id: str | None = None) -> str:
        about = {"desk": self.desk.key} | ({"opd": self.opd} if self.opd else {})
        return f"event: {name}\n" + (f"id: {event_id}\n" if event_id else "") + f"data: {json.dumps(about)}\n\n"


class LiveFeed:
    """The streams of this process, at most `most`, and the thread that hears what to tell them.

    The thread starts with the first stream: after the fork, and not at all where nobody listens. One account may take
    every place that is free and keeps none from another: where all are taken, whoever holds most gives the oldest of
    theirs to who holds fewer.
    """

    def __init__(self, uri: str, most: int) -> None:
        self._uri = uri
        self._most = most
        self._streams: dict[Stream, None] = {}
        self._lock = threading.Lock()
        self._listening = False
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self.is_leaving: Callable[[], bool] = self._closed.is_set
        """Whether this process is to end: its streams then end too, which it would else wait for."""

    def open(self, desk: Desk, opd: str | None, account: str, lasts: float) -> Stream:
        """A stream about `desk` (of `opd` where each OPD has its own) for `lasts` seconds, for a page of `account`.
        Raises TooManyStreamsError."""
        stream = Stream(self, desk, opd, account, lasts)
        with self._lock:
            if len(self._streams) >= self._most:
                self._make_room_for(account)
            self._streams[stream] = None
            if self._listening:
                stream.tell()
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="live-feed", daemon=True)
                self._thread.start()
        return stream

    def close_stream(self, stream: Stream) -> None:
        """Its page has gone."""
        with self._lock:
            self._streams.pop(stream, None)

    def close(self) -> None:
        """End the thread and every stream."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(TICK_SECONDS + FIRST_PAUSE_SECONDS)

    def _make_room_for(self, account: str) -> None:
        """Two more than the other is the least that makes a difference: with one, their pages would take the place
        from each other again and again."""
        held = Counter(stream.account for stream in self._streams)
        holder, most = max(held.items(), key=lambda item: item[1], default=("", 0))
        if most < held[account] + 2:
            raise TooManyStreamsError
        oldest = next(stream for stream in self._streams if stream.account == holder)
        del self._streams[oldest]
        oldest.give_way()

    def _listen(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._closed.is_set():
            try:
                with connected(self._uri, BROKER_HEARTBEAT_SECONDS) as connection:
                    self._consume(connection)
            except BROKER_ERRORS as error:
                log.warning("live feed interrupted", **trouble(error))
            except Exception:
                log.exception("live feed failed")
            pause = FIRST_PAUSE_SECONDS if self._listening else min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._listening = False
            self._closed.wait(pause)

    def _consume(self, connection: Connection) -> None:
        mine = queue(f"live.gateway-{uuid.uuid4()}")
        with Consumer(
            connection.default_channel, [mine], on_message=self._hear, on_decode_error=lambda *_: None, no_ack=True
        ):
            self._tell_ready()
            looked_after = monotonic()
            while not self._closed.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=TICK_SECONDS)
                # Busy or not: nothing is acknowledged, and the broker ends a connection it hears nothing from.
                if monotonic() - looked_after >= TICK_SECONDS:
                    looked_after = monotonic()
                    connection.heartbeat_check()

    def _tell_ready(self) -> None:
        with self._lock:
            self._listening = True
            for stream in self._streams:
                stream.tell()

    def _hear(self, message: Any) -> None:
        try:
            envelope = read_envelope(message.body)
            event = _HEARD[envelope["type"]]
            check_origin(event.TYPE, event.tellers(envelope["data"]), Origin.of(message), envelope["source"])
        except (UnreadableEventError, KeyError, ForgedError) as error:
            log.warning("what is no event of ours passed over", error=type(error).__name__)
            return
        desks, opd = CHANGES[event], envelope["data"].get("opd")
        with self._lock:
            for stream in self._streams:
                # Only the OPDs' desk is divided: a stream of it without an OPD never means all of them.
                if stream.desk in desks and (stream.desk is not OPD or stream.opd == opd):
                    stream.tell(envelope["id"])


def stream_for(desk: Desk, actor: Actor) -> Stream:
    """A stream about `desk` for `actor`, whose role works there: it ends with their access token at the latest.

    Raises TooManyStreamsError.
    """
    # Not all in the same moment: pages come back at once when their stream ends.
    lasts = LASTS_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311  # nosec B311
    left = (actor.expires_at - datetime.now(UTC)).total_seconds() if actor.expires_at else LIFETIME.total_seconds()
    feed: LiveFeed = current_app.extensions["live"]
    return feed.open(desk, actor.group if actor.role == Role.OPD_TEAM else None, actor.id, min(lasts, left))


def as_response(stream: Stream) -> Response:
    """`stream` as the answer to the request at hand. Its place is free again when the page has gone."""
    if has_gone := request.environ.get("nkk.has_gone"):
        stream.watch(has_gone)
    response = Response(iter(stream), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(stream.close)
    return response


def _when_to_tell(due: list[float]) -> list[float]:
    now = monotonic()
    return [due[0] if len(due) == 2 else now + SETTLES_SECONDS, now + AGAIN_SECONDS]
