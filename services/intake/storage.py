"""Intake's database: accounts, identities, sessions, reports, and the lists an admin keeps."""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)

from nkk.desk import (
    ClockedWork,
    RecordedWork,
    Rows,
    alarm_index,
    calendars_table,
    claim_columns,
    clock_columns,
    in_turn,
    record_table,
    report_columns,
)
from nkk.sop import catalogue as defaults
from nkk.sop.steps import Role
from nkk.store.database import UtcDateTime, insert_if_absent, insert_of, new_metadata
from nkk.store.outbox import closed_table, inbox_table, outbox_table
from nkk.store.paging import page
from services.intake.attempts import FREE, Count, Door, kind_of
from services.intake.domain import Account, Complaint
from services.intake.resets import PasswordReset, Postbox, Share

PRUNED = 5_000
"""So many counts are forgotten in one go: a transaction that takes long keeps others waiting."""

metadata = new_metadata()
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
closed = closed_table(metadata)
calendars = calendars_table(metadata)
record = record_table(metadata)
# Written out, not bound, as for every partial index.
_told_plain = outbox.c.type == literal_column("'complaint.submitted.v1'")
Index("ix_outbox_plain", outbox.c.id, sqlite_where=_told_plain, postgresql_where=_told_plain)
_codes = outbox.c.type == literal_column("'password.reset_requested.v1'")
Index("ix_outbox_codes", outbox.c.created_at, sqlite_where=_codes, postgresql_where=_codes)

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
    # For a version before `attempts`, which may run beside this one.
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    Column("locked_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
)
# Staff and reporters do not share their names: else registration would tell which those of the staff are.
for _kind, _is_of in (("staff", accounts.c.role != "reporter"), ("reporter", accounts.c.role == "reporter")):
    Index(
        f"uq_accounts_{_kind}_login_index",
        accounts.c.login_index,
        unique=True,
        sqlite_where=_is_of,
        postgresql_where=_is_of,
    )
_account = [accounts.c[field.name] for field in dataclasses.fields(Account)]

