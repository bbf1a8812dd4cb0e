"""Schemas of reports: written, entered for somebody, added to, withdrawn and shown."""

from typing import Any

from marshmallow import Schema, fields, post_load

from nkk.contracts.additions import AdditionView
from nkk.contracts.fields import (
    NOTE_LENGTH,
    Day,
    Instant,
    Length,
    Line,
    Mailbox,
    OneOf,
    PlainText,
    Secret,
)
from nkk.contracts.files import FileView, OwnDescribed, OwnFileView, attaching
from nkk.contracts.report import ReportForm, ReportView
from nkk.sop.report import WRITTEN
from nkk.sop.steps import CLASSIFY, ENTERED_BY_STAFF, HAND_OVER
from services.intake.domain import CLAIMED_KINDS, Complaint
from services.intake.entries import PAPER_LENGTH
from services.intake.schemas.accounts import Identity


class WhichReport(Schema):
    """The report whose reporter's identity is requested, and where it will be shown."""

    ticket = fields.String(required=True, validate=Length(1, 20))
    on = fields.String(load_default="screen", validate=OneOf(("screen", "document")))


class Tickets(Schema):
    """The tickets of the requested reports."""

    tickets = fields.List(fields.String(validate=Length(1, 20)), required=True, validate=Length(most=200))


class Subject(Schema):
    """The subject of a report, and whether its reporter is confidential."""

    subject_line = fields.String()
    category = fields.String()
    sub_category = fields.String()
    confidential = fields.Boolean()
    channel = fields.String()


ADDED = ("files", "conflict", "accused_nip")
"""The fields of the form that instances of earlier versions do not know."""


class ComplaintForm(ReportForm):
    """The report form (Form Pengaduan) as the reporter fills it in; the accused's NIP is sealed for intake."""

    claimed_kind = fields.String(load_default="complaint", validate=OneOf(CLAIMED_KINDS))
    confidential = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    conflict = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    accused_nip = fields.String(allow_none=True, load_default=None, validate=Length(1, 1_000))
    files = attaching(OwnDescribed)

    @post_load
    def _complete(self, form: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Set optional fields that were left out to None, and leave out those that earlier versions do not know.

        So the form's hash is that of instances of an earlier version, where it has none of them.
        """
        known = {name: value for name, value in form.items() if value or name not in ADDED}
        return dict.fromkeys(WRITTEN) | known


class Supplement(Schema):
    """What a reporter adds to a report: words, files, or both."""

    text = PlainText(NOTE_LENGTH, allow_none=True, load_default=None)
    files = attaching(OwnDescribed)


class Withdrawal(Schema):
    """Why a reporter withdraws their report."""

    reason = PlainText(NOTE_LENGTH, required=True)


class Entrant(Identity):
    """The person for whom a report is entered; `Entry` says when the e-mail address may be missing."""

    email = Mailbox(allow_none=True, load_default=None)


class Entry(Schema):
    """A report that a website or an operator enters, and the person who reports.

    Only an operator names a `channel`, and may name the reference of a `paper`; only then may the person lack an e-mail
    address.
    """

    reporter = fields.Nested(Entrant, required=True)
    channel = fields.String(allow_none=True, load_default=None, validate=OneOf(ENTERED_BY_STAFF))
    paper = Line(PAPER_LENGTH, allow_none=True, load_default=None)
    form = fields.Nested(ComplaintForm, required=True)
    idempotency_key = fields.String(allow_none=True, load_default=None, validate=Length(1, 200))


class WhichEntry(Schema):
    """The report whose code is renewed."""

    ticket = fields.String(required=True, validate=Length(1, 20))


class ShownCode(WhichEntry):
    """The report whose receipt is printed, and its code."""

    access_code = Secret(200, required=True)


class ComplaintView(ReportView):
    """A report as its reporter or the operator sees it."""

    ticket = fields.String()
    reporter_kind = fields.String()
    claimed_kind = fields.String()
    confidential = fields.Boolean()
    conflict = fields.Boolean()
    submitted_at = Instant()
    came_at = Instant()
    due_at = Instant()
    done_at = Instant(allow_none=True)
    service_due_at = Instant()
    handed_over_at = Instant(allow_none=True)
    stands = fields.Function(lambda complaint: complaint.stands())
    ended_why = fields.String(allow_none=True)
    kept = fields.Boolean()
    channel = fields.String()
    files = fields.Nested(FileView, many=True)
    additions = fields.Nested(AdditionView, many=True)


class OwnView(ComplaintView):
    """A report as its reporter sees it, with what came of their files."""

    files = fields.Nested(OwnFileView, many=True)


class Own(Schema):
    """A row of the reporter's list."""

    ticket = fields.String()
    subject_line = fields.String()
    category = fields.String()
    sub_category = fields.String()
    confidential = fields.Boolean()
    submitted_at = Instant()
    service_due_at = Instant()
    stands = fields.Function(lambda complaint: complaint.stands())


class Listed(Own):
    """A row of the operator's worklist."""

    came_at = Instant()
    due_at = Instant()
    done_at = Instant(allow_none=True)
    channel = fields.String()


class Receipt(Schema):
    """The receipt of a report: its ticket, the promised time, and the files that came."""

    ticket = fields.String()
    submitted_at = Instant()
    service_due_at = Instant()
    stands = fields.Function(lambda complaint: complaint.stands())
    files = fields.Nested(OwnFileView, many=True)


class EntryReceipt(Schema):
    """The receipt of a report that a website sent in, with the person's code.

    It is always the same, so that a website which sends the entry again learns neither the minute of the hand-over nor
    what the person added later.
    """

    ticket = fields.String()
    submitted_at = Instant(attribute="complaint.submitted_at")
    service_due_at = Instant(attribute="complaint.service_due_at")
    stands = fields.Function(lambda entry: entry["complaint"].stood_at_first())
    files = fields.Function(lambda entry: OwnFileView(many=True).dump(entry["complaint"].files_at_first()))
    access_code = fields.String(attribute="code", allow_none=True)
    access_code_expires_at = Instant(attribute="expires_at")


class RenewedCode(Schema):
    """The new code of a report that an operator entered."""

    ticket = fields.String()
    access_code = fields.String(attribute="code")
    access_code_expires_at = Instant(attribute="expires_at")


class PaperReceipt(Schema):
    """What the receipt on paper says, besides the code."""

    ticket = fields.String()
    channel = fields.String(attribute="complaint.channel")
    submitted_at = Instant(attribute="complaint.submitted_at")
    service_due_at = Instant(attribute="complaint.service_due_at")
    files = fields.Nested(FileView, many=True, attribute="complaint.files")
    access_code_expires_at = Instant(attribute="expires_at")


class EnteredByStaff(Schema):
    """What an operator sees of a report that an operator entered."""

    paper = fields.String(allow_none=True)
    access_code_expires_at = Instant(attribute="expires_at")
    account_opened = fields.Function(lambda entry: entry.used_at is not None)


class Entered(Schema):
    """A report as the website sees it that sent it in: the days, and the step that it waits for as intake knows it."""

    ticket = fields.String()
    submitted_at = Day()
    service_due_at = Day()
    stands = fields.Function(lambda complaint: _next_step(complaint))


def _next_step(complaint: Complaint) -> dict[str, Any]:
    step = CLASSIFY if complaint.handed_over_at else HAND_OVER
    return {"state": step.name, "step": step.number}
