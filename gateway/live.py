"""Live updates of the desks' pages: "something changed here", as server-sent events.

One thread per process consumes the stages' events, from a queue that is deleted with its connection, and wakes the open
pages. A page is told that its desk changed but not what: it requests its list, with what its role may see. A desk's
stream follows its own events, an OPD team's those of its own OPD. An account whose person's NIP is known is not told of
cases about that person, nor of those of which this process does not know whom they are about. An account is not told
either of a case from which it stepped aside: what a process did not hear of itself, it asks the desk's stage when a
stream opens. Losing the broker disturbs no request: once the feed consumes again, streams end, and pages open others.

    ready    every change from now on is sent: load the list
    change   the list has changed
"""

import json
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

from flask import Response, current_app, request
from kombu import Connection, Consumer, Exchange, Queue, binding

from gateway.backend import backend
from gateway.desks import ANSWERS, INTAKE, OPD, TRIAGE, Desk
from nkk.contracts import EventData, UnreadableEventError, read_envelope
from nkk.contracts.events import (
    AnswerReturned,
    AnswerSent,
    CaseRecused,
    ComplaintAbandoned,
    ComplaintClassifiedAsInformation,
    ComplaintDeclined,
    ComplaintEnded,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintJoined,
    ComplaintKept,
    ComplaintParted,
    ComplaintRecalled,
    ComplaintReopened,
    ComplaintSubmitted,
    ComplaintSubmittedV1,
    ComplaintWithdrawn,
    QuestionAnswered,
    QuestionAsked,
    QuestionLapsed,
    ResponseApproved,
    ResponseConcluded,
    ResponseGathered,
    ResponseReturned,
    ResponseShared,
    ResponseSubmitted,
    TimeGranted,
    TimeRequested,
)
from nkk.exchanges import exchange_name
from nkk.log import get_logger
from nkk.messaging.origin import ForgedError, Origin, check_origin
from nkk.messaging.publisher import BROKER_ERRORS, connected, trouble
from nkk.sop.steps import Role
from nkk.trust.actor import LIFETIME, Actor

CHANGES: dict[type[EventData], tuple[Desk, ...]] = {
    # Published by an intake of the previous version during an upgrade.
    ComplaintSubmittedV1: (INTAKE,),
    ComplaintSubmitted: (INTAKE,),
    ComplaintHandedOver: (INTAKE, TRIAGE),
    ComplaintClassifiedAsInformation: (TRIAGE, ANSWERS),
    ComplaintForwarded: (TRIAGE, OPD),
    ResponseSubmitted: (OPD, TRIAGE),
    ResponseReturned: (TRIAGE, OPD),
    ResponseApproved: (TRIAGE, ANSWERS),
    ResponseGathered: (TRIAGE,),
    ResponseShared: (TRIAGE, ANSWERS),
    ResponseConcluded: (TRIAGE, ANSWERS),
    ComplaintJoined: (TRIAGE,),
    ComplaintParted: (TRIAGE,),
    AnswerSent: (ANSWERS,),
    ComplaintDeclined: (OPD, TRIAGE),
    ComplaintRecalled: (TRIAGE, OPD),
    TimeRequested: (OPD, TRIAGE),
    TimeGranted: (TRIAGE, OPD),
    ComplaintEnded: (OPD,),
    ComplaintWithdrawn: (INTAKE, TRIAGE, ANSWERS),
    ComplaintKept: (TRIAGE,),
    AnswerReturned: (ANSWERS, TRIAGE),
    ComplaintReopened: (TRIAGE,),
    QuestionAsked: (INTAKE, TRIAGE, OPD),
    QuestionAnswered: (INTAKE, TRIAGE, OPD),
    QuestionLapsed: (INTAKE, TRIAGE, OPD),
    ComplaintAbandoned: (INTAKE, TRIAGE, OPD, ANSWERS),
}
"""The desks whose lists each event changes. An event that changes the OPD desk must name the OPD."""

LASTS_SECONDS = 600
LASTS_WITH_NIP_SECONDS = 60
"""How long a stream lasts of an account that is not told of every change: its page loads the list again after that."""
MOST_KNOWN = 20_000
"""Of how many complaints a process remembers whom they are about, and how many recusals; the oldest is forgotten."""
SOMEBODY = "?"
"""Stands for a person who is not known, or for several: no account whose NIP is known is told of such a report."""
HEARTBEAT_SECONDS = 15
"""For proxies between the gateway and a page, which would close an idle connection."""
RETRY_MS = 5_000
TICK_SECONDS = 1.0

