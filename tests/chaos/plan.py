"""The plan of faults: a pure function of the seed, the duration and the possible targets."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.strikes.kinds import Kind

PAUSE_SECONDS = (0.5, 3.0)
"""The pause between the starts of two faults."""


@dataclass(frozen=True)
class Strike:
    """A planned fault: `at` seconds after the start it strikes `target`, and lasts for `lasts` seconds."""

    at: float
    kind: str
    place: str
    target: str
    lasts: float

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.kind:34} {self.target:16} {self.lasts:4.1f} s"


def plan(seed: int, seconds: float, kinds: Sequence[Kind], targets: Mapping[str, Sequence[str]]) -> list[Strike]:
    """Return the faults of one run, in order. Each place has one fault at a time, each is healed before the end, and
    every kind comes once before any repeats. `targets` lists what can be struck at each place."""
    dice = random.Random(seed)
    free = dict.fromkeys(targets, 0.0)
    found, now = [], dice.uniform(*PAUSE_SECONDS)
    for kind in _dealt(dice, [kind for kind in kinds if targets.get(kind.place)]):
        lasts, target = round(dice.uniform(*kind.lasts), 2), dice.choice(targets[kind.place])
        begins = round(max(now, free[kind.place]), 2)
        if begins + lasts + kind.recovers > seconds:
            return found
        found.append(Strike(begins, kind.name, kind.place, target, lasts))
        free[kind.place] = begins + lasts + kind.recovers
        now = begins + dice.uniform(*PAUSE_SECONDS)
    return found


def _dealt(dice: random.Random, kinds: Sequence[Kind]) -> Iterator[Kind]:
    while kinds:
        deck = list(kinds)
        dice.shuffle(deck)
        yield from deck
