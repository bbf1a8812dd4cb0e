"""Notification's database: answers, journeys, sealed contacts, and the messages to people."""

from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    func,
    insert,
    literal_column,
    select,
    update,
)

from nkk.messaging.database import UtcDateTime, insert_if_absent, new_metadata
from nkk.messaging.outbox import inbox_table, outbox_table
from nkk.messaging.paging import page
from nkk.messaging.work import Work
from nkk.sop.refusals import UnknownTicket
from services.notification.domain import Answer, Entry, Journey, State

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)

answers = Table(
    "answers", metadata,
    Column("ticket", String(20), primary_key=True),
    Column("path", String(20), nullable=False),
    Column("material", Text),
    Column("note", Text),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("came_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("text", Text),
    Column("sent_at", UtcDateTime),
    Column("lapses_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("how", String(20)),
    Column("confirmed_at", UtcDateTime),
)
# Written out, not bound: SQLite uses a partial index only where it can see the values.
_waiting = answers.c.state == literal_column(f"'{State.AWAITING_ANSWER}'")
_unread = answers.c.state == literal_column(f"'{State.ANSWERED}'")
Index("ix_answers_waiting", answers.c.due_at, answers.c.ticket, sqlite_where=_waiting, postgresql_where=_waiting)
Index("ix_answers_unread", answers.c.lapses_at, sqlite_where=_unread, postgresql_where=_unread)

journeys = Table(
    "journeys", metadata,
    Column("ticket", String(20), primary_key=True),
    Column("reporter_id", String(36)),
    Column("submitted_at", UtcDateTime),
    Column("service_due_at", UtcDateTime),
    Column("path", String(20)),
    Column("opd", String(64)),
)

entries = Table(
    "entries", metadata,
    Column("event_id", String(200), primary_key=True),
    Column("ticket", String(20), nullable=False, index=True),
    Column("type", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("round", Integer, nullable=False),
    Column("by", String(64)),
    Column("opd", String(64)),
    Column("note", Text),
)

contacts = Table(
    "contacts", metadata,
    Column("reporter_id", String(36), primary_key=True),
    Column("sealed_contact", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

messages = Table(
    "messages", metadata,
    Column("id", String(36), primary_key=True),
    Column("ticket", String(20), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("given_up_at", UtcDateTime),
)
_unsent = and_(messages.c.sent_at.is_(None), messages.c.given_up_at.is_(None))
Index("ix_messages_unsent", messages.c.next_try_at, messages.c.id, sqlite_where=_unsent, postgresql_where=_unsent)


class Answers:
    """What the operator's second desk works on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, answer: Answer) -> None:
        """Keep a new piece of work."""
        self._connection.execute(insert(answers), asdict(answer))

    def find(self, ticket: str, for_update: bool = False) -> Answer | None:
        """The answer of `ticket`, if the complaint has come that far."""
        query = select(answers).where(answers.c.ticket == ticket)
        row = self._connection.execute(query.with_for_update() if for_update else query).first()
        return Answer(**row._mapping) if row else None

    def save(self, answer: Answer) -> None:
        """Write `answer` back."""
        self._connection.execute(update(answers).where(answers.c.ticket == answer.ticket).values(**asdict(answer)))

    def waiting(self, cursor: str | None, limit: int | None) -> tuple[list[Answer], str | None]:
        """The worklist, oldest due first."""
        return page(self._connection, select(answers).where(_waiting), [answers.c.due_at, answers.c.ticket], cursor,
                    limit, lambda row: Answer(**row._mapping))

    def lapsing(self, now: datetime, limit: int) -> list[str]:
        """Tickets whose answer nobody opened in time."""
        query = select(answers.c.ticket).where(_unread, answers.c.lapses_at <= now).limit(limit)
        return list(self._connection.execute(query).scalars())


class Journeys:
    """Every complaint's way through the procedure. Events may come in any order; each fills in what it knows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, entry: Entry, **known: Any) -> None:
        """Add `entry`, and what it makes `known` of the journey."""
        if not insert_if_absent(self._connection, journeys, {"ticket": entry.ticket} | known) and known:
            self._connection.execute(update(journeys).where(journeys.c.ticket == entry.ticket).values(**known))
        self._connection.execute(insert(entries), asdict(entry))

    def get(self, ticket: str) -> Journey:
        """The journey of `ticket`. Raises UnknownTicket."""
        found = self.of([ticket])
        if not found:
            raise UnknownTicket
        return found[0]

    def of(self, tickets: list[str]) -> list[Journey]:
        """The journeys of those `tickets` that are known."""
        # Journeys first: an event heard between the two statements may show as an entry early, but no path without its
        # entry.
        rows = self._connection.execute(select(journeys).where(journeys.c.ticket.in_(tickets))).all()
        told: dict[str, list[Entry]] = {ticket: [] for ticket in tickets}
        for row in self._connection.execute(select(entries).where(entries.c.ticket.in_(tickets))):
            told[row.ticket].append(Entry(**row._mapping))
        return [Journey(**row._mapping, entries=told[row.ticket]) for row in rows]


class Messages:
    """Messages to people, written in the transaction of what they tell and sent afterwards."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_contact(self, reporter_id: str, sealed_contact: str, at: datetime) -> None:
        """Remember how to reach a reporter; the newest wins."""
        row = {"sealed_contact": sealed_contact, "changed_at": at}
        if not insert_if_absent(self._connection, contacts, row | {"reporter_id": reporter_id}):
            self._connection.execute(update(contacts).where(
                contacts.c.reporter_id == reporter_id, contacts.c.changed_at < at).values(**row))

    def add(self, message_id: str, ticket: str, kind: str, now: datetime) -> None:
        """Have a message of `kind` sent to the reporter of `ticket`."""
        self._connection.execute(insert(messages), {"id": message_id, "ticket": ticket, "kind": kind, "created_at": now,
                                                    "next_try_at": now, "tries": 0})

    def due(self, now: datetime, limit: int) -> list[Any]:
        """Messages to send now whose reporter can be reached, claimed: rows with id, ticket, kind, sealed_contact."""
        query = (
            select(messages, contacts.c.sealed_contact)
            .join(journeys, journeys.c.ticket == messages.c.ticket)
            .join(contacts, contacts.c.reporter_id == journeys.c.reporter_id)
            .where(_unsent, messages.c.next_try_at <= now)
            .order_by(messages.c.next_try_at, messages.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=messages)
        )
        return list(self._connection.execute(query).all())

    def counts(self) -> tuple[int, int]:
        """How many messages wait, and how many were given up."""
        waiting = select(func.count()).select_from(messages).where(_unsent).scalar_subquery()
        given_up = select(func.count()).select_from(messages).where(messages.c.given_up_at.is_not(None))
        counted = self._connection.execute(select(waiting, given_up.scalar_subquery())).one()
        return counted[0], counted[1]

    def sent(self, message_id: str, now: datetime) -> None:
        """It was delivered."""
        self._connection.execute(update(messages).where(messages.c.id == message_id).values(sent_at=now))

    def failed(self, message_id: str, tries: int, next_try_at: datetime | None, now: datetime) -> None:
        """It was not; try again then, or never."""
        self._connection.execute(update(messages).where(messages.c.id == message_id).values(
            tries=tries, next_try_at=next_try_at or now, given_up_at=None if next_try_at else now))


class NotificationWork(Work):
    """One transaction of notification."""

    OUTBOX = outbox
    INBOX = inbox

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.connection)

    @cached_property
    def journeys(self) -> Journeys:
        return Journeys(self.connection)

    @cached_property
    def messages(self) -> Messages:
        return Messages(self.connection)
