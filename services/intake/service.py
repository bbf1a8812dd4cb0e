"""Intake's RPC methods: registration, sessions, submission, and the operator's desk."""

import hashlib
import json
import secrets
import uuid
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any, Self

from nkk.contracts import views
from nkk.contracts.events import ComplaintHandedOver
from nkk.desk import IDENTITY_SHOWN, viewing
from nkk.desk.stage import Desk, of_the_desk
from nkk.messaging.boxes import Call, UnreadableBoxError
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop.clock import Calendar
from nkk.sop.files import told
from nkk.sop.refusals import NotAuthenticated, UnknownTicket
from nkk.sop.registration import check_registration
from nkk.sop.report import written
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, grant, requires
from nkk.validation import instant, load
from services.intake import attempts, domain, schemas
from services.intake.admin import AdminDesk, add_account
from services.intake.attempts import KINDS
from services.intake.boxes import boxed
from services.intake.contacts import KeepsContacts, tell_registered
from services.intake.entering import TakesEntries, submitted
from services.intake.evidence import KeepsEvidence
from services.intake.identity import PasswordsProvider, SigningKeyProvider, VaultProvider, compared_anew
from services.intake.opening import OpensAccounts
from services.intake.passwords import known_account
from services.intake.retelling import SealsTold
from services.intake.sessions import Acting
from services.intake.storage import IntakeWork
from services.intake.websites import KeepsWebsites


