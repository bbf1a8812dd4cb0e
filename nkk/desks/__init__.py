"""What every desk has in common: how its worklist is narrowed, the columns of who is on what stands there, and the
record of who looked at it."""

from nkk.desks.claims import claim_columns
from nkk.desks.record import IDENTITY_SHOWN, LETTER_DROPPED, VIEWED, RecordedWork, record_table, viewing
from nkk.desks.worklist import EVERYTHING, Wanted, in_turn, narrowed, read_wanted

__all__ = [
    "EVERYTHING",
    "IDENTITY_SHOWN",
    "LETTER_DROPPED",
    "VIEWED",
    "RecordedWork",
    "Wanted",
    "claim_columns",
    "in_turn",
    "narrowed",
    "read_wanted",
    "record_table",
    "viewing",
]
