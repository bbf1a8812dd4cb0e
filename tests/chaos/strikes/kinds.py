"""What a kind of fault is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of fault: it strikes a target at `place` and is healed after between `lasts` seconds, the next at the same
    place coming no sooner than `recovers` seconds after that. `strike` and `heal` are given the world and the
    target."""

    name: str
    place: str
    lasts: tuple[float, float]
    strike: Callable[[Any, str], None]
    heal: Callable[[Any, str], None] = lambda world, target: None
    recovers: float = 1.0
