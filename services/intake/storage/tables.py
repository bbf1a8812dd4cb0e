"""The tables of intake's database."""

import dataclasses

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    false,
    literal_column,
    select,
    true,
)

from nkk.desk import (
    additions_column,
    alarm_index,
    attached_table,
    calendars_table,
    claim_columns,
    clock_columns,
    ending_columns,
    files_column,
    in_turn,
    notes_table,
    question_columns,
    record_table,
    recusals_table,
    report_columns,
)
from nkk.sop.files import OwnFile
from nkk.store.database import UtcDateTime, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from services.intake.domain import Account

PRUNED = 5_000
"""The largest number of rows deleted in one transaction, since a long transaction blocks others."""

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)
attached = attached_table(metadata)
notes = notes_table(metadata)
recusals = recusals_table(metadata)
# Literals, not bound parameters: SQLite uses a partial index only where the query shows the value.
told_plain = outbox.c.type == literal_column("'complaint.submitted.v1'")
Index("ix_outbox_plain", outbox.c.id, sqlite_where=told_plain, postgresql_where=told_plain)
codes = outbox.c.type == literal_column("'password.reset_requested.v1'")
Index("ix_outbox_codes", outbox.c.created_at, sqlite_where=codes, postgresql_where=codes)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("login_index", String(64), nullable=False, index=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("group", String(64)),
    Column("username", String(64)),
    Column("name", String(150)),
    # Used by instances of the version before `attempts`, which may run at the same time.
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    Column("locked_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # A keyed hash of the NIP of a staff account's person.
    Column("barred", String(64)),
)
# User names are unique by kind: otherwise a failed registration would reveal a staff member's user name.
for _kind, _is_of in (("staff", accounts.c.role != "reporter"), ("reporter", accounts.c.role == "reporter")):
    Index(
        f"uq_accounts_{_kind}_login_index",
        accounts.c.login_index,
        unique=True,
        sqlite_where=_is_of,
        postgresql_where=_is_of,
    )
account = [accounts.c[field.name] for field in dataclasses.fields(Account)]

# Counts of wrong passwords by source and user name, both as keyed hashes.
attempts = Table(
    "attempts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("login_index", String(64), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("what", String(20), nullable=False),
    Column("failed", Integer, nullable=False),
    Column("waits_until", UtcDateTime),
    Column("open_until", UtcDateTime),
    Column("last_at", UtcDateTime, nullable=False, index=True),
)

reporters = Table(
    "reporters",
    metadata,
    Column("id", String(36), ForeignKey("accounts.id"), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("identity", Text, nullable=False),
    # A keyed hash of the e-mail address; instances of earlier versions leave it null.
    Column("address_index", String(64), index=True),
    # Null where they have had the address since registration.
    Column("address_since", UtcDateTime),
)
lacks_address_index = reporters.c.address_index.is_(None)
Index(
    "ix_reporters_without_address_index",
    reporters.c.id,
    sqlite_where=lacks_address_index,
    postgresql_where=lacks_address_index,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("refresh_hash", String(64), nullable=False, unique=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)

reset_requests = Table(
    "reset_requests",
    metadata,
    Column("id", String(36), primary_key=True),
    # A hash of a user name or of an address; the row does not reveal which.
    Column("login_index", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
)

password_resets = Table(
    "password_resets",
    metadata,
    Column("account_id", String(36), ForeignKey("accounts.id"), primary_key=True),
    Column("token_hash", String(64), unique=True),
    Column("expires_at", UtcDateTime),
    # Unused now: earlier versions counted codes by account here.
    Column("told", Integer, nullable=False, default=0),
    Column("told_since", UtcDateTime, nullable=False),
)

postboxes = Table(
    "postboxes",
    metadata,
    Column("address_index", String(64), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    # The codes sent for all accounts without a share.
    Column("told", Integer, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("address_index", String(64), primary_key=True),
    Column("account_id", String(36), primary_key=True),
    Column("had_since", UtcDateTime, nullable=False),
    Column("told", Integer, nullable=False),
)

complaints = Table(
    "complaints",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("reporter_id", String(36), ForeignKey("accounts.id"), nullable=False),
    Column("reporter_kind", String(20), nullable=False),
    Column("claimed_kind", String(20), nullable=False),
    *report_columns(),
    Column("confidential", Boolean, nullable=False),
    *clock_columns(),
    *question_columns(),
    *claim_columns(),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("handed_over_by", String(36)),
    Column("closed_at", UtcDateTime),
    files_column(kind=OwnFile),
    additions_column(),
    *ending_columns(),
    Column("cycle", Integer, nullable=False, server_default="1"),
    Column("kept", Boolean, nullable=False, server_default=false()),
    Column("channel", String(20), nullable=False, server_default="web"),
    Column("conflict", Boolean, nullable=False, server_default=false()),
    # A keyed hash of the accused's NIP.
    Column("barred", String(64)),
    # The classifications at which a desk closed the report, and at which Tim Utama took it back; 0 for none.
    Column("ended_forwarding", Integer, nullable=False, server_default="0"),
    Column("recalled", Integer, nullable=False, server_default="0"),
)
waiting = complaints.c.done_at.is_(None)
Index("ix_complaints_waiting", *in_turn(complaints), sqlite_where=waiting, postgresql_where=waiting)
Index("ix_complaints_own", complaints.c.reporter_id, complaints.c.came_at, complaints.c.ticket)
alarm_index(complaints)

# The boxes that were carried out, to reject replays.
used_boxes = Table(
    "used_boxes",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("sealed_at", UtcDateTime, nullable=False, index=True),
)

submissions = Table(
    "submissions",
    metadata,
    Column("reporter_id", String(36), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("form_hash", String(64), nullable=False),
    Column("ticket", String(20), nullable=False),
)

# The reports that websites and operators entered; `website_id` is the account of either.
entries = Table(
    "entries",
    metadata,
    Column("ticket", String(20), primary_key=True),
    Column("website_id", String(36), ForeignKey("accounts.id"), nullable=False),
    Column("reporter_id", String(36), ForeignKey("accounts.id"), nullable=False),
    Column("entered_at", UtcDateTime, nullable=False),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("paper", String(64)),
)
Index("ix_entries_own", entries.c.website_id, entries.c.entered_at, entries.c.ticket)

# The letters and slips that were entered, by a keyed hash of channel and reference, so that none is entered twice.
papers = Table(
    "papers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("ticket", String(20), nullable=False),
)

lists = Table(
    "lists",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("content", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(36), nullable=False),
)

# The lists that an admin replaced, and when: documents use the names of their time.
past_lists = Table(
    "past_lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False),
    Column("content", Text, nullable=False),
    Column("replaced_at", UtcDateTime, nullable=False),
    Index("ix_past_lists", "name", "replaced_at"),
)

# The roster as last published to the other stages.
published_lists = Table(
    "published_lists",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("opds", Text, nullable=False),
)


# A reporter's kind with each list that an admin has replaced. Built once, since every submission runs it.
submitting = (
    select(reporters.c.kind, lists.c.name, lists.c.content)
    .select_from(reporters.outerjoin(lists, true()))
    .where(reporters.c.id == bindparam("reporter_id"))
)

# The session of a caller, where it is open. Built once, since every act of an account runs it.
open_session = (
    select(sessions.c.id)
    .join(accounts)
    .where(
        sessions.c.id == bindparam("session_id"),
        sessions.c.account_id == bindparam("account_id"),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > bindparam("now"),
        accounts.c.disabled_at.is_(None),
    )
)
