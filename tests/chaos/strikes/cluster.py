"""Cluster faults: one node of three is killed, frozen, or partitioned from the others while clients still reach it."""

from time import monotonic, sleep
from typing import Any

from tests.chaos.strikes import node
from tests.chaos.strikes.kinds import Kind

NOTICED_SECONDS = 5
"""The time in which the nodes find each other again, and report a partitioned one."""


def _partition(world: Any, target: str) -> None:
    world.cluster.partition(target)


def _join(world: Any, target: str) -> None:
    world.cluster.heal(target)


def _thaw(world: Any, target: str) -> None:
    node._thaw(world, target)
    deadline = monotonic() + NOTICED_SECONDS
    while monotonic() < deadline and not world.cluster.mend():
        sleep(0.5)


KINDS = (
    Kind("node killed", "nodes", (1.0, 6.0), node._kill, node._start, recovers=5.0),
    Kind("node stopped", "nodes", (1.0, 6.0), node._stop, node._start, recovers=5.0),
    Kind("node frozen", "nodes", (1.0, 12.0), node._freeze, _thaw, recovers=5.0),
    Kind("node partitioned", "nodes", (2.0, 14.0), _partition, _join, recovers=8.0),
    Kind("node out of memory", "nodes", (2.0, 6.0), node.NO_MEMORY, node.ENOUGH_MEMORY, recovers=2.0),
    Kind("node out of disk", "nodes", (2.0, 6.0), node.NO_DISK, node.ENOUGH_DISK, recovers=2.0),
    Kind("connections closed by the node", "nodes", (0.1, 0.5), node.CLOSE_ALL),
)
