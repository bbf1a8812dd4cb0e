"""The responses of several OPDs to one matter, gathered one after the other before step 5 ends."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

MOST_GATHERED = 4
"""How many responses are kept beside the last one."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """A response that was kept: number `round`, of the team of `opd`."""

    opd: str
    round: int
    text: str


def told(gathered: Iterable[Gathered]) -> list[dict[str, Any]]:
    """Return the responses as an event has them."""
    return [asdict(each) for each in gathered]


def described(gathered: Iterable[dict[str, Any]]) -> tuple[Gathered, ...]:
    """Return the responses of an event."""
    return tuple(Gathered(**each) for each in gathered)
