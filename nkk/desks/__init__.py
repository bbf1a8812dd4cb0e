"""What every desk has in common: how what stands there is kept and its worklist narrowed, the columns of the report and
of who is on it, and the record of who looked at it."""

from nkk.desks.claims import claim_columns
from nkk.desks.record import IDENTITY_SHOWN, LETTER_DROPPED, VIEWED, RecordedWork, record_table, viewing
from nkk.desks.report import report_columns
from nkk.desks.rows import Rows
from nkk.desks.worklist import EVERYTHING, Wanted, in_turn, narrowed, read_wanted

__all__ = [
    "EVERYTHING",
    "IDENTITY_SHOWN",
    "LETTER_DROPPED",
    "VIEWED",
    "RecordedWork",
    "Rows",
    "Wanted",
    "claim_columns",
    "in_turn",
    "narrowed",
    "read_wanted",
    "record_table",
    "report_columns",
    "viewing",
]
