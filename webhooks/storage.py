"""The webhooks and their deliveries, in a database of their own.

What may not be read in a stolen copy is sealed by NKK_WEBHOOKS_KEYS: URLs, secrets, and the bodies of events, which are
deleted as soon as they are delivered, with their subjects. Ids stay, so that an event that comes again is not sent
again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from nkk.sop.clock import read_instant, write_instant
from nkk.store.database import Database, insert_absent
from webhooks.domain import (
    GONE,
    KEPT,
    PATIENCE,
    ROTATION,
    Answer,
    Attempts,
    Endpoint,
    State,
    fail,
    set_aside_heard_until,
    wait_asked_for,
)
from webhooks.signing import new_secret
from webhooks.tables import DELIVERED, LONGEST_WHY, SET_ASIDE, WAITING, deliveries, due, found, waits, webhooks


class KeysError(ValueError):
    """The keys do not decrypt what is stored."""


FIRST = "first"
"""Since when events are replayed, where that is since the first one that the stage keeps."""


BEFORE = timedelta(hours=1)
"""How much earlier than its publication, by which stages replay, an event's own time may be."""


class NoWebhookError(ValueError):
    """There is no webhook of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no webhook {name} (`nkk webhooks list`)")


@dataclass(frozen=True, repr=False)
class Sealed:
    """What is sealed of a webhook: where it posts, the password of its broker user, and its secrets."""

    url: str
    password: str
    secret: str
    former_secret: str | None = None
    former_until: str | None = None

    def secrets(self, now: datetime) -> list[str]:
        """Return the secrets that sign now: the current one, and the former one while it is being rotated out."""
        if self.former_secret and self.former_until and read_instant(self.former_until) > now:
            return [self.secret, self.former_secret]
        return [self.secret]

    def rotated(self, now: datetime) -> "Sealed":
        return replace(self, secret=new_secret(), former_secret=self.secret, former_until=write_instant(now + ROTATION))


@dataclass(frozen=True)
class Webhook:
    """A webhook, as it is stored."""

    id: int
    name: str
    stage: str
    state: State
    sealed: Sealed
    endpoint: Endpoint
    replay_since: str | None


@dataclass(frozen=True, repr=False)
class Delivery:
    """An event to deliver."""

    id: int
    event_id: str
    body: bytes
    attempts: Attempts


class Store:
    """The database of webhooks; `keys` are Fernet keys, of which the first one seals."""

    def __init__(self, database: Database, keys: list[str]) -> None:
        self.database = database
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def add(
        self, name: str, origin: str, stage: str, opd: str | None, types: list[str], sealed: Sealed, now: datetime
    ) -> None:
        """Add a webhook. Raises IntegrityError where the name is taken."""
        row = {
            "name": name,
            "origin": origin,
            "stage": stage,
            "opd": opd,
            "types": ",".join(types) or None,
            "sealed": self._seal(asdict(sealed)),
            "created_at": now,
            "state": State.ON,
            "failures": 0,
            "dropped": 0,
        }
        with self.database.writing() as connection:
            connection.execute(insert(webhooks), row)

    def remove(self, name: str) -> None:
        """Remove a webhook and its deliveries. Raises NoWebhookError."""
        with self.database.writing() as connection:
            id_ = self._id(connection, name)
            connection.execute(delete(deliveries).where(deliveries.c.webhook_id == id_))
            connection.execute(delete(webhooks).where(webhooks.c.id == id_))

    def all(self) -> list[Webhook]:
        """Return every webhook."""
        with self.database.reading() as connection:
            return [self._webhook(row) for row in connection.execute(select(webhooks).order_by(webhooks.c.name))]

    def named(self, name: str) -> Webhook:
        """Return the webhook of this name. Raises NoWebhookError."""
        with self.database.reading() as connection:
            row = connection.execute(select(webhooks).where(webhooks.c.name == name)).one_or_none()
        if row is None:
            raise NoWebhookError(name)
        return self._webhook(row)

    def find(self, id_: int) -> Webhook | None:
        """Return the webhook of this id, or None where it was removed."""
        with self.database.reading() as connection:
            row = connection.execute(found, {"id": id_}).one_or_none()
        return None if row is None else self._webhook(row)

    def pause(self, name: str) -> None:
        """Stop sending; events go on collecting. Raises NoWebhookError."""
        with self.database.writing() as connection:
            of = webhooks.c.id == self._id(connection, name)
            connection.execute(update(webhooks).where(of).values(state=State.PAUSED))

    def resume(self, name: str, now: datetime) -> None:
        """Send again, everything that waits at once. Raises NoWebhookError."""
        with self.database.writing() as connection:
            id_ = self._id(connection, name)
            waiting = and_(deliveries.c.webhook_id == id_, waits)
            connection.execute(update(deliveries).where(waiting).values(next_at=now))
            values = {"state": State.ON, **asdict(Endpoint())}
            connection.execute(update(webhooks).where(webhooks.c.id == id_).values(values))

    def rotate(self, name: str, now: datetime) -> str:
        """Give a webhook a new secret, beside which the former one signs for a day, and return it."""
        with self.database.writing() as connection:
            id_ = self._id(connection, name)
            row = connection.execute(select(webhooks).where(webhooks.c.id == id_)).one()
            sealed = self._webhook(row).sealed.rotated(now)
            values = {"sealed": self._seal(asdict(sealed))}
            connection.execute(update(webhooks).where(webhooks.c.id == id_).values(values))
        return sealed.secret

    def request_replay(self, name: str, since: datetime | None, now: datetime) -> None:
        """Have events since then, or all, heard and sent again, with their ids. Raises NoWebhookError."""
        with self.database.writing() as connection:
            id_ = self._id(connection, name)
            known = and_(deliveries.c.webhook_id == id_, deliveries.c.state == DELIVERED)
            if since is not None:
                known = and_(known, deliveries.c.time >= since - BEFORE)
            connection.execute(delete(deliveries).where(known))
            self._send_set_aside(connection, id_, since, now)
            values = {"replay_since": write_instant(since) if since else FIRST}
            connection.execute(update(webhooks).where(webhooks.c.id == id_).values(values))

    def replayed(self, webhook_id: int, since: str) -> None:
        """Note that the replay of events `since` then is complete."""
        of = and_(webhooks.c.id == webhook_id, webhooks.c.replay_since == since)
        with self.database.writing() as connection:
            connection.execute(update(webhooks).where(of).values(replay_since=None))

    def send_set_aside(self, name: str, now: datetime) -> int:
        """Have what was set aside sent again, and return the number of events. Raises NoWebhookError."""
        with self.database.writing() as connection:
            return self._send_set_aside(connection, self._id(connection, name), None, now)

    def _send_set_aside(self, connection: Connection, id_: int, since: datetime | None, now: datetime) -> int:
        of = and_(deliveries.c.webhook_id == id_, deliveries.c.state == SET_ASIDE)
        if since is not None:
            of = and_(of, deliveries.c.time >= since)
        return connection.execute(update(deliveries).where(of).values(self._again(now))).rowcount

    @staticmethod
    def _again(now: datetime) -> dict[str, Any]:
        return {"state": WAITING, "tries": 0, "tried_since": None, "heard_at": now, "next_at": now}

    def hear(self, webhook_id: int, events: Sequence[Mapping[str, Any]], now: datetime, is_replay: bool = False) -> int:
        """Store events to deliver, except those that are known, and return how many were stored.

        In a replay, one that waits already takes its place behind those that were replayed before it.
        """
        rows = [self._delivery(webhook_id, event, now) for event in events]
        with self.database.writing() as connection:
            if is_replay:
                ids = [row["event_id"] for row in rows]
                waiting = and_(deliveries.c.webhook_id == webhook_id, deliveries.c.event_id.in_(ids), waits)
                connection.execute(delete(deliveries).where(waiting))
            return len(insert_absent(connection, deliveries, rows, "event_id"))

    def _delivery(self, webhook_id: int, event: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        published = {name: value for name, value in event.items() if value is not None}
        body = json.dumps(published, ensure_ascii=False, separators=(",", ":"))
        return {
            "webhook_id": webhook_id,
            "event_id": event["id"],
            "type": event["type"],
            "subject": event["subject"],
            "time": read_instant(event["time"]),
            "heard_at": now,
            "sealed_body": self._keys.encrypt(body.encode()).decode(),
            "state": WAITING,
            "tries": 0,
            "next_at": now,
        }

    def waiting(self, webhook_id: int) -> int:
        """Return the number of events that wait to be delivered."""
        query = select(func.count()).where(deliveries.c.webhook_id == webhook_id, waits)
        with self.database.reading() as connection:
            return connection.execute(query).scalar_one()

    def due(self, webhook_id: int, now: datetime, most: int = 1) -> list[Delivery]:
        """Return the deliveries that are due first, `most` at most: of each subject, the oldest one that waits."""
        with self.database.reading() as connection:
            rows = connection.execute(due, {"webhook_id": webhook_id, "now": now, "most": most}).all()
        return [
            Delivery(
                row.id,
                row.event_id,
                self._open(row.sealed_body),
                Attempts(row.heard_at, row.tries, row.tried_since, row.next_at),
            )
            for row in rows
        ]

    def mark(
        self,
        webhook: Webhook,
        delivered: Sequence[Delivery],
        failed: Delivery | None,
        answer: Answer,
        now: datetime,
        chance: float,
    ) -> None:
        """Store the outcomes of attempts in a row, and what follows from them; `answer` is the last one's."""
        of_webhook = webhooks.c.id == webhook.id
        values: dict[str, Any] = {"last_at": now, "last_answer": answer.why[:LONGEST_WHY]}
        with self.database.writing() as connection:
            # Locked first, as `resume` does, which waits then until the outcomes are stored, or has been carried out.
            connection.execute(select(webhooks.c.id).where(of_webhook).with_for_update())
            if delivered:
                of_deliveries = and_(deliveries.c.id.in_([each.id for each in delivered]), waits)
                done = {"state": DELIVERED, "sealed_body": None, "subject": "", "next_at": None, "why": None}
                connection.execute(update(deliveries).where(of_deliveries).values(done))
                values |= asdict(Endpoint())
            if failed and not self._was_resumed(connection, failed):
                endpoint = Endpoint() if delivered else webhook.endpoint
                values |= self._mark_failed(connection, webhook, endpoint, failed, answer, now, chance)
            connection.execute(update(webhooks).where(of_webhook).values(values))

    @staticmethod
    def _was_resumed(connection: Connection, delivery: Delivery) -> bool:
        """Return whether `resume` came during the attempt, whose failure then says nothing of the receiver as it is."""
        query = select(deliveries.c.next_at).where(deliveries.c.id == delivery.id, waits)
        return connection.execute(query).scalar() not in (None, delivery.attempts.next_at)

    @staticmethod
    def _mark_failed(
        connection: Connection,
        webhook: Webhook,
        endpoint: Endpoint,
        delivery: Delivery,
        answer: Answer,
        now: datetime,
        chance: float,
    ) -> dict[str, Any]:
        """Store a failed attempt, and return the values of the webhook that it changes."""
        if answer.status == GONE:
            of_webhook = and_(webhooks.c.id == webhook.id, webhooks.c.state == State.ON)
            connection.execute(update(webhooks).where(of_webhook).values(state=State.GONE))
            return {}
        endpoint, attempts = fail(endpoint, delivery.attempts, now, chance, wait_asked_for(answer, now))
        why = answer.why[:LONGEST_WHY]
        tried = {"tries": attempts.tries, "tried_since": attempts.tried_since, "why": why, "next_at": attempts.next_at}
        if attempts.next_at is None:
            tried |= {"state": SET_ASIDE}
        connection.execute(update(deliveries).where(deliveries.c.id == delivery.id, waits).values(tried))
        if until := set_aside_heard_until(endpoint, now):
            old = and_(deliveries.c.webhook_id == webhook.id, waits, deliveries.c.heard_at <= until)
            aside = {"state": SET_ASIDE, "next_at": None, "why": why}
            connection.execute(update(deliveries).where(old).values(aside))
        return asdict(endpoint)

    def note_trouble(self, webhook_id: int, trouble: str | None) -> None:
        """Store why a webhook receives no events, or that it does."""
        trouble = trouble and trouble[:LONGEST_WHY]
        with self.database.writing() as connection:
            connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(trouble=trouble))

    def prune(self, now: datetime) -> int:
        """Delete what was heard longer than KEPT ago, count the undelivered events among it, and return their number.

        Ids of delivered events are not needed any more, since no event comes again after that time. Undelivered events
        hold what people wrote, and are not kept for ever. What a wrong clock put off for longer
        than anything is, is due at once.
        """
        old = deliveries.c.heard_at < now - KEPT
        lost = select(deliveries.c.webhook_id, func.count()).where(old, deliveries.c.state != DELIVERED)
        with self.database.writing() as connection:
            rows = connection.execute(lost.group_by(deliveries.c.webhook_id)).all()
            counts = {row[0]: row[1] for row in rows}
            for id_, count in counts.items():
                dropped = update(webhooks).where(webhooks.c.id == id_).values(dropped=webhooks.c.dropped + count)
                connection.execute(dropped)
            connection.execute(delete(deliveries).where(old))
            wrong = now + PATIENCE
            connection.execute(update(deliveries).where(waits, deliveries.c.next_at > wrong).values(self._again(now)))
            connection.execute(update(webhooks).where(webhooks.c.next_at > wrong).values(asdict(Endpoint())))
        return sum(counts.values())

    def summaries(self, now: datetime) -> list[dict[str, Any]]:
        """Return what there is to know of every webhook without its keys, for the person on duty."""
        counted = (
            select(
                deliveries.c.webhook_id,
                func.count().filter(waits).label("waiting"),
                func.min(deliveries.c.heard_at).filter(waits).label("oldest"),
                func.count().filter(deliveries.c.state == SET_ASIDE).label("set_aside"),
            )
            .where(or_(waits, deliveries.c.state == SET_ASIDE))
            .group_by(deliveries.c.webhook_id)
            .subquery()
        )
        query = select(webhooks, counted).outerjoin(counted, counted.c.webhook_id == webhooks.c.id)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(webhooks.c.name)).all()
        return [
            {
                "name": row.name,
                "posts_to": row.origin,
                "stage": row.stage,
                "opd": row.opd,
                "types": row.types.split(",") if row.types else None,
                "state": row.state,
                "failing_since": row.failing_since and write_instant(row.failing_since),
                "waiting": row.waiting or 0,
                "oldest_seconds": row.oldest and int((now - row.oldest).total_seconds()),
                "set_aside": row.set_aside or 0,
                "dropped": row.dropped,
                "last_at": row.last_at and write_instant(row.last_at),
                "last_answer": row.last_answer,
                "trouble": row.trouble,
                "replaying_since": row.replay_since,
            }
            for row in rows
        ]

    def _id(self, connection: Connection, name: str) -> int:
        id_ = connection.execute(select(webhooks.c.id).where(webhooks.c.name == name).with_for_update()).scalar()
        if id_ is None:
            raise NoWebhookError(name)
        return id_

    def _webhook(self, row: Any) -> Webhook:
        endpoint = Endpoint(row.failures, row.failing_since, row.next_at)
        sealed = Sealed(**json.loads(self._open(row.sealed)))
        return Webhook(row.id, row.name, row.stage, State(row.state), sealed, endpoint, row.replay_since)

    def _seal(self, content: Mapping[str, Any]) -> str:
        return self._keys.encrypt(json.dumps(content).encode()).decode()

    def _open(self, sealed: str) -> bytes:
        try:
            return self._keys.decrypt(sealed.encode())
        except InvalidToken:
            raise KeysError(
                "NKK_WEBHOOKS_KEYS does not decrypt what is stored: add the former key behind it."
            ) from None
