"""Clock faults: a stage's clock jumps forward or back while it runs (libfaketime reads the shift from a file)."""

from typing import Any

from tests.chaos.strikes.kinds import Kind


def _jump(world: Any, target: str) -> None:
    stage, _, shift = target.partition(" ")
    world.set_clock(stage, shift)


def _right(world: Any, target: str) -> None:
    world.set_clock(target.partition(" ")[0], "+0")


KINDS = (Kind("clock jumps", "clocks", (3.0, 8.0), _jump, _right, recovers=2.0),)
