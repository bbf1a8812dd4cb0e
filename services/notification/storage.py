"""Notification's database: answers, journeys, sealed contacts, and the messages to people."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)

from nkk.desk import (
    LETTER_DROPPED,
    ClockedWork,
    RecordedWork,
    Rows,
    Wanted,
    alarm_index,
    calendars_table,
    claim_columns,
    clock_columns,
    in_turn,
    record_table,
)
from nkk.sop.refusals import UnknownTicket
from nkk.sop.timed import Timed
from nkk.store.database import Inserts, UtcDateTime, insert_if_absent, insert_of, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from nkk.store.paging import MAX_LIMIT, page
from services.notification.domain import Answer, Entry, Journey, State, letters_about, team_at

_LETTERS = uuid.UUID("6f0f6a2a-6a0b-4a56-9c5e-0d5b8a3f4c11")

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)
# What a version before published for tooling alone. Written out, as for every partial index.
_unheard = text("type = 'complaint.closed.v1' AND NOT mandatory")
Index("ix_outbox_unheard", outbox.c.id, sqlite_where=_unheard, postgresql_where=_unheard)

answers = Table(
    "answers",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("path", String(20), nullable=False),
    Column("material", Text),
    Column("note", Text),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("service_calendar", Integer),
    *clock_columns(),
    *claim_columns(),
    Column("state", String(30), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("text", Text),
    Column("sent_at", UtcDateTime),
    Column("lapses_at", UtcDateTime),
    Column("remind_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("how", String(20)),
    Column("confirmed_at", UtcDateTime),
)
# Written out, not bound: SQLite uses a partial index only where it can see the values.
_waiting = answers.c.state == literal_column(f"'{State.AWAITING_ANSWER}'")
_unread = answers.c.state == literal_column(f"'{State.ANSWERED}'")
Index("ix_answers_waiting", *in_turn(answers), sqlite_where=_waiting, postgresql_where=_waiting)
alarm_index(answers)
_to_remind = answers.c.remind_at.is_not(None)
Index("ix_answers_remind", answers.c.remind_at, sqlite_where=_to_remind, postgresql_where=_to_remind)
Index("ix_answers_unread", answers.c.lapses_at, sqlite_where=_unread, postgresql_where=_unread)

journeys = Table(
    "journeys",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("reporter_id", String(36)),
    Column("submitted_at", UtcDateTime),
    Column("service_due_at", UtcDateTime),
    Column("path", String(20)),
    Column("opd", String(64)),
    Column("category", String(64)),
    Column("sub_category", String(64)),
    Column("late_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("answer_minutes", Integer),
    Column("author", String(64)),
    Column("sealed_reporter", Text),
)
# In the clear: what was heard as complaint.submitted.v1, until `hide_reporters`. No other row has a reporter_id.
_plain = journeys.c.reporter_id.is_not(None)
Index("ix_journeys_plain", journeys.c.ticket, sqlite_where=_plain, postgresql_where=_plain)
_promised = journeys.c.late_at.is_not(None)
Index("ix_journeys_late", journeys.c.late_at, sqlite_where=_promised, postgresql_where=_promised)
_open = journeys.c.closed_at.is_(None)
Index("ix_journeys_open", journeys.c.submitted_at, journeys.c.ticket, sqlite_where=_open, postgresql_where=_open)
Index("ix_journeys_closed", journeys.c.closed_at, journeys.c.ticket)
Index("ix_journeys_submitted", journeys.c.submitted_at)
# All that public figures ask of an answer: counted from the index, no row is read.
_answered = journeys.c.answered_at.is_not(None)
Index(
    "ix_journeys_answered",
    journeys.c.answered_at,
    journeys.c.answer_minutes,
    journeys.c.service_due_at,
    sqlite_where=_answered,
    postgresql_where=_answered,
)

entries = Table(
    "entries",
    metadata,
    Column("event_id", String(200), primary_key=True),
    Column("ticket", String(20), nullable=False, index=True),
    Column("type", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("round", Integer, nullable=False),
    Column("calendar", Integer, nullable=False, server_default="0"),
    Column("by", String(64)),
    Column("opd", String(64)),
    Column("note", Text),
)

keyed_contacts = Table(
    "keyed_contacts",
    metadata,
    Column("reporter", String(64), primary_key=True),
    Column("sealed_contact", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# What a version from before `keyed_contacts` wrote, until `hide_reporters`.
contacts = Table(
    "contacts",
    metadata,
    Column("reporter_id", String(36), primary_key=True),
    Column("sealed_contact", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

KEPT_SEALED = ("password_reset", "contact_changed")
"""Letters whose address is in a box of their own, which is not kept once they were sent or given up."""

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("ticket", String(20)),
    Column("kind", String(30), nullable=False),
    Column("team", String(80)),
    Column("step", Integer),
    Column("round", Integer),
    Column("due_at", UtcDateTime),
    Column("reporter_id", String(36)),
    Column("sealed_letter", Text),
    Column("expires_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("given_up_at", UtcDateTime),
    Column("reporter", String(64)),
    Column("tried_since", UtcDateTime),
    Column("why", String(40)),
    Column("sending_until", UtcDateTime),
)
_unsent = and_(messages.c.sent_at.is_(None), messages.c.given_up_at.is_(None))
Index("ix_messages_unsent", messages.c.next_try_at, messages.c.id, sqlite_where=_unsent, postgresql_where=_unsent)
_given_up = messages.c.given_up_at.is_not(None)
Index("ix_messages_given_up", messages.c.given_up_at, messages.c.id, sqlite_where=_given_up, postgresql_where=_given_up)
_kept = or_(messages.c.kind.not_in(KEPT_SEALED), messages.c.sealed_letter.is_not(None))
LINES = {
    "codes": and_(messages.c.kind.in_(KEPT_SEALED), messages.c.tries == 0),
    "new": and_(messages.c.kind.not_in(KEPT_SEALED), messages.c.tries == 0),
    "again": messages.c.tries > 0,
}
"""The lines that letters wait in, each for itself: what concerns somebody's account, all else, and what did not leave
at once."""

Index("ix_messages_reporter", messages.c.reporter_id, messages.c.expires_at)
Index("ix_messages_keyed_reporter", messages.c.reporter, messages.c.expires_at)

teams = Table(
    "teams",
    metadata,
    Column("team", String(80), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("superior_email", String(254)),
)

# How many letters went to each address, the times hidden: see postboxes.py.
postboxes = Table(
    "postboxes",
    metadata,
    Column("postbox", String(64), primary_key=True),
    Column("places", Text, nullable=False),
    Column("day", Date, nullable=False),
)

MOST_AT_ONCE = 1_000
"""How many letters one command retries or drops."""


class Answers(Rows[Answer]):
    """What the operator's second desk works on."""

    TABLE = answers
    HELD = Answer
    OPEN = _waiting

    def _of_category(self, wanted: Wanted) -> ColumnElement[bool] | None:
        # Asked of each answer that waits, and not of every journey of the category.
        return exists().where(journeys.c.ticket == answers.c.ticket, journeys.c.category == wanted.category)

    def to_remind(self, now: datetime, limit: int) -> list[Answer]:
        """Answers whose reporter is to be reminded, this transaction's alone."""
        query = select(answers).where(answers.c.remind_at < now).order_by(answers.c.remind_at).limit(limit)
        rows = self._connection.execute(query.with_for_update(skip_locked=True))
        return [Answer(**row._mapping) for row in rows]

    def lapsing(self, now: datetime, limit: int) -> list[str]:
        """Tickets whose answer nobody opened in time."""
        query = select(answers.c.ticket).where(_unread, answers.c.lapses_at <= now).limit(limit)
        return list(self._connection.execute(query).scalars())


