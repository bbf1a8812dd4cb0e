"""The database columns of an `Endable`."""

from typing import Any

from sqlalchemy import Column, String, Text

from nkk.store.database import UtcDateTime


def ending_columns() -> list[Column[Any]]:
    """Return the columns of an ending outside of the steps: how, when, and the reason that was given."""
    return [Column("ended", String(20)), Column("ended_at", UtcDateTime), Column("ended_why", Text)]