# Wrong passwords, by who gave them for which name: both as keyed hashes.
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
    # A keyed hash of their e-mail address; versions before know none.
    Column("address_index", String(64), index=True),
    # None: since they registered.
    Column("address_since", UtcDateTime),
)
_lacks_address_index = reporters.c.address_index.is_(None)
Index(
    "ix_reporters_without_address_index",
    reporters.c.id,
    sqlite_where=_lacks_address_index,
    postgresql_where=_lacks_address_index,
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
    # Of a user name or of an address: which of them was asked by is not to be told.
    Column("login_index", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
)

password_resets = Table(
    "password_resets",
    metadata,
    Column("account_id", String(36), ForeignKey("accounts.id"), primary_key=True),
    Column("token_hash", String(64), unique=True),
    Column("expires_at", UtcDateTime),
    # Versions before counted letters here, by account.
    Column("told", Integer, nullable=False, default=0),
    Column("told_since", UtcDateTime, nullable=False),
)

postboxes = Table(
    "postboxes",
    metadata,
    Column("address_index", String(64), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    # Of all accounts that have no share.
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
    *claim_columns(),
    Column("service_due_at", UtcDateTime, nullable=False),
    Column("handed_over_by", String(36)),
)
_waiting = complaints.c.done_at.is_(None)
Index("ix_complaints_waiting", *in_turn(complaints), sqlite_where=_waiting, postgresql_where=_waiting)
Index("ix_complaints_own", complaints.c.reporter_id, complaints.c.came_at, complaints.c.ticket)
alarm_index(complaints)

# The boxes that were opened and carried out: none is good twice.
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

lists = Table(
    "lists",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("content", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(36), nullable=False),
)

# What an admin replaced, and when: papers name things as they were called then.
past_lists = Table(
    "past_lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False),
    Column("content", Text, nullable=False),
    Column("replaced_at", UtcDateTime, nullable=False),
    Index("ix_past_lists", "name", "replaced_at"),
)

# What the other stages were told of them last.
published_lists = Table(
    "published_lists",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("opds", Text, nullable=False),
)


# Read at every submission, and so put together once: a reporter's kind, with each list that an admin has replaced.
_submitting = (
    select(reporters.c.kind, lists.c.name, lists.c.content)
    .select_from(reporters.outerjoin(lists, true()))
    .where(reporters.c.id == bindparam("reporter_id"))
)


class Accounts:
    """Accounts, the identities behind reporters' and the sessions they opened."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, account: Account) -> bool:
        """Add `account`; False where its user name is taken."""
        return insert_if_absent(self._connection, accounts, asdict(account))

    def of_name(self, login_index: str, for_update: bool = False) -> dict[str, Account]:
        """The accounts of a user name, by kind: at most one of the staff and one of a reporter."""
        query = select(*_account).where(accounts.c.login_index == login_index).order_by(accounts.c.id)
        rows = self._connection.execute(query.with_for_update() if for_update else query)
        return {kind_of(row.role): Account(**row._mapping) for row in rows}

    def to_reset(self, index: str, limit: int) -> list[Account]:
        """The reporters' open accounts of which `index` is that of the user name or of the address, those first that
        have had it longest; this transaction's alone."""
        found = (
            select(accounts.c.id)
            .where(accounts.c.login_index == index)
            .union(select(reporters.c.id).where(reporters.c.address_index == index))
        )
        return [self.get(id_, for_update=True) for id_ in self._longest(accounts.c.id.in_(found), limit)]

    def oldest(self, address_index: str, limit: int) -> dict[str, datetime]:
        """Since when an address is that of those reporters' open accounts that have had it longest; by id."""
        return self._longest(reporters.c.address_index == address_index, limit)

    def _longest(self, those: Any, limit: int) -> dict[str, datetime]:
        since = func.coalesce(reporters.c.address_since, accounts.c.created_at, type_=UtcDateTime()).label("since")
        query = (
            select(accounts.c.id, since)
            .join(reporters, reporters.c.id == accounts.c.id)
            .where(those, accounts.c.role == Role.REPORTER, accounts.c.disabled_at.is_(None))
        )
        rows = self._connection.execute(query.order_by(since, accounts.c.id).limit(limit))
        return {row.id: row.since for row in rows}

    def get(self, account_id: str, for_update: bool = False) -> Account:
        """The account with this id, which exists."""
        query = select(*_account).where(accounts.c.id == account_id)
        row = self._connection.execute(query.with_for_update() if for_update else query).one()
        return Account(**row._mapping)

    def save(self, account: Account) -> None:
        """Write `account` back."""
        self._connection.execute(update(accounts).where(accounts.c.id == account.id).values(**asdict(account)))

    def staff(self, cursor: str | None, limit: int | None) -> tuple[list[Account], str | None]:
        """Staff accounts by user name, a page at a time."""
        query = select(*_account).where(accounts.c.role != "reporter", accounts.c.username.is_not(None))
        return page(self._connection, query, [accounts.c.username], cursor, limit, lambda row: Account(**row._mapping))

    def staff_names(self, ids: list[str]) -> dict[str, str | None]:
        """The names of those of `ids` that are staff's."""
        query = select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(ids), accounts.c.role != "reporter")
        return {row.id: row.name for row in self._connection.execute(query)}

    def lock_open_admins(self) -> int:
        """How many admins' accounts are not disabled, this transaction's alone: two who disable each other take
        turns."""
        query = select(accounts.c.id).where(accounts.c.role == Role.ADMIN, accounts.c.disabled_at.is_(None))
        return len(self._connection.execute(query.order_by(accounts.c.id).with_for_update()).all())

    def add_reporter(self, account_id: str, kind: str, identity: str, address_index: str) -> None:
        """Keep the encrypted identity behind an account, and what it is found by."""
        self._connection.execute(
            insert(reporters).values(id=account_id, kind=kind, identity=identity, address_index=address_index)
        )

    def reporter(self, account_id: str, for_update: bool = False) -> tuple[str, str]:
        """(kind, encrypted identity) of a reporter, who exists."""
        query = select(reporters).where(reporters.c.id == account_id)
        row = self._connection.execute(query.with_for_update() if for_update else query).one()
        return row.kind, row.identity

    def identities(self, after: str, limit: int) -> list[tuple[str, str]]:
        """(id, encrypted identity) of the reporters after id `after`."""
        query = select(reporters.c.id, reporters.c.identity).where(reporters.c.id > after)
        rows = self._connection.execute(query.order_by(reporters.c.id).limit(limit).with_for_update()).all()
        return [(row.id, row.identity) for row in rows]

    def without_address_index(self, after: str, limit: int) -> list[tuple[str, str]]:
        """(id, encrypted identity) of reporters after id `after` whose address is not indexed; not those that another
        instance has."""
        query = select(reporters.c.id, reporters.c.identity).where(_lacks_address_index, reporters.c.id > after)
        rows = self._connection.execute(query.order_by(reporters.c.id).limit(limit).with_for_update(skip_locked=True))
        return [(row.id, row.identity) for row in rows]

    def index_address(self, account_id: str, address_index: str, since: datetime | None = None) -> None:
        """Have a reporter found by their address, which they have had `since` then; None where it is not new."""
        new = {} if since is None else {"address_since": since}
        self._connection.execute(
            update(reporters).where(reporters.c.id == account_id).values(address_index=address_index, **new)
        )

    def correct_address(self, account_id: str, address_index: str, now: datetime) -> None:
        """Have a reporter found by the address they have, where an instance of a version before has changed it; since
        when is not known, and is to put them before nobody."""
        since = case((reporters.c.address_index.is_not(None), now), else_=reporters.c.address_since)
        self._connection.execute(
            update(reporters)
            .where(reporters.c.id == account_id, reporters.c.address_index.is_distinct_from(address_index))
            .values(address_index=address_index, address_since=since)
        )

    def replace_identity(self, account_id: str, identity: str) -> None:
        """Keep an identity in the place of the one there was."""
        self._connection.execute(update(reporters).where(reporters.c.id == account_id).values(identity=identity))

    def open_session(self, session_id: str, account_id: str, refresh_hash: str, expires_at: datetime) -> None:
        """Remember a log-in."""
        self._connection.execute(
            insert(sessions).values(
                id=session_id, account_id=account_id, refresh_hash=refresh_hash, expires_at=expires_at
            )
        )

    def session_account(self, refresh_hash: str, now: datetime) -> tuple[str, Account] | None:
        """(session id, account) of an open session whose account is not disabled."""
        query = select(sessions.c.id, sessions.c.account_id).where(
            sessions.c.refresh_hash == refresh_hash, sessions.c.ended_at.is_(None), sessions.c.expires_at > now
        )
        row = self._connection.execute(query).first()
        if row is None:
            return None
        account = self.get(row.account_id)
        return None if account.disabled_at else (row.id, account)

    def session_is_open(self, session_id: str | None, account_id: str, now: datetime) -> bool:
        """Whether a session of this account was not ended and has not run out, and the account is not disabled."""
        query = (
            select(sessions.c.id)
            .join(accounts)
            .where(
                sessions.c.id == session_id,
                sessions.c.account_id == account_id,
                sessions.c.ended_at.is_(None),
                sessions.c.expires_at > now,
                accounts.c.disabled_at.is_(None),
            )
        )
        return self._connection.execute(query).first() is not None

    def end_session(self, session_id: str, now: datetime) -> None:
        """Log one session out."""
        self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(ended_at=now))

    def end_sessions(self, account_id: str, now: datetime, but: str | None = None) -> None:
        """Log an account out everywhere, `but` where this session is."""
        query = update(sessions).where(sessions.c.account_id == account_id, sessions.c.ended_at.is_(None))
        self._connection.execute((query.where(sessions.c.id != but) if but else query).values(ended_at=now))


