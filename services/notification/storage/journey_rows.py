"""Repositories of the cases at the operator's second desk, and of the journeys of all complaints."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from nkk.desk import (
    Rows,
    Wanted,
    may_see,
)
from nkk.sop.refusals import UnknownTicket
from nkk.store.database import Inserts
from nkk.store.paging import MAX_LIMIT, page
from nkk.trust.actor import Actor
from services.notification.domain import Answer, Kept
from services.notification.entries import Addition, Entry
from services.notification.journeys import Journey
from services.notification.storage.question_rows import Questions
from services.notification.storage.tables import (
    acts,
    answers,
    entries,
    gathered,
    is_open,
    is_unread,
    is_waiting,
    journeys,
    recusals,
)


class Answers(Rows[Answer]):
    """The repository of the cases at the operator's second desk."""

    TABLE = answers
    RECUSALS = recusals
    HELD = Answer
    OPEN = is_waiting & answers.c.ended.is_(None)

    def _category(self) -> ColumnElement[str]:
        found = select(journeys.c.category).where(journeys.c.ticket == answers.c.ticket).scalar_subquery()
        return func.coalesce(found, "").label("category_of_journey")

    def _of_category(self, wanted: Wanted) -> ColumnElement[bool] | None:
        # A correlated subquery for each waiting answer is cheaper than reading all journeys of the category.
        return exists().where(journeys.c.ticket == answers.c.ticket, journeys.c.category == wanted.category)

    def promise(self, ticket: str, due: datetime) -> None:
        """Set the exact end of the time promised for the whole service, where there is a case."""
        self._connection.execute(update(answers).where(answers.c.ticket == ticket).values(service_due_at=due))

    def end(self, ticket: str, how: str, at: datetime, why: str | None) -> None:
        """End the case that was just opened, of a complaint that had ended before."""
        answer = self.find(ticket, for_update=True)
        if answer is not None:
            answer.end(how, at, why)
            self.save(answer)

    def to_remind(self, now: datetime, limit: int) -> list[Answer]:
        """Return and lock answers whose reporter is due a reminder, skipping those locked by others."""
        query = select(answers).where(answers.c.remind_at < now).order_by(answers.c.remind_at).limit(limit)
        rows = self._connection.execute(query.with_for_update(skip_locked=True))
        return [self._read(row) for row in rows]

    def lapsing(self, now: datetime, limit: int) -> list[str]:
        """Return the tickets whose answer was not opened in time."""
        query = select(answers.c.ticket).where(is_unread, answers.c.lapses_at <= now).limit(limit)
        return list(self._connection.execute(query).scalars())


class Responses:
    """The repository of the responses that were kept beside the one that is answered from."""

    def __init__(self, connection: Connection, inserts: Inserts) -> None:
        self._connection = connection
        self._inserts = inserts

    def add(self, kept: Kept) -> None:
        """Add a response that was kept."""
        self._inserts.add(gathered, vars(kept))

    def of(self, ticket: str) -> list[Kept]:
        """Return the responses that were kept of a complaint, in their order."""
        self._inserts.flush()
        query = select(gathered).where(gathered.c.ticket == ticket)
        rows = self._connection.execute(query.order_by(gathered.c.forwarding, gathered.c.round))
        return [Kept(**row._mapping) for row in rows]


