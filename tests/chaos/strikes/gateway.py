"""The gateway: its workers and its master killed, ended and frozen."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.strikes.kinds import Kind
from tests.installations import eventually

BOOT_SECONDS = 120.0


def _master(world: Any) -> int:
    return world.installation.stack.programs["gateway"].process.pid


def _worker(world: Any, number: str) -> int | None:
    """The master's worker of this number; None where it has none at the moment."""
    master = _master(world)
    try:
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    except FileNotFoundError:
        return None
    return sorted(map(int, workers))[int(number) % len(workers)] if workers else None


def _signal_worker(number: int) -> Any:
    def strike(world: Any, target: str) -> None:
        pid = _worker(world, target)
        if pid is not None:
            os.kill(pid, number)
            world.frozen = [pid] if number == signal.SIGSTOP else []

    return strike


def _signal_master(number: int) -> Any:
    def strike(world: Any, _target: str) -> None:
        pid = world.struck = _master(world)
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            world.frozen = [pid] if number == signal.SIGSTOP else []

    return strike


def _thaw(world: Any, _target: str) -> None:
    for pid in world.frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _answers(world: Any) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{world.installation.url}/healthz", timeout=5).status_code == 200
    return False


def _worker_again(world: Any, _target: str) -> None:
    """The fault is over once there is somebody to answer: requests wait at the door meanwhile."""
    eventually(lambda: _worker(world, "0") is not None and _answers(world), BOOT_SECONDS)


def _master_again(world: Any, target: str) -> None:
    eventually(lambda: _master(world) != world.struck, BOOT_SECONDS)
    _worker_again(world, target)


KINDS = (
    Kind("worker killed", "gateway", (0.1, 1.0), _signal_worker(signal.SIGKILL), _worker_again, recovers=2.0),
    Kind("worker ended", "gateway", (0.1, 1.0), _signal_worker(signal.SIGTERM), _worker_again, recovers=2.0),
    Kind("worker frozen", "gateway", (1.0, 5.0), _signal_worker(signal.SIGSTOP), _thaw),
    Kind("gateway killed", "gateway", (0.1, 1.0), _signal_master(signal.SIGKILL), _master_again, recovers=4.0),
    Kind("gateway ended", "gateway", (0.1, 1.0), _signal_master(signal.SIGTERM), _master_again, recovers=4.0),
    Kind("gateway frozen", "gateway", (1.0, 4.0), _signal_master(signal.SIGSTOP), _thaw),
)
