"""The shape of what a reporter added to a report, in events and RPC."""

from marshmallow import EXCLUDE, Schema, fields, validate

from nkk.contracts.fields import NOTE_LENGTH, Length, PlainText, Range, Regexp
from nkk.sop.additions import MOST_ADDITIONS
from nkk.sop.files import MOST_OF_A_REPORT


class Added(Schema):
    """An addition in an event."""

    class Meta:
        unknown = EXCLUDE

    number = fields.Integer(required=True, strict=True, validate=Range(1, MOST_ADDITIONS))
    day = fields.String(required=True, validate=Length(10, 40))
    text = PlainText(NOTE_LENGTH, allow_none=True, load_default=None)
    files = fields.List(
        fields.String(validate=Regexp(r"^[1-9][0-9]{0,2}\Z")),
        load_default=list,
        validate=validate.Length(max=MOST_OF_A_REPORT),
    )


def told_additions() -> fields.List:
    """Return the field of an event that has additions; without any in older events."""
    return fields.List(fields.Nested(Added), load_default=(), validate=validate.Length(max=MOST_ADDITIONS))


class AdditionView(Schema):
    """An addition as those see it who have the report."""

    number = fields.Integer()
    day = fields.String()
    text = fields.String(allow_none=True)
    files = fields.List(fields.String())
