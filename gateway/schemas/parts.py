"""Parts that several schemas of the API share."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from gateway.backend import backend
from nkk.contracts.fields import OneOf, PlainText, Range, Regexp
from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.report import TEXT_LENGTH

RECUSED = "The id of the account that stepped aside, or was set aside, for this reason; null of other notes."
"""What `recused` of a note means."""


def one_of(*values: str) -> OneOf:
    return OneOf(values)


class Flag(fields.Boolean):
    """A boolean that accepts only `true` and `false`, not values that equal them, such as 1."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Thorough(Schema):
    """A schema that, besides malformed fields, reports values that the stage would refuse later.

    Where all fields are well-formed it adds nothing: the stage knows the current lists and refuses itself.
    """

    def also_wrong(self, valid: dict[str, Any], lists: Mapping[str, Any]) -> dict[str, Fault]:
        """Return the faults of the well-formed fields `valid`, judged by catalogue and roster."""
        raise NotImplementedError

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        """Add those faults to `error`, which marshmallow raises next."""
        if isinstance(error.messages, dict) and isinstance(error.valid_data, dict):
            lists = backend().lists_if_any()
            for name, fault in self.also_wrong(error.valid_data, lists).items():
                error.messages.setdefault(name, [fault])


class Problem(Schema):
    """RFC 9457 problem details."""

    type = fields.String(
        required=True,
        metadata={
            "description": "The stable name of the kind of problem.",
            "example": "urn:nkk:problem:already-handed-over",
        },
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong and what to do."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        metadata={"description": "The invalid fields, each with what to do."},
    )
    codes = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        metadata={
            "description": "The invalid fields for programs, each with a list such as "
            '`[{"code": "too-long", "most": 200}]`. Codes are stable.'
        },
    )
    stands = fields.Dict(
        metadata={"description": "The current state of the complaint, which the request did not change."}
    )
    ticket = fields.String()
    claim = fields.Nested("Claim", metadata={"description": "The existing claim, which the request did not change."})


class Claim(Schema):
    """A note that a staff member works on a complaint. It blocks no colleague, and lapses 30 minutes after `since`."""

    by = fields.String(
        required=True, metadata={"description": "The staff id of the claimant; GET /staff/names gives the name."}
    )
    since = fields.String(required=True)


class Page(Schema):
    """The part of a list to return."""

    cursor = fields.String(
        validate=Regexp(r"^[A-Za-z0-9_-]{1,500}\Z", faults.NO_CURSOR),
        metadata={"description": "The `next` of the previous page."},
    )
    limit = fields.Integer(
        validate=Range(1, 200), metadata={"description": "The number of items per page, 50 by default."}
    )


class Text(Schema):
    """The response of step 4, or the answer of step 6."""

    text = PlainText(TEXT_LENGTH, required=True)
