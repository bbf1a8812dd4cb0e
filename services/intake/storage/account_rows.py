"""Repositories of accounts with their identities and sessions, of password resets, and of codes counted by address."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from nkk.sop.steps import STAFF_ROLES, Role
from nkk.store.database import UtcDateTime, insert_if_absent
from nkk.store.paging import page
from services.intake.attempts import kind_of
from services.intake.domain import Account
from services.intake.resets import PasswordReset, Postbox, Share
from services.intake.storage.tables import (
    PRUNED,
    account,
    accounts,
    lacks_address_index,
    open_session,
    password_resets,
    postboxes,
    reporters,
    reset_requests,
    sessions,
    shares,
)


class Accounts:
    """The repository of accounts, reporters' identities and sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, account: Account) -> bool:
        """Add `account`; return False where its user name is taken."""
        return insert_if_absent(self._connection, accounts, asdict(account))

    def of_name(self, login_index: str, for_update: bool = False) -> dict[str, Account]:
        """Return the accounts of a user name by kind: at most one of staff and one of a reporter."""
        query = select(*account).where(accounts.c.login_index == login_index).order_by(accounts.c.id)
        rows = self._connection.execute(query.with_for_update() if for_update else query)
        return {kind_of(row.role): Account(**row._mapping) for row in rows}

    def to_reset(self, index: str, limit: int) -> list[Account]:
        """Return and lock the enabled reporters' accounts whose user name or address has the hash `index`.

        Those that have had their address longest come first.
        """
        found = (
            select(accounts.c.id)
            .where(accounts.c.login_index == index)
            .union(select(reporters.c.id).where(reporters.c.address_index == index))
        )
        return [self.get(id_, for_update=True) for id_ in self._longest(accounts.c.id.in_(found), limit)]

    def oldest(self, address_index: str, limit: int) -> dict[str, datetime]:
        """Return the enabled reporters' accounts that have had an address longest: since when, by account id."""
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
        """Return the account with this id, which must exist; locked with `for_update`."""
        query = select(*account).where(accounts.c.id == account_id)
        row = self._connection.execute(query.with_for_update() if for_update else query).one()
        return Account(**row._mapping)

    def save(self, account: Account) -> None:
        """Store all fields of `account`."""
        self._connection.execute(update(accounts).where(accounts.c.id == account.id).values(**asdict(account)))

    def save_named(self, account: Account) -> bool:
        """Store all fields of `account`; return False, and store nothing, where its user name is taken."""
        try:
            with self._connection.begin_nested():
                self.save(account)
        except IntegrityError:
            return False
        return True

    def staff(self, cursor: str | None, limit: int | None) -> tuple[list[Account], str | None]:
        """Return a page of the staff accounts by user name, and the cursor of the next page."""
        query = select(*account).where(accounts.c.role.in_(STAFF_ROLES), accounts.c.username.is_not(None))
        return page(self._connection, query, [accounts.c.username], cursor, limit, lambda row: Account(**row._mapping))

    def seats(self) -> list[Account]:
        """Return the enabled accounts of the desks."""
        at_desks = accounts.c.role.in_((Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM))
        query = select(*account).where(at_desks, accounts.c.disabled_at.is_(None)).order_by(accounts.c.id)
        return [Account(**row._mapping) for row in self._connection.execute(query)]

    def websites(self) -> list[Account]:
        """Return the accounts of the websites that were not removed, by name."""
        query = select(*account).where(accounts.c.role == Role.WEBSITE, accounts.c.disabled_at.is_(None))
        rows = self._connection.execute(query.order_by(accounts.c.username))
        return [Account(**row._mapping) for row in rows]

    def staff_names(self, ids: list[str]) -> dict[str, str | None]:
        """Return the names of the staff accounts among `ids`."""
        query = select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(ids), accounts.c.role.in_(STAFF_ROLES))
        return {row.id: row.name for row in self._connection.execute(query)}

    def lock_open_admins(self) -> int:
        """Lock the enabled admin accounts and return their number, so that two admins cannot disable each other."""
        query = select(accounts.c.id).where(accounts.c.role == Role.ADMIN, accounts.c.disabled_at.is_(None))
        return len(self._connection.execute(query.order_by(accounts.c.id).with_for_update()).all())

    def add_reporter(self, account_id: str, kind: str, identity: str, address_index: str) -> None:
        """Store the kind, the encrypted identity and the address hash of a reporter's account."""
        self._connection.execute(
            insert(reporters).values(id=account_id, kind=kind, identity=identity, address_index=address_index)
        )

    def reporter(self, account_id: str, for_update: bool = False) -> tuple[str, str]:
        """Return (kind, encrypted identity) of a reporter, who must exist; locked with `for_update`."""
        query = select(reporters).where(reporters.c.id == account_id)
        row = self._connection.execute(query.with_for_update() if for_update else query).one()
        return row.kind, row.identity

    def identities(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Return and lock (id, encrypted identity) of the next reporters after id `after`."""
        query = select(reporters.c.id, reporters.c.identity).where(reporters.c.id > after)
        rows = self._connection.execute(query.order_by(reporters.c.id).limit(limit).with_for_update()).all()
        return [(row.id, row.identity) for row in rows]

    def without_address_index(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Return and lock (id, encrypted identity) of the next reporters after id `after` without an address hash.

        Rows that another instance has locked are skipped.
        """
        query = select(reporters.c.id, reporters.c.identity).where(lacks_address_index, reporters.c.id > after)
        rows = self._connection.execute(query.order_by(reporters.c.id).limit(limit).with_for_update(skip_locked=True))
        return [(row.id, row.identity) for row in rows]

    def index_address(self, account_id: str, address_index: str, since: datetime | None = None) -> None:
        """Store the hash of a reporter's address, and `since` when they have had it, unless that is None."""
        new = {} if since is None else {"address_since": since}
        self._connection.execute(
            update(reporters).where(reporters.c.id == account_id).values(address_index=address_index, **new)
        )

    def correct_address(self, account_id: str, address_index: str, now: datetime) -> None:
        """Correct the hash of a reporter's address where an instance of an earlier version has changed the address.

        The time of the change is not known. It is set to `now`, which ranks the reporter behind the address's others.
        """
        since = case((reporters.c.address_index.is_not(None), now), else_=reporters.c.address_since)
        self._connection.execute(
            update(reporters)
            .where(reporters.c.id == account_id, reporters.c.address_index.is_distinct_from(address_index))
            .values(address_index=address_index, address_since=since)
        )

    def replace_identity(self, account_id: str, identity: str) -> None:
        """Replace a reporter's encrypted identity."""
        self._connection.execute(update(reporters).where(reporters.c.id == account_id).values(identity=identity))

    def open_session(self, session_id: str, account_id: str, refresh_hash: str, expires_at: datetime) -> None:
        """Store a new session."""
        self._connection.execute(
            insert(sessions).values(
                id=session_id, account_id=account_id, refresh_hash=refresh_hash, expires_at=expires_at
            )
        )

    def session_account(self, refresh_hash: str, now: datetime) -> tuple[str, Account] | None:
        """Return (session id, account) of the open session with this refresh token; None where there is none.

        None is also returned where the account is disabled.
        """
        query = select(sessions.c.id, sessions.c.account_id).where(
            sessions.c.refresh_hash == refresh_hash, sessions.c.ended_at.is_(None), sessions.c.expires_at > now
        )
        row = self._connection.execute(query).first()
        if row is None:
            return None
        account = self.get(row.account_id)
        return None if account.disabled_at else (row.id, account)

    def session_is_open(self, session_id: str | None, account_id: str, now: datetime) -> bool:
        """Return whether the account has this session, it has not ended or expired, and the account is enabled."""
        row = {"session_id": session_id, "account_id": account_id, "now": now}
        return self._connection.execute(open_session, row).first() is not None

    def end_session(self, session_id: str, now: datetime) -> None:
        """End one session."""
        self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(ended_at=now))

    def end_sessions(self, account_id: str, now: datetime, but: str | None = None) -> None:
        """End all open sessions of an account, except the session `but`."""
        query = update(sessions).where(sessions.c.account_id == account_id, sessions.c.ended_at.is_(None))
        self._connection.execute((query.where(sessions.c.id != but) if but else query).values(ended_at=now))


