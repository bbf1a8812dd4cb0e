"""Which faults strike when: a pure function of the seed, the duration and what there is to strike."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.strikes.kinds import Kind

PAUSE_SECONDS = (0.5, 3.0)
"""Between the beginnings of two faults."""


@dataclass(frozen=True)
class Strike:
    """A fault to come: `at` seconds after the start it strikes `target`, and `lasts` so long."""

    at: float
    kind: str
    place: str
    target: str
    lasts: float

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.kind:34} {self.target:16} {self.lasts:4.1f} s"


def plan(seed: int, seconds: float, kinds: Sequence[Kind], targets: Mapping[str, Sequence[str]]) -> list[Strike]:
    """The faults of one run, in order: at one place one at a time, each healed before the end, every kind once before
    any comes a second time. `targets` are what can be struck at each place."""
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
