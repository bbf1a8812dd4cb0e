"""The shape of responses that were gathered from several OPDs, in events and RPC."""

from marshmallow import EXCLUDE, Schema, fields, validate

from nkk.contracts.fields import PlainText, Range, Slug
from nkk.sop.gathered import MOST_GATHERED
from nkk.sop.report import TEXT_LENGTH


class Kept(Schema):
    """A response that was kept beside the last one."""

    class Meta:
        unknown = EXCLUDE

    opd = Slug(required=True)
    round = fields.Integer(required=True, strict=True, validate=Range(1, 1_000))
    text = PlainText(TEXT_LENGTH, required=True)


def told_gathered() -> fields.List:
    """Return the field of an event that has the responses kept beside the last one."""
    return fields.List(fields.Nested(Kept), load_default=(), validate=validate.Length(max=MOST_GATHERED))


class GatheredView(Schema):
    """A response that was kept, as those see it who have all of them."""

    opd = fields.String()
    round = fields.Integer()
    text = fields.String()