class Journeys:
    """Every complaint's way through the procedure. Events may come in any order; each fills in what it knows."""

    def __init__(self, connection: Connection, inserts: Inserts | None = None) -> None:
        self._connection = connection
        self._inserts = inserts or Inserts(connection)

    def note(self, entry: Entry, answered: Callable[[datetime], None] | None = None, **known: Any) -> None:
        """Add `entry`, and what it makes `known` of the journey; `answered` is told when it was answered,
        where it was, as this transaction is written."""

        def tell(at: datetime | None) -> None:
            if answered is not None and at is not None:
                answered(at)

        self._inserts.add(entries, vars(entry))
        self._inserts.add_or_update(journeys, {"ticket": entry.ticket} | known, "answered_at", tell)

    def open_by_category(self) -> dict[str, int]:
        """Return how many are not closed, by category and by category/sub-category."""
        columns = journeys.c.category, journeys.c.sub_category
        query = select(*columns, func.count()).where(_open, journeys.c.category.is_not(None)).group_by(*columns)
        counted: Counter[str] = Counter()
        for category, sub_category, count in self._connection.execute(query):
            counted[category] += count
            counted[f"{category}/{sub_category}"] += count
        return dict(counted)

    def get(self, ticket: str) -> Journey:
        """The journey of `ticket`. Raises UnknownTicket."""
        found = self.of([ticket])
        if not found:
            raise UnknownTicket
        return found[0]

    def of(self, tickets: list[str]) -> list[Journey]:
        """The journeys of those `tickets` that are known."""
        self._inserts.flush()
        # Journeys first: an event heard between the two statements may show as an entry early, but no path without its
        # entry.
        rows = self._connection.execute(select(journeys).where(journeys.c.ticket.in_(tickets))).all()
        told: dict[str, list[Entry]] = {ticket: [] for ticket in tickets}
        for row in self._connection.execute(select(entries).where(entries.c.ticket.in_(tickets))):
            told[row.ticket].append(Entry(**row._mapping))
        return [Journey(**row._mapping, entries=told[row.ticket]) for row in rows]

    def to_apologise(self, now: datetime, limit: int) -> list[str]:
        """Tickets whose promised time has passed without an answer, this transaction's alone, each given once."""
        query = select(journeys.c.ticket).where(journeys.c.late_at < now).order_by(journeys.c.late_at).limit(limit)
        tickets = list(self._connection.execute(query.with_for_update(skip_locked=True)).scalars())
        self._connection.execute(update(journeys).where(journeys.c.ticket.in_(tickets)).values(late_at=None))
        return tickets

    def answered(self, ticket: str, at: datetime, minutes: int | None) -> None:
        """It was answered, in so many office minutes: there is nothing to apologise for any more."""
        self._connection.execute(
            update(journeys)
            .where(journeys.c.ticket == ticket)
            .values(late_at=None, answered_at=at, answer_minutes=minutes)
        )

    def open_before(self, end: datetime, cursor: str | None) -> tuple[list[str], str | None]:
        """Tickets submitted before `end` and not closed to this day, a page at a time."""
        return page(
            self._connection,
            select(journeys).where(_open, journeys.c.submitted_at < end),
            [journeys.c.submitted_at, journeys.c.ticket],
            cursor,
            MAX_LIMIT,
            lambda row: row.ticket,
        )

    def closed_since(self, first: datetime, end: datetime, cursor: str | None) -> tuple[list[str], str | None]:
        """Tickets submitted before `end` and closed at or after `first`, a page at a time."""
        query = select(journeys).where(journeys.c.closed_at >= first, journeys.c.submitted_at < end)
        return page(
            self._connection,
            query,
            [journeys.c.closed_at, journeys.c.ticket],
            cursor,
            MAX_LIMIT,
            lambda row: row.ticket,
        )


