"""How a person whose report a website sent in gets an account of their own, by the code that the website showed them.

Threat: somebody finds a used code, or guesses at codes. Therefore every invalid code has the same refusal, and a code
opens an account once; sent again at once, the same registration has the same answer, as in `register`.
"""

from typing import Any

from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop import faults
from nkk.sop.registration import check_credentials
from services.intake import attempts, domain, entries, schemas
from services.intake.boxes import OpensBoxes, boxed
from services.intake.entries import AccessCodeRefused, Entry
from services.intake.storage import IntakeWork

log = get_logger()


class OpensAccounts(OpensBoxes):
    """The part of intake that gives a user name and a password to the account of an entry."""

    passwords: Any

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
