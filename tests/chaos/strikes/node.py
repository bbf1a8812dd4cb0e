"""Broker faults: a RabbitMQ node is stopped, killed or frozen, has an alarm, or closes every connection."""

import os
import signal
from typing import Any

from tests.chaos.nodes import tell
from tests.chaos.strikes.kinds import Kind
from tests.installations import eventually

MEMORY = "vm_memory_monitor:set_vm_memory_high_watermark({})."
DISK = 'rabbit_disk_monitor:set_disk_free_limit("{}").'
CLOSE = 'rabbit_networking:close_connections(rabbit_networking:local_connections(), "maintenance").'
"""The Erlang calls behind `rabbitmqctl set_vm_memory_high_watermark`, `set_disk_free_limit` and
`close_all_connections`. They are made directly, because each rabbitmqctl takes a second of processor time from the
journeys."""


def _node(world: Any, target: str) -> Any:
    return world.nodes[target]


def _stop(world: Any, target: str) -> None:
    _node(world, target).stop()


def _kill(world: Any, target: str) -> None:
    _node(world, target).kill()


def _start(world: Any, target: str) -> None:
    _node(world, target).start()


def _freeze(world: Any, target: str) -> None:
    os.killpg(_node(world, target)._node.pid, signal.SIGSTOP)


def _thaw(world: Any, target: str) -> None:
    os.killpg(_node(world, target)._node.pid, signal.SIGCONT)


def _tell(order: str) -> Any:
    def said(world: Any, target: str) -> bool:
        return tell(_node(world, target), order) == "ok"

    def strike(world: Any, target: str) -> None:
        # A node that has just come back may not listen yet.
        eventually(lambda: said(world, target), patience=90)

    return strike


NO_MEMORY, ENOUGH_MEMORY = _tell(MEMORY.format("0.00001")), _tell(MEMORY.format("0.4"))
NO_DISK, ENOUGH_DISK = _tell(DISK.format("1000000GB")), _tell(DISK.format("50MB"))
CLOSE_ALL = _tell(CLOSE)

KINDS = (
    Kind("broker stopped", "broker", (0.5, 4.0), _stop, _start, recovers=3.0),
    Kind("broker killed", "broker", (0.5, 4.0), _kill, _start, recovers=3.0),
    Kind("broker frozen", "broker", (1.0, 6.0), _freeze, _thaw, recovers=2.0),
    Kind("broker out of memory", "broker", (2.0, 6.0), NO_MEMORY, ENOUGH_MEMORY, recovers=2.0),
    Kind("broker out of disk", "broker", (2.0, 6.0), NO_DISK, ENOUGH_DISK, recovers=2.0),
    Kind("connections closed by the broker", "broker", (0.1, 0.5), CLOSE_ALL),
)
