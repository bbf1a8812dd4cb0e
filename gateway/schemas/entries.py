"""The schemas of reports that other websites and operators enter for persons without an account."""

from typing import Any

from flask import g
from marshmallow import Schema, ValidationError, fields, validates_schema

from gateway.schemas.accounts import Identity
from gateway.schemas.complaints import IN_PROCEDURE, ComplaintForm, Receipt
from gateway.schemas.parts import one_of
from nkk.contracts.fields import Line, Mailbox, Secret
from nkk.sop import faults
from nkk.sop.steps import ENTERED_BY_STAFF, Role

DAY = "The day, as its first instant in WIB, such as `2026-03-02T00:00:00+07:00`."


PAPER_LENGTH = 64


class Entrant(Identity):
    """The person for whom a report is entered."""

    email = Mailbox(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Required from a website. An operator may leave it out for a person who has none; then the "
            "letters are kept to be printed. Name and identity number are required of everybody, as the procedure's "
            "form says."
        },
    )


class EntryForm(ComplaintForm):
    """Form Pengaduan, with the person who reports."""

    reporter = fields.Nested(
        Entrant, required=True, metadata={"description": "The person who reports, as in POST /reporters."}
    )
    channel = fields.String(
        validate=one_of(*ENTERED_BY_STAFF),
        metadata={
            "description": "How the report came: at the counter, by telephone, letter or social media. Required from "
            "an operator, and not for websites."
        },
    )
    paper = Line(
        PAPER_LENGTH,
        allow_none=True,
        metadata={
            "description": "An operator's own reference of the letter or slip. The same reference of the same channel "
            "is entered once: the second time is 409 with the `ticket` of the first."
        },
    )

    @validates_schema(skip_on_field_errors=False)
    def _of_the_role(self, data: dict[str, Any], **_: Any) -> None:
        """Raise ValidationError for what is missing from the caller's role, or not for it."""
        wrong: dict[str, Any] = {}
        if g.actor.role == Role.OPERATOR:
            if "channel" not in data:
                wrong["channel"] = [faults.MISSING()]
        else:
            wrong |= {name: [faults.UNKNOWN_FIELD()] for name in ("channel", "paper") if name in data}
            if isinstance(data.get("reporter"), dict) and data["reporter"].get("email") is None:
                wrong["reporter"] = {"email": [faults.MISSING()]}
        if wrong:
            raise ValidationError(wrong)


class EntryReceipt(Receipt):
    """The receipt for the person: the ticket, when the answer is due, and the code that opens an account."""

    access_code = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The code with which the person chooses a user name and a password (POST "
            "/reporters/from-code, or the site's page /akun/kode), to read the answer. Show it to nobody else. "
            "Null where an operator sends an entry again whose code was renewed.",
            "example": "7H4K-Q2MV-0NXV-3M3W",
        },
    )
    access_code_expires_at = fields.String(required=True)


class RenewedCode(Schema):
    """The new access code of a report that an operator entered. The code before opens nothing any more."""

    ticket = fields.String(required=True)
    access_code = fields.String(required=True, metadata={"example": "7H4K-Q2MV-0NXV-3M3W"})
    access_code_expires_at = fields.String(required=True)


class ShownCode(Schema):
    """The access code that the receipt on paper shows."""

    access_code = Secret(200, required=True, metadata={"example": "7H4K-Q2MV-0NXV-3M3W"})


class EntryStatus(Schema):
    """What a website sees of a report that it sent in."""

    ticket = fields.String(required=True)
    submitted_at = fields.String(required=True, metadata={"description": f"The day of submission. {DAY}"})
    service_due_at = fields.String(
        required=True,
        metadata={"description": f"The end of the two working days promised for the whole service. {DAY}"},
    )
    stands = fields.Dict(required=True, metadata=IN_PROCEDURE)
    closed = fields.Boolean(
        required=True,
        metadata={"description": "Whether the person received the answer, or ten working days passed; a day late."},
    )


class EntryListing(Schema):
    """A page of the reports that a website sent in."""

    items = fields.List(fields.Nested(EntryStatus), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of the next page; null on the last page."}
    )


class Known(Schema):
    """What the client has of a response."""

    etag = fields.String(
        data_key="If-None-Match",
        metadata={"description": "The ETag of the last response: while nothing has changed, the response is a 304."},
    )


ETAG_HEADERS = {"ETag": {"description": "Changes with the content.", "schema": {"type": "string"}}}
