"""The database columns of a `Report`."""

from typing import Any

from sqlalchemy import Column, String, Text

from nkk.sop.report import FIELDS, Kind


def report_columns() -> list[Column[Any]]:
    """Return a column for each field of the report."""
    return [
        Column(name, Text if words.kind is Kind.TEXT else String(words.length), nullable=optional)
        for name, words, optional in FIELDS
    ]
