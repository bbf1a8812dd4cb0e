"""The clock of the machine. Whoever decides anything by the time is given a clock, or the time itself."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time: an aware datetime, in UTC."""


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)
