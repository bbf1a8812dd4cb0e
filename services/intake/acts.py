"""The acts beside the path: the reporter's withdrawal, and what other stages decided about the report since."""

from typing import Any

from nkk.contracts import Event, views
from nkk.contracts.events import (
    ComplaintAbandoned,
    ComplaintKept,
    ComplaintRecalled,
    ComplaintReopened,
    ComplaintWithdrawn,
)
from nkk.desk.stage import RecusalDesk
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.sop.refusals import UnknownTicket
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.intake import schemas
from services.intake.accounts import identity_of
from services.intake.evidence import own
from services.intake.identity import Vault


class TakesActs(RecusalDesk):
    """The part of intake with the acts beside the path, and the notes of its desk."""

    vault: Vault

    @rpc
    @requires(Role.REPORTER)
    def withdraw(self, actor: Actor, ticket: str, reason: str | None) -> views.Acted:
        """Withdraw the caller's own report. Notification decides whether that came before the answer, and tells them.

        Raises AlreadyWithdrawn, AlreadyClosed or Abandoned.
        """
        form = load(schemas.Withdrawal, {"reason": reason})
        with self.uow.begin() as work:
            complaint = own(work.complaints.get(ticket, for_update=True), actor)
            complaint.withdraw(form["reason"], work.now)
            work.complaints.save(complaint)
            work.close(ticket, work.now)
            withdrawn = ComplaintWithdrawn(
                ticket=ticket,
                cycle=complaint.cycle,
                handed_over=complaint.handed_over_at is not None,
                reason=form["reason"],
            )
            work.emit(withdrawn, by_day=True)
        return {"ticket": ticket, "stands": complaint.stands()}

    @rpc
    @requires(Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
    def is_unreachable(self, actor: Actor, ticket: str) -> bool:
        """Return whether the reporter has neither an e-mail address nor a log-in, so that no question reaches them.

        Only operators are told that there is no such complaint: the other teams' stages know their own.
        """
        with self.uow.reading() as work:
            found = (work.complaints.get if actor.role == Role.OPERATOR else work.complaints.find)(ticket, actor)
            account = work.accounts.get(found.reporter_id) if found else None
            if account is None or not account.is_without_log_in:
                return False
            return identity_of(work, self.vault, account).get("email") is None

    @handles(ComplaintKept)
    def on_complaint_kept(self, event: Event[ComplaintKept]) -> None:
        """Note that a withdrawn report goes on without its reporter."""
        with self.uow.handling(event) as work:
            complaint = work.complaints.get(event.data.ticket, for_update=True)
            complaint.keep(event.data.forwarding)
            work.complaints.save(complaint)
            if complaint.ended is None:
                work.reopen(event.data.ticket)

    @handles(ComplaintReopened)
    def on_complaint_reopened(self, event: Event[ComplaintReopened]) -> None:
        """Note that the reporter objected to the answer, so that the report is open again."""
        with self.uow.handling(event) as work:
            complaint = work.complaints.get(event.data.ticket, for_update=True)
            complaint.reopen(event.data.cycle, event.data.forwarding)
            work.complaints.save(complaint)
            if complaint.ended is None:
                work.reopen(event.data.ticket)

    @handles(ComplaintAbandoned)
    def on_complaint_abandoned(self, event: Event[ComplaintAbandoned]) -> None:
        """Note that another desk closed the report as not completed, so that nothing is added to it any more."""
        with self.uow.handling(event) as work:
            complaint = work.complaints.get(event.data.ticket, for_update=True)
            if complaint.abandoned(event.data.forwarding, event.data.reason, event.time):
                work.close(event.data.ticket, event.time)
            work.complaints.save(complaint)

    @handles(ComplaintRecalled)
    def on_complaint_recalled(self, event: Event[ComplaintRecalled]) -> None:
        """Note that Tim Utama took a complaint back, which overtakes its closing by the OPD team on its way."""
        with self.uow.handling(event) as work:
            complaint = work.complaints.get(event.data.ticket, for_update=True)
            if complaint.taken_back(event.data.forwarding) and complaint.closed_at is None:
                work.reopen(event.data.ticket)
            work.complaints.save(complaint)

    def may_read_notes(self, work: Any, actor: Actor, ticket: str) -> None:
        """Raise UnknownTicket where there is no such report, or none that Tim Utama has."""
        complaint = work.complaints.get(ticket, actor)
        if actor.role == Role.MAIN_TEAM and complaint.handed_over_at is None:
            raise UnknownTicket
