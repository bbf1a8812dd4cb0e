"""The book of journeys: every journey that should end did so, or something explains why not."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.commands import SUCCESS
from tests.chaos.promises import PROMISES
from tests.chaos.record import Asked, Record

STILL_SECONDS = 30.0
"""A journey is stuck when no act was accepted for so long after all faults were healed."""

AFTERMATH_SECONDS = 5.0


@dataclass(frozen=True)
class Unfinished:
    """A journey that had not ended when time was up. `ticket` is empty where none was issued yet. All faults were
    healed at `healed`, and time was up at `ended`; for `starved` seconds of that a process waited for a processor."""

    ticket: str
    healed: float
    ended: float
    starved: float = 0.0


def breaches(record: Record, unfinished: list[Unfinished]) -> Iterator[Breach]:
    """Yield the journeys that are stuck without an explaining fault."""
    for each in unfinished:
        if explained(record, each) is None:
            yield Breach(
                "journeys", each.ticket or "no ticket", f"stands still, and no fault explains it: {_last(record, each)}"
            )


def explained(record: Record, journey: Unfinished) -> str | None:
    """Return why a journey did not end; None where nothing explains it."""
    since = max(
        [
            journey.healed,
            *(
                asked.at + asked.took
                for asked in _own(record, journey)
                if asked.status in SUCCESS and PROMISES[asked.operation].facts
            ),
        ]
    )
    if journey.ended - since - journey.starved < STILL_SECONDS:
        return f"it went on until time was up ({_last(record, journey)})"
    for struck in record.struck:
        if struck.overlaps(since, journey.ended, AFTERMATH_SECONDS):
            return f"{struck}"
    return None


def _own(record: Record, journey: Unfinished) -> list[Asked]:
    """Return the requests about a complaint, and about those that it may rest with."""
    about = {journey.ticket, *record.joined.get(journey.ticket, ())} - {""}
    return [asked for asked in record.asked if asked.ticket in about]


def _last(record: Record, journey: Unfinished) -> str:
    own = _own(record, journey)
    return f"last {max(own, key=lambda asked: asked.at)}" if own else "its form was not taken"
