"""Every journey that was to come to its end did; of one that did not it is said why."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.commands import SUCCESS
from tests.chaos.promises import PROMISES
from tests.chaos.record import Asked, Record

STILL_SECONDS = 30.0
"""After so long without an act that was accepted, all being healed, a journey stands still."""

AFTERMATH_SECONDS = 5.0


@dataclass(frozen=True)
class Unfinished:
    """A journey that was under way when time was up: `ticket` is empty where none was given out yet. All faults were
    healed at `healed`, time was up at `ended`; of that the machine let somebody wait for `starved` seconds."""

    ticket: str
    healed: float
    ended: float
    starved: float = 0.0


def breaches(record: Record, unfinished: list[Unfinished]) -> Iterator[Breach]:
    """Those that stood still, and that no fault explains."""
    for each in unfinished:
        if explained(record, each) is None:
            yield Breach(
                "journeys", each.ticket or "no ticket", f"stands still, and no fault explains it: {_last(record, each)}"
            )


def explained(record: Record, journey: Unfinished) -> str | None:
    """Why a journey did not come to its end; None where nothing says it."""
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
    return [asked for asked in record.asked if journey.ticket and asked.ticket == journey.ticket]


def _last(record: Record, journey: Unfinished) -> str:
    own = _own(record, journey)
    return f"last {max(own, key=lambda asked: asked.at)}" if own else "its form was not taken"
