"""The accounts of other websites, whose servers send in what their visitors report.

A website's name is its user name, and its password is a generated secret, of which only the hash is stored. It logs in
as people do, and can be kept by the installation's administrators only, from the command line.
"""

import secrets
import uuid
from typing import Any

from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop.registration import check_username
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from services.intake import domain, schemas
from services.intake.accounts import end_slow_down
from services.intake.admin import add_account
from services.intake.attempts import STAFF
from services.intake.boxes import OpensBoxes, boxed
from services.intake.storage import IntakeWork

SECRET_BYTES = 32

log = get_logger()


class KeepsWebsites(OpensBoxes):
    """The part of intake that keeps the accounts of websites."""

    passwords: Any

    @rpc
    @requires(Role.ADMIN)
    def websites(self, actor: Actor) -> list[dict[str, Any]]:
        """Return the websites by name."""
        with self.uow.reading() as work:
            return schemas.WebsiteView(many=True).dump(work.accounts.websites())

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.WebsiteName)
    def add_website(self, actor: Actor, call: Call) -> dict[str, str]:
        """Add a website, and return its secret. Raises UsernameTaken."""
        name = call.content["name"]
        check_username(name, "name")
        secret, password_hash = self._new_secret()
        account = domain.Account(
            id=str(uuid.uuid4()),
            login_index=self.vault.login_index(name),
            role=Role.WEBSITE,
            password_hash=password_hash,
            username=name,
            name=name,
            created_at=self.uow.clock(),
        )
        with self.once(call) as work:
            add_account(work, account)
        log.info("website added", account=account.id, by=actor.id)
        return {"secret": secret}

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.WebsiteName)
    def rotate_website(self, actor: Actor, call: Call) -> dict[str, str]:
        """Return a new secret for a website, and end its sessions and its slow-down. Raises UnknownWebsite."""
        secret, password_hash = self._new_secret()
        with self.once(call) as work:
            end_slow_down(work, self.vault, self.vault.login_index(call.content["name"]), STAFF)
            account = self._website(work, call.content["name"])
            account.reset(password_hash)
            work.accounts.save(account)
            work.accounts.end_sessions(account.id, work.now)
        log.info("secret of website replaced", account=account.id, by=actor.id)
        return {"secret": secret}

    @rpc
    @requires(Role.ADMIN)
    @boxed(schemas.WebsiteName)
    def remove_website(self, actor: Actor, call: Call) -> None:
        """Remove a website for good, and end its sessions. Raises UnknownWebsite.

        A website that is added under the same name later is another one, and sees nothing of this one's.
        """
        with self.once(call) as work:
            account = self._website(work, call.content["name"])
            account.remove(self.vault.hidden("removed website", account.id), work.now)
            work.accounts.save(account)
            work.accounts.end_sessions(account.id, work.now)
        log.info("website removed", account=account.id, by=actor.id)

    def _new_secret(self) -> tuple[str, str]:
        secret = secrets.token_urlsafe(SECRET_BYTES)
        return secret, self.passwords.hash(secret)

    def _website(self, work: IntakeWork, name: str) -> domain.Account:
        account = work.accounts.of_name(self.vault.login_index(name), for_update=True).get(STAFF)
        if account is None or account.role != Role.WEBSITE:
            raise domain.UnknownWebsite
        return account
