"""One webhook at work: a thread that hears events and stores them, and one that sends them."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from time import monotonic
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from nkk.client import ReplayRefusedError, SubscriptionError, subscribe_batches
from nkk.clock import Clock
from nkk.contracts.envelope import CONTENT_TYPE
from nkk.exchanges import tool_user
from nkk.log import get_logger
from nkk.messaging.publisher import BROKER_ERRORS
from nkk.sop.clock import read_instant
from webhooks.domain import Answer, State, tool_of
from webhooks.posting import Poster
from webhooks.signing import headers
from webhooks.storage import FIRST, Delivery, Store, Webhook

IDLE_SECONDS = 1.0
RETRY_SECONDS = 10.0

BATCH = 50
"""How many events are stored at most, and how many are sent and their answers stored, in one transaction."""

BATCH_SECONDS = 1.0
"""For how long answers are collected before they are stored. A process that dies before sends the same ids again."""

GATHER_SECONDS = 0.2
"""The pause after events that were not a whole batch, so that the next ones are stored and sent as one batch.

A single event does not wait for it. Stored one by one, each costs the disk a flush, and the broker an acknowledgement.
"""

MOST_WAITING = 10_000
"""How many events are stored for one webhook, and at most BATCH more.

The others wait in its queue, which has limits of its own.
"""

EXPECTED: tuple[type[Exception], ...] = (*BROKER_ERRORS, SQLAlchemyError)
"""What is raised where the broker, the database or a removed webhook is away, and passes or is mended outside."""

_jitter = random.SystemRandom().random

log = get_logger()


def uri_of(broker: str, webhook: Webhook) -> str:
    """Return the URI by which a webhook connects: the address in `broker`, with its own user and password."""
    parts = urlsplit(broker)
    account = f"{tool_user(tool_of(webhook.name))}:{quote(webhook.sealed.password, safe='')}"
    return parts._replace(netloc=f"{account}@{parts.netloc.rpartition('@')[2]}").geturl()


def signed(webhook: Webhook, id_: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of a request, signed with every secret that is valid now."""
    return {
        "content-type": CONTENT_TYPE,
        "user-agent": "nkk-webhooks",
        **headers(id_, body, now, webhook.sealed.secrets(now)),
    }


@dataclass(frozen=True)
class Means:
    """What every worker works with. `broker` is a URI, of which the credentials are not used."""

    store: Store
    broker: str
    clock: Clock
    new_poster: Callable[[], Poster]


