"""What all desks share: cases in tables, worklists and their filters, claims, calendars, clocks, alarms, and the record
of access to cases.

`nkk.desk.stage` holds the classes that run in a stage; the other modules do not depend on it.
"""

from nkk.desk.additions import additions_column
from nkk.desk.calendars import Calendars, KeptCalendars, calendars_table
from nkk.desk.claims import claim_columns
from nkk.desk.clocks import ClockedWork, alarm_index, clock_columns, due_alarms, question_columns
from nkk.desk.endings import ending_columns
from nkk.desk.files import AttachingWork, attached_table, files_column
from nkk.desk.gathered import gathered_column
from nkk.desk.notes import NotingWork, notes_table
from nkk.desk.record import (
    CODE_RENEWED,
    FILE_OPENED,
    IDENTITY_SHOWN,
    LETTER_DROPPED,
    VIEWED,
    RecordedWork,
    opening,
    record_table,
    viewing,
)
from nkk.desk.recusals import RECUSED, RecusingWork, may_see, recusals_table
from nkk.desk.report import report_columns
from nkk.desk.rows import Rows
from nkk.desk.worklist import EVERYTHING, Wanted, in_turn, narrowed, read_wanted

__all__ = [
    "CODE_RENEWED",
    "EVERYTHING",
    "FILE_OPENED",
    "IDENTITY_SHOWN",
    "LETTER_DROPPED",
    "RECUSED",
    "VIEWED",
    "AttachingWork",
    "Calendars",
    "ClockedWork",
    "KeptCalendars",
    "NotingWork",
    "RecordedWork",
    "RecusingWork",
    "Rows",
    "Wanted",
    "additions_column",
    "alarm_index",
    "attached_table",
    "calendars_table",
    "claim_columns",
    "clock_columns",
    "due_alarms",
    "ending_columns",
    "files_column",
    "gathered_column",
    "in_turn",
    "may_see",
    "narrowed",
    "notes_table",
    "opening",
    "question_columns",
    "read_wanted",
    "record_table",
    "recusals_table",
    "report_columns",
    "viewing",
]
