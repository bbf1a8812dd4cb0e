"""Schemas of intake's RPC arguments and results."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from nkk.contracts.additions import AdditionView
from nkk.contracts.fields import (
    NOTE_LENGTH,
    Day,
    Digits,
    Instant,
    Length,
    Line,
    Mailbox,
    OneOf,
    Password,
    Phone,
    PlainText,
    Range,
    Secret,
    Slug,
    Some,
    UserName,
    names_apart,
)
from nkk.contracts.files import FileView, OwnDescribed, OwnFileView, attaching
from nkk.contracts.report import ReportForm, ReportView
from nkk.sop import faults
from nkk.sop.report import NAME_LENGTH, WRITTEN
from nkk.sop.steps import CLASSIFY, ENTERED_BY_STAFF, HAND_OVER, ReporterKind
from services.intake.attempts import KINDS, Count
from services.intake.domain import CLAIMED_KINDS, Account, Complaint
from services.intake.entries import PAPER_LENGTH


class Nothing(Schema):
    """A call without content."""


class Contact(Schema):
    """A reporter's contact data."""

    email = Mailbox(required=True)
    phone = Phone(allow_none=True, load_default=None)


class Identity(Contact):
    """Who a reporter is."""

    kind = fields.String(required=True, validate=OneOf(ReporterKind))
    identity_number = Digits(required=True, validate=Length(1, 32))
    name = Line(NAME_LENGTH, required=True)


class Registration(Identity):
    """The registration of a reporter (step 1)."""

    username = UserName(64, required=True)
    password = Password(required=True)


class Visitor(Schema):
    """The source of a log-in attempt, as the gateway sends it; a gateway of an earlier version sends nothing.

    `source` is a keyed hash of the client address; `known_as` are the kinds of account that `device` has logged in to
    with this user name before.
    """

    source = fields.String(load_default="", validate=Length(most=64))
    device = fields.String(load_default="", validate=Length(most=64))
    known_as = fields.List(fields.String(validate=OneOf(KINDS)), load_default=list)


class Credentials(Schema):
    """A log-in, and the source of the attempt."""

    username = Secret(required=True)
    password = Secret(required=True)
    visitor = fields.Nested(Visitor, load_default=lambda: Visitor().load({}))


class Renewal(Schema):
    """The request for a fresh access token."""

    refresh_token = Secret(200, required=True)


class ResetRequest(Schema):
    """The request for a password code, by either user name or e-mail address."""

    username = Secret()
    email = Secret(254)

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError([faults.EITHER_NAME_OR_ADDRESS()], "username")


class CodeRegistration(Schema):
    """The code of an entry, and the user name and the password that the person chooses."""

    access_code = Secret(200, required=True)
    username = UserName(64, required=True)
    password = Password(required=True)


class ResetCompletion(Schema):
    """The e-mailed code, and the new password."""

    token = Secret(200, required=True)
    password = Password(required=True)


class PasswordChange(Schema):
    """The caller's current password, and the new one."""

    password = Secret(required=True)
    new_password = Password(required=True)


class ContactChange(Contact):
    """The caller's new contact data, and their password again."""

    password = Secret(required=True)


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


class NewStaff(Schema):
    """A staff account to add."""

    username = UserName(64, required=True)
    name = Line(NAME_LENGTH, required=True)
    role = fields.String(required=True)
    opd = Slug(allow_none=True, load_default=None)
    nip = Digits(allow_none=True, load_default=None, validate=Length(1, 32))
    password = Password(required=True)


class StaffName(Schema):
    """The user name of a staff account."""

    username = UserName(64, required=True)


class StaffNip(StaffName):
    """The NIP of a staff account's person; None removes it."""

    nip = Digits(required=True, allow_none=True, validate=Length(1, 32))


class WebsiteName(Schema):
    """The name of a website, which is its user name."""

    name = UserName(64, required=True)


class StaffIds(Schema):
    """The ids of the accounts whose names are requested."""

    ids = fields.List(fields.String(validate=Length(1, 36)), required=True, validate=Length(1, 200))


class ResetStaff(StaffName):
    """A new password for a staff account."""

    password = Password(required=True)


class Category(Schema):
    """A category of the catalogue, with the names of its sub-categories by key."""

    name = Line(NAME_LENGTH, required=True)
    source = Line(NAME_LENGTH, least=0, load_default="")
    sub_categories = fields.Dict(
        keys=Slug(), values=Line(NAME_LENGTH), required=True, validate=[Some(100), names_apart]
    )


class Catalogue(Schema):
    """The catalogue and the roster; each of them that is given replaces the existing one entirely."""

    categories = fields.Dict(
        keys=Slug(),
        values=fields.Nested(Category),
        validate=[
            Some(100),
            lambda rows: names_apart({key: category["name"] for key, category in rows.items()}),
        ],
    )
    opds = fields.Dict(keys=Slug(), values=Line(NAME_LENGTH), validate=[Some(500), names_apart])
    inspectorate = Slug()


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


class StaffView(Schema):
    """A staff account as the admin sees it."""

    username = fields.String()
    name = fields.String()
    role = fields.String()
    opd = fields.String(attribute="group", allow_none=True)
    has_nip = fields.Function(lambda account: account["barred"] is not None)
    disabled_at = Instant(allow_none=True)
    locked_until = Instant(allow_none=True)
    slowed_until = Instant(allow_none=True)
    slowed_sources = fields.Integer()


def staff_view(account: Account, waiting: list[Count]) -> dict[str, Any]:
    """Return a staff account as the admin sees it, with the slow-downs at it that `waiting` counts.

    `locked_until` is when the wait of all strangers ends, `slowed_until` when the last wait of any kind ends, and
    `slowed_sources` the number of sources, devices and sessions that wait.
    """

    def latest(counts: list[Count]) -> datetime | None:
        return max(filter(None, (count.waits_until for count in counts)), default=None)

    strangers = [count for count in waiting if count.what == "name"]
    return StaffView().dump(
        asdict(account)
        | {
            "locked_until": latest(strangers),
            "slowed_until": latest(waiting),
            "slowed_sources": len(waiting) - len(strangers),
        }
    )


class WebsiteView(Schema):
    """A website as the admin sees it."""

    name = fields.String(attribute="username")
    added_at = Instant(attribute="created_at")


class VersionPage(Schema):
    """The requested page of calendar versions: those below `cursor`."""

    cursor = fields.Integer(allow_none=True, validate=Range(1, 1_000_000))
    limit = fields.Integer(allow_none=True, validate=Range(1, 200))

    @post_load
    def _defaults(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"cursor": data.get("cursor") or 1_000_001, "limit": data.get("limit") or 50}


class CalendarListed(Schema):
    """A version of the calendar in the list of versions."""

    version = fields.Integer()
    changed_at = Instant()
    changed_by = fields.String()


class CalendarView(CalendarListed):
    """A version of the calendar with its content."""

    calendar = fields.Dict(attribute="content")