class Resets:
    """Requests for a new password as they came in, and the newest code of each account."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, request_id: str, index: str, now: datetime) -> None:
        """Keep a request by the `index` of a user name or an address, whether there is such an account or not."""
        self._connection.execute(insert(reset_requests).values(id=request_id, login_index=index, asked_at=now))

    def is_asked(self) -> bool:
        """Whether a request waits."""
        return self._connection.execute(select(reset_requests.c.id).limit(1)).first() is not None

    def take_asked(self) -> tuple[str, datetime] | None:
        """Take out the oldest request that no other instance has: (index, when)."""
        query = select(reset_requests).order_by(reset_requests.c.asked_at).limit(1).with_for_update(skip_locked=True)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        self._connection.execute(delete(reset_requests).where(reset_requests.c.id == row.id))
        return row.login_index, row.asked_at

    def of(self, account_id: str) -> PasswordReset:
        """What an account has been sent, this transaction's alone."""
        query = select(password_resets).where(password_resets.c.account_id == account_id)
        row = self._connection.execute(query.with_for_update()).first()
        return _reset(row) if row else PasswordReset(account_id)

    def find(self, token_hash: str) -> PasswordReset | None:
        """Whose newest code this is."""
        query = select(password_resets).where(password_resets.c.token_hash == token_hash)
        row = self._connection.execute(query).first()
        return _reset(row) if row else None

    def save(self, reset: PasswordReset, now: datetime) -> None:
        """Keep `reset` in the place of what the account had."""
        row = asdict(reset)
        if not insert_if_absent(self._connection, password_resets, row | {"told_since": now}):
            self._connection.execute(
                update(password_resets).where(password_resets.c.account_id == reset.account_id).values(**row)
            )

    def end(self, account_id: str) -> None:
        """The account's code, if it has one, is good no more."""
        self._connection.execute(
            update(password_resets)
            .where(password_resets.c.account_id == account_id)
            .values(token_hash=None, expires_at=None)
        )


