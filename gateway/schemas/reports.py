"""The schemas of a month's recapitulation."""

from marshmallow import Schema, fields

from gateway.schemas.parts import one_of
from nkk.contracts.fields import Regexp
from nkk.sop import faults


class Recapitulation(Schema):
    """The month of a recapitulation, and its format."""

    month = fields.String(required=True, validate=Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z", faults.NO_MONTH))
    format = fields.String(load_default="xlsx", validate=one_of("xlsx", "pdf", "json"))


class Durations(Schema):
    """The durations, in office minutes, of what ended in the month; null where nothing did.

    For the main team, also null for steps 2 and 7 and the service where fewer than five ended.
    """

    median_minutes = fields.Integer(required=True, allow_none=True)
    p90_minutes = fields.Integer(required=True, allow_none=True)
    on_time_share = fields.Float(
        required=True, allow_none=True, metadata={"description": "The share that ended on time, from 0 to 1."}
    )


class Times(Durations):
    """The durations and the number of what ended."""

    count = fields.Integer(required=True)


class StepTimes(Times):
    """The durations of a step."""

    number = fields.Integer(required=True)
    activity = fields.String(required=True)
    role = fields.String(required=True)
    standard_minutes = fields.Integer(required=True)


class OpdTimes(Durations):
    """Step 4 at an OPD: complaints forwarded to it in the month, those still open and late there, its responses."""

    name = fields.String(required=True)
    forwarded = fields.Integer(required=True)
    declined = fields.Integer(required=True, metadata={"description": "How many its team declined in the month."})
    recalled = fields.Integer(
        required=True, metadata={"description": "How many the main team took back from it in the month."}
    )
    open = fields.Integer(
        required=True,
        metadata={"description": "The number of complaints at step 4 at the end of the month, or now."},
    )
    late = fields.Integer(
        required=True,
        metadata={"description": "How many of these are overdue by the clock of the step or of the whole service."},
    )
    responses = fields.Integer(
        required=True, metadata={"description": "The number of responses sent in the month, counting each round."}
    )


class ServiceTimes(Times):
    """The durations of the whole service."""

    standard_minutes = fields.Integer(required=True)


class Counted(Schema):
    """How many of the accepted complaints are of a kind."""

    name = fields.String(required=True)
    sub_category = fields.String()
    count = fields.Integer(required=True)


class OpenCase(Schema):
    """A complaint without an answer at the month's end, or now.

    For the main team, the service's due time and the times of step 2 are days; a complaint submitted today is listed
    after its hand-over.
    """

    ticket = fields.String(required=True)
    path = fields.String(required=True)
    step = fields.Integer(required=True)
    activity = fields.String(required=True)
    opd = fields.String(required=True, allow_none=True)
    came_at = fields.String(required=True)
    due_at = fields.String(required=True)
    service_due_at = fields.String(required=True)
    late = fields.Boolean(required=True)


class Rated(Schema):
    """The ratings given in the month: their number and average."""

    count = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Null for fewer than five; full fives while the month lasts."},
    )
    average = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "From 1 to 5, rounded to the tenth, or to the half for fewer than 25; null while the month "
            "lasts, and for fewer than five."
        },
    )


class OfRating(Schema):
    """How many ratings are of a value: null for all five values, unless each has five or more."""

    rating = fields.Integer(required=True)
    count = fields.Integer(required=True, allow_none=True)


class Month(Schema):
    """A month's recapitulation: counts, times against the standard, and open complaints (at most 1,000 are listed)."""

    month = fields.String(required=True)
    accepted = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    abandoned = fields.Integer(
        required=True,
        metadata={"description": "The number that desks closed because their question was not answered."},
    )
    objected = fields.Integer(required=True, metadata={"description": "The number of objections to answers."})
    joined = fields.Integer(
        required=True, metadata={"description": "The number of times that a report was joined with another."}
    )
    open = fields.Integer(required=True)
    late = fields.Integer(required=True)
    by_path = fields.List(fields.Nested(Counted), required=True)
    by_channel = fields.List(
        fields.Nested(Counted), required=True, metadata={"description": "How the accepted complaints came."}
    )
    by_category = fields.List(fields.Nested(Counted), required=True)
    by_opd = fields.List(fields.Nested(OpdTimes), required=True)
    steps = fields.List(fields.Nested(StepTimes), required=True)
    service = fields.Nested(ServiceTimes, required=True)
    open_cases = fields.List(fields.Nested(OpenCase), required=True)
    ratings = fields.Nested(Rated, required=True)
    by_rating = fields.List(fields.Nested(OfRating), required=True)
