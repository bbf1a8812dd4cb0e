"""Schemas of accounts: people's, staff's and websites'."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from nkk.contracts.fields import (
    Digits,
    Instant,
    Length,
    Line,
    Mailbox,
    OneOf,
    Password,
    Phone,
    Secret,
    Slug,
    UserName,
)
from nkk.sop import faults
from nkk.sop.report import NAME_LENGTH
from nkk.sop.steps import ReporterKind
from services.intake.attempts import KINDS, Count
from services.intake.domain import Account


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
