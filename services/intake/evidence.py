"""Files of reports: those that come with a report, those that its reporter adds, and opening them."""

from typing import Any

from nkk.contracts import Event, views
from nkk.contracts.additions import AdditionView
from nkk.contracts.events import ComplaintClosed, ReportAddedTo, ReportSupplemented
from nkk.contracts.files import FileView, OwnDescribed, OwnFileView, UploadIds
from nkk.desk import Calendars, opening
from nkk.desk.stage import Attaches, ConsumesClosings
from nkk.messaging.consumer import handles
from nkk.messaging.rpc import rpc
from nkk.sop import additions, faults
from nkk.sop.files import find, part, told
from nkk.sop.refusals import InvalidInput, UnknownTicket
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, requires
from nkk.validation import load
from services.intake import schemas
from services.intake.domain import Complaint
from services.intake.storage import IntakeWork


class KeepsEvidence(Attaches, ConsumesClosings):
    """The part of intake that keeps the files of reports."""

    calendars: Calendars

    @rpc
    @requires(Role.REPORTER)
    def supplement(self, actor: Actor, ticket: str, files: list[dict], text: str | None = None) -> dict[str, Any]:
        """Add words, files or both to the caller's own report, until ten working days after it was closed.

        The same sent again has the same answer. Raises FileAttachedBefore, SupplementTooLate, ReportFull or
        AddedTooOften.
        """
        form = load(schemas.Supplement, {"files": files, "text": text})
        text, uploads = form["text"], form["files"]
        if text is None and not uploads:
            raise InvalidInput.of(text=faults.NOTHING_ADDED())
        calendar = self.calendars.current()
        with self.uow.begin() as work:
            complaint = own(work.complaints.get(ticket, for_update=True), actor)
            text, uploads = complaint.not_added(text, uploads, work.now)
            if text is not None or uploads:
                added, addition = complaint.supplement(text, uploads, work.now, calendar)
                work.attach(ticket, added)
                work.complaints.save(complaint)
                work.emit(ReportAddedTo(ticket=ticket, files=len(added)))
                if complaint.handed_over_at is not None:
                    work.emit(
                        ReportSupplemented(ticket=ticket, files=told(added), additions=additions.told([addition]))
                    )
        return {
            "ticket": ticket,
            "files": OwnFileView(many=True).dump(complaint.files),
            "additions": AdditionView(many=True).dump(complaint.additions),
        }

    @rpc
    @requires(Role.REPORTER, Role.WEBSITE, Role.OPERATOR)
    def attached_before(self, actor: Actor, ids: list[str]) -> list[dict[str, Any]]:
        """Return the descriptors of those of `ids` that a report of the caller's has, in the order of `ids`.

        They are for a form that is sent again, whose uploads the gateway does not have any more.
        """
        ids = load(UploadIds, {"ids": ids})["ids"]
        with self.uow.reading() as work:
            reports = [report for report in work.complaints.of(work.tickets_with(ids)) if _is_from(work, report, actor)]
        found = {file.id: file for report in reports for file in report.files}
        return OwnDescribed(many=True).dump([found[id] for id in ids if id in found])

    @rpc
    @requires(Role.REPORTER, Role.OPERATOR)
    def open_file(self, actor: Actor, ticket: str, number: str, of: str = "file") -> views.File:
        """Return one file of a report, for the gateway to open it or its preview (`of`), and record it."""
        with opening(self.uow, actor, ticket, number, part(of)) as work:
            complaint = work.complaints.get(ticket, actor)
            if actor.role == Role.REPORTER:
                own(complaint, actor)
            file = find(complaint.files, number)
        return FileView().dump(file)

    @handles(ComplaintClosed, batched=True)
    def on_complaint_closed(self, event: Event[ComplaintClosed]) -> None:
        """Note that step 7 ended, from when on the report takes files for ten working days."""
        with self.uow.handling(event) as work:
            if not self.is_open_again(work, event.data):
                work.close(event.data.ticket, event.time)
                work.complaints.close(event.data.ticket, event.time)

    def is_open_again(self, work: IntakeWork, closed: ComplaintClosed) -> bool:
        """Return whether the report is in a later cycle than the one that was closed."""
        complaint = work.complaints.find(closed.ticket, for_update=True)
        return complaint is not None and complaint.cycle > closed.cycle


def own(complaint: Complaint, actor: Actor) -> Complaint:
    """Return the caller's own report. Raises UnknownTicket where it is another's."""
    if complaint.reporter_id != actor.id:
        raise UnknownTicket
    return complaint


def _is_from(work: IntakeWork, report: Complaint, actor: Actor) -> bool:
    """Return whether `actor` sent the report in: a reporter their own, a website or an operator another person's."""
    if actor.role == Role.REPORTER:
        return report.reporter_id == actor.id
    entry = work.entries.find(report.ticket)
    return entry is not None and entry.website_id == actor.id
