"""The schemas of accounts, passwords and sessions."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from gateway.schemas.parts import one_of
from nkk.contracts.fields import Digits, Length, Line, Mailbox, Password, Phone, Secret, UserName
from nkk.sop import faults
from nkk.sop.registration import problems
from nkk.sop.report import NAME_LENGTH
from nkk.sop.steps import ReporterKind, Role

CHARACTERS = "A password of 10 to 128 characters, at least 5 of them different, that does not contain the user name."


class Possible(Schema):
    """A schema that reports every invalid value of a registration at once, together with malformed fields."""

    @validates_schema(skip_on_field_errors=False)
    def _possible(self, data: dict[str, Any], **_: Any) -> None:
        if wrong := problems(data, datetime.now(UTC).date()):
            raise ValidationError({field: [fault] for field, fault in wrong.items()})


class Identity(Possible):
    """A civil servant with a NIP (18 digits) or a member of the public with a NIK (16 digits)."""

    kind = fields.String(required=True, validate=one_of(*ReporterKind))
    identity_number = Digits(
        required=True,
        validate=Length(1, 32),
        metadata={"description": "The digits of the NIP or NIK. Spaces, dots and hyphens between them are ignored."},
    )
    name = Line(NAME_LENGTH, required=True)
    email = Mailbox(required=True)
    phone = Phone(allow_none=True)


class Registration(Identity):
    """A registration of a civil servant with a NIP (18 digits) or a member of the public with a NIK (16 digits)."""

    username = UserName(
        64,
        required=True,
        metadata={
            "description": "A name that you choose, preferably not your own: 3 to 64 lower-case letters, digits, dots, "
            "hyphens or underscores, beginning with a letter or digit."
        },
    )
    password = Password(required=True, metadata={"description": CHARACTERS})


class CodeRegistration(Possible):
    """The code that a website showed a person whose report it sent in, and the person's choice of a log-in."""

    access_code = Secret(
        200,
        required=True,
        metadata={
            "description": "The code. Spaces, hyphens and lower case do not matter; O is read as 0, I and L as 1.",
            "example": "7H4K-Q2MV-0NXV-3M3W",
        },
    )
    username = UserName(
        64, required=True, metadata={"description": "A name that you choose, as in a registration (POST /reporters)."}
    )
    password = Password(required=True, metadata={"description": CHARACTERS})


class Contact(Schema):
    """The addresses at which a reporter is contacted."""

    email = Mailbox(required=True)
    phone = Phone(allow_none=True)


class ContactChange(Contact):
    """A reporter's new addresses, with their password. Without `phone`, no number is stored."""

    password = Secret(required=True)


class Registered(Schema):
    """A new reporter."""

    reporter_id = fields.String(required=True)


class Credentials(Schema):
    """The credentials of a log-in."""

    username = Secret(required=True)
    password = Secret(required=True)


class KnownDevice(Schema):
    """The device header from the last log-in."""

    device = fields.String(
        data_key="X-NKK-Device",
        load_default="",
        metadata={
            "description": "The value from the last log-in on this device. Any other value counts as an unknown device."
        },
    )


DEVICE_HEADERS = {
    "X-NKK-Device": {
        "description": "The value to send with the next log-in from this device.",
        "schema": {"type": "string"},
    }
}


class Renewal(Schema):
    """A request for a new access token."""

    refresh_token = Secret(200, required=True)


class ResetRequest(Schema):
    """A request for a forgotten password or user name, by either user name or e-mail address."""

    username = Secret(metadata={"description": "Your user name; leave it out when you give `email`."})
    email = Mailbox(metadata={"description": "The e-mail address you registered with, if you forgot your user name."})

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError([faults.MISSING()], "username")
        if len(data) > 1:
            raise ValidationError([faults.EITHER_NAME_OR_ADDRESS()], "username")


class ResetAsked(Schema):
    """The response to a reset request, the same for every user name and address."""

    detail = fields.String(required=True)
    valid_minutes = fields.Integer(
        required=True, metadata={"description": "The number of minutes for which a code is valid."}
    )


class ResetCompletion(Schema):
    """The code from the letter, and the new password."""

    token = Secret(
        200,
        required=True,
        metadata={"description": "The code. Spaces, hyphens, line breaks and upper or lower case are ignored."},
    )
    password = Password(required=True, metadata={"description": CHARACTERS})


class PasswordChange(Schema):
    """The current password and the new one."""

    password = Secret(required=True)
    new_password = Password(required=True, metadata={"description": CHARACTERS})


class AccessToken(Schema):
    """A log-in: send `access_token` as `Authorization: Bearer …`; renew it before `expires_at`."""

    access_token = fields.String(required=True)
    expires_at = fields.String(required=True)
    role = fields.String(required=True, validate=one_of(*Role))
    opd = fields.String(allow_none=True)


class Session(AccessToken):
    """A new log-in; `refresh_token` renews it until `session_expires_at`."""

    refresh_token = fields.String(required=True)
    session_expires_at = fields.String(required=True)
