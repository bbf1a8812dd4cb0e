"""How a `Report` crosses the wire: as its reporter fills it in, and as those read it who work from it."""

from marshmallow import Schema, fields

from nkk.contracts.fields import Line, PlainText, Slug
from nkk.sop.report import NAME_LENGTH, SUBJECT_LENGTH, TEXT_LENGTH


class ReportForm(Schema):
    """What the reporter writes. What may be left out may be None too."""

    category = Slug(required=True)
    sub_category = Slug(required=True)
    subject_line = Line(SUBJECT_LENGTH, required=True)
    text = PlainText(TEXT_LENGTH, required=True)
    place = Line(NAME_LENGTH, allow_none=True)
    happened_on = Line(NAME_LENGTH, allow_none=True, metadata={"description": "When, in the reporter's words."})
    accused_name = Line(NAME_LENGTH, allow_none=True)
    accused_position = Line(NAME_LENGTH, allow_none=True)
    accused_opd = Slug(allow_none=True)


class ReportView(Schema):
    """What the reporter wrote."""

    category = fields.String()
    sub_category = fields.String()
    subject_line = fields.String()
    text = fields.String()
    place = fields.String(allow_none=True)
    happened_on = fields.String(allow_none=True)
    accused_name = fields.String(allow_none=True)
    accused_position = fields.String(allow_none=True)
    accused_opd = fields.String(allow_none=True)
