"""The schemas of reports that other websites send in for their visitors."""

from marshmallow import Schema, fields

from gateway.schemas.accounts import Identity
from gateway.schemas.complaints import IN_PROCEDURE, ComplaintForm, Receipt

DAY = "The day, as its first instant in WIB, such as `2026-03-02T00:00:00+07:00`."


class EntryForm(ComplaintForm):
    """Form Pengaduan, with the person who reports."""

    reporter = fields.Nested(
        Identity, required=True, metadata={"description": "The person who reports, as in POST /reporters."}
    )


class EntryReceipt(Receipt):
    """The receipt for the person: the ticket, when the answer is due, and the code that opens an account."""

    access_code = fields.String(
        required=True,
        metadata={
            "description": "The code with which the person chooses a user name and a password (POST "
            "/reporters/from-code, or the site's page /akun/kode), to read the answer. Show it to nobody else.",
            "example": "7H4K-Q2MV-0NXV-3M3W",
        },
    )
    access_code_expires_at = fields.String(required=True)


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
