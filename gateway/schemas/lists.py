"""The schemas of public data: catalogue, roster, figures."""

from marshmallow import Schema, fields


class SubCategory(Schema):
    """A sub-category."""

    key = fields.String(required=True)
    name = fields.String(required=True)


class Category(SubCategory):
    """A category with its sub-categories."""

    source = fields.String()
    sub_categories = fields.List(fields.Nested(SubCategory), required=True)


class Categories(Schema):
    """The catalogue."""

    items = fields.List(fields.Nested(Category), required=True)


class Opds(Schema):
    """The roster of agencies."""

    items = fields.List(fields.Nested(SubCategory), required=True)


class Stretch(Schema):
    """The figures since a moment.

    No share or median is given over fewer than five answers, nor one whose difference to another would reveal such a
    one.
    """

    since = fields.String(required=True)
    accepted = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    in_time_share = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "Of the answers, those sent within the promised time: 0 to 1; null where they are too few."
        },
    )
    median_minutes = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Half of the answers took no longer than so many office minutes from the submission on."
        },
    )


class Figures(Schema):
    """Live figures over the last twelve calendar months, including the current one, and over the current one (WIB)."""

    as_of = fields.String(required=True, metadata={"description": "The beginning of today (WIB): what was before."})
    promised_minutes = fields.Integer(
        required=True, metadata={"description": "Office minutes promised for the whole service: two working days."}
    )
    last_12_months = fields.Nested(Stretch, required=True)
    this_month = fields.Nested(Stretch, required=True)
