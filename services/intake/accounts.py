"""What several parts of intake do with an account."""

import uuid
from typing import Any

from nkk.sop import faults
from nkk.sop.refusals import NotAuthenticated
from nkk.sop.registration import check_credentials
from nkk.trust.actor import Actor
from services.intake import attempts, domain
from services.intake.domain import Account
from services.intake.identity import Vault
from services.intake.storage import IntakeWork


def new_account(intake: Any, form: dict[str, Any], role: str, **known: Any) -> Account:
    """Return a new account with the user name and password of `form`, not stored yet. Raises InvalidInput."""
    username = form["username"]
    check_credentials(username, form["password"])
    return Account(
        id=str(uuid.uuid4()),
        login_index=intake.vault.login_index(username),
        role=role,
        password_hash=intake.passwords.hash(form["password"]),
        created_at=intake.uow.clock(),
        **known,
    )


def add_account(work: IntakeWork, account: Account) -> None:
    """Store a new account. Raises UsernameTaken."""
    if not work.accounts.add(account):
        raise domain.UsernameTaken({"fields": {"username": [faults.USERNAME_TAKEN()]}})


def known_account(work: IntakeWork, actor: Actor) -> Account:
    """Return the caller's account. Raises NotAuthenticated where the caller has no session."""
    if actor.session is None:
        raise NotAuthenticated
    return work.accounts.get(actor.id)


def identity_of(work: IntakeWork, vault: Vault, account: Account) -> dict[str, Any]:
    """Return the identity of the account's reporter. Raises InvalidToken where no key of the ring fits."""
    _, identity = work.accounts.reporter(account.id)
    return vault.decrypt(identity)


def end_slow_down(work: IntakeWork, vault: Vault, login_index: str, kind: str) -> None:
    """Delete the counts of wrong passwords for an account, and let strangers try without waiting for LET_IN.

    Must be called before the account's row is locked, which is the order of a log-in, to avoid deadlocks.
    """
    now = work.now
    strangers = attempts.Count(vault.hidden("name", kind, login_index, ""), login_index, kind, "name", now)
    work.attempts.lock([strangers])
    work.attempts.forget(login_index, kind)
    strangers.forget()
    strangers.open_until, strangers.last_at = now + attempts.LET_IN, now
    work.attempts.add(strangers)
