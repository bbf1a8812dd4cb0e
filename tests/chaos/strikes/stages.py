"""Stage faults: instances killed, ended, frozen, down for long, restarted in turn, or of an older version."""

from contextlib import suppress
from typing import Any

from tests.chaos.strikes.kinds import Kind
from tests.installations import eventually

RESTART_SECONDS = 60.0

AWAY_SECONDS = (4.0, 8.0)
"""Longer than all attempts at an event together (NKK_RETRY_DELAYS of the installation)."""


def _there(world: Any, instance: str) -> None:
    """Wait until the instance runs and can be struck, since it may be slow to recover from the last fault."""
    eventually(lambda: world.installation.stack.programs[instance].running, RESTART_SECONDS)


def _kill(world: Any, instance: str) -> None:
    _there(world, instance)
    with suppress(ProcessLookupError):
        world.installation.kill(instance)


def _end(world: Any, instance: str) -> None:
    _there(world, instance)
    with suppress(ProcessLookupError):
        world.installation.end(instance)


def _freeze(world: Any, instance: str) -> None:
    _there(world, instance)
    with suppress(ProcessLookupError):
        world.installation.freeze(instance)


def _thaw(world: Any, instance: str) -> None:
    # The process may have died of something else meanwhile.
    with suppress(ProcessLookupError):
        world.installation.thaw(instance)


def _instances(world: Any, instance: str) -> list[str]:
    """Return all instances of the stage of `instance`."""
    stage = instance.rpartition("-")[0]
    return [name for name in world.instances if name.rpartition("-")[0] == stage]


def _take_away(world: Any, instance: str) -> None:
    for name in _instances(world, instance):
        world.installation.take_down(name)


def _bring_back(world: Any, instance: str) -> None:
    for name in _instances(world, instance):
        world.installation.bring_up(name)


def _roll(world: Any, _instance: str) -> None:
    for name in world.instances:
        world.installation.take_down(name)
        world.installation.bring_up(name)


def _older(world: Any, instance: str) -> None:
    """Replace one instance by one from before calendars had versions; the others stay current."""
    program = world.installation.stack.programs[instance]
    world.installation.take_down(instance)
    service = program.command[-1].rpartition(":")[2]
    world.newer[instance], program.command = program.command, [*program.command[:-1], f"tests.chaos.older:{service}"]
    world.installation.bring_up(instance)


def _newer(world: Any, instance: str) -> None:
    world.installation.take_down(instance)
    world.installation.stack.programs[instance].command = world.newer.pop(instance)
    world.installation.bring_up(instance)


def there_again(world: Any) -> None:
    """Wait until every instance runs."""
    programs = world.installation.stack.programs.values()
    eventually(lambda: all(program.running for program in programs), RESTART_SECONDS)


KINDS = (
    Kind("instance killed", "stages", (0.1, 1.0), _kill),
    Kind("instance ended", "stages", (0.1, 1.0), _end),
    Kind("instance frozen", "stages", (1.0, 6.0), _freeze, _thaw),
    Kind("stage away", "stages", AWAY_SECONDS, _take_away, _bring_back),
    Kind("rolling restart", "stages", (0.1, 0.2), _roll, recovers=3.0),
    Kind("older version", "stages", (4.0, 8.0), _older, _newer, recovers=2.0),
)