def _reset(row: Any) -> PasswordReset:
    return PasswordReset(row.account_id, row.token_hash, row.expires_at)


class Postboxes:
    """How often codes were sent to each address."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, address_index: str, now: datetime) -> Postbox:
        """That of an address, this transaction's alone."""
        insert_if_absent(self._connection, postboxes, {"address_index": address_index, "since": now, "told": 0})
        query = select(postboxes).where(postboxes.c.address_index == address_index)
        row = self._connection.execute(query.with_for_update()).one()
        kept = self._connection.execute(select(shares).where(shares.c.address_index == address_index))
        return Postbox(**row._mapping, shares={share.account_id: Share(share.had_since, share.told) for share in kept})

    def save(self, postbox: Postbox) -> None:
        """Write it back."""
        index = postbox.address_index
        self._connection.execute(
            update(postboxes).where(postboxes.c.address_index == index).values(since=postbox.since, told=postbox.told)
        )
        self._connection.execute(delete(shares).where(shares.c.address_index == index))
        if postbox.shares:
            self._connection.execute(
                insert(shares),
                [
                    {"address_index": index, "account_id": account, **asdict(share)}
                    for account, share in postbox.shares.items()
                ],
            )

    def prune(self, before: datetime) -> None:
        """Forget those that were begun before then; not those that somebody has just now."""
        old = select(postboxes.c.address_index).where(postboxes.c.since < before).limit(PRUNED)
        found = self._connection.execute(old.with_for_update(skip_locked=True)).scalars().all()
        for table in (shares, postboxes):
            self._connection.execute(delete(table).where(table.c.address_index.in_(found)))


class Boxes:
    """The boxes that calls came in, and that are used up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def use(self, nonce: str, sealed_at: datetime) -> bool:
        """Use a box up; False where it was, also by a transaction that is not yet committed, which is waited for."""
        return insert_if_absent(self._connection, used_boxes, {"nonce": nonce, "sealed_at": sealed_at})

    def is_used(self, nonce: str) -> bool:
        """Whether a box was used up."""
        query = select(used_boxes.c.nonce).where(used_boxes.c.nonce == nonce)
        return self._connection.execute(query).first() is not None

    def forget(self, before: datetime) -> None:
        """Forget those that were sealed before then."""
        self._connection.execute(delete(used_boxes).where(used_boxes.c.sealed_at < before))


class Attempts:
    """Wrong passwords, and how long whoever gave them waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, counts: Iterable[Count]) -> None:
        """Read `counts` as they stand, this transaction's alone. Those of a name come first, for everybody alike: who
        holds one waits for nobody who waits for it."""
        known = {count.key: count for count in counts}
        rows = [asdict(count) for count in known.values()]
        statement = insert_of(self._connection, attempts)
        statement = (
            statement.values(rows)
            .on_conflict_do_update(index_elements=["key"], set_={"key": statement.excluded.key})
            .returning(attempts)
        )
        for row in self._connection.execute(statement).all():
            vars(known[row.key]).update(row._mapping)

    def lock_all(self, doors: list[Door]) -> None:
        """Read what stands before each of `doors`."""
        self.lock(_names_first(doors))

    def save(self, counts: Iterable[Count]) -> None:
        """Write `counts` back; those that count nothing go."""
        for count in counts:
            if count.is_empty:
                self._connection.execute(delete(attempts).where(attempts.c.key == count.key))
            else:
                self._connection.execute(update(attempts).where(attempts.c.key == count.key).values(**asdict(count)))

    def save_all(self, doors: list[Door]) -> None:
        """Write back what stands before each of `doors`."""
        self.save(_names_first(doors))

    def add(self, count: Count) -> None:
        """Keep a new count."""
        self._connection.execute(insert(attempts).values(**asdict(count)))

    def forget(self, login_index: str, kind: str) -> None:
        """Forget all counts at the name of an account of that kind."""
        self._connection.execute(delete(attempts).where(attempts.c.login_index == login_index, attempts.c.kind == kind))

    def waiting(self, login_indexes: list[str], kind: str, now: datetime) -> dict[str, list[Count]]:
        """Whatever makes anybody wait now, by name, at accounts of that kind."""
        query = select(attempts).where(
            attempts.c.login_index.in_(login_indexes), attempts.c.kind == kind, attempts.c.waits_until > now
        )
        found: dict[str, list[Count]] = defaultdict(list)
        for row in self._connection.execute(query):
            count = Count(**row._mapping)
            if count.waits(now):
                found[row.login_index].append(count)
        return found

    def prune(self, few_before: datetime, many_before: datetime) -> None:
        """Forget what failed last so long ago: less than FREE, or more. What somebody holds just now stays."""
        old = attempts.c.last_at < few_before
        query = select(attempts.c.key).where(old, or_(attempts.c.failed < FREE, attempts.c.last_at < many_before))
        keys = self._connection.execute(query.limit(PRUNED).with_for_update(skip_locked=True)).scalars().all()
        self._connection.execute(delete(attempts).where(attempts.c.key.in_(keys)))


