"""The schemas of public data: catalogue, roster, figures."""

from marshmallow import Schema, fields

from gateway.schemas.reports import OfRating, Rated


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


class Numbers(Schema):
    """How many complaints were accepted, answered and closed. A number of fewer than five is null."""

    accepted = fields.Integer(required=True, allow_none=True)
    answered = fields.Integer(required=True, allow_none=True)
    closed = fields.Integer(required=True, allow_none=True)


class OfCategory(Schema):
    """A category's accepted complaints."""

    key = fields.String(required=True)
    accepted = fields.Integer(required=True, allow_none=True)


class MonthsRatings(Rated):
    """The ratings that reporters gave to answers in the month."""

    by_rating = fields.List(fields.Nested(OfRating), required=True)


class MonthsNumbers(Numbers):
    """The numbers of a calendar month (WIB): exact ones of a past month, and full fives of the current one.

    Categories with fewer than five complaints are withheld (null), and with them the smallest of the others, so that
    none can be worked out. The current month's are all withheld.
    """

    month = fields.String(required=True)
    categories = fields.List(fields.Nested(OfCategory), required=True)
    ratings = fields.Nested(MonthsRatings, required=True)


class Stretch(Numbers):
    """The figures since a moment.

    The twelve months' numbers are those of the months, with the withheld ones of past months in full fives. Share and
    median are of the answers in full fives, without the latest beyond those. One of fewer than five answers is null, as
    is one that would reveal such a share or median by subtraction.
    """

    since = fields.String(required=True)
    ratings = fields.Nested(
        Rated,
        required=True,
        metadata={
            "description": "Of the twelve months, the sum of the months' numbers that come with an average, and the "
            "average of those averages, weighted by the numbers."
        },
    )
    in_time_share = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "The share of answers sent within the promised time, from 0 to 1; null if there are too few."
        },
    )
    median_minutes = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "The median of the office minutes from submission to answer; null if there are too few."
        },
    )


class Figures(Schema):
    """Live figures over the last twelve calendar months, including the current one, and over the current one (WIB)."""

    as_of = fields.String(
        required=True, metadata={"description": "The start of today (WIB), up to which the figures count."}
    )
    promised_minutes = fields.Integer(
        required=True, metadata={"description": "The office minutes promised for the whole service: two working days."}
    )
    last_12_months = fields.Nested(Stretch, required=True)
    this_month = fields.Nested(Stretch, required=True)
    months = fields.List(fields.Nested(MonthsNumbers), required=True)
