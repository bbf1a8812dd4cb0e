"""Network faults: a proxy delays, stalls, halves or resets the connections of the services to broker and database."""

from typing import Any

from tests.chaos.proxy import MODES, PASS
from tests.chaos.strikes.kinds import Kind

LASTS = {"delay": (2.0, 6.0), "stall": (1.0, 6.0), "halve": (0.2, 1.0), "reset": (0.1, 1.5)}


def _behave(mode: str) -> Any:
    def strike(world: Any, target: str) -> None:
        world.proxies[target].behave(mode)

    return strike


KINDS = tuple(Kind(f"line: {mode}", "lines", LASTS[mode], _behave(mode), _behave(PASS)) for mode in MODES)
