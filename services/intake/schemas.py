"""What intake is told and what it answers, over RPC."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from nkk.contracts.fields import (
    Digits,
    Instant,
    Length,
    Line,
    Mailbox,
    OneOf,
    Password,
    Phone,
    Range,
    Secret,
    Slug,
    Some,
    UserName,
    names_apart,
)
from nkk.contracts.report import ReportForm, ReportView
from nkk.sop import faults
from nkk.sop.report import NAME_LENGTH, WRITTEN
from nkk.sop.steps import ReporterKind
from services.intake.attempts import KINDS, Count
from services.intake.domain import CLAIMED_KINDS, Account


class Nothing(Schema):
    """Nothing but the question itself."""


class Contact(Schema):
    """How a reporter is reached."""

    email = Mailbox(required=True)
    phone = Phone(allow_none=True, load_default=None)


class Registration(Contact):
    """Step 1: who registers."""

    kind = fields.String(required=True, validate=OneOf(ReporterKind))
    identity_number = Digits(required=True, validate=Length(1, 32))
    name = Line(NAME_LENGTH, required=True)
    username = UserName(64, required=True)
    password = Password(required=True)


class Visitor(Schema):
    """Where an attempt comes from: a keyed hash of its address; a device, and as which kinds of account it has logged
    in with this user name before. Told by the gateway; one of an earlier version tells nothing."""

    source = fields.String(load_default="", validate=Length(most=64))
    device = fields.String(load_default="", validate=Length(most=64))
    known_as = fields.List(fields.String(validate=OneOf(KINDS)), load_default=list)


class Credentials(Schema):
    """A log-in, and who tries it."""

    username = Secret(required=True)
    password = Secret(required=True)
    visitor = fields.Nested(Visitor, load_default=lambda: Visitor().load({}))


class Renewal(Schema):
    """Asks for a fresh access token."""

    refresh_token = Secret(200, required=True)


class ResetRequest(Schema):
    """Whose password or user name was forgotten: a user name, or an e-mail address."""

    username = Secret()
    email = Secret(254)

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError([faults.EITHER_NAME_OR_ADDRESS()], "username")


class ResetCompletion(Schema):
    """The code of the letter, and the password to be."""

    token = Secret(200, required=True)
    password = Password(required=True)


class PasswordChange(Schema):
    """The password as it is and as it is to be."""

    password = Secret(required=True)
    new_password = Password(required=True)


class ContactChange(Contact):
    """How the caller is reached from now on, and their password, asked again."""

    password = Secret(required=True)


class WhichReport(Schema):
    """Which report is asked about, and where its reporter is to be shown."""

    ticket = fields.String(required=True, validate=Length(1, 20))
    on = fields.String(load_default="screen", validate=OneOf(("screen", "document")))


class Tickets(Schema):
    """Which reports are asked about."""

    tickets = fields.List(fields.String(validate=Length(1, 20)), required=True, validate=Length(most=200))


class Subject(Schema):
    """What a report is about, in a line; and whether nobody may see whose it is."""

    subject_line = fields.String()
    category = fields.String()
    sub_category = fields.String()
    confidential = fields.Boolean()


class ComplaintForm(ReportForm):
    """Form Pengaduan, as the reporter fills it in."""

    claimed_kind = fields.String(load_default="complaint", validate=OneOf(CLAIMED_KINDS))
    confidential = fields.Boolean(load_default=False, truthy={True}, falsy={False})

    @post_load
    def _complete(self, form: dict[str, Any], **_: Any) -> dict[str, Any]:
        """What was left out is None."""
        return dict.fromkeys(WRITTEN) | form


class NewStaff(Schema):
    """A staff account to add."""

    username = UserName(64, required=True)
    name = Line(NAME_LENGTH, required=True)
    role = fields.String(required=True)
    opd = Slug(allow_none=True, load_default=None)
    password = Password(required=True)


class StaffName(Schema):
    """Which staff account."""

    username = UserName(64, required=True)


class StaffIds(Schema):
    """Whose names are asked for."""

    ids = fields.List(fields.String(validate=Length(1, 36)), required=True, validate=Length(1, 200))


class ResetStaff(StaffName):
    """A new password for a staff account."""

    password = Password(required=True)


class Category(Schema):
    """One category of the catalogue; sub-categories by key."""

    name = Line(NAME_LENGTH, required=True)
    source = Line(NAME_LENGTH, least=0, load_default="")
    sub_categories = fields.Dict(
        keys=Slug(), values=Line(NAME_LENGTH), required=True, validate=[Some(100), names_apart]
    )


class Catalogue(Schema):
    """The catalogue and the roster, each replaced whole where given."""

    categories = fields.Dict(
        keys=Slug(),
        values=fields.Nested(Category),
        validate=[
            Some(100),
            lambda rows: names_apart({key: category["name"] for key, category in rows.items()}),
        ],
    )
    opds = fields.Dict(keys=Slug(), values=Line(NAME_LENGTH), validate=[Some(500), names_apart])


class ComplaintView(ReportView):
    """A report as its reporter or the operator reads it."""

    ticket = fields.String()
    reporter_kind = fields.String()
    claimed_kind = fields.String()
    confidential = fields.Boolean()
    submitted_at = Instant()
    came_at = Instant()
    due_at = Instant()
    done_at = Instant(allow_none=True)
    service_due_at = Instant()
    handed_over_at = Instant(allow_none=True)
    stands = fields.Function(lambda complaint: complaint.stands())


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


class Receipt(Schema):
    """What a reporter is given for a report: the ticket and the promised time."""

    ticket = fields.String()
    submitted_at = Instant()
    service_due_at = Instant()
    stands = fields.Function(lambda complaint: complaint.stands())


class StaffView(Schema):
    """A staff account as the admin sees it."""

    username = fields.String()
    name = fields.String()
    role = fields.String()
    opd = fields.String(attribute="group", allow_none=True)
    disabled_at = Instant(allow_none=True)
    locked_until = Instant(allow_none=True)
    slowed_until = Instant(allow_none=True)
    slowed_sources = fields.Integer()


def staff_view(account: Account, waiting: list[Count]) -> dict[str, Any]:
    """A staff account, and how those who gave wrong passwords for it are slowed down: `locked_until` all strangers,
    `slowed_until` anybody, `slowed_sources` how many."""

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


class VersionPage(Schema):
    """Which versions of the calendar: those below `cursor`."""

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
    """A version of the calendar, whole."""

    calendar = fields.Dict(attribute="content")