def _names_first(doors: list[Door]) -> list[Count]:
    return sorted((count for door in doors for count in door.counts), key=lambda count: count.what != "name")


class Complaints(Rows[Complaint]):
    """Reports as they were written."""

    TABLE = complaints
    HELD = Complaint
    OPEN = _waiting

    def submitted_before(self, reporter_id: str, key: str, form_hash: str, ticket: str) -> tuple[str, str] | None:
        """Claim an idempotency key for `ticket`; (form hash, ticket) of the report that has it already, or None."""
        row = {"reporter_id": reporter_id, "idempotency_key": key, "form_hash": form_hash, "ticket": ticket}
        if insert_if_absent(self._connection, submissions, row):
            return None
        query = select(submissions.c.form_hash, submissions.c.ticket).where(
            submissions.c.reporter_id == reporter_id, submissions.c.idempotency_key == key
        )
        taken = self._connection.execute(query).one()
        return taken.form_hash, taken.ticket

    def of(self, tickets: list[str]) -> list[Complaint]:
        """The reports of those `tickets` that there are."""
        rows = self._connection.execute(select(complaints).where(complaints.c.ticket.in_(tickets)))
        return [Complaint(**row._mapping) for row in rows]

    def of_reporter(
        self, reporter_id: str, cursor: str | None, limit: int | None
    ) -> tuple[list[Complaint], str | None]:
        """A reporter's own reports, newest first."""
        return page(
            self._connection,
            select(complaints).where(complaints.c.reporter_id == reporter_id),
            [complaints.c.came_at, complaints.c.ticket],
            cursor,
            limit,
            lambda row: Complaint(**row._mapping),
            descending=True,
        )


DEFAULTS: dict[str, dict[str, Any]] = {"categories": defaults.CATEGORIES, "opds": defaults.OPDS}