SETTLES_SECONDS = 0.3
AGAIN_SECONDS = 5.0
"""When a page is told of a change: once after SETTLES_SECONDS, and again after AGAIN_SECONDS in case the stage is slow.

The desk's own stage consumes the same event at the same moment. Further events until then are sent with these.
"""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
BROKER_HEARTBEAT_SECONDS = 10

log = get_logger()

K = TypeVar("K")
V = TypeVar("V")

EVENTS: tuple[type[EventData], ...] = (*CHANGES, CaseRecused)
"""The events that the feed consumes."""

_HEARD = {event.TYPE: event for event in EVENTS}


class TooManyStreamsError(Exception):
    """No stream is free; each holds a thread, and requests need the rest. The page polls its list instead.

    Raised where the account with most streams has at most one more than the asking account.
    """


def queue(name: str) -> Queue:
    """Return the exclusive queue `name` of one process, deleted with its connection."""
    bindings = [
        binding(Exchange(exchange_name(stage), type="topic", no_declare=True), routing_key=event.TYPE)
        for event in EVENTS
        for stage in event.SERVICES
    ]
    return Queue(name, bindings=bindings, exclusive=True, auto_delete=True, durable=False)


class Stream:
    """The events for one page: iterate for the text to send, and `close` to free its place."""

    def __init__(
        self,
        feed: "LiveFeed",
        desk: Desk,
        opd: str | None,
        account: str,
        lasts: float,
        barred: str | None,
        recused: frozenset[str],
    ) -> None:
        self.desk, self.opd, self.account, self.barred, self.recused = desk, opd, account, barred, recused
        self._feed = feed
        self._ends = monotonic() + lasts
        self._news: SimpleQueue[str | None] = SimpleQueue()
        self._has_gone: Callable[[], bool] = lambda: False

    def watch(self, has_gone: Callable[[], bool]) -> None:
        """End the stream when `has_gone` says that its page hung up.

        A heartbeat alone would notice only at its second failure, and a user who walks from page to page would hold a
        place for each until then.
        """
        self._has_gone = has_gone

    def give_way(self) -> None:
        """End this stream: an account with fewer gets its place, or its page is to open another."""
        self._ends = 0.0
        self._news.put(None)

    def tell(self, event_id: str | None = None) -> None:
        """Queue a change by event `event_id`; without one, that the feed consumes from now on."""
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
    """The streams of this process, at most `most`, and the thread that consumes the events for them.

    The thread starts with the first stream, hence after the fork, and not at all without one. An account may take every
    free place but keeps none from others: where all are taken, the account with most loses its oldest to one with
    fewer.
    """

    def __init__(self, uri: str, most: int) -> None:
        self._uri = uri
        self._most = most
        self._streams: dict[Stream, None] = {}
        self._lock = threading.Lock()
        self._listening = self._has_listened = False
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._about: dict[str, str | None] = {}
        """The keyed hash of the accused's NIP by ticket, in the order of the tickets' first events; None for none, or
        SOMEBODY."""
        self._recused: dict[tuple[str, str], None] = {}
        """The recusals that this process heard of, by ticket and account."""
        self.is_leaving: Callable[[], bool] = self._closed.is_set
        """Whether this process is stopping: its streams end then, because the process would wait for them."""

    def open(
        self,
        desk: Desk,
        opd: str | None,
        account: str,
        lasts: float,
        barred: str | None = None,
        recused: Iterable[str] = (),
    ) -> Stream:
        """Open a stream about `desk` for `lasts` seconds, for a page of `account`; of the OPDs' desk only about `opd`.

        `barred` is that of the account's access token; of the tickets `recused` the page is told nothing. Raises
        TooManyStreamsError.
        """
        stream = Stream(self, desk, opd, account, lasts, barred, frozenset(recused))
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
        """Free the place of a stream whose page has gone."""
        with self._lock:
            self._streams.pop(stream, None)

    def close(self) -> None:
        """End the thread and every stream."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(TICK_SECONDS + FIRST_PAUSE_SECONDS)

    def _make_room_for(self, account: str) -> None:
        """End the oldest stream of the account with most, where that has at least two more than `account`.

        With a difference of one, two accounts' pages would take the place from each other again and again.
        """
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
                # Under load too, because nothing is acknowledged and the broker closes a silent connection.
                if monotonic() - looked_after >= TICK_SECONDS:
                    looked_after = monotonic()
                    connection.heartbeat_check()

    def _tell_ready(self) -> None:
        """Tell every page to load its list; where the feed was away, have it open another stream, which tells it.

        Threat: recusals that nobody heard meanwhile. They are asked for when a stream opens.
        """
        with self._lock:
            for stream in self._streams:
                if self._has_listened:
                    stream.give_way()
                else:
                    stream.tell()
            self._listening = self._has_listened = True

    def _hear(self, message: Any) -> None:
        try:
            envelope = read_envelope(message.body)
            event = _HEARD[envelope["type"]]
            check_origin(event.TYPE, event.tellers(envelope["data"]), Origin.of(message), envelope["source"])
        except (UnreadableEventError, KeyError, ForgedError) as error:
            log.warning("unexpected message ignored", error=type(error).__name__)
            return
        ticket, data = envelope["subject"], envelope["data"]
        if event is CaseRecused:
            self._note(self._recused, (ticket, data["account"]), None)
            return
        self._learn(ticket, data)
        if event is ComplaintJoined:
            self._learn_together(ticket, data["first"])
        desks, opd = CHANGES[event], data.get("opd")
        with self._lock:
            for stream in self._streams:
                # Only the OPD desk is split by agency; opd=None never means all agencies.
                is_theirs = stream.desk in desks and (stream.desk is not OPD or stream.opd == opd)
                if is_theirs and self._may_hear(stream, ticket):
                    stream.tell(envelope["id"])

    def _learn(self, ticket: str, data: dict[str, Any]) -> None:
        if "barred" in data:
            # A report that was joined with one about a person is about that person too, whatever its own events say.
            self._note(self._about, ticket, self._about.get(ticket) or data["barred"])

    def _learn_together(self, one: str, other: str) -> None:
        """Note that of two joined reports each is about the other's person, as the stages hide them from then on."""
        persons = {self._about.get(ticket, SOMEBODY) for ticket in (one, other)} - {None}
        for ticket in (one, other):
            self._note(self._about, ticket, SOMEBODY if len(persons) > 1 else next(iter(persons), None))

    def _note(self, known: dict[K, V], key: K, value: V) -> None:
        known[key] = value
        if len(known) > MOST_KNOWN:
            del known[next(iter(known))]

    def _may_hear(self, stream: Stream, ticket: str) -> bool:
        """Return whether the account of `stream` may learn that something changed.

        It never may of a report about its person, nor of one from which it stepped aside. Threat: an account that sees
        a change, and none in its list, learns that there is a case which it may not see, or that one goes on.
        """
        if ticket in stream.recused or (ticket, stream.account) in self._recused:
            return False
        return stream.barred is None or self._about.get(ticket, SOMEBODY) not in (SOMEBODY, stream.barred)


