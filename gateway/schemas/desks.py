"""The schemas of worklists and claims."""

from typing import Any

from marshmallow import Schema, fields, post_load

from gateway.schemas.complaints import Undelivered
from gateway.schemas.parts import Claim, Flag, Page
from nkk.contracts.fields import Line, Slug
from nkk.sop.report import SUBJECT_LENGTH


class Worklist(Page):
    """The part of a worklist to return, and its filter. A cursor remains valid with another filter."""

    category = Slug(metadata={"description": "A category key from GET /categories."})
    late = fields.Boolean(
        truthy={"true"}, falsy={"false"}, metadata={"description": "`true` returns only overdue complaints."}
    )
    q = Line(
        SUBJECT_LENGTH,
        least=2,
        metadata={
            "description": "A ticket, three or more adjacent letters and digits of one, or part of the subject line, "
            "in upper or lower case. The answers desk stores no subject lines and searches tickets only."
        },
    )

    @post_load
    def _apart(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        wanted = {name: data[name] for name in ("category", "late", "q") if name in data}
        return {"cursor": data.get("cursor"), "limit": data.get("limit"), "wanted": wanted}


class Listing(Schema):
    """A page of a list: `next` is the cursor of the next page, null on the last."""

    items = fields.List(fields.Dict(), required=True)
    next = fields.String(allow_none=True, required=True)


class WaitingLetters(Schema):
    """Letters, to any recipient, that failed and will be retried."""

    count = fields.Integer(required=True)
    since = fields.String(
        required=True, metadata={"description": "When the earliest of these letters was first tried."}
    )
    why = fields.String(
        allow_none=True,
        required=True,
        metadata={
            "description": "The most frequent cause: an SMTP command with the mail server's reply, such as `AUTH 535 "
            "5.7.8`, or the error in reaching the server, such as `ConnectionRefusedError`."
        },
    )


class UndeliveredLetters(Schema):
    """A page of letters that will not arrive, and a summary of those that still wait for the mail server."""

    items = fields.List(fields.Nested(Undelivered), required=True)
    next = fields.String(allow_none=True, required=True)
    waiting = fields.Nested(WaitingLetters, allow_none=True)


class Claiming(Schema):
    """A request to claim a complaint."""

    take_over = Flag(metadata={"description": "`true` takes over a colleague's claim."})


class Claimed(Schema):
    """The claim of a complaint after the act."""

    ticket = fields.String(required=True)
    claim = fields.Nested(Claim, allow_none=True, required=True)