class Lists:
    """The catalogue and the roster: the procedure's defaults until an admin replaces them.

    `kept` are those in the database as JSON by name, where they were read already.
    """

    def __init__(self, connection: Connection, kept: dict[str, str] | None = None) -> None:
        self._connection = connection
        self._read = kept

    def categories(self) -> dict[str, Any]:
        """Categories by key."""
        return self._kept.get("categories") or DEFAULTS["categories"]

    def opds(self) -> dict[str, str]:
        """Names of the agencies by key."""
        return self._kept.get("opds") or DEFAULTS["opds"]

    def replace(self, name: str, content: dict[str, Any], by: str, now: datetime) -> None:
        """Put `content` in the place of the list `name`; what stood there is kept with the past ones."""
        row = {"content": json.dumps(content, ensure_ascii=False), "changed_at": now, "changed_by": by}
        before = json.dumps(DEFAULTS[name], ensure_ascii=False)
        if not insert_if_absent(self._connection, lists, row | {"name": name}):
            same = lists.c.name == name
            before = self._connection.execute(select(lists.c.content).where(same).with_for_update()).scalar_one()
            self._connection.execute(update(lists).where(same).values(**row))
        if before != row["content"]:
            self._connection.execute(insert(past_lists).values(name=name, content=before, replaced_at=now))
        self._read = None
        self.__dict__.pop("_kept", None)

    def changed_at(self) -> datetime | None:
        """Since when they are what they are; None where they are the defaults."""
        return self._connection.execute(select(func.max(past_lists.c.replaced_at))).scalar_one()

    def at(self, moment: datetime) -> "Lists":
        """The lists as they were at `moment`."""
        kept = dict(self._written())
        first = (
            select(past_lists.c.content)
            .where(past_lists.c.replaced_at > moment)
            .order_by(past_lists.c.replaced_at, past_lists.c.id)
            .limit(1)
        )
        for name in DEFAULTS:
            content = self._connection.execute(first.where(past_lists.c.name == name)).scalar()
            if content is not None:
                kept[name] = content
        return Lists(self._connection, kept)

    def published(self, name: str) -> tuple[int, list[str]]:
        """Return the version and the roster that were published last as `name`, and lock them for this transaction."""
        insert_if_absent(self._connection, published_lists, {"name": name, "version": 0, "opds": "[]"})
        query = select(published_lists).where(published_lists.c.name == name)
        row = self._connection.execute(query.with_for_update()).one()
        return row.version, json.loads(row.opds)

    def keep_published(self, name: str, version: int, opds: list[str]) -> None:
        """Remember what is published with this transaction."""
        same = published_lists.c.name == name
        self._connection.execute(update(published_lists).where(same).values(version=version, opds=json.dumps(opds)))

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {name: json.loads(content) for name, content in self._written().items()}

    def _written(self) -> dict[str, str]:
        if self._read is None:
            rows = self._connection.execute(select(lists.c.name, lists.c.content))
            self._read = {row.name: row.content for row in rows}
        return self._read


class ToldPlain:
    """Rows of the outbox that name a reporter in the clear."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, after: int, limit: int) -> list[Any]:
        """(id, body) of the next ones, this transaction's alone; not those that are being published."""
        query = select(outbox.c.id, outbox.c.body).where(_told_plain, outbox.c.id > after).order_by(outbox.c.id)
        return list(self._connection.execute(query.limit(limit).with_for_update(skip_locked=True)))

    def replace(self, id_: int, type_: str, body: str) -> None:
        """Tell this in the place of what stood there."""
        self._connection.execute(update(outbox).where(outbox.c.id == id_).values(type=type_, body=body))


class IntakeWork(ClockedWork, RecordedWork):
    """One transaction of intake."""

    OUTBOX = outbox
    INBOX = inbox
    CLOSED = closed
    CALENDARS = calendars
    RECORD = record

    def prune_by_age(self, before: datetime, limit: int) -> int:
        """Delete codes for a new password, which are good for an hour."""
        query = select(outbox.c.id).where(_codes, outbox.c.created_at < before, outbox.c.sent_at.is_not(None))
        found = self.connection.execute(query.order_by(outbox.c.created_at).limit(limit)).scalars().all()
        self.connection.execute(delete(outbox).where(outbox.c.id.in_(found), outbox.c.sent_at.is_not(None)))
        return len(found)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.connection)

    @cached_property
    def complaints(self) -> Complaints:
        return Complaints(self.connection, self.inserts)

    @cached_property
    def resets(self) -> Resets:
        return Resets(self.connection)

    @cached_property
    def postboxes(self) -> Postboxes:
        return Postboxes(self.connection)

    @cached_property
    def boxes(self) -> Boxes:
        return Boxes(self.connection)

    @cached_property
    def told_plain(self) -> ToldPlain:
        return ToldPlain(self.connection)

    @cached_property
    def attempts(self) -> Attempts:
        return Attempts(self.connection)

    @property
    def clocked(self) -> Complaints:
        return self.complaints

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.connection)

    def submitting(self, reporter_id: str) -> tuple[str, Lists]:
        """What a report by this reporter, who exists, is made with: their kind, and the lists it is checked against."""
        rows = self.connection.execute(_submitting, {"reporter_id": reporter_id}).all()
        return rows[0].kind, Lists(self.connection, {row.name: row.content for row in rows if row.name is not None})
