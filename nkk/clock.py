"""The machine's clock. Code whose result depends on the time takes a `Clock`, or the time itself, as a parameter."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""A function that returns the time as an aware datetime in UTC."""


def utc_now() -> datetime:
    """Return this machine's time, in UTC."""
    return datetime.now(UTC)