class Contact(NamedTuple):
    """A sealed box with the address of `reporter` (a keyed hash), and since when they have had it."""

    sealed_contact: str
    reporter: str | None = None
    since: datetime | None = None


class Contacts:
    """How reporters are reached: the newest box with an address, under a keyed hash of whose it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, reporter: str, sealed_contact: str, at: datetime) -> tuple[str, datetime] | None:
        """Remember how to reach `reporter`; the newest wins. Returns (sealed contact, since when) whose place it took,
        if any."""
        row = {"sealed_contact": sealed_contact, "changed_at": at}
        if insert_if_absent(self._connection, keyed_contacts, row | {"reporter": reporter}):
            return None
        same = keyed_contacts.c.reporter == reporter
        known = self._connection.execute(select(keyed_contacts).where(same).with_for_update()).one()
        if known.changed_at >= at:
            return None
        self._connection.execute(update(keyed_contacts).where(same).values(**row))
        return known.sealed_contact, known.changed_at

    def of(self, reporters: Mapping[str, str]) -> dict[str, Contact]:
        """The newest contacts of `reporters`, keyed hashes by id, as far as they are known; by id."""
        ids = {reporter: reporter_id for reporter_id, reporter in reporters.items()}
        kept = [(ids[row.reporter], row) for row in self._in(keyed_contacts.c.reporter, ids)]
        kept += [(row.reporter_id, row) for row in self._in(contacts.c.reporter_id, reporters)]
        return {
            id_: Contact(row.sealed_contact, reporters[id_], row.changed_at)
            for id_, row in sorted(kept, key=lambda known: known[1].changed_at)
        }

    def _in(self, column: Any, values: Iterable[str]) -> Iterable[Any]:
        return self._connection.execute(select(column.table).where(column.in_(list(values))))

    def take_plain(self, reporter_id: str | None, limit: int = 1) -> list[Any]:
        """Rows that a version before kept under `reporter_id`, or under any; taken out."""
        query = (
            select(contacts) if reporter_id is None else select(contacts).where(contacts.c.reporter_id == reporter_id)
        )
        rows = list(self._connection.execute(query.order_by(contacts.c.reporter_id).limit(limit).with_for_update()))
        if rows:
            taken = [row.reporter_id for row in rows]
            self._connection.execute(delete(contacts).where(contacts.c.reporter_id.in_(taken)))
        return rows


class Plain:
    """Reporter ids in the clear beside tickets and codes, as a version before kept them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def journeys(self, limit: int) -> list[Any]:
        """(ticket, reporter_id) of journeys that name theirs, this transaction's alone."""
        query = select(journeys.c.ticket, journeys.c.reporter_id).where(_plain).order_by(journeys.c.ticket)
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def hide_journey(self, ticket: str, author: str, sealed_reporter: str) -> None:
        """Keep these in the place of the id."""
        self._connection.execute(
            update(journeys)
            .where(journeys.c.ticket == ticket)
            .values(reporter_id=None, author=author, sealed_reporter=sealed_reporter)
        )

    def codes(self, limit: int) -> list[Any]:
        """(id, reporter_id) of letters with a code that name whose, this transaction's alone."""
        query = select(messages.c.id, messages.c.reporter_id).where(messages.c.reporter_id.is_not(None))
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def hide_code(self, message_id: str, reporter: str) -> None:
        """Keep this in the place of the id."""
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(reporter_id=None, reporter=reporter)
        )


