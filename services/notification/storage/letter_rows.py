"""Repositories of letters, of teams' addresses, and of the rate limit's state by address."""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from nkk.desk import (
    LETTER_DROPPED,
    may_see,
)
from nkk.store.database import Inserts, insert_of
from nkk.store.paging import MAX_LIMIT, page
from nkk.trust.actor import Actor
from services.notification.storage.tables import (
    LETTERS,
    LINES,
    MOST_AT_ONCE,
    is_given_up,
    is_kept,
    is_open,
    is_plain,
    is_unsent,
    journeys,
    messages,
    postboxes,
    record,
    recusals,
    teams,
)

CLOSING_TOLD_WITHIN = timedelta(days=14)
"""How long operators are told that a letter about the closing of a report did not arrive."""

TO_PRINT = "no e-mail address"
"""Why a letter is kept, to be printed, instead of sent."""


def letter_id(event_id: str, kind: str) -> str:
    """Return the id of the letter of `kind` that an event causes.

    It is the same when the event is consumed again after a restore from a backup, and so is the letter's Message-ID.
    """
    return str(uuid.uuid5(LETTERS, f"{event_id} {kind}"))


class Messages:
    """The repository of letters. They are written in the transaction of what they are about, and sent afterwards."""

    def __init__(self, connection: Connection, inserts: Inserts | None = None, now: datetime | None = None) -> None:
        self._connection = connection
        self._inserts = inserts or Inserts(connection)
        self._now = now

    def add(self, message_id: str, ticket: str, kind: str, now: datetime) -> None:
        """Add a letter of `kind` to the reporter of `ticket`."""
        self._inserts.add(messages, self._new({"id": message_id, "ticket": ticket, "kind": kind}, now))

    def add_for_team(self, message_id: str, kind: str, team: str, alarm: Any, now: datetime) -> None:
        """Add a letter of `kind` to `team` about the step of `alarm`."""
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
                    "forwarding": alarm.forwarding,
                    "due_at": alarm.due_at,
                },
                now,
            ),
        )

    def add_code(self, message_id: str, reporter: str, sealed_letter: str, expires_at: datetime, now: datetime) -> None:
        """Add a letter with a code, in place of the reporter's older unsent ones, unless there is a newer one."""
        newer = select(messages.c.id).where(messages.c.reporter == reporter, messages.c.expires_at >= expires_at)
        if self._connection.execute(newer.limit(1)).first():
            return
        self._connection.execute(delete(messages).where(messages.c.reporter == reporter, is_unsent))
        # Inserted at once, because the next event in this transaction may be for the same reporter.
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
        """Add a letter to an old address about its replacement, so that an unwanted change is noticed."""
        self._inserts.add(
            messages, self._new({"id": message_id, "kind": "contact_changed", "sealed_letter": sealed_contact}, now)
        )

    def due(self, now: datetime, limit: int, line: str | None = None) -> list[Any]:
        """Return and lock the letters to send now, of one of the LINES or of all.

        They are rows of `messages` with `website`, `channel` and `service_due_at`, which is that of the second cycle
        where the letter was written after it. One to a team has its `email` and `superior_email`; one to a reporter has
        `sealed_reporter`, or `plain_reporter` of an earlier version. A code's address is in its letter.
        """
        reached = and_(
            journeys.c.ticket.is_not(None),
            or_(messages.c.team.is_not(None), journeys.c.sealed_reporter.is_not(None), is_plain),
        )
        query = (
            select(
                messages,
                journeys.c.sealed_reporter,
                journeys.c.reporter_id.label("plain_reporter"),
                teams.c.email,
                teams.c.superior_email,
                case(
                    (messages.c.created_at > journeys.c.again_due_at, journeys.c.again_due_at),
                    else_=journeys.c.service_due_at,
                ).label("service_due_at"),
                journeys.c.website,
                journeys.c.channel,
            )
            .outerjoin(journeys, journeys.c.ticket == messages.c.ticket)
            .outerjoin(teams, teams.c.team == messages.c.team)
            .where(
                is_unsent,
                messages.c.next_try_at <= now,
                or_(reached, messages.c.sealed_letter.is_not(None)),
                LINES[line] if line else true(),
            )
            # Letters due at the same time are sent in the order of their creation.
            .order_by(messages.c.next_try_at, messages.c.created_at, messages.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=messages)
        )
        return list(self._connection.execute(query).all())

    def is_due(self, now: datetime, line: str) -> bool:
        """Return whether there may be a letter of one of the LINES to send now."""
        query = select(messages.c.id).where(is_unsent, messages.c.next_try_at <= now, LINES[line]).limit(1)
        return self._connection.execute(query).first() is not None

    def begin(self, message_ids: list[str], until: datetime) -> None:
        """Lease letters for sending `until` then. Unless marked or renewed, they are due again afterwards."""
        if message_ids:
            self._connection.execute(
                update(messages).where(messages.c.id.in_(message_ids)).values(next_try_at=until, sending_until=until)
            )

    def hold(self, message_ids: list[str], until: datetime) -> None:
        """Renew the lease `until` then on those letters that are still being sent."""
        self._connection.execute(
            update(messages)
            .where(messages.c.id.in_(message_ids), messages.c.sending_until.is_not(None))
            .values(next_try_at=until, sending_until=until)
        )

    def put_back(self, rows: list[Any]) -> None:
        """End the lease on letters that were not sent, and restore the time at which they were due."""
        for row in rows:
            self._connection.execute(
                update(messages).where(messages.c.id == row.id).values(next_try_at=row.next_try_at, sending_until=None)
            )

    def postpone(self, message_id: str, then: datetime) -> None:
        """Postpone a letter. The days after which it is given up still count from its first try."""
        self._connection.execute(update(messages).where(messages.c.id == message_id).values(next_try_at=then))

    def hold_back(self, message_ids: Collection[str], then: datetime, why: str) -> None:
        """Postpone several letters, as `postpone` does, and store why."""
        self._connection.execute(
            update(messages).where(messages.c.id.in_(message_ids)).values(next_try_at=then, why=why)
        )

    def wait(self, message_id: str, tries: int, then: datetime) -> None:
        """Store a failed look-up of the address, and the time of the next one."""
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(tries=tries, next_try_at=then)
        )

    def drop(self, message_id: str) -> None:
        """Delete a letter whose content is no longer true."""
        self._connection.execute(delete(messages).where(messages.c.id == message_id))

    def counts(self) -> tuple[int, int]:
        """Return the numbers of letters that wait, and that were given up."""
        waiting = select(func.count()).select_from(messages).where(is_unsent).scalar_subquery()
        given_up = (
            select(func.count()).select_from(messages).where(is_given_up, messages.c.why.is_distinct_from(TO_PRINT))
        )
        counted = self._connection.execute(select(waiting, given_up.scalar_subquery())).one()
        return counted[0], counted[1]

    def tried_in_vain(self) -> dict[str, Any] | None:
        """Return the number of letters that failed and wait for a retry, since when, and the most frequent reason.

        Returns None where there are none.
        """
        query = select(messages.c.why, func.count().label("number"), func.min(messages.c.tried_since).label("since"))
        rows = self._connection.execute(
            query.where(is_unsent, messages.c.tried_since.is_not(None)).group_by(messages.c.why)
        ).all()
        if not rows:
            return None
        return {
            "count": sum(row.number for row in rows),
            "since": min(row.since for row in rows),
            "why": max(rows, key=lambda row: row.number).why,
        }

    def sent(self, message_ids: list[str], now: datetime) -> None:
        """Mark letters as sent, and delete their sealed content: a code, or an old address."""
        self._connection.execute(
            update(messages)
            .where(messages.c.id.in_(message_ids))
            .values(sent_at=now, sealed_letter=None, sending_until=None, why=None)
        )

    def failed(
        self, message_id: str, tries: int, since: datetime, why: str, now: datetime, next_try_at: datetime | None
    ) -> None:
        """Mark a letter as failed, tried since `since`, and set its next try.

        With a `next_try_at` of None it is given up, and its sealed content is deleted: a code, or an old address.
        """
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
        """Return a page of the letters given up, oldest first, or of those that wait, by the time of their next try."""
        keys = [messages.c.given_up_at if given_up else messages.c.next_try_at, messages.c.id]
        return page(
            self._connection,
            select(messages).where(is_given_up if given_up else is_unsent),
            keys,
            cursor,
            MAX_LIMIT,
            lambda row: row,
        )

    def undelivered(
        self,
        ticket: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        actor: Actor | None = None,
    ) -> tuple[list[Any], str | None]:
        """Return a page of the letters to reporters given up, about `ticket` or any complaint that is still open.

        That a report was closed as not completed is among them for CLOSING_TOLD_WITHIN.
        """
        told: list[ColumnElement[bool]] = [is_open]
        if self._now is not None:
            since = self._now - CLOSING_TOLD_WITHIN
            told.append(and_(messages.c.kind == "abandoned", messages.c.given_up_at > since))
        query = (
            select(messages.c.id, messages.c.ticket, messages.c.kind, messages.c.given_up_at, messages.c.why)
            .join(journeys, journeys.c.ticket == messages.c.ticket)
            .where(is_given_up, or_(*told))
            .where(messages.c.team.is_(None), may_see(recusals, journeys.c.ticket, actor))
        )
        return page(
            self._connection,
            query if ticket is None else query.where(messages.c.ticket == ticket),
            [messages.c.given_up_at, messages.c.id],
            cursor,
            limit,
            lambda row: row,
        )

    def given_up(self, ids: list[str]) -> set[str]:
        """Return those of the letters `ids` that were given up, or are to be printed."""
        return set(self._connection.execute(select(messages.c.id).where(messages.c.id.in_(ids), is_given_up)).scalars())

    def retry(self, ids: list[str], now: datetime) -> list[str]:
        """Retry the letters `ids` now, for as long as new ones, and return those that will be retried.

        Letters that were sent or are being sent are not, nor are those whose content was deleted.
        """
        return self._try_again(now, messages.c.id.in_(ids))

    def retry_given_up(self, before: datetime, now: datetime) -> list[str]:
        """Retry letters that were given up before `before`, at most MOST_AT_ONCE of them, as `retry` does."""
        return self._try_again(now, is_given_up, messages.c.given_up_at <= before)

    def _try_again(self, now: datetime, *those: Any) -> list[str]:
        found = self._not_sent(now, *those, is_kept)
        self._connection.execute(
            update(messages)
            .where(messages.c.id.in_(found))
            .values(next_try_at=now, given_up_at=None, tried_since=None, tries=0)
        )
        return found

    def drop_unsent(self, ids: list[str], now: datetime) -> dict[str, str | None]:
        """Delete those of the letters `ids` that were not sent and are not being sent; return their tickets by id."""
        found = self._not_sent(now, messages.c.id.in_(ids))
        dropped = delete(messages).where(messages.c.id.in_(found)).returning(messages.c.id, messages.c.ticket)
        return {row.id: row.ticket for row in self._connection.execute(dropped)}

    def why_left(self, ids: list[str]) -> dict[str, str]:
        """Return why `retry` or `drop_unsent` did not change each of `ids`, as a key word."""
        rows = self._connection.execute(
            select(messages.c.id, messages.c.sent_at, is_kept.label("kept")).where(messages.c.id.in_(ids))
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
        # `at` may be from another stage's clock, which may be ahead; the letter is due at once all the same.
        return row | {"created_at": at, "next_try_at": min(at, self._now or at), "tries": 0}

    def _not_sent(self, now: datetime, *those: Any) -> list[str]:
        not_being_sent = or_(messages.c.sending_until.is_(None), messages.c.sending_until <= now)
        query = select(messages.c.id).where(messages.c.sent_at.is_(None), not_being_sent, *those).limit(MOST_AT_ONCE)
        return list(self._connection.execute(query.with_for_update(skip_locked=True)).scalars())


class Teams:
    """The repository of the addresses of teams and their superiors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, dict[str, str | None]]:
        """Return {team: {"email", "superior_email"}}."""
        rows = self._connection.execute(select(teams).order_by(teams.c.team))
        return {row.team: {"email": row.email, "superior_email": row.superior_email} for row in rows}

    def replace(self, addresses: dict[str, dict[str, str | None]]) -> None:
        """Replace all stored addresses by `addresses`."""
        self._connection.execute(delete(teams))
        for team, row in addresses.items():
            self._connection.execute(insert(teams), {"team": team, **row})

    def get(self, team: str) -> Any:
        """Return the row of `team`; None where no address is stored."""
        return self._connection.execute(select(teams).where(teams.c.team == team)).first()


class Postboxes:
    """The repository of the rate limit's state by address."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, names: Iterable[str], day: date) -> dict[str, str]:
        """Lock and return the stored state of each of `names`, adding rows for new ones, which are empty."""
        return dict(self._upsert(dict.fromkeys(names, ""), day, "postbox"))

    def save(self, places: Mapping[str, str], day: date) -> None:
        """Store the states `places`, last changed on `day`."""
        self._upsert(places, day, "places", "day")

    def forget(self, before: date) -> None:
        """Delete the states last changed on a day before `before`."""
        self._connection.execute(delete(postboxes).where(postboxes.c.day < before))

    def _upsert(self, places: Mapping[str, str], day: date, *changed: str) -> list[Any]:
        if not places:
            return []
        # Rows are locked in key order, to avoid deadlocks.
        rows = [{"postbox": name, "places": kept, "day": day} for name, kept in sorted(places.items())]
        statement = insert_of(self._connection, postboxes)
        statement = statement.on_conflict_do_update(
            index_elements=["postbox"], set_={name: statement.excluded[name] for name in changed}
        )
        statement = statement.returning(postboxes.c.postbox, postboxes.c.places)
        return list(self._connection.execute(statement, rows).all())