class Journeys:
    """The repository of journeys. Events can be consumed in any order, and each adds what it knows."""

    def __init__(self, connection: Connection, inserts: Inserts | None = None) -> None:
        self._connection = connection
        self._inserts = inserts or Inserts(connection)

    def note(
        self,
        entry: Entry,
        asked: tuple[str, ...] = ("answered_at",),
        then: Callable[..., None] = lambda *_: None,
        **known: Any,
    ) -> None:
        """Add `entry` to its journey, and set the columns `known`.

        When this is written, `then` is called with the resulting values of the columns `asked`. Of two events of a
        complaint that are consumed at the same time, the later call sees what both have set.
        """
        self._inserts.add(entries, vars(entry))
        self._inserts.add_or_update(journeys, {"ticket": entry.ticket} | known, asked, then)

    def add_addition(self, addition: Addition) -> None:
        """Add what happened besides the steps."""
        self._inserts.add(acts, vars(addition))

    def additions(self, ticket: str) -> list[Addition]:
        """Return what happened in a journey besides its steps, in its order."""
        rows = self._connection.execute(
            select(acts).where(acts.c.ticket == ticket).order_by(acts.c.at, acts.c.event_id)
        )
        return [Addition(**row._mapping) for row in rows]

    def open_by_category(self) -> dict[str, int]:
        """Return the numbers of open complaints, by category and by category/sub-category."""
        columns = journeys.c.category, journeys.c.sub_category
        query = select(*columns, func.count()).where(is_open, journeys.c.category.is_not(None)).group_by(*columns)
        counted: Counter[str] = Counter()
        for category, sub_category, count in self._connection.execute(query):
            counted[category] += count
            counted[f"{category}/{sub_category}"] += count
        return dict(counted)

    def get(self, ticket: str, actor: Actor | None = None) -> Journey:
        """Return the journey of `ticket`, if `actor` may see it. Raises UnknownTicket."""
        found = self.of([ticket], actor)
        if not found:
            raise UnknownTicket
        return found[0]

    def answered_at(self, ticket: str) -> datetime | None:
        """Return when a complaint was answered, None while it is not."""
        return self._connection.execute(select(journeys.c.answered_at).where(journeys.c.ticket == ticket)).scalar()

    def of(self, tickets: list[str], actor: Actor | None = None) -> list[Journey]:
        """Return the journeys among `tickets` that are known, and that `actor` may see."""
        self._inserts.flush()
        # Journeys first: an event consumed between the two statements can show an entry early, but never a path without
        # its entry.
        seen = may_see(recusals, journeys.c.ticket, actor)
        rows = self._connection.execute(select(journeys).where(journeys.c.ticket.in_(tickets), seen)).all()
        told: dict[str, list[Entry]] = {ticket: [] for ticket in tickets}
        for row in self._connection.execute(select(entries).where(entries.c.ticket.in_(tickets))):
            told[row.ticket].append(Entry(**row._mapping))
        asked = Questions(self._connection).of(tickets)
        return [Journey(**row._mapping, entries=told[row.ticket], questions=asked[row.ticket]) for row in rows]

    def to_apologise(self, now: datetime, limit: int) -> list[str]:
        """Return tickets whose promised time passed without an answer, and mark them, so that each is given once."""
        query = select(journeys.c.ticket).where(journeys.c.late_at < now).order_by(journeys.c.late_at).limit(limit)
        tickets = list(self._connection.execute(query.with_for_update(skip_locked=True)).scalars())
        self._connection.execute(update(journeys).where(journeys.c.ticket.in_(tickets)).values(late_at=None))
        return tickets

    def answered(self, ticket: str, at: datetime, minutes: int | None) -> None:
        """Store when a complaint was answered first and after how many office minutes; cancel the letter about
        delay."""
        first = or_(journeys.c.answered_at.is_(None), journeys.c.answered_at == at)
        self._connection.execute(
            update(journeys)
            .where(journeys.c.ticket == ticket)
            .values(
                late_at=None,
                answered_at=func.coalesce(journeys.c.answered_at, at),
                answer_minutes=case((first, minutes), else_=journeys.c.answer_minutes),
            )
        )

    def change(self, ticket: str, **columns: Any) -> None:
        """Set columns of a journey."""
        self._inserts.flush()
        self._connection.execute(update(journeys).where(journeys.c.ticket == ticket).values(columns))

    def open_before(self, end: datetime, cursor: str | None) -> tuple[list[str], str | None]:
        """Return a page of the tickets submitted before `end` and still open, and the next cursor."""
        return page(
            self._connection,
            select(journeys).where(is_open, journeys.c.submitted_at < end),
            [journeys.c.submitted_at, journeys.c.ticket],
            cursor,
            MAX_LIMIT,
            lambda row: row.ticket,
        )

    def closed_since(self, first: datetime, end: datetime, cursor: str | None) -> tuple[list[str], str | None]:
        """Return a page of the tickets submitted before `end` and closed at or after `first`, and the next cursor."""
        query = select(journeys).where(journeys.c.closed_at >= first, journeys.c.submitted_at < end)
        return page(
            self._connection,
            query,
            [journeys.c.closed_at, journeys.c.ticket],
            cursor,
            MAX_LIMIT,
            lambda row: row.ticket,
        )