class Resets:
    """The repository of pending password-reset requests and of each account's newest code."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, request_id: str, index: str, now: datetime) -> None:
        """Store a request by the hash of a user name or address, whether or not there is such an account."""
        self._connection.execute(insert(reset_requests).values(id=request_id, login_index=index, asked_at=now))

    def is_asked(self) -> bool:
        """Return whether a request is pending."""
        return self._connection.execute(select(reset_requests.c.id).limit(1)).first() is not None

    def take_asked(self) -> tuple[str, datetime] | None:
        """Remove the oldest request that no other instance has locked, and return its (index, time); None if none."""
        query = select(reset_requests).order_by(reset_requests.c.asked_at).limit(1).with_for_update(skip_locked=True)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        self._connection.execute(delete(reset_requests).where(reset_requests.c.id == row.id))
        return row.login_index, row.asked_at

    def of(self, account_id: str) -> PasswordReset:
        """Return the account's newest code, locked; a PasswordReset without a code where there is none."""
        query = select(password_resets).where(password_resets.c.account_id == account_id)
        row = self._connection.execute(query.with_for_update()).first()
        return _reset(row) if row else PasswordReset(account_id)

    def find(self, token_hash: str) -> PasswordReset | None:
        """Return the reset whose newest code has this hash; None where there is none."""
        query = select(password_resets).where(password_resets.c.token_hash == token_hash)
        row = self._connection.execute(query).first()
        return _reset(row) if row else None

    def save(self, reset: PasswordReset, now: datetime) -> None:
        """Store `reset` in place of the account's earlier one."""
        row = asdict(reset)
        if not insert_if_absent(self._connection, password_resets, row | {"told_since": now}):
            self._connection.execute(
                update(password_resets).where(password_resets.c.account_id == reset.account_id).values(**row)
            )

    def end(self, account_id: str) -> None:
        """Invalidate the account's code, if it has one."""
        self._connection.execute(
            update(password_resets)
            .where(password_resets.c.account_id == account_id)
            .values(token_hash=None, expires_at=None)
        )


def _reset(row: Any) -> PasswordReset:
    return PasswordReset(row.account_id, row.token_hash, row.expires_at)


class Postboxes:
    """The repository of the numbers of codes sent to each address."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, address_index: str, now: datetime) -> Postbox:
        """Return the Postbox of an address, locked; a new one where there is none."""
        insert_if_absent(self._connection, postboxes, {"address_index": address_index, "since": now, "told": 0})
        query = select(postboxes).where(postboxes.c.address_index == address_index)
        row = self._connection.execute(query.with_for_update()).one()
        kept = self._connection.execute(select(shares).where(shares.c.address_index == address_index))
        return Postbox(**row._mapping, shares={share.account_id: Share(share.had_since, share.told) for share in kept})

    def save(self, postbox: Postbox) -> None:
        """Store `postbox` with its shares."""
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
        """Delete the postboxes begun before `before`, at most PRUNED of them, skipping those locked by others."""
        old = select(postboxes.c.address_index).where(postboxes.c.since < before).limit(PRUNED)
        found = self._connection.execute(old.with_for_update(skip_locked=True)).scalars().all()
        for table in (shares, postboxes):
            self._connection.execute(delete(table).where(table.c.address_index.in_(found)))
