"""Gateway faults: its workers and its master are killed, ended and frozen."""

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


def _workers(master: int) -> list[int]:
    try:
        return sorted(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))
    except FileNotFoundError:
        return []


def _signal_worker(number: int) -> Any:
    def strike(world: Any, target: str) -> None:
        workers = _workers(_master(world))
        world.struck = [workers[int(target) % len(workers)]] if workers else []
        for pid in world.struck:
            os.kill(pid, number)

    return strike


def _signal_master(number: int) -> Any:
    def strike(world: Any, _target: str) -> None:
        master = _master(world)
        world.struck = [master, *_workers(master)]
        with suppress(ProcessLookupError):
            os.kill(master, number)

    return strike


def _thaw(world: Any, _target: str) -> None:
    for pid in world.struck[:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _answers(world: Any) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{world.installation.url}/healthz", timeout=5).status_code == 200
    return False


def _there_again(world: Any, _target: str) -> None:
    """Wait until the fault is over: all struck processes have ended, including the workers of a struck master, which
    answer for a while before they close their connections, and new ones answer. Requests wait meanwhile."""
    eventually(
        lambda: all(map(_has_ended, world.struck)) and _workers(_master(world)) and _answers(world), BOOT_SECONDS
    )


KINDS = (
    Kind("worker killed", "gateway", (0.1, 1.0), _signal_worker(signal.SIGKILL), _there_again, recovers=2.0),
    Kind("worker ended", "gateway", (0.1, 1.0), _signal_worker(signal.SIGTERM), _there_again, recovers=2.0),
    Kind("worker frozen", "gateway", (1.0, 5.0), _signal_worker(signal.SIGSTOP), _thaw),
    Kind("gateway killed", "gateway", (0.1, 1.0), _signal_master(signal.SIGKILL), _there_again, recovers=4.0),
    Kind("gateway ended", "gateway", (0.1, 1.0), _signal_master(signal.SIGTERM), _there_again, recovers=4.0),
    Kind("gateway frozen", "gateway", (1.0, 4.0), _signal_master(signal.SIGSTOP), _thaw),
)
