"""Processor time and memory of the processes of an installation, from /proc."""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_BY_COMMAND = {"beam.smp": "broker", "postgres": "PostgreSQL"}
_PPID, _CPU = 1, slice(11, 15)
"""The indices in /proc/<pid>/stat, after the command's name, of the parent's pid and of the user and system times of
the process and of the children it has waited for. proc(5) counts from 1, with two fields before."""


def ours(programs: Mapping[str, int]) -> dict[str, list[int]]:
    """Return the pids by name of the installation's processes, all descendants of this one; `programs` has some."""
    names = {pid: name for name, pid in programs.items()}
    found: dict[str, list[int]] = defaultdict(list)
    children = _children()
    waiting = [(pid, None) for pid in children[os.getpid()]]
    while waiting:
        pid, family = waiting.pop()
        name = names.get(pid) or family or _BY_COMMAND.get(_command(pid))
        if name:
            found[name].append(pid)
        waiting += [(child, name) for child in children[pid]]
    return {name: sorted(pids) for name, pids in found.items()}


def cpu_seconds(families: Mapping[str, list[int]]) -> dict[str, float]:
    """Return the processor seconds (user and system) used by each family so far, including children that have ended."""
    return {name: sum(_cpu(pid) for pid in pids) for name, pids in families.items()}


def resident_mb(pid: int) -> float:
    """Return the resident memory of one process in MB (10^6 bytes), including shared pages."""
    return _field(pid, "status", "VmRSS") * 1024 / 1e6


def forget_peak(pid: int) -> None:
    """Have the kernel count a process' highest resident memory from now on (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """Return the highest resident memory of a process since then, in MB."""
    return _field(pid, "status", "VmHWM") * 1024 / 1e6


def shared_out_mb(pids: list[int]) -> float:
    """Return the memory of processes in MB, each shared page counted once (proportional set size)."""
    return sum(_field(pid, "smaps_rollup", "Pss") for pid in pids) * 1024 / 1e6


def _children() -> dict[int, list[int]]:
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children[int(stat[_PPID])].append(int(entry.name))
    return children


def _cpu(pid: int) -> float:
    stat = _stat(pid)
    return sum(map(int, stat[_CPU])) / _TICKS


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _field(pid: int, file: str, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
