"""RabbitMQ: stopped, killed, frozen, alarmed, and closing every connection. One node, whichever there are."""

import os
import signal
import subprocess
from typing import Any

from tests.chaos.strikes.kinds import Kind
from tests.installations import eventually

NO_MEMORY, MEMORY = "0.00001", "0.4"
NO_DISK, DISK = "1000000GB", "50MB"


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


def _ctl(*arguments: str) -> Any:
    def said(world: Any, target: str) -> bool:
        try:
            _node(world, target).ctl(*arguments)
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stderr) from error
        return True

    def strike(world: Any, target: str) -> None:
        # A node that has only just come back may not listen to its operator yet.
        eventually(lambda: said(world, target))

    return strike


KINDS = (
    Kind("broker stopped", "broker", (0.5, 4.0), _stop, _start, recovers=3.0),
    Kind("broker killed", "broker", (0.5, 4.0), _kill, _start, recovers=3.0),
    Kind("broker frozen", "broker", (1.0, 6.0), _freeze, _thaw, recovers=2.0),
    Kind("broker out of memory", "broker", (2.0, 6.0), _ctl("set_vm_memory_high_watermark", NO_MEMORY),
         _ctl("set_vm_memory_high_watermark", MEMORY), recovers=2.0),
    Kind("broker out of disk", "broker", (2.0, 6.0), _ctl("set_disk_free_limit", NO_DISK),
         _ctl("set_disk_free_limit", DISK), recovers=2.0),
    Kind("connections closed by the broker", "broker", (0.1, 0.5), _ctl("close_all_connections", "maintenance")),
)
