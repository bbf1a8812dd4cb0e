"""Schemas of triage's RPC arguments and results."""

from marshmallow import Schema, fields

from nkk.contracts.additions import AdditionView
from nkk.contracts.fields import NOTE_LENGTH, Day, Instant, Line, PlainText, Range, Slug, Ticket
from nkk.contracts.files import FileView
from nkk.contracts.gathered import GatheredView
from nkk.contracts.report import ReportView
from nkk.desk.worklist import SHORTEST
from nkk.sop.endings import Endable
from nkk.sop.report import SUBJECT_LENGTH
from nkk.sop.steps import MOST_DAYS


class Note(Schema):
    """An optional note for the operator or the OPD team."""

    note = PlainText(NOTE_LENGTH, allow_none=True, load_default=None)


class Reason(Schema):
    """The reason for an act beside the path, which others read."""

    note = PlainText(NOTE_LENGTH, required=True)


class Information(Note):
    """The classification as information, with an optional note; the domain refuses an agency."""

    opd = Slug(required=True, allow_none=True)


class Forwarding(Information):
    """The agency whose helper team a complaint is forwarded to, an optional note, and why in spite of a conflict."""

    reason = PlainText(NOTE_LENGTH, allow_none=True, load_default=None)


class Joining(Reason):
    """The report that one is joined with, and why."""

    first = Ticket(required=True)


class Search(Schema):
    """Words of a subject line, or part of a ticket."""

    q = Line(SUBJECT_LENGTH, least=SHORTEST, allow_none=True, load_default=None)


class TimeGrant(Note):
    """How many more working days an OPD team gets, 0 for none, and a note for it."""

    days = fields.Integer(required=True, strict=True, validate=Range(0, MOST_DAYS))


class Listed(Schema):
    """A row of Tim Utama's worklist."""

    ticket = fields.String()
    subject_line = fields.String()
    reporter_kind = fields.String()
    claimed_kind = fields.String()
    category = fields.String()
    sub_category = fields.String()
    opd = fields.String(allow_none=True)
    round = fields.Integer()
    came_at = Instant()
    due_at = Instant()
    done_at = Instant(allow_none=True)
    submitted_at = Day()
    service_due_at = Day()
    joined_to = fields.String(allow_none=True)
    asked_days = fields.Function(lambda case: case.asked_days if case.asks_time else None)
    stands = fields.Function(lambda case: case.stands())


class CaseView(ReportView, Listed):
    """A case as Tim Utama sees it: the report (Data Pengaduan), and the response once there is one."""

    confidential = fields.Boolean()
    conflict = fields.Boolean()
    response = fields.String(allow_none=True)
    forwarding = fields.Integer()
    cycle = fields.Integer()
    kept = fields.Boolean()
    back = fields.String(allow_none=True)
    back_why = fields.String(allow_none=True)
    better_opd = fields.String(allow_none=True)
    objected_to = fields.String(allow_none=True)
    asked_why = fields.String(allow_none=True)
    granted_days = fields.Integer(allow_none=True)
    gathered = fields.Nested(GatheredView, many=True)
    ended_why = fields.Function(Endable.shown_why)
    files = fields.Nested(FileView, many=True)
    response_files = fields.Nested(FileView, many=True)
    additions = fields.Nested(AdditionView, many=True)
