"""Reports that websites and operators enter for persons without an account, and what a website sees of its own.

Threats: a website's secret is stolen, so a website sees no text, no name and no other website's reports; a connection
breaks in the middle of an entry, so the same entry sent again has the same ticket and the same code.
"""

import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from nkk.contracts.events import ComplaintSubmitted
from nkk.desk import Calendars
from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.refusals import InvalidInput, UnknownTicket
from nkk.sop.registration import problems
from nkk.sop.steps import Channel, Role
from nkk.trust.actor import Actor, requires
from services.intake import barring, domain, entries, schemas
from services.intake.admin import add_account
from services.intake.boxes import OpensBoxes, boxed
from services.intake.contacts import tell_registered
from services.intake.identity import Vault
from services.intake.storage import IntakeWork


class TakesEntries(OpensBoxes):
    """The part of intake that accepts reports from websites and operators."""

    calendars: Calendars

    @rpc
    @requires(Role.WEBSITE, Role.OPERATOR)
    @boxed(schemas.Entry)
    def submit_for(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Submit a report for a person (step 1), with a new account of theirs that nobody can log in to yet.

        It is idempotent by the caller's `idempotency_key`: the same entry gets the same receipt and the same code; no
        code where that was renewed. Raises IdempotencyKeyReused where the key was used with another entry, and
        PaperEnteredBefore for a letter or slip that was.
        """
        reporter, key = (call.content[name] for name in ("reporter", "idempotency_key"))
        channel, paper = (call.content[name] for name in ("channel", "paper"))
        form = barring.hidden(call.content["form"], self.vault, self.uow.clock().date())
        _check(actor, call.content, problems(reporter, self.uow.clock().date()))
        # Keyed, since it is stored, and an identity number can be guessed.
        form_hash = self.vault.hidden("entry", json.dumps(_sent(reporter, form, channel, paper), sort_keys=True))
        calendar, reporter_id = self.calendars.current(), str(uuid.uuid4())
        with self.once(call) as work:
            complaint = domain.Complaint.submit(
                form, reporter_id, reporter["kind"], work.now, calendar, channel or Channel.WEB
            )
            taken = key and work.complaints.submitted_before(actor.id, key, form_hash, complaint.ticket)
            if taken:
                complaint = domain.same_as(taken, form_hash, work.complaints.get)
            code = entries.code_of(self.vault.hidden, actor.id, key or secrets.token_hex(), complaint.ticket)
            if not taken:
                domain.check_against_catalogue(form, work.lists.categories(), work.lists.opds())
                self._keep_entry(work, actor, complaint, reporter, code, paper)
            entry = work.entries.get(complaint.ticket)
        shown = code if entry.code_hash == entries.hash_of(self.vault.hidden, code) else None
        return schemas.EntryReceipt().dump(vars(entry) | {"complaint": complaint, "code": shown})

    def _keep_entry(
        self,
        work: IntakeWork,
        actor: Actor,
        complaint: domain.Complaint,
        reporter: dict[str, Any],
        code: str,
        paper: str | None,
    ) -> None:
        if paper is not None:
            self._take_paper(work, actor, complaint, paper)
        add_account(work, domain.Account.without_log_in(complaint.reporter_id, work.now))
        identity = {key: reporter[key] for key in ("name", "identity_number", "email", "phone")} | {"username": None}
        # In place of the address's hash, so that nobody finds the account by its address before it has a password.
        nowhere = domain.no_index(complaint.reporter_id)
        work.accounts.add_reporter(complaint.reporter_id, reporter["kind"], self.vault.encrypt(identity), nowhere)
        tell_registered(work, self.vault, complaint.reporter_id, reporter["kind"], reporter["email"])
        work.complaints.add(complaint)
        work.bar(complaint.ticket, complaint.barred)
        work.attach(complaint.ticket, complaint.files)
        work.entries.add(
            entries.Entry(
                ticket=complaint.ticket,
                website_id=actor.id,
                reporter_id=complaint.reporter_id,
                entered_at=work.now,
                code_hash=entries.hash_of(self.vault.hidden, code),
                expires_at=work.now + entries.CODE_LIFETIME,
                paper=paper,
            )
        )
        work.emit(submitted(complaint, self.vault, website=actor.id if actor.role == Role.WEBSITE else None))

    def _take_paper(self, work: IntakeWork, actor: Actor, complaint: domain.Complaint, paper: str) -> None:
        """Reserve the reference for this report. Raises PaperEnteredBefore where another report has it.

        Threat: the accused enters a reference again to learn whether there is a report. To whoever may not see that
        report, the reference is as one never entered.
        """
        taken = work.entries.take_paper(
            entries.paper_key(self.vault.hidden, complaint.channel, paper), complaint.ticket
        )
        if taken is not None and work.complaints.find(taken, actor) is not None:
            raise entries.PaperEnteredBefore({"ticket": taken})

    @rpc
    @requires(Role.WEBSITE)
    def entries(self, actor: Actor, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
        """Return a page of the reports that the caller sent in, newest first."""
        with self.uow.reading() as work:
            found, following = work.entries.of_website(actor.id, cursor, limit)
            reports = {report.ticket: report for report in work.complaints.of([entry.ticket for entry in found])}
        return {"items": schemas.Entered(many=True).dump([reports[entry.ticket] for entry in found]), "next": following}

    @rpc
    @requires(Role.WEBSITE)
    def entry(self, actor: Actor, ticket: str) -> dict[str, Any]:
        """Return one report that the caller sent in. Raises UnknownTicket for any other."""
        with self.uow.reading() as work:
            entry = work.entries.find(ticket)
            if entry is None or entry.website_id != actor.id:
                raise UnknownTicket
            return schemas.Entered().dump(work.complaints.get(ticket))


def _check(actor: Actor, content: Mapping[str, Any], wrong: dict[str, Fault]) -> None:
    """Raise InvalidInput for what is `wrong` with the person, or is not for the caller's role."""
    fields: dict[str, Any] = {}
    if actor.role == Role.OPERATOR:
        if content["channel"] is None:
            fields["channel"] = [faults.MISSING()]
    else:
        fields |= {name: [faults.UNKNOWN_FIELD()] for name in ("channel", "paper") if content[name] is not None}
        if content["reporter"]["email"] is None:
            wrong["email"] = faults.MISSING()
    if wrong:
        fields["reporter"] = {name: [fault] for name, fault in wrong.items()}
    if fields:
        raise InvalidInput({"fields": fields})


def _sent(reporter: dict[str, Any], form: dict[str, Any], channel: str | None, paper: str | None) -> list[Any]:
    """Return what makes an entry the same when it is sent again, for a website as earlier versions have it."""
    return [reporter, domain.sent_again(form), *([channel, paper] if channel else [])]


def submitted(complaint: domain.Complaint, vault: Vault, website: str | None = None) -> ComplaintSubmitted:
    """Return the event of a submission; `website` is the account of the website that sent it in."""
    return ComplaintSubmitted(
        ticket=complaint.ticket,
        sealed_reporter=vault.seal_reporter(complaint.ticket, complaint.reporter_id),
        reporter_kind=complaint.reporter_kind,
        channel=complaint.channel,
        website=website,
        category=complaint.category,
        sub_category=complaint.sub_category,
        confidential=complaint.confidential,
        submitted_at=complaint.submitted_at,
        service_due_at=complaint.service_due_at,
        calendar=complaint.calendar,
        barred=complaint.barred,
    )