def letter_id(event_id: str, kind: str) -> str:
    """The id of the letter of `kind` that an event brings about: a stage that was restored to an earlier moment and
    hears the event again writes the same letter, which has the same Message-ID."""
    return str(uuid.uuid5(_LETTERS, f"{event_id} {kind}"))


class Messages:
    """Messages to people, written in the transaction of what they tell and sent afterwards."""

    def __init__(self, connection: Connection, inserts: Inserts | None = None, now: datetime | None = None) -> None:
        self._connection = connection
        self._inserts = inserts or Inserts(connection)
        self._now = now

    def add(self, message_id: str, ticket: str, kind: str, now: datetime) -> None:
        """Have a message of `kind` sent to the reporter of `ticket`."""
        self._inserts.add(messages, self._new({"id": message_id, "ticket": ticket, "kind": kind}, now))

    def add_for_team(self, message_id: str, kind: str, team: str, alarm: Any, now: datetime) -> None:
        """Have a message of `kind` sent to `team` about the step that `alarm` tells of."""
        self._inserts.add(
            messages,
            self._new(
                {
                    "id": message_id,
                    "ticket": alarm.ticket,
                    "kind": kind,
                    "team": team,
                    "step": alarm.step,
                    "round": alarm.round,
                    "due_at": alarm.due_at,
                },
                now,
            ),
        )

    def add_code(self, message_id: str, reporter: str, sealed_letter: str, expires_at: datetime, now: datetime) -> None:
        """Have a code sent to a reporter, in the place of older ones not sent yet; not where a newer one was heard."""
        newer = select(messages.c.id).where(messages.c.reporter == reporter, messages.c.expires_at >= expires_at)
        if self._connection.execute(newer.limit(1)).first():
            return
        self._connection.execute(delete(messages).where(messages.c.reporter == reporter, _unsent))
        # At once: the next request of this transaction may be the same reporter's.
        self._connection.execute(
            insert(messages),
            self._new(
                {
                    "id": message_id,
                    "kind": "password_reset",
                    "reporter": reporter,
                    "sealed_letter": sealed_letter,
                    "expires_at": expires_at,
                },
                now,
            ),
        )

    def add_farewell(self, message_id: str, sealed_contact: str, now: datetime) -> None:
        """Have an address told that letters go elsewhere from now on: who did not want that is to learn of it."""
        self._inserts.add(
            messages, self._new({"id": message_id, "kind": "contact_changed", "sealed_letter": sealed_contact}, now)
        )

    def due(self, now: datetime, limit: int, line: str | None = None) -> list[Any]:
        """Messages to send now, of one of the LINES or of all, claimed: rows of messages, with service_due_at and, for
        one to a team, its email and superior_email; one to a reporter has what tells whose complaint it is about, their
        sealed_reporter, or the plain_reporter of a version before. Where a code goes is in its letter.
        """
        reached = and_(
            journeys.c.ticket.is_not(None),
            or_(messages.c.team.is_not(None), journeys.c.sealed_reporter.is_not(None), _plain),
        )
        query = (
            select(
                messages,
                journeys.c.sealed_reporter,
                journeys.c.reporter_id.label("plain_reporter"),
                teams.c.email,
                teams.c.superior_email,
                journeys.c.service_due_at,
            )
            .outerjoin(journeys, journeys.c.ticket == messages.c.ticket)
            .outerjoin(teams, teams.c.team == messages.c.team)
            .where(
                _unsent,
                messages.c.next_try_at <= now,
                or_(reached, messages.c.sealed_letter.is_not(None)),
                LINES[line] if line else true(),
            )
            # Of those that waited for one moment, first come first.
            .order_by(messages.c.next_try_at, messages.c.created_at, messages.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=messages)
        )
        return list(self._connection.execute(query).all())

    def is_due(self, now: datetime, line: str) -> bool:
        """Whether there may be something of one of the LINES to send now."""
        query = select(messages.c.id).where(_unsent, messages.c.next_try_at <= now, LINES[line]).limit(1)
        return self._connection.execute(query).first() is not None

    def begin(self, message_ids: list[str], until: datetime) -> None:
        """They are being sent, and nobody else's, `until` then; what is neither marked nor held comes up again."""
        if message_ids:
            self._connection.execute(
                update(messages).where(messages.c.id.in_(message_ids)).values(next_try_at=until, sending_until=until)
            )

    def hold(self, message_ids: list[str], until: datetime) -> None:
        """Those of them that are still being sent are so `until` then."""
        self._connection.execute(
            update(messages)
            .where(messages.c.id.in_(message_ids), messages.c.sending_until.is_not(None))
            .values(next_try_at=until, sending_until=until)
        )

    def put_back(self, rows: list[Any]) -> None:
        """They are not being sent after all: as they were when they were `due`."""
        for row in rows:
            self._connection.execute(
                update(messages).where(messages.c.id == row.id).values(next_try_at=row.next_try_at, sending_until=None)
            )

    def postpone(self, message_id: str, then: datetime) -> None:
        """Send it later. The days after which it is given up count from its first try all the same."""
        self._connection.execute(update(messages).where(messages.c.id == message_id).values(next_try_at=then))

    def hold_back(self, message_ids: Collection[str], then: datetime, why: str) -> None:
        """The same with several, and why."""
        self._connection.execute(
            update(messages).where(messages.c.id.in_(message_ids)).values(next_try_at=then, why=why)
        )

    def wait(self, message_id: str, tries: int, then: datetime) -> None:
        """Look again then: nothing could be tried."""
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(tries=tries, next_try_at=then)
        )

    def drop(self, message_id: str) -> None:
        """Never send it: what it says is not so any more."""
        self._connection.execute(delete(messages).where(messages.c.id == message_id))

    def counts(self) -> tuple[int, int]:
        """How many messages wait, and how many were given up."""
        waiting = select(func.count()).select_from(messages).where(_unsent).scalar_subquery()
        given_up = select(func.count()).select_from(messages).where(_given_up)
        counted = self._connection.execute(select(waiting, given_up.scalar_subquery())).one()
        return counted[0], counted[1]

    def tried_in_vain(self) -> dict[str, Any] | None:
        """Of the letters that wait after a try: how many, since when the first has been tried, and what keeps most of
        them; None where none does."""
        query = select(messages.c.why, func.count().label("number"), func.min(messages.c.tried_since).label("since"))
        rows = self._connection.execute(
            query.where(_unsent, messages.c.tried_since.is_not(None)).group_by(messages.c.why)
        ).all()
        if not rows:
            return None
        return {
            "count": sum(row.number for row in rows),
            "since": min(row.since for row in rows),
            "why": max(rows, key=lambda row: row.number).why,
        }

    def sent(self, message_ids: list[str], now: datetime) -> None:
        """They were delivered; a code, or an old address, is not kept."""
        self._connection.execute(
            update(messages)
            .where(messages.c.id.in_(message_ids))
            .values(sent_at=now, sealed_letter=None, sending_until=None, why=None)
        )

    def failed(
        self, message_id: str, tries: int, since: datetime, why: str, now: datetime, next_try_at: datetime | None
    ) -> None:
        """It was not, and has been tried since then; try again, or never: a code, or an old address, is not kept
        then."""
        given_up = {} if next_try_at else {"given_up_at": now, "sealed_letter": None}
        self._connection.execute(
            update(messages)
            .where(messages.c.id == message_id)
            .values(
                tries=tries,
                tried_since=since,
                why=why[:40],
                next_try_at=next_try_at or now,
                sending_until=None,
                **given_up,
            )
        )

    def listed(self, given_up: bool, cursor: str | None) -> tuple[list[Any], str | None]:
        """Letters that were given up, oldest first, or those that wait, in the order they are tried in; by the page."""
        keys = [messages.c.given_up_at if given_up else messages.c.next_try_at, messages.c.id]
        return page(
            self._connection,
            select(messages).where(_given_up if given_up else _unsent),
            keys,
            cursor,
            MAX_LIMIT,
            lambda row: row,
        )

    def undelivered(
        self, ticket: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> tuple[list[Any], str | None]:
        """Letters to reporters that were given up, about `ticket` or any complaint, where it is not closed yet."""
        query = (
            select(messages.c.id, messages.c.ticket, messages.c.kind, messages.c.given_up_at)
            .join(journeys, journeys.c.ticket == messages.c.ticket)
            .where(_given_up, _open, messages.c.team.is_(None))
        )
        return page(
            self._connection,
            query if ticket is None else query.where(messages.c.ticket == ticket),
            [messages.c.given_up_at, messages.c.id],
            cursor,
            limit,
            lambda row: row,
        )

    def retry(self, ids: list[str], now: datetime) -> list[str]:
        """Try `ids` again now, and for as long as new ones; those that will be. What was sent, or is being sent this
        moment, is not sent again, and what was not kept cannot be."""
        return self._try_again(now, messages.c.id.in_(ids))

    def retry_given_up(self, before: datetime, now: datetime) -> list[str]:
        """The same with as many as are done at once of those that were given up before."""
        return self._try_again(now, _given_up, messages.c.given_up_at <= before)

    def _try_again(self, now: datetime, *those: Any) -> list[str]:
        found = self._not_sent(now, *those, _kept)
        self._connection.execute(
            update(messages)
            .where(messages.c.id.in_(found))
            .values(next_try_at=now, given_up_at=None, tried_since=None, tries=0)
        )
        return found

    def drop_unsent(self, ids: list[str], now: datetime) -> dict[str, str | None]:
        """Never send `ids`, and forget them. Returns those that were there, not sent and not being sent, each with its
        ticket."""
        found = self._not_sent(now, messages.c.id.in_(ids))
        dropped = delete(messages).where(messages.c.id.in_(found)).returning(messages.c.id, messages.c.ticket)
        return {row.id: row.ticket for row in self._connection.execute(dropped)}

    def why_left(self, ids: list[str]) -> dict[str, str]:
        """Why each of `ids` was just left as it is by `retry` or `drop_unsent`, in one word."""
        rows = self._connection.execute(
            select(messages.c.id, messages.c.sent_at, _kept.label("kept")).where(messages.c.id.in_(ids))
        )
        there = {row.id: "sent" if row.sent_at else "being_sent" if row.kept else "not_kept" for row in rows}
        of_dropped = {json.dumps({"letter": id_}): id_ for id_ in ids if id_ not in there}
        dropped = (
            self._connection.execute(
                select(record.c.detail).where(record.c.act == LETTER_DROPPED, record.c.detail.in_(of_dropped))
            ).scalars()
            if of_dropped
            else ()
        )
        return dict.fromkeys(ids, "unknown") | {of_dropped[detail]: "dropped" for detail in dropped} | there

    def _new(self, row: dict[str, Any], at: datetime) -> dict[str, Any]:
        # `at` may be of another stage's clock, and that one ahead: the letter is due all the same.
        return row | {"created_at": at, "next_try_at": min(at, self._now or at), "tries": 0}

    def _not_sent(self, now: datetime, *those: Any) -> list[str]:
        not_being_sent = or_(messages.c.sending_until.is_(None), messages.c.sending_until <= now)
        query = select(messages.c.id).where(messages.c.sent_at.is_(None), not_being_sent, *those).limit(MOST_AT_ONCE)
        return list(self._connection.execute(query.with_for_update(skip_locked=True)).scalars())


class Teams:
    """Where the teams and their superiors are reached."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, dict[str, str | None]]:
        """{team: {"email", "superior_email"}}."""
        rows = self._connection.execute(select(teams).order_by(teams.c.team))
        return {row.team: {"email": row.email, "superior_email": row.superior_email} for row in rows}

    def replace(self, addresses: dict[str, dict[str, str | None]]) -> None:
        """Keep `addresses` and no other."""
        self._connection.execute(delete(teams))
        for team, row in addresses.items():
            self._connection.execute(insert(teams), {"team": team, **row})

    def get(self, team: str) -> Any:
        """The row of `team`; None where nobody has given its address."""
        return self._connection.execute(select(teams).where(teams.c.team == team)).first()


class Postboxes:
    """How many letters went to each address."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, names: Iterable[str], day: date) -> dict[str, str]:
        """What is kept of each of `names`, this transaction's alone; nothing of new ones."""
        return dict(self._upsert(dict.fromkeys(names, ""), day, "postbox"))

    def save(self, places: Mapping[str, str], day: date) -> None:
        """Keep these, of that day."""
        self._upsert(places, day, "places", "day")

    def forget(self, before: date) -> None:
        """Forget those of days before."""
        self._connection.execute(delete(postboxes).where(postboxes.c.day < before))

    def _upsert(self, places: Mapping[str, str], day: date, *changed: str) -> list[Any]:
        if not places:
            return []
        # Whoever else locks some of them comes to them in this order too, and waits instead of deadlocking.
        rows = [{"postbox": name, "places": kept, "day": day} for name, kept in sorted(places.items())]
        statement = insert_of(self._connection, postboxes)
        statement = statement.on_conflict_do_update(
            index_elements=["postbox"], set_={name: statement.excluded[name] for name in changed}
        )
        statement = statement.returning(postboxes.c.postbox, postboxes.c.places)
        return list(self._connection.execute(statement, rows).all())


class NotificationWork(ClockedWork, RecordedWork):
    """One transaction of notification."""

    OUTBOX = outbox
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record

    def republish_closings(self, limit: int) -> list[tuple[str, datetime]]:
        """Have closings published that the other stages were not told of. Returns each ticket, and when it was
        closed."""
        query = select(outbox.c.id, outbox.c.subject, outbox.c.created_at).where(_unheard).order_by(outbox.c.id)
        rows = self.connection.execute(query.limit(limit).with_for_update(skip_locked=True)).all()
        again = update(outbox).where(outbox.c.id.in_([row.id for row in rows]))
        self.connection.execute(again.values(sent_at=None, mandatory=True))
        self.told = self.told or bool(rows)
        return [(row.subject, row.created_at) for row in rows]

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.connection, self.inserts)

    @property
    def clocked(self) -> Answers:
        return self.answers

    @cached_property
    def journeys(self) -> Journeys:
        return Journeys(self.connection, self.inserts)

    def raise_alarm(self, timed: Timed, now: datetime) -> Any:
        """Tell the tooling, and the team as well: nobody tells us of our own steps."""
        alarm = super().raise_alarm(timed, now)
        if alarm is not None:
            self.tell_team(alarm, now)
        return alarm

    def tell_team(self, alarm: Any, now: datetime, event_id: str | None = None) -> None:
        """Write to the team of an alarm, and to its superior, where their addresses are known; `event_id` told it."""
        event_id = event_id or str(uuid.uuid4())
        team = team_at(alarm.step, alarm.opd)
        address = self.teams.get(team)
        for kind in letters_about(alarm.TYPE, bool(address.superior_email)) if address else ():
            self.messages.add_for_team(letter_id(event_id, kind), kind, team, alarm, now)

    @cached_property
    def teams(self) -> Teams:
        return Teams(self.connection)

    @cached_property
    def messages(self) -> Messages:
        return Messages(self.connection, self.inserts, self.now)

    @cached_property
    def postboxes(self) -> Postboxes:
        return Postboxes(self.connection)

    @cached_property
    def contacts(self) -> Contacts:
        return Contacts(self.connection)

    @cached_property
    def plain(self) -> Plain:
        return Plain(self.connection)
