"""The schemas of the calendar and its versions."""

from marshmallow import Schema, fields

from nkk.contracts.fields import Line, Range
from nkk.sop.report import NAME_LENGTH


class OwnDay(Schema):
    """A date that differs from its weekday: closed without spans, else open in them."""

    name = Line(NAME_LENGTH, required=True)
    spans = fields.List(
        fields.List(fields.String()),
        load_default=list,
        metadata={"description": 'Open spans such as [["08:00", "12:00"]]; none for a closed day.'},
    )


class NewCalendar(Schema):
    """A calendar that replaces `version`, which must be the newest."""

    version = fields.Integer(strict=True, required=True)
    changed_at = fields.Raw(metadata={"description": "Ignored: what GET gives can be sent back."})
    changed_by = fields.Raw(metadata={"description": "Ignored."})
    joint_leave_unknown = fields.Raw(metadata={"description": "Ignored."})
    calendar = fields.Dict(
        required=True,
        metadata={
            "description": "week: the open spans of Monday to Sunday; seasons: dates with a week of their own (name, "
            "first, last, week); days: dates unlike their weekday (name, spans); national_years: those "
            "whose national days were put in, joint_leave_years: those whose joint leave was too. Both are "
            "kept by the system and to be sent back as GET gives them; but add a year of national_years to "
            "joint_leave_years where you have entered all of its joint leave. joint_leave_years alone may "
            "be left out, and stays as it is then."
        },
    )


class CalendarListed(Schema):
    """A version of the calendar in the list of versions."""

    version = fields.Integer(required=True)
    changed_at = fields.String(required=True)
    changed_by = fields.String(required=True, metadata={"description": "Who made it; `nkk` where it made itself."})


class CalendarVersion(CalendarListed):
    """A version of the calendar. Clocks that started under it always count by it."""

    calendar = fields.Dict(required=True)
    joint_leave_unknown = fields.List(
        fields.Integer(),
        metadata={
            "description": "Years in this calendar without joint leave (cuti bersama), since it was not known yet and "
            "no admin has said that it is complete (joint_leave_years). It is put in once the service knows "
            "it; what starts before is counted without."
        },
    )


class CalendarVersions(Schema):
    """A page of the calendar's versions, newest first."""

    items = fields.List(fields.Nested(CalendarListed), required=True)
    next = fields.String(allow_none=True, required=True)


class Year(Schema):
    """The year to return."""

    year = fields.Integer(required=True, validate=Range(2000, 2100))


class NationalDays(Schema):
    """The national holidays and joint leave of a year."""

    days = fields.Dict(required=True)
    joint_leave = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Which of the dates are joint leave; none before it is decreed and known."},
    )
