"""A reporter's contact data, which only the reporter can see and change.

Threat: somebody at a browser that was left logged in redirects the letters to themselves. A change therefore requires
the password again, and invalidates a password code that was sent to the old address.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from nkk.contracts.events import ReporterRegistered
from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop.mailbox import is_same
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from services.intake import schemas
from services.intake.accounts import identity_of, known_account
from services.intake.boxes import boxed
from services.intake.domain import Account
from services.intake.hashing import compared_anew
from services.intake.passwords import ChangesPasswords
from services.intake.storage import IntakeWork

CONTACT = ("email", "phone")

log = get_logger()


class KeepsContacts(ChangesPasswords):
    """The part of intake with which reporters see and change their own e-mail address and phone number."""

    @rpc
    @requires(Role.REPORTER)
    @boxed(schemas.Nothing)
    def contact(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Return the caller's own e-mail address and phone number."""
        with self.once(call) as work:
            identity = identity_of(work, self.vault, known_account(work, actor))
        return {name: identity.get(name) for name in CONTACT}

    @rpc
    @requires(Role.REPORTER)
    @boxed(schemas.ContactChange)
    def change_contact(self, actor: Actor, call: Call) -> None:
        """Change the caller's contact data. Unsent letters go to the new address."""
        compared_anew(partial(self._change_contact, actor, call))
        log.info("contact changed")

    def _change_contact(self, actor: Actor, call: Call) -> None:
        form = call.content
        with self.uow.reading() as work:
            known = known_account(work, actor)
        matches = self.passwords.matches(form["password"], known.password_hash)
        self.if_admitted(call, actor, known, matches, lambda work, account: self._keep_contact(work, account, form))

    def _keep_contact(self, work: IntakeWork, account: Account, form: Mapping[str, Any]) -> None:
        kind, encrypted = work.accounts.reporter(account.id, for_update=True)
        identity = self.vault.decrypt(encrypted)
        changed = identity | {name: form[name] for name in CONTACT}
        work.accounts.replace_identity(account.id, self.vault.encrypt(changed))
        before = self.vault.address_index(identity["email"]) if identity["email"] else None
        after = self.vault.address_index(changed["email"])
        work.accounts.index_address(account.id, after, work.now if after != before else None)
        if identity["email"] is None or not is_same(changed["email"], identity["email"]):
            work.resets.end(account.id)
            tell_registered(work, self.vault, account.id, kind, changed["email"])


def tell_registered(work: IntakeWork, vault: Any, reporter_id: str, kind: str, email: str | None) -> None:
    """Publish a reporter's e-mail address, or that they have none, sealed for the notification service."""
    work.emit(
        ReporterRegistered(
            reporter_id=reporter_id, reporter_kind=kind, sealed_contact=vault.seal_for_notification({"email": email})
        )
    )
