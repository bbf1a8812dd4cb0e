"""The columns of a `Claimable`."""

from typing import Any

from sqlalchemy import Column, String

from nkk.store.database import UtcDateTime


def claim_columns() -> list[Column[Any]]:
    """Who is on what a row holds, and since when."""
    return [Column("claimed_by", String(36)), Column("claimed_at", UtcDateTime)]