class IntakeService(
    KeepsContacts, AdminDesk, KeepsWebsites, TakesEntries, KeepsEvidence, OpensAccounts, SealsTold, Desk
):
    """Intake (steps 1 and 2). Calls with identities or credentials are sealed in boxes."""

    name = "intake"
    role = Role.OPERATOR
    listed = schemas.Listed
    uow = UnitOfWorkProvider(IntakeWork)
    vault = VaultProvider()
    passwords = PasswordsProvider()
    signing_key = SigningKeyProvider()

    def acting_for(self, actor: Actor) -> Self:
        """Return a copy of this service whose unit of work checks that the session of `actor` is open."""
        acting: Any = copy(self)
        acting.uow = Acting(self.uow, actor)
        return acting

    # -- step 1: register, log in, submit

    @rpc
    @boxed(schemas.Registration)
    def register(self, call: Call) -> dict[str, str]:
        """Register a reporter. Repeated within SENT_AGAIN_WITHIN, the same registration has the same answer."""
        form = call.content
        check_registration(form, self.uow.clock().date())
        account = self.new_account(form, Role.REPORTER)
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
            if known is None or not domain.is_new(known, work.now) or self.identity_of(work, known) != identity:
                return None
        return known if self.passwords.matches(form["password"], known.password_hash) else None

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
        fitting = {kind for kind in KINDS if passwords.matches(form["password"], _hash_of(known.get(kind)))}
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
            found = work.accounts.session_account(_hash(call.content["refresh_token"]), work.now)
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

    @rpc
    def lists(self, at: str | None = None) -> views.Lists:
        """Return the catalogue and the roster, and when they last changed.

        Where the instant `at` is given, they are as they were then; `changed_at` is always that of the latest change.
        """
        with self.uow.reading() as work:
            changed_at = work.lists.changed_at()
            lists = work.lists if at is None else work.lists.at(instant(at))
            return {
                "categories": lists.categories(),
                "opds": lists.opds(),
                "changed_at": changed_at and changed_at.isoformat(),
            }

    @rpc
    @requires(Role.REPORTER)
    def submit(self, actor: Actor, form: dict, idempotency_key: str | None = None) -> dict[str, Any]:
        """Submit a report (step 1). It is idempotent by `idempotency_key`: the same form gets the same receipt.

        Raises IdempotencyKeyReused where the key was used with another form.
        """
        form = load(schemas.ComplaintForm, form)
        calendar, form_hash = self.calendars.current(), _hash(domain.sent_again(form))
        with self.uow.begin() as work:
            kind, lists = work.submitting(actor.id)
            complaint = domain.Complaint.submit(form, actor.id, kind, work.now, calendar)
            taken = idempotency_key and work.complaints.submitted_before(
                actor.id, idempotency_key, form_hash, complaint.ticket
            )
            if taken:
                complaint = domain.same_as(taken, form_hash, work.complaints.get)
            else:
                # Only for a new report: a repeated one was accepted by the catalogue of its time.
                domain.check_against_catalogue(form, lists.categories(), lists.opds())
                work.complaints.add(complaint)
                work.attach(complaint.ticket, complaint.files)
                work.emit(submitted(complaint, self.vault))
        return schemas.Receipt().dump(complaint)

    @rpc
    @requires(Role.REPORTER)
    def complaints(self, actor: Actor, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """Return a page of the caller's own reports, newest first."""
        with self.uow.reading() as work:
            items, following = work.complaints.of_reporter(actor.id, cursor, limit)
        return {"items": schemas.Own(many=True).dump(items), "next": following}

    @rpc
    @requires(Role.REPORTER, Role.OPERATOR)
    def complaint(self, actor: Actor, ticket: str, reply_key: str | None = None) -> dict[str, Any]:
        """Return one report, for its reporter or the operator, and record the view.

        Raises UnreadableBoxError for a `reply_key`: with it, a gateway of an earlier version requests the reporter's
        identity, which is now given by `identity` only.
        """
        if reply_key is not None:
            raise UnreadableBoxError(
                "The identity must be requested in a sealed box: this gateway has an earlier version."
            )
        with viewing(self.uow, actor, ticket, "complaint") as work:
            complaint = work.complaints.get(ticket)
            if actor.role == Role.REPORTER and complaint.reporter_id != actor.id:
                raise UnknownTicket
        view = (schemas.OwnView if actor.role == Role.REPORTER else schemas.ComplaintView)().dump(complaint)
        if actor.role == Role.OPERATOR:
            view["claim"] = complaint.claim_at(work.now)
        return view | self.calendars.left(complaint, complaint.service_due_at, complaint.service_calendar, work.now)

    # -- step 2: the operator's desk

    @rpc
    @requires(Role.OPERATOR)
    @boxed(schemas.WhichReport)
    def identity(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Return the reporter's identity (Data Pemberi Aduan), and record that it was shown.

        The record is committed before the identity is sent. Raises IdentityWithheld where the reporter asked for
        confidentiality.
        """
        with self.once(call) as work:
            known_account(work, actor)
            complaint = work.complaints.get(call.content["ticket"])
            if complaint.confidential:
                raise domain.identity_withheld()
            kind, identity = work.accounts.reporter(complaint.reporter_id)
            shown = {"kind": kind} | self.vault.decrypt(identity)
            work.record(actor, IDENTITY_SHOWN, complaint.ticket, on=call.content["on"])
        return shown

    @rpc
    @requires(Role.OPERATOR)
    def is_confidential(self, actor: Actor, ticket: str) -> bool:
        """Return whether the reporter asked for confidentiality, which decides on the documents that are offered."""
        with self.uow.reading() as work:
            return work.complaints.get(ticket).confidential

    @rpc
    @requires(Role.OPERATOR)
    def subjects(self, actor: Actor, tickets: list[str]) -> dict[str, Any]:
        """Return the subjects of the reports of `tickets`, by ticket, for the worklist of the operator's other desk."""
        wanted = load(schemas.Tickets, {"tickets": tickets})["tickets"]
        with self.uow.reading() as work:
            return {found.ticket: schemas.Subject().dump(found) for found in work.complaints.of(wanted)}

    @rpc
    @of_the_desk
    def hand_over(self, actor: Actor, ticket: str) -> views.Acted:
        """Hand a report over to Tim Utama (step 2)."""
        with self.act(actor, ticket) as act:
            act.case.hand_over(actor.id, act.now)
            act.emit(_handed_over(act.case, act.calendar))
        return act.done()

    def _let_in(self, work: IntakeWork, account: domain.Account, password_hash: str) -> dict[str, Any]:
        if account.password_hash != password_hash:
            account.password_hash = password_hash
            work.accounts.save(account)
        return self._open_session(work, account)

    def _open_session(self, work: IntakeWork, account: domain.Account) -> dict[str, Any]:
        session_id, refresh_token = str(uuid.uuid4()), secrets.token_urlsafe(32)
        expires = work.now + domain.SESSION_LIFETIME
        work.accounts.open_session(session_id, account.id, _hash(refresh_token), expires)
        return self._session(account, session_id, work.now) | {
            "refresh_token": refresh_token,
            "session_expires_at": expires.isoformat(),
        }

    def _session(self, account: domain.Account, session_id: str, now: datetime) -> dict[str, Any]:
        token, expires = grant(Actor(account.id, account.role, account.group, session_id), self.signing_key, now)
        return {"access_token": token, "expires_at": expires.isoformat(), "role": account.role, "opd": account.group}


def _hash_of(account: domain.Account | None) -> str | None:
    return account.password_hash if account else None


def _hash(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _handed_over(complaint: domain.Complaint, calendar: Calendar) -> ComplaintHandedOver:
    return ComplaintHandedOver(
        ticket=complaint.ticket,
        reporter_kind=complaint.reporter_kind,
        claimed_kind=complaint.claimed_kind,
        confidential=complaint.confidential,
        submitted_at=complaint.submitted_at,
        service_due_at=complaint.service_due_at,
        service_calendar=complaint.service_calendar,
        calendar=calendar.version,
        files=told(complaint.files),
        by=str(complaint.handed_over_by),
        **written(complaint),
    )
