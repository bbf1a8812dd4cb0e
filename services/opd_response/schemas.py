"""What opd_response is told and what it answers, over RPC."""

from marshmallow import Schema, fields

from nkk.contracts.fields import Day, Instant, PlainText
from nkk.contracts.report import ReportView
from nkk.sop.report import TEXT_LENGTH


class Response(Schema):
    """The helper team's answer (Laporan Tanggapan Pengaduan)."""

    text = PlainText(TEXT_LENGTH, required=True)


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
    """A complaint as the helper team reads it (Laporan Pengaduan)."""

    note = fields.String(allow_none=True)
    response = fields.String(allow_none=True)
    return_note = fields.String(allow_none=True)
