"""Intake's RPC methods for reports: submission, and the operator's desk.

Accounts, sessions, lists and what websites send in are parts in modules of their own.
"""

import hashlib
import json
from copy import copy
from typing import Any, Self

from nkk.contracts import views
from nkk.contracts.events import ComplaintHandedOver
from nkk.desk import IDENTITY_SHOWN, viewing
from nkk.desk.stage import notes_shown, of_the_desk
from nkk.messaging.boxes import Call, UnreadableBoxError
from nkk.messaging.rpc import rpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.sop import additions
from nkk.sop.clock import Calendar
from nkk.sop.files import told
from nkk.sop.refusals import UnknownTicket
from nkk.sop.report import written
from nkk.sop.steps import Channel, Role
from nkk.trust.actor import Actor, requires
from nkk.validation import instant, load
from services.intake import barring, domain, schemas
from services.intake.accounts import known_account
from services.intake.acts import TakesActs
from services.intake.admin import AdminDesk
from services.intake.boxes import boxed
from services.intake.codes import RenewsCodes
from services.intake.contacts import KeepsContacts
from services.intake.entering import TakesEntries, submitted
from services.intake.evidence import KeepsEvidence
from services.intake.hashing import PasswordsProvider
from services.intake.identity import SigningKeyProvider, VaultProvider
from services.intake.opening import OpensAccounts
from services.intake.retelling import SealsTold
from services.intake.sessions import Acting, KeepsSessions
from services.intake.storage import IntakeWork
from services.intake.websites import KeepsWebsites


class IntakeService(
    OpensAccounts,
    KeepsSessions,
    KeepsContacts,
    AdminDesk,
    KeepsWebsites,
    TakesEntries,
    RenewsCodes,
    KeepsEvidence,
    SealsTold,
    TakesActs,
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

    # -- step 1: submit

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
                "inspectorate": lists.inspectorate(),
                "changed_at": changed_at and changed_at.isoformat(),
            }

    @rpc
    @requires(Role.REPORTER)
    def submit(self, actor: Actor, form: dict, idempotency_key: str | None = None) -> dict[str, Any]:
        """Submit a report (step 1). It is idempotent by `idempotency_key`: the same form gets the same receipt.

        Raises IdempotencyKeyReused where the key was used with another form.
        """
        form = barring.hidden(load(schemas.ComplaintForm, form), self.vault, self.uow.clock().date())
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
                work.bar(complaint.ticket, complaint.barred)
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
            complaint = work.complaints.get(ticket, actor)
            if actor.role == Role.REPORTER and complaint.reporter_id != actor.id:
                raise UnknownTicket
            is_operator = actor.role == Role.OPERATOR
            notes = notes_shown(work, ticket, actor) if is_operator else []
            entry = work.entries.find(ticket) if is_operator and complaint.channel != Channel.WEB else None
        view = (schemas.OwnView if actor.role == Role.REPORTER else schemas.ComplaintView)().dump(complaint)
        if actor.role == Role.OPERATOR:
            view |= {"claim": complaint.claim_at(work.now), "notes": notes}
            view["entered"] = schemas.EnteredByStaff().dump(entry) if entry else None
        view["acts"] = complaint.acts(actor.role, work.now, self.calendars.get(complaint.calendar))
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
            complaint = work.complaints.get(call.content["ticket"], actor)
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
            return work.complaints.get(ticket, actor).confidential

    @rpc
    @requires(Role.OPERATOR)
    def subjects(self, actor: Actor, tickets: list[str]) -> dict[str, Any]:
        """Return the subjects of the reports of `tickets`, by ticket, for the worklist of the operator's other desk."""
        wanted = load(schemas.Tickets, {"tickets": tickets})["tickets"]
        subject = schemas.Subject()
        with self.uow.reading() as work:
            return {found.ticket: subject.dump(found) for found in work.complaints.of(wanted, actor)}

    @rpc
    @of_the_desk
    def hand_over(self, actor: Actor, ticket: str, if_free: bool = False) -> views.Acted:
        """Hand a report over to Tim Utama (step 2); with `if_free` none that a colleague claims or that waits."""
        with self.act(actor, ticket) as act:
            if if_free:
                act.case.must_be_free(actor.id, act.now)
            act.case.hand_over(actor.id, act.now)
            act.emit(_handed_over(act.case, act.calendar))
        return act.done()


def _hash(form: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


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
        additions=additions.told(complaint.additions),
        conflict=complaint.conflict,
        barred=complaint.barred,
        by=str(complaint.handed_over_by),
        **written(complaint),
    )