def stream_for(desk: Desk, actor: Actor) -> Stream:
    """Open a stream about `desk` for `actor`, whose role works there. It ends with their access token at the latest.

    Raises TooManyStreamsError, and what Backend.call does.
    """
    recused = backend().call(desk.stage, "recused_from")
    # Spread out, because each page reconnects as soon as its stream ends.
    longest = LASTS_SECONDS if actor.barred is None else LASTS_WITH_NIP_SECONDS
    lasts = longest * random.uniform(0.9, 1.1)  # noqa: S311  # nosec B311
    left = (actor.expires_at - datetime.now(UTC)).total_seconds() if actor.expires_at else LIFETIME.total_seconds()
    feed: LiveFeed = current_app.extensions["live"]
    group = actor.group if actor.role == Role.OPD_TEAM else None
    return feed.open(desk, group, actor.id, min(lasts, left), actor.barred, recused)


def as_response(stream: Stream) -> Response:
    """Return `stream` as the answer to the current request. Its place is freed when the page has gone."""
    if has_gone := request.environ.get("nkk.has_gone"):
        stream.watch(has_gone)
    response = Response(iter(stream), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(stream.close)
    return response


def _when_to_tell(due: list[float]) -> list[float]:
    now = monotonic()
    return [due[0] if len(due) == 2 else now + SETTLES_SECONDS, now + AGAIN_SECONDS]
