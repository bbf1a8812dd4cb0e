"""The database columns of a `Claimable`."""

from typing import Any

from sqlalchemy import Column, String

from nkk.store.database import UtcDateTime


def claim_columns() -> list[Column[Any]]:
    """Return the columns of a claim: the account's id and the time of the claim."""
    return [Column("claimed_by", String(36)), Column("claimed_at", UtcDateTime)]
