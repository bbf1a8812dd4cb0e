"""How a reporter gets an account: by registering, or, where a report was entered for them, by its code.

Threat: somebody finds a used code, or guesses at codes. Therefore every invalid code has the same refusal, and a code
opens an account once; sent again at once, the same registration has the same answer, as in `register`.
"""

from typing import Any

from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop import faults
from nkk.sop.registration import check_credentials, check_registration
from nkk.sop.steps import Role
from services.intake import attempts, domain, entries, schemas
from services.intake.accounts import add_account, identity_of, new_account
from services.intake.boxes import OpensBoxes, boxed
from services.intake.contacts import tell_registered
from services.intake.entries import AccessCodeRefused, Entry
from services.intake.storage import IntakeWork

log = get_logger()


class OpensAccounts(OpensBoxes):
    """The part of intake in which reporters get their accounts."""

    passwords: Any

    @rpc
    @boxed(schemas.Registration)
    def register(self, call: Call) -> dict[str, str]:
        """Register a reporter. Repeated within SENT_AGAIN_WITHIN, the same registration has the same answer."""
        form = call.content
        check_registration(form, self.uow.clock().date())
        account = new_account(self, form, Role.REPORTER)
        identity = {key: form[key] for key in ("name", "identity_number", "email", "phone", "username")}
        try:
            self._keep_registration(call, account, identity)
        except domain.UsernameTaken:
            # The same registration may have come before: by a double click, or a retry after a lost connection.
            known = self._just_registered(form, identity)
            if known is None:
                raise
            account = known
        return {"reporter_id": account.id}

    def _keep_registration(self, call: Call, account: domain.Account, identity: dict[str, Any]) -> None:
        form = call.content
        with self.once(call) as work:
            add_account(work, account)
            work.accounts.add_reporter(
                account.id, form["kind"], self.vault.encrypt(identity), self.vault.address_index(form["email"])
            )
            tell_registered(work, self.vault, account.id, form["kind"], form["email"])

    def _just_registered(self, form: dict[str, Any], identity: dict[str, Any]) -> domain.Account | None:
        """Return the account that this same registration created recently; None where the account is another's."""
        with self.uow.reading() as work:
            known = work.accounts.of_name(self.vault.login_index(form["username"])).get(attempts.REPORTER)
            if known is None or not domain.is_new(known, work.now) or identity_of(work, self.vault, known) != identity:
                return None
        return known if self.passwords.matches(form["password"], known.password_hash) else None

    @rpc
    @boxed(schemas.CodeRegistration)
    def open_account(self, call: Call) -> dict[str, str]:
        """Give the account of an entry a user name and a password, by its code, which can be used once.

        Raises AccessCodeRefused, or UsernameTaken, which leaves the code unused.
        """
        form = call.content
        check_credentials(form["username"], form["password"])
        code_hash = entries.hash_of(self.vault.hidden, form["access_code"])
        try:
            reporter_id = self._opened(call, form, code_hash)
        except AccessCodeRefused:
            # The same registration may have come before, or at the same time: by a double click, or a retry.
            just_opened = self._just_opened(code_hash, form)
            if just_opened is None:
                raise
            if not call.used:
                with self.once(call):
                    pass
            reporter_id = just_opened
        return {"reporter_id": reporter_id}

    def _opened(self, call: Call, form: dict[str, Any], code_hash: str) -> str:
        """Open the account, and return its id. Raises AccessCodeRefused where the code cannot be used, or no more."""
        with self.uow.reading() as work:
            _open_entry(work, code_hash)
        password_hash = self.passwords.hash(form["password"])
        with self.once(call) as work:
            entry = _open_entry(work, code_hash, for_update=True)
            self._open(work, entry, form["username"], password_hash)
            work.entries.use(entry.ticket, work.now)
        log.info("account opened by code")
        return entry.reporter_id

    def _open(self, work: IntakeWork, entry: Entry, username: str, password_hash: str) -> None:
        account = work.accounts.get(entry.reporter_id, for_update=True)
        account.login_index, account.password_hash = self.vault.login_index(username), password_hash
        if not work.accounts.save_named(account):
            raise domain.UsernameTaken({"fields": {"username": [faults.USERNAME_TAKEN()]}})
        _, encrypted = work.accounts.reporter(account.id, for_update=True)
        identity = self.vault.decrypt(encrypted) | {"username": username}
        work.accounts.replace_identity(account.id, self.vault.encrypt(identity))
        # From now on the account is found by its address, behind those that have had it longer.
        if identity["email"] is not None:
            work.accounts.index_address(account.id, self.vault.address_index(identity["email"]), work.now)

    def _just_opened(self, code_hash: str, form: dict[str, Any]) -> str | None:
        """Return the account that this same registration opened within SENT_AGAIN_WITHIN; None for any other."""
        with self.uow.reading() as work:
            entry = work.entries.of_code(code_hash)
            known = work.accounts.of_name(self.vault.login_index(form["username"])).get(attempts.REPORTER)
        if entry is None or known is None or known.id != entry.reporter_id or not entry.was_just_used(work.now):
            return None
        return known.id if self.passwords.matches(form["password"], known.password_hash) else None


def _open_entry(work: IntakeWork, code_hash: str, for_update: bool = False) -> Entry:
    entry = work.entries.of_code(code_hash, for_update=for_update)
    if entry is None or not entry.is_open(work.now):
        raise entries.access_code_refused()
    return entry
