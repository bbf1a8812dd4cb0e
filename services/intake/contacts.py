"""How a reporter is reached: looked at and changed by themselves alone.

Threat: somebody at a browser that was left logged in has the letters sent to themselves. A change therefore asks for
the password again, and a code for a new one that went to the old address is good no more.
"""

from collections.abc import Mapping
from typing import Any

from nkk.contracts.events import ReporterRegistered
from nkk.messaging.actor import Actor, requires
from nkk.messaging.log import get_logger
from nkk.messaging.rpc import rpc
from nkk.messaging.sealing import seal
from nkk.messaging.validation import load
from nkk.sop.steps import Role
from services.intake import schemas
from services.intake.domain import Account
from services.intake.passwords import ChangesPasswords
from services.intake.storage import IntakeWork

CONTACT = ("email", "phone")

log = get_logger()


class KeepsContacts(ChangesPasswords):
    """The part of intake that reporters look after their own address and number with."""

    @rpc
    @requires(Role.REPORTER)
    def contact(self, actor: Actor, reply_key: str) -> str:
        """The caller's own e-mail address and phone number, sealed for `reply_key`."""
        known = self.known_account(actor)
        with self.uow.reading() as work:
            identity = self.identity_of(work, known)
        return seal({name: identity.get(name) for name in CONTACT}, reply_key)

    @rpc
    @requires(Role.REPORTER)
    def change_contact(self, actor: Actor, box: str) -> None:
        """The ContactChange in the box, for the caller: letters that have not left go to the new address."""
        form = load(schemas.ContactChange, self.vault.open(box))
        known = self.known_account(actor)
        matches = self.passwords.matches(form["password"], known.password_hash)
        self.if_admitted(known, matches, lambda work, account: self._keep_contact(work, account, form))
        log.info("contact changed", account=actor.id)

    def _keep_contact(self, work: IntakeWork, account: Account, form: Mapping[str, Any]) -> None:
        kind, encrypted = work.accounts.reporter(account.id, for_update=True)
        identity = self.vault.decrypt(encrypted)
        changed = identity | {name: form[name] for name in CONTACT}
        work.accounts.replace_identity(account.id, self.vault.encrypt(changed))
        if changed["email"] != identity["email"]:
            work.resets.end(account.id)
            tell_registered(work, self.vault, account.id, kind, changed["email"])


def tell_registered(work: IntakeWork, vault: Any, reporter_id: str, kind: str, email: str) -> None:
    """Tell notification, and it alone, how a reporter is reached from now on."""
    work.emit(ReporterRegistered(reporter_id=reporter_id, reporter_kind=kind,
                                 sealed_contact=vault.seal_for_notification({"email": email})))
