"""The columns of a `Report`."""

from typing import Any

from sqlalchemy import Column, String, Text

from nkk.sop.report import KEY_LENGTH, NAME_LENGTH, SUBJECT_LENGTH


def report_columns() -> list[Column[Any]]:
    """What the reporter wrote."""
    return [
        Column("category", String(KEY_LENGTH), nullable=False),
        Column("sub_category", String(KEY_LENGTH), nullable=False),
        Column("subject_line", String(SUBJECT_LENGTH), nullable=False),
        Column("text", Text, nullable=False),
        Column("place", String(NAME_LENGTH)),
        Column("happened_on", String(NAME_LENGTH)),
        Column("accused_name", String(NAME_LENGTH)),
        Column("accused_position", String(NAME_LENGTH)),
        Column("accused_opd", String(KEY_LENGTH)),
    ]
