"""The tables of notification's database."""

import json
import uuid
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Dialect,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    literal_column,
    or_,
    text,
)
from sqlalchemy.types import TypeDecorator

from nkk.desk import (
    alarm_index,
    attached_table,
    calendars_table,
    claim_columns,
    clock_columns,
    ending_columns,
    files_column,
    in_turn,
    record_table,
    recusals_table,
)
from nkk.sop.files import File
from nkk.store.database import UtcDateTime, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from services.notification.domain import Earlier, State

LETTERS = uuid.UUID("6f0f6a2a-6a0b-4a56-9c5e-0d5b8a3f4c11")

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)
recusals = recusals_table(metadata)
# Closings that an earlier version published for tooling only. A literal, not a bound parameter, for the partial index.
is_unheard = text("type = 'complaint.closed.v1' AND NOT mandatory")
Index("ix_outbox_unheard", outbox.c.id, sqlite_where=is_unheard, postgresql_where=is_unheard)


class EarlierAnswers(TypeDecorator[tuple[Earlier, ...]]):
    """A column of the answers of earlier cycles, written as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Earlier, ...] | None, dialect: Dialect) -> str:
        return json.dumps([asdict(answer) for answer in value or ()], ensure_ascii=False)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> tuple[Earlier, ...]:
        return tuple(
            Earlier(**answer | {"files": tuple(File(**file) for file in answer["files"])})
            for answer in json.loads(value or "[]")
        )


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
    files_column("offered"),
    files_column(),
    *ending_columns(),
    Column("forwarding", Integer, nullable=False, server_default="1"),
    Column("cycle", Integer, nullable=False, server_default="1"),
    Column("objection", Text),
    Column("rating", Integer),
    Column("rating_comment", Text),
    Column("rated_at", UtcDateTime),
    # The rating of the answer that was objected to, which the second answer's follows.
    Column("first_rating", Integer),
    Column("first_rated_at", UtcDateTime),
    Column("earlier", EarlierAnswers(), nullable=False, server_default="[]"),
    Column("joined_to", String(20)),
)
# The responses that were kept beside the one that is answered from.
gathered = Table(
    "gathered",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("forwarding", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("opd", String(64), nullable=False),
    Column("text", Text, nullable=False),
    files_column(),
    Column("shared", Boolean, nullable=False),
)
# Literals, not bound parameters: SQLite uses a partial index only where the query shows the value.
is_waiting = answers.c.state == literal_column(f"'{State.AWAITING_ANSWER}'")
is_unread = answers.c.state == literal_column(f"'{State.ANSWERED}'")
Index("ix_answers_waiting", *in_turn(answers), sqlite_where=is_waiting, postgresql_where=is_waiting)
alarm_index(answers)
_to_remind = answers.c.remind_at.is_not(None)
Index("ix_answers_remind", answers.c.remind_at, sqlite_where=_to_remind, postgresql_where=_to_remind)
_rated = answers.c.rated_at.is_not(None)
Index("ix_answers_rated", answers.c.rated_at, answers.c.rating, sqlite_where=_rated, postgresql_where=_rated)
_rated_first = answers.c.first_rated_at.is_not(None)
Index(
    "ix_answers_rated_first",
    answers.c.first_rated_at,
    answers.c.first_rating,
    sqlite_where=_rated_first,
    postgresql_where=_rated_first,
)
Index("ix_answers_unread", answers.c.lapses_at, sqlite_where=is_unread, postgresql_where=is_unread)

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
    # The account of the website that sent the complaint in.
    Column("website", String(36)),
    # The end of the time promised for the second cycle.
    Column("again_due_at", UtcDateTime),
    # How the complaint ended outside of the steps, and the cycle in which it went on without its reporter; 0 for none.
    Column("ended", String(20)),
    Column("kept", Integer, nullable=False, server_default="0"),
    Column("channel", String(20), nullable=False, server_default="web"),
)
# Only rows from complaint.submitted.v1 have a reporter_id in the clear, until `hide_reporters` replaces it.
is_plain = journeys.c.reporter_id.is_not(None)
Index("ix_journeys_plain", journeys.c.ticket, sqlite_where=is_plain, postgresql_where=is_plain)
_promised = journeys.c.late_at.is_not(None)
Index("ix_journeys_late", journeys.c.late_at, sqlite_where=_promised, postgresql_where=_promised)
is_open = journeys.c.closed_at.is_(None)
Index("ix_journeys_open", journeys.c.submitted_at, journeys.c.ticket, sqlite_where=is_open, postgresql_where=is_open)
has_ended = journeys.c.ended.is_not(None)
Index("ix_journeys_ended", journeys.c.closed_at, journeys.c.ended, sqlite_where=has_ended, postgresql_where=has_ended)
Index("ix_journeys_closed", journeys.c.closed_at, journeys.c.ticket)
# Covering indexes: public figures are counted from them without reading rows.
Index("ix_journeys_submitted", journeys.c.submitted_at, journeys.c.category)
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
    Column("forwarding", Integer, nullable=False, server_default="1"),
    Column("cycle", Integer, nullable=False, server_default="1"),
    Column("days", Integer, nullable=False, server_default="0"),
    Column("responded_at", UtcDateTime),
)

# Apart from `entries`, which earlier versions read as ends of steps.
acts = Table(
    "acts",
    metadata,
    Column("event_id", String(200), primary_key=True),
    Column("ticket", String(20), nullable=False, index=True),
    Column("type", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("files", Integer, nullable=False),
)

questions = Table(
    "questions",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("ticket", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("forwarding", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(64), nullable=False),
    Column("opd", String(64)),
    Column("text", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("lapses_at", UtcDateTime, nullable=False),
    Column("answer", Text),
    Column("answered_on", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("remind_at", UtcDateTime),
    files_column(),
)
attached = attached_table(metadata)
Index("ix_questions_number", questions.c.ticket, questions.c.number, unique=True)
is_asked = questions.c.state == literal_column("'open'")
Index("ix_questions_open", questions.c.lapses_at, sqlite_where=is_asked, postgresql_where=is_asked)

keyed_contacts = Table(
    "keyed_contacts",
    metadata,
    Column("reporter", String(64), primary_key=True),
    Column("sealed_contact", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# Contacts written by versions before `keyed_contacts`, until `hide_reporters` moves them.
contacts = Table(
    "contacts",
    metadata,
    Column("reporter_id", String(36), primary_key=True),
    Column("sealed_contact", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

KEPT_SEALED = ("password_reset", "contact_changed")
"""The kinds of letters with their own sealed address, which is deleted once they were sent or given up."""

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("ticket", String(20)),
    Column("kind", String(30), nullable=False),
    Column("team", String(80)),
    Column("step", Integer),
    Column("round", Integer),
    Column("forwarding", Integer),
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
is_unsent = and_(messages.c.sent_at.is_(None), messages.c.given_up_at.is_(None))
Index("ix_messages_unsent", messages.c.next_try_at, messages.c.id, sqlite_where=is_unsent, postgresql_where=is_unsent)
is_given_up = messages.c.given_up_at.is_not(None)
Index(
    "ix_messages_given_up",
    messages.c.given_up_at,
    messages.c.id,
    sqlite_where=is_given_up,
    postgresql_where=is_given_up,
)
is_kept = or_(messages.c.kind.not_in(KEPT_SEALED), messages.c.sealed_letter.is_not(None))
LINES = {
    "codes": and_(messages.c.kind.in_(KEPT_SEALED), messages.c.tries == 0),
    "new": and_(messages.c.kind.not_in(KEPT_SEALED), messages.c.tries == 0),
    "again": messages.c.tries > 0,
}
"""The mailer's queues, independent of each other: letters about accounts, other letters, and letters that failed
before. Each is the condition of its rows."""

Index("ix_messages_reporter", messages.c.reporter_id, messages.c.expires_at)
Index("ix_messages_keyed_reporter", messages.c.reporter, messages.c.expires_at)

teams = Table(
    "teams",
    metadata,
    Column("team", String(80), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("superior_email", String(254)),
)

# The rate limit's state by address, with the times encrypted: see postboxes.py.
postboxes = Table(
    "postboxes",
    metadata,
    Column("postbox", String(64), primary_key=True),
    Column("places", Text, nullable=False),
    Column("day", Date, nullable=False),
)

MOST_AT_ONCE = 1_000
"""The largest number of letters that one call retries or drops."""
