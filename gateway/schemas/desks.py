"""The schemas of worklists and claims."""

from typing import Any

from marshmallow import Schema, fields, post_load

from gateway.schemas.complaints import Undelivered
from gateway.schemas.parts import Claim, Flag, Page, Problem, one_of
from nkk.contracts.fields import Length, Line, Slug
from nkk.sop.report import SUBJECT_LENGTH

MOST_TICKETS = 50
"""The most complaints of one request."""

WANTED = ("category", "late", "q", "waits", "sort")


class Worklist(Page):
    """The part of a worklist to return, its filter and its order.

    A cursor remains valid with another filter, and is refused with another order.
    """

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

    waits = fields.String(
        validate=one_of("me", "colleagues", "nobody", "reporter"),
        metadata={
            "description": "Returns only complaints claimed by the caller, by colleagues, or by nobody; or those that "
            "wait for the reporter's answer to a question."
        },
    )
    sort = fields.String(
        validate=one_of("due", "newest", "category"),
        metadata={
            "description": "`due` (the default) sorts by due time, `newest` by arrival at this desk, the last first, "
            "and `category` by the category's key, then by due time."
        },
    )

    @post_load
    def _apart(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        wanted = {name: data[name] for name in WANTED if name in data}
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


class Tickets(Schema):
    """Several complaints."""

    tickets = fields.List(
        fields.String(validate=Length(1, 40)),
        required=True,
        validate=Length(1, MOST_TICKETS),
        metadata={"description": "The tickets. A ticket that is named twice is acted on once."},
    )


class ClaimingSeveral(Tickets):
    """A request to claim several complaints."""

    take_over = Flag(metadata={"description": "`true` takes over colleagues' claims."})


class Outcome(Schema):
    """What became of one of several complaints."""

    ticket = fields.String(required=True)
    problem = fields.Nested(
        Problem,
        allow_none=True,
        required=True,
        metadata={"description": "Why it was not done, as this complaint's own request would be answered."},
    )


class ClaimedOne(Outcome):
    """The claim of one of several complaints."""

    claim = fields.Nested(Claim, allow_none=True)


class HandedOverOne(Outcome):
    """The new state of one of several complaints."""

    stands = fields.Dict()


class ClaimedSeveral(Schema):
    """What became of each complaint, in the order of the request."""

    items = fields.List(fields.Nested(ClaimedOne), required=True)


class HandedOverSeveral(Schema):
    """What became of each complaint, in the order of the request."""

    items = fields.List(fields.Nested(HandedOverOne), required=True)


class Claimed(Schema):
    """The claim of a complaint after the act."""

    ticket = fields.String(required=True)
    claim = fields.Nested(Claim, allow_none=True, required=True)
