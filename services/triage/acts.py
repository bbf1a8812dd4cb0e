"""Acts of Tim Utama beside the path: it takes a complaint back, grants time, lets a withdrawn report go on."""

from nkk.contracts import views
from nkk.contracts.events import ComplaintKept, ComplaintRecalled, TimeGranted
from nkk.desk.stage import CaseDesk, of_the_desk
from nkk.messaging.rpc import rpc
from nkk.trust.actor import Actor
from nkk.validation import load
from services.triage import schemas
from services.triage.refusals import check_grant


class ActsBeside(CaseDesk):
    """The part of triage that carries out acts beside the path."""

    @rpc
    @of_the_desk
    def recall(self, actor: Actor, ticket: str, note: str | None) -> views.Acted:
        """Take a complaint back from the OPD team that it is with, to classify it anew (step 3)."""
        form = load(schemas.Reason, {"note": note})
        with self.act_beside(actor, ticket) as act:
            recalled = ComplaintRecalled(
                ticket=ticket,
                opd=str(act.case.opd),
                forwarding=act.case.forwarding,
                round=act.case.round + 1,
                note=form["note"],
                calendar=act.calendar.version,
                by=actor.id,
            )
            act.case.recall(act.now, act.calendar, form["note"])
            act.emit(recalled)
        return act.done()

    @rpc
    @of_the_desk
    def grant_time(self, actor: Actor, ticket: str, days: int, note: str | None = None) -> views.Acted:
        """Decide on the OPD team's request for more time; `days` is 0 where none is granted, with a note that says
        why."""
        form = load(schemas.TimeGrant, {"days": days, "note": note})
        check_grant(form["days"], form["note"])
        with self.act_beside(actor, ticket) as act:
            act.case.grant_time(form["days"])
            act.emit(
                TimeGranted(
                    ticket=ticket,
                    opd=str(act.case.opd),
                    forwarding=act.case.forwarding,
                    round=act.case.round + 1,
                    days=form["days"],
                    note=form["note"],
                    by=actor.id,
                )
            )
        return act.done()

    @rpc
    @of_the_desk
    def keep(self, actor: Actor, ticket: str, note: str | None) -> views.Acted:
        """Let a withdrawn report, which was at this desk, go on without its reporter."""
        form = load(schemas.Reason, {"note": note})
        with self.act_beside(actor, ticket) as act:
            act.case.keep(act.now, act.calendar)
            act.work.reopen(ticket)
            act.emit(
                ComplaintKept(
                    ticket=ticket,
                    forwarding=act.case.forwarding,
                    round=act.case.about_round,
                    note=form["note"],
                    calendar=act.calendar.version,
                    by=actor.id,
                )
            )
        return act.done()
