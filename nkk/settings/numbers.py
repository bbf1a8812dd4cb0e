"""Parsers of numbers, delays and rate limits."""

import re
from collections.abc import Callable

MOST_DELAYS = 20
"""The largest number of retry delays, each of which is a queue at every stage."""

LONGEST_WINDOW = 366 * 24 * 3600
"""The longest window of a rate limit, in seconds."""


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `least` to `most`."""

    def read(written: str) -> int:
        if not re.fullmatch(r"\s*\d{1,9}\s*", written) or not least <= int(written) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}.")
        return int(written)

    return read


def delays(written: str) -> tuple[int, ...]:
    """Parse seconds separated by commas, and return them as milliseconds."""
    try:
        delays = tuple(int(float(part) * 1000) for part in written.split(","))
    except (ValueError, OverflowError):
        delays = ()
    if not delays or min(delays) < 0 or max(delays) > 86_400_000:
        raise ValueError("must be seconds separated by commas, each a day at most, such as 1,5,30,120,600.")
    if len(delays) > MOST_DELAYS:
        raise ValueError(f"has {len(delays)} delays, each of which is a queue: write at most {MOST_DELAYS}.")
    return delays


def limit(written: str) -> str:
    """Parse a rate limit in the notation of the library `limits`, such as 20/hour."""
    from limits import parse_many  # imported here: only the gateway uses it

    try:
        limits = parse_many(written)
    except ValueError:
        raise ValueError("is not a rate limit. Write it like 20/hour or 5/minute.") from None
    if any(each.amount < 1 or not 1 <= each.get_expiry() <= LONGEST_WINDOW for each in limits):
        raise ValueError("admits no request, or counts over more than a year. Write it like 20/hour or 5/minute.")
    return written
