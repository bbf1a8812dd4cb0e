"""Schemas of opd_response's RPC arguments and results."""

from marshmallow import Schema, fields

from nkk.contracts.additions import AdditionView
from nkk.contracts.fields import NOTE_LENGTH, Day, Instant, PlainText, Range, Slug
from nkk.contracts.files import FileView, attaching
from nkk.contracts.report import ReportView
from nkk.sop.clock import write_instant
from nkk.sop.endings import Endable
from nkk.sop.report import TEXT_LENGTH
from nkk.sop.steps import MOST_DAYS


class Response(Schema):
    """The helper team's response (Laporan Tanggapan Pengaduan)."""

    text = PlainText(TEXT_LENGTH, required=True)
    files = attaching()


class Declination(Schema):
    """Why a complaint is not this agency's, and the agency that may be in charge."""

    note = PlainText(NOTE_LENGTH, required=True)
    better = Slug(allow_none=True, load_default=None)


class TimeRequest(Schema):
    """How many more working days a team asks for, and why."""

    days = fields.Integer(required=True, strict=True, validate=Range(1, MOST_DAYS))
    reason = PlainText(NOTE_LENGTH, required=True)


class Listed(Schema):
    """A row of a helper team's worklist."""

    ticket = fields.String()
    opd = fields.String()
    subject_line = fields.String()
    category = fields.String()
    sub_category = fields.String()
    round = fields.Integer()
    returned = fields.Function(lambda case: case.return_note is not None)
    came_at = Instant()
    due_at = Instant()
    done_at = Instant(allow_none=True)
    service_due_at = Day()
    stands = fields.Function(lambda case: case.stands())


class CaseView(ReportView, Listed):
    """A complaint as the helper team sees it (Laporan Pengaduan)."""

    note = fields.String(allow_none=True)
    response = fields.String(allow_none=True)
    return_note = fields.String(allow_none=True)
    forwarding = fields.Integer()
    overtaken = fields.Boolean()
    declined_why = fields.String(allow_none=True)
    better_opd = fields.String(allow_none=True)
    recalled_why = fields.String(allow_none=True)
    # Of the response that is awaited: a request for an earlier one has nothing more to say.
    asked_days = fields.Function(lambda case: case.asked_days if case.asked_for else None)
    asked_why = fields.Function(lambda case: case.asked_why if case.asked_for else None)
    granted_days = fields.Integer(allow_none=True)
    granted_note = fields.String(allow_none=True)
    first_due_at = fields.Function(lambda case: write_instant(case.due_first) if case.moved_days else None)
    moved_days = fields.Integer()
    ended_why = fields.Function(Endable.shown_why)
    files = fields.Nested(FileView, many=True)
    response_files = fields.Nested(FileView, many=True)
    additions = fields.Nested(AdditionView, many=True)
