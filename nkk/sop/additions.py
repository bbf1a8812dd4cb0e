"""What a reporter adds to a report after it was submitted: words, files, or both."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from nkk.sop.refusals import Refused

MOST_ADDITIONS = 50
"""The largest number of additions to a report."""


class AddedTooOften(Refused):
    """The report would have more than MOST_ADDITIONS additions; `details["most"]` is that number."""


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What was added at once: the words, or None, and the numbers of the files.

    `number` counts a report's additions from 1. `day` (RFC 3339) is the day only, since desks may know no more.
    """

    number: int
    day: str
    text: str | None = None
    files: tuple[str, ...] = ()


def joined(additions: tuple[Addition, ...], more: Iterable[Addition]) -> tuple[Addition, ...]:
    """Return `additions` and those of `more` with other numbers, in the order of their numbers.

    So an event consumed twice, or after a later one, changes nothing.
    """
    known = {each.number: each for each in more} | {each.number: each for each in additions}
    return tuple(known[number] for number in sorted(known))


def told(additions: Iterable[Addition]) -> list[dict[str, Any]]:
    """Return the additions as an event has them."""
    return [asdict(each) | {"files": list(each.files)} for each in additions]


def described(additions: Iterable[dict[str, Any]]) -> tuple[Addition, ...]:
    """Return the additions of an event, or of a row of a database."""
    return tuple(Addition(**each | {"files": tuple(each["files"])}) for each in additions)
