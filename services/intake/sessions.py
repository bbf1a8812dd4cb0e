"""Sessions: log-in, renewal and log-out, and the check of the session in the same transaction as the call itself.

Threat: an access token stays valid for minutes after its session ended by log-out or by disabling the account.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop.refusals import NotAuthenticated
from nkk.trust.actor import Actor, grant, requires
from services.intake import attempts, domain, schemas
from services.intake.attempts import KINDS
from services.intake.boxes import OpensBoxes, boxed
from services.intake.domain import Account
from services.intake.hashing import compared_anew
from services.intake.storage import IntakeWork


class Acting:
    """Intake's unit of work for a call of `actor`. Raises NotAuthenticated where the actor's session has ended.

    An actor without a session was granted directly with the signing key, and needs none.
    """

    def __init__(self, uow: Any, actor: Actor) -> None:
        self._uow = uow
        self._actor = actor
        self.clock = uow.clock

    @contextmanager
    def begin(self) -> Iterator[IntakeWork]:
        """Begin a transaction, as UnitOfWork does, after the check of the session."""
        with self._uow.begin() as work:
            self._check(work)
            yield work

    @contextmanager
    def reading(self) -> Iterator[IntakeWork]:
        """Open the repositories for reading only, as UnitOfWork does, after the check of the session."""
        with self._uow.reading() as work:
            self._check(work)
            yield work

    def _check(self, work: IntakeWork) -> None:
        actor = self._actor
        if actor.session is not None and not work.accounts.session_is_open(actor.session, actor.id, work.now):
            raise NotAuthenticated(code="session-ended")


class KeepsSessions(OpensBoxes):
    """The part of intake that opens sessions, renews their access tokens, and ends them."""

    passwords: Any
    signing_key: str

    @rpc
    @boxed(schemas.Credentials)
    def log_in(self, call: Call) -> dict[str, Any]:
        """Open a session. Raises NotAuthenticated or SlowedDown."""
        return compared_anew(partial(self._log_in, call))

    def _log_in(self, call: Call) -> dict[str, Any]:
        form = call.content
        index = self.vault.login_index(form["username"])
        with self.uow.reading() as work:
            known = work.accounts.of_name(index)
        # Both kinds are compared even where no account exists, so that the time taken reveals nothing.
        is_known_staff = attempts.STAFF in form["visitor"]["known_as"]
        passwords = self.passwords.of_known_staff if is_known_staff else self.passwords
        fitting = {kind for kind in KINDS if passwords.matches(form["password"], _hash_of_password(known.get(kind)))}
        renewed = {kind: passwords.renewed(form["password"], known[kind].password_hash) for kind in fitting}
        with self.once(call) as work:
            now = work.now
            doors = attempts.doors(index, form["visitor"], self.vault.hidden, now)
            work.attempts.lock_all(doors)
            accounts = work.accounts.of_name(index, for_update=True)
            fitting = {kind for kind in fitting & accounts.keys() if accounts[kind].is_open_by(known[kind])}
            kind, until = attempts.settle(doors, fitting, now)
            work.attempts.save_all(doors)
            session = self._let_in(work, accounts[kind], renewed[kind]) if kind else None
        if session is None:
            raise attempts.slowed_down(until, now) if until else domain.wrong_credentials()
        return session

    @rpc
    @boxed(schemas.Renewal, refused_for_good=True)
    def renew(self, call: Call) -> dict[str, Any]:
        """Return a fresh access token for an open session. Raises NotAuthenticated where it has ended."""
        with self.uow.reading() as work:
            found = work.accounts.session_account(_hash_of_token(call.content["refresh_token"]), work.now)
        if found is None:
            raise NotAuthenticated(code="session-ended")
        with self.once(call):
            pass
        session_id, account = found
        return self._session(account, session_id, work.now)

    @rpc
    @requires()
    def log_out(self, actor: Actor) -> None:
        """End the caller's session."""
        with self.uow.begin() as work:
            work.accounts.end_session(actor.session, work.now)

    def _let_in(self, work: IntakeWork, account: Account, password_hash: str) -> dict[str, Any]:
        if account.password_hash != password_hash:
            account.password_hash = password_hash
            work.accounts.save(account)
        return self._open_session(work, account)

    def _open_session(self, work: IntakeWork, account: Account) -> dict[str, Any]:
        session_id, refresh_token = str(uuid.uuid4()), secrets.token_urlsafe(32)
        expires = work.now + domain.SESSION_LIFETIME
        work.accounts.open_session(session_id, account.id, _hash_of_token(refresh_token), expires)
        return self._session(account, session_id, work.now) | {
            "refresh_token": refresh_token,
            "session_expires_at": expires.isoformat(),
        }

    def _session(self, account: Account, session_id: str, now: datetime) -> dict[str, Any]:
        actor = Actor(account.id, account.role, account.group, session_id, barred=account.barred)
        token, expires = grant(actor, self.signing_key, now)
        return {"access_token": token, "expires_at": expires.isoformat(), "role": account.role, "opd": account.group}


def _hash_of_password(account: Account | None) -> str | None:
    return account.password_hash if account else None


def _hash_of_token(refresh_token: str) -> str:
    return hashlib.sha256(refresh_token.encode()).hexdigest()
