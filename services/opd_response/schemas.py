"""Schemas of opd_response's RPC arguments and results."""

from marshmallow import Schema, fields

from nkk.contracts.fields import Day, Instant, PlainText
from nkk.contracts.files import FileView, attaching
from nkk.contracts.report import ReportView
from nkk.sop.report import TEXT_LENGTH


class Response(Schema):
    """The helper team's response (Laporan Tanggapan Pengaduan)."""

    text = PlainText(TEXT_LENGTH, required=True)
    files = attaching()


class Listed(Schema):
    """A row of a helper team's worklist."""

    ticket = fields.String()
    opd = fields.String()
    subject_line = fields.String()
    category = fields.String()
    sub_category = fields.String()
    round = fields.Integer()
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
    files = fields.Nested(FileView, many=True)
    response_files = fields.Nested(FileView, many=True)
