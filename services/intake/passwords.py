"""Password changes: the reset of a forgotten password by an e-mailed code, and the change by a caller who knows it.

Threat: somebody requests a reset to learn whether a person is registered. Therefore a request does the same work for
every user name and e-mail address, and the account is looked up later, when no caller waits for the answer.
"""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from cryptography.fernet import InvalidToken

from nkk.contracts.events import PasswordResetRequested
from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.host import sleep, timer
from nkk.messaging.rpc import rpc
from nkk.sop.registration import check_password
from nkk.sop.steps import PERSONS, Role
from nkk.trust.actor import Actor, requires
from services.intake import attempts, domain, resets, schemas
from services.intake.accounts import end_slow_down, identity_of, known_account
from services.intake.boxes import OpensBoxes, boxed
from services.intake.domain import Account
from services.intake.hashing import compared_anew
from services.intake.storage import IntakeWork

ANSWER_SECONDS = 1
INDEX_SECONDS = 600
BATCH = 100
FORGET_SECONDS = 60

log = get_logger()


class ChangesPasswords(OpensBoxes):
    """The part of intake with which reporters and staff change their own passwords."""

    passwords: Any

    # -- password reset, for reporters only

    @rpc
    @boxed(schemas.ResetRequest)
    def request_reset(self, call: Call) -> None:
        """Request a code for the reporter with this user name, or for the reporters with this e-mail address."""
        form = call.content
        index = self.vault.address_index(form["email"]) if "email" in form else self.vault.login_index(form["username"])
        with self.once(call) as work:
            work.resets.ask(str(uuid.uuid4()), index, work.now)

    @timer(interval=ANSWER_SECONDS)
    def answer_resets(self) -> None:
        """Publish the requested codes, for notification to send."""
        while self._answer_reset():
            pass

    def _answer_reset(self) -> bool:
        """Answer one request; return False where none is pending."""
        with self.uow.reading() as work:
            if not work.resets.is_asked():
                return False
        with self.uow.begin() as work:
            asked = work.resets.take_asked()
            if asked is None:
                return False
            index, asked_at = asked
            # A request that outlasted a long downtime is no longer wanted.
            wanted = work.now < asked_at + resets.LIFETIME
            told = self._tell_codes(work, index) if wanted else 0
        if told:
            log.info("reset codes published", letters=told)
        return True

    def _tell_codes(self, work: IntakeWork, index: str) -> int:
        """Publish a new code for each account that `index` requests, within the rate limit; return their number."""
        # Locked, so that a concurrent change of address cannot let a code go to the old address.
        asked = {
            account.id: (account, identity)
            for account in work.accounts.to_reset(index, resets.ACCOUNTS)
            if resets.may_be_reset(account) and (identity := self._asked_for(work, account, index))
        }
        if not asked:
            return 0
        # Counted by address: a count by account would reveal to its owner that others requested codes for the address.
        email = next(iter(asked.values()))[1]["email"]
        postbox = work.postboxes.of(self.vault.postbox_index(email), work.now)
        oldest = work.accounts.oldest(self.vault.address_index(email), resets.OLDEST)
        admitted = postbox.admitted(list(asked), oldest, work.now)
        if len(admitted) < len(asked):
            log.warning("too many reset codes requested")
        work.postboxes.save(postbox)
        for account_id in admitted:
            self._tell_code(work, *asked[account_id])
        return len(admitted)

    def _asked_for(self, work: IntakeWork, account: Account, index: str) -> dict[str, Any] | None:
        """Return the identity of the account's reporter where `index` is of its user name or address; else None."""
        try:
            identity = identity_of(work, self.vault, account)
        except InvalidToken:
            log.error("identity cannot be decrypted")
            return None
        if identity["email"] is None:
            return None
        address_index = self.vault.address_index(identity["email"])
        work.accounts.correct_address(account.id, address_index, work.now)
        return identity if index in (account.login_index, address_index) else None

    def _tell_code(self, work: IntakeWork, account: Account, identity: dict[str, Any]) -> None:
        reset = work.resets.of(account.id)
        code = reset.renew(work.now)
        work.resets.save(reset, work.now)
        # The address is sealed with the code, so that no write to another database can redirect the letter.
        letter = self.vault.seal_for_notification(
            {"email": identity["email"], "username": identity["username"], "code": code}
        )
        work.emit(
            PasswordResetRequested(reporter_id=account.id, sealed_letter=letter, expires_at=work.now + resets.LIFETIME)
        )

    @timer(interval=INDEX_SECONDS, eager=True)
    def index_addresses(self) -> None:
        """Index the e-mail addresses of reporters whom an earlier version registered, a transaction for each batch."""
        last: str | None = ""
        while last is not None:
            last = self._index_batch(last)
            sleep(0)

    def _index_batch(self, after: str) -> str | None:
        """Index the next addresses after id `after`; return the last id, or None where none were left."""
        with self.uow.begin() as work:
            found = work.accounts.without_address_index(after, BATCH)
            for account_id, identity in found:
                try:
                    work.accounts.index_address(
                        account_id, self.vault.address_index(self.vault.decrypt(identity)["email"])
                    )
                except InvalidToken:
                    log.error("identity cannot be decrypted")
        return found[-1][0] if found else None

    @rpc
    @boxed(schemas.ResetCompletion)
    def complete_reset(self, call: Call) -> None:
        """Set a new password by an e-mailed code, and end the account's slow-down and all its sessions."""
        form = call.content
        token_hash = resets.hash_of(form["token"])
        with self.uow.reading() as work:
            reset = work.resets.find(token_hash)
            if reset is None or not reset.is_good(work.now):
                raise resets.reset_expired()
            known = work.accounts.get(reset.account_id)
            username = self._username(work, known)
        check_password(username, form["password"])
        password_hash = self.passwords.hash(form["password"])
        with self.once(call) as work:
            end_slow_down(work, self.vault, known.login_index, attempts.REPORTER)
            account = work.accounts.get(reset.account_id, for_update=True)
            reset = work.resets.of(account.id)
            if reset.token_hash != token_hash or not reset.is_good(work.now) or not resets.may_be_reset(account):
                raise resets.reset_expired()
            self._set_password(work, account, password_hash)
            work.accounts.end_sessions(account.id, work.now)
        log.info("password reset")

    # -- password change, for every person who is logged in

    @rpc
    @requires(*PERSONS)
    @boxed(schemas.Nothing)
    def own_name(self, actor: Actor, call: Call) -> dict[str, str]:
        """Return the caller's own user name."""
        with self.once(call) as work:
            return {"username": self._username(work, known_account(work, actor))}

    @rpc
    @requires(*PERSONS)
    @boxed(schemas.PasswordChange)
    def change_password(self, actor: Actor, call: Call) -> None:
        """Change the caller's password, and end all their other sessions."""
        compared_anew(partial(self._change_password, actor, call))
        log.info("password changed", role=actor.role)

    def _change_password(self, actor: Actor, call: Call) -> None:
        form = call.content
        with self.uow.reading() as work:
            known = known_account(work, actor)
            username = self._username(work, known)
        # Checked before the current password: a later refusal of the new one would reveal that the current is right.
        check_password(username, form["new_password"], "new_password")
        matches = self.passwords.matches(form["password"], known.password_hash)
        password_hash = self.passwords.hash(form["new_password"]) if matches else ""

        def change(work: IntakeWork, account: Account) -> None:
            self._set_password(work, account, password_hash)
            work.accounts.end_sessions(account.id, work.now, but=actor.session)

        self.if_admitted(call, actor, known, matches, change)

    def if_admitted(
        self, call: Call, actor: Actor, known: Account, matches: bool, change: Callable[[IntakeWork, Account], None]
    ) -> None:
        """Carry out `change` where the password that the caller gave again is right (`matches`).

        A wrong one counts for this session only: guessing from a session left open is slowed down, and the account's
        other sessions and log-ins are not. Raises WrongPassword, SlowedDown, or HashReplaced where the password has to
        be compared again.
        """
        with self.once(call) as work:
            now = work.now
            door = attempts.session_door(known.login_index, known.role, str(actor.session), self.vault.hidden, now)
            work.attempts.lock(door.counts)
            account = work.accounts.get(known.id, for_update=True)
            fits = matches and account.is_open_by(known)
            opened, until = attempts.settle([door], {door.kind} if fits else set(), now)
            work.attempts.save(door.counts)
            if opened:
                change(work, account)
        if not opened:
            raise attempts.slowed_down(until, now) if until else domain.wrong_password()

    @timer(interval=FORGET_SECONDS)
    def forget_attempts(self) -> None:
        """Delete counts of failures and of codes that no longer matter."""
        with self.uow.begin() as work:
            work.attempts.prune(work.now - attempts.KEPT_FEW, work.now - attempts.KEPT_MANY)
            work.postboxes.prune(work.now - resets.PER)

    def _set_password(self, work: IntakeWork, account: Account, password_hash: str) -> None:
        account.password_hash = password_hash
        work.accounts.save(account)
        work.resets.end(account.id)

    def _username(self, work: IntakeWork, account: Account) -> str:
        if account.role == Role.REPORTER:
            return identity_of(work, self.vault, account)["username"]
        return account.username or ""