class Worker:
    """The two threads of a webhook. The webhook is read anew every second, so that changes take effect at once."""

    def __init__(self, webhook: Webhook, means: Means) -> None:
        self.id, self.name = webhook.id, webhook.name
        self._means = means
        self._store = means.store
        self._stopping = Event()
        self._heard = Event()
        self._replaying: str | None = None
        """Since when events are being replayed; None where they are not."""
        self._turned = {"hearing": monotonic(), "sending": monotonic()}
        self._threads = [
            Thread(target=self._repeat, args=[name, turn], name=f"{self.name}-{name}", daemon=True)
            for name, turn in (("hearing", self._hear), ("sending", self._send))
        ]

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let both threads end; what is being sent is finished first."""
        self._stopping.set()
        self._heard.set()

    def join(self, seconds: float) -> None:
        """Wait until both threads have ended, each for at most so long."""
        for thread in self._threads:
            thread.join(seconds)

    def silent_seconds(self) -> float:
        """Return for how long one of the threads has made no turn."""
        return monotonic() - min(self._turned.values())

    def _repeat(self, name: str, turn: Callable[[], None]) -> None:
        while not self._is_stopping(name):
            try:
                turn()
                continue
            except SubscriptionError as error:
                trouble = str(error)
                log.warning("webhook may not subscribe", webhook=self.name, why=trouble)
            except EXPECTED as error:
                trouble = type(error).__name__
                log.warning("webhook interrupted", webhook=self.name, doing=name, error=trouble)
            except Exception as error:
                trouble = type(error).__name__
                log.exception("webhook failed", webhook=self.name, doing=name)
            if name == "hearing":
                self._note_trouble(f"receives nothing: {trouble}")
            self._pause(name, RETRY_SECONDS)

    def _is_stopping(self, name: str) -> bool:
        self._turned[name] = monotonic()
        return self._stopping.is_set()

    def _pause(self, name: str, seconds: float) -> None:
        until = monotonic() + seconds
        while not self._is_stopping(name) and monotonic() < until:
            self._stopping.wait(IDLE_SECONDS)

    def _hear(self) -> None:
        """Store events until there is a reason to begin anew: an end, a full store, or a replay that is requested."""
        webhook = self._store.find(self.id)
        room = MOST_WAITING - self._store.waiting(self.id)
        if webhook is None or room < MOST_WAITING / 2:
            self._pause("hearing", IDLE_SECONDS)
            return
        look_at = monotonic() + IDLE_SECONDS
        is_changed = False

        def is_over() -> bool:
            nonlocal look_at, is_changed
            if monotonic() > look_at:
                found = self._store.find(self.id)
                is_changed = found is None or found.replay_since != self._replaying
                look_at = monotonic() + IDLE_SECONDS
            return self._is_stopping("hearing") or is_changed or room <= 0

        self._replaying = webhook.replay_since
        for events in self._events(webhook, is_over):
            if stored := self._store.hear(self.id, events, self._means.clock(), self._replaying is not None):
                self._heard.set()
                room -= stored
                if room <= 0:
                    # Perhaps less waits by now.
                    room = MOST_WAITING - self._store.waiting(self.id)
            if len(events) < BATCH and self._replaying is None:
                self._stopping.wait(GATHER_SECONDS)

    def _events(self, webhook: Webhook, is_over: Callable[[], bool]) -> Iterator[list[dict[str, Any]]]:
        since = webhook.replay_since
        try:
            yield from subscribe_batches(
                webhook.stage,
                tool_of(webhook.name),
                uri_of(self._means.broker, webhook),
                on_trouble=lambda said: log.warning("webhook's subscription", webhook=self.name, said=said),
                on_listening=lambda: self._note_trouble(None),
                until=is_over,
                most=BATCH,
                since=None if since is None else self._since(since),
                on_replayed=lambda: self._end_replay(since),
            )
        except ReplayRefusedError:
            self._end_replay(since)
            raise

    def _since(self, written: str) -> datetime | Literal["first"]:
        """Return since when to ask for past events. Raises ReplayRefusedError where the client would not ask."""
        if written == FIRST:
            return "first"
        moment = None
        with suppress(ValueError):
            moment = read_instant(written)
        # It was not in the future when it was stored, but the clock may have been put back.
        if moment is None or moment > self._means.clock():
            raise ReplayRefusedError(f"{written} is in the future, or no moment: `nkk webhooks replay` asks again")
        return moment

    def _end_replay(self, since: str | None) -> None:
        self._store.replayed(self.id, since or "")
        self._replaying = None

    def _note_trouble(self, trouble: str | None) -> None:
        with suppress(SQLAlchemyError):
            self._store.note_trouble(self.id, trouble)

    def _send(self) -> None:
        """Send what is due until nothing is, then wait until something is heard, or a moment."""
        poster = self._means.new_poster()
        try:
            while not self._is_stopping("sending"):
                self._heard.clear()
                webhook = self._store.find(self.id)
                deliveries = self._due(webhook) if webhook else []
                if webhook and deliveries:
                    self._send_all(webhook, deliveries, poster)
                else:
                    self._heard.wait(IDLE_SECONDS)
        finally:
            poster.close()

    def _due(self, webhook: Webhook) -> list[Delivery]:
        now = self._means.clock()
        if webhook.state is not State.ON or not webhook.endpoint.is_open(now):
            return []
        return self._store.due(self.id, now, BATCH)

    def _send_all(self, webhook: Webhook, deliveries: list[Delivery], poster: Poster) -> None:
        """Send deliveries until one fails or BATCH_SECONDS have passed, and store the outcomes."""
        until = monotonic() + BATCH_SECONDS
        delivered: list[Delivery] = []
        for delivery in deliveries:
            answer = self._send_one(webhook, delivery, poster)
            if not answer.is_success:
                self._store.mark(webhook, delivered, delivery, answer, self._means.clock(), _jitter())
                return
            delivered.append(delivery)
            if self._is_stopping("sending") or monotonic() > until:
                break
        self._store.mark(webhook, delivered, None, answer, self._means.clock(), 0)

    def _send_one(self, webhook: Webhook, delivery: Delivery, poster: Poster) -> Answer:
        request = signed(webhook, delivery.event_id, delivery.body, self._means.clock())
        try:
            answer = poster.post(webhook.sealed.url, request, delivery.body)
        except Exception as error:
            # An unexpected fault of one delivery must not hold up the others.
            log.exception("webhook failed", webhook=self.name, event_id=delivery.event_id)
            answer = Answer(None, f"fault: {type(error).__name__}")
        log.info(
            "webhook answered" if answer.is_success else "webhook failed",
            webhook=self.name,
            event_id=delivery.event_id,
            answer=answer.why,
        )
        return answer
