"""The schemas of the calendar and its versions."""

from marshmallow import Schema, fields

from nkk.contracts.fields import Line, Range
from nkk.sop.report import NAME_LENGTH


class OwnDay(Schema):
    """A date that differs from its weekday: closed without `spans`, otherwise open during them."""

    name = Line(NAME_LENGTH, required=True)
    spans = fields.List(
        fields.List(fields.String()),
        load_default=list,
        metadata={"description": 'The office hours, such as `[["08:00", "12:00"]]`. An empty list means a closed day.'},
    )


class NewCalendar(Schema):
    """A calendar that replaces `version`, which must be the newest."""

    version = fields.Integer(strict=True, required=True)
    changed_at = fields.Raw(metadata={"description": "Ignored, so that a response of GET can be sent back."})
    changed_by = fields.Raw(metadata={"description": "Ignored, so that a response of GET can be sent back."})
    joint_leave_unknown = fields.Raw(metadata={"description": "Ignored, so that a response of GET can be sent back."})
    calendar = fields.Dict(
        required=True,
        metadata={
            "description": "`week` has the office hours from Monday to Sunday; `seasons` are periods with a week of "
            "their own (name, first, last, week); `days` are dates that differ from their weekday (name, spans). "
            "`national_years` lists the years whose national holidays have been added, `joint_leave_years` those "
            "whose joint leave has been added too. The system maintains both lists: send them as GET returns them, "
            "but add a year of `national_years` to `joint_leave_years` once you have entered all of its joint leave. "
            "`joint_leave_years` is optional; without it, the list does not change."
        },
    )


class CalendarListed(Schema):
    """A version of the calendar in the list of versions."""

    version = fields.Integer(required=True)
    changed_at = fields.String(required=True)
    changed_by = fields.String(
        required=True,
        metadata={"description": "The id of the admin who made this version, or `nkk` where the system did."},
    )


class CalendarVersion(CalendarListed):
    """A version of the calendar. Clocks that started under it always count by it."""

    calendar = fields.Dict(required=True)
    joint_leave_unknown = fields.List(
        fields.Integer(),
        metadata={
            "description": "The years in this calendar whose joint leave (cuti bersama) is not known yet, and which no "
            "admin has marked as complete (`joint_leave_years`). The system adds joint leave once it is known; clocks "
            "that start earlier count without it."
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
        metadata={
            "description": "The dates in `days` that are joint leave. The list is empty until joint leave is decreed "
            "and known."
        },
    )
