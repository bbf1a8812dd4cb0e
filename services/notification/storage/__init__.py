"""Notification's database: answers, journeys, sealed contacts, and letters."""

import uuid
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select, update

from nkk.desk import AttachingWork, ClockedWork, RecordedWork, RecusingWork
from nkk.sop.timed import Timed
from services.notification.domain import Answer, Kept, letters_about, team_at
from services.notification.storage.contact_rows import Contact, Contacts, Plain
from services.notification.storage.journey_rows import Answers, Journeys, Responses
from services.notification.storage.letter_rows import TO_PRINT, Messages, Postboxes, Teams, letter_id
from services.notification.storage.question_rows import Questions
from services.notification.storage.tables import (
    KEPT_SEALED,
    LINES,
    MOST_AT_ONCE,
    acts,
    answers,
    attached,
    calendars,
    closed,
    contacts,
    entries,
    gathered,
    has_ended,
    inbox,
    is_unheard,
    journeys,
    keyed_contacts,
    messages,
    metadata,
    outbox,
    postboxes,
    questions,
    record,
    recusals,
    teams,
)

__all__ = [
    "KEPT_SEALED",
    "LINES",
    "MOST_AT_ONCE",
    "TO_PRINT",
    "Answers",
    "Contact",
    "Contacts",
    "Journeys",
    "Messages",
    "NotificationWork",
    "Plain",
    "Postboxes",
    "Responses",
    "Teams",
    "acts",
    "answers",
    "attached",
    "calendars",
    "closed",
    "contacts",
    "entries",
    "gathered",
    "has_ended",
    "inbox",
    "journeys",
    "keyed_contacts",
    "letter_id",
    "messages",
    "metadata",
    "outbox",
    "postboxes",
    "questions",
    "record",
    "recusals",
    "teams",
]


class NotificationWork(ClockedWork, RecordedWork, AttachingWork, RecusingWork):
    """Notification's unit of work: one database transaction."""

    OUTBOX = outbox
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record
    RECUSALS = recusals
    ATTACHED = attached

    def republish_closings(self, limit: int) -> list[tuple[str, datetime]]:
        """Mark closings that an earlier version published for tooling only as unsent, to be published to the stages.

        Returns (ticket, closing time) of each.
        """
        query = select(outbox.c.id, outbox.c.subject, outbox.c.created_at).where(is_unheard).order_by(outbox.c.id)
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

    @cached_property
    def responses(self) -> Responses:
        return Responses(self.connection, self.inserts)

    def kept_for(self, answer: Answer) -> list[Kept]:
        """Return the responses that are material for an answer beside its own; none where it was classified once."""
        if answer.forwarding == 1 and answer.joined_to is None:
            return []
        kept = self.responses.of(answer.ticket)
        if not kept:
            return []
        journey = self.journeys.get(answer.ticket)
        return [each for each in kept if each.goes_with(answer, journey.cycle_of)]

    def offer(self, ticket: str) -> None:
        """Offer the files of the responses that were kept, where there is a case to answer."""
        answer = self.answers.find(ticket, for_update=True)
        if answer is not None and (kept := self.kept_for(answer)):
            answer.offer(kept)
            self.answers.save(answer)

    def raise_alarm(self, timed: Timed, now: datetime) -> Any:
        """Publish an alarm, and write to the team as well, since this stage does not consume its own events."""
        alarm = super().raise_alarm(timed, now)
        if alarm is not None:
            self.tell_team(alarm, now)
        return alarm

    def tell_team(self, alarm: Any, now: datetime, event_id: str | None = None) -> None:
        """Write to the team of an alarm and to its superior, where their addresses are known.

        `event_id` is the id of the alarm's event, if it came from another stage.
        """
        event_id = event_id or str(uuid.uuid4())
        team = team_at(alarm.step, alarm.opd)
        address = self.teams.get(team)
        for kind in letters_about(alarm.TYPE, bool(address.superior_email)) if address else ():
            self.messages.add_for_team(letter_id(event_id, kind), kind, team, alarm, now)

    @cached_property
    def questions(self) -> Questions:
        return Questions(self.connection)

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
