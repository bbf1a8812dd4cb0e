"""The kinds of faults."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of fault. It strikes a target at `place` and is healed after `lasts` seconds; the next one at the same
    place comes at least `recovers` seconds later. `strike` and `heal` are called with the world and the target."""

    name: str
    place: str
    lasts: tuple[float, float]
    strike: Callable[[Any, str], None]
    heal: Callable[[Any, str], None] = lambda world, target: None
    recovers: float = 1.0
