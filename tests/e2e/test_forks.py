"""The forks that stand for an installation's processes are as separate as the processes are."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nkk.contracts import STAGES
from tests.forks import Forked, Server, server
from tests.installations import Installation, eventually, running_processes

DATABASES = ["postgres"]


def test_a_stage_is_woken_for_its_own_connections_alone(whole: Installation) -> None:
    """Forks with one epoll among them would be woken for each other, and take most of the processor for nothing."""

    def own() -> bool:
        stages = {name: pid for name, pid in running_processes(whole).items() if name.rpartition("-")[0] in STAGES}
        assert len(stages) >= len(STAGES)
        try:
            return all(set() < _waited_for(pid) <= _opened(pid) for pid in stages.values())
        except FileNotFoundError:
            # A connection was closed while this looked.
            return False

    eventually(own)


def test_two_who_ask_about_a_fork_that_has_ended_are_told_its_code(tmp_path: Path) -> None:
    """A supervisor's thread may ask beside the test."""
    first = server("nkk").start(["nkk", "--help"], os.environ, tmp_path / "log")
    second = Forked(first.server, first.pid)
    assert (first.wait(60), second.wait(60)) == (0, 0)


def test_a_fork_server_survives_the_thread_that_asked_for_it_first(tmp_path: Path) -> None:
    def helped(asked: Server) -> int:
        return asked.start(["nkk", "--help"], os.environ, tmp_path / "log").wait(60)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(Server, "nkk").result()
        assert helped(asked) == 0
    try:
        assert helped(asked) == 0
    finally:
        asked.close()


def _opened(pid: int) -> set[int]:
    return {os.stat(opened).st_ino for opened in Path(f"/proc/{pid}/fd").iterdir()}


def _waited_for(pid: int) -> set[int]:
    """Return the inodes of what the epolls of a process wait for."""
    lines = [line for info in Path(f"/proc/{pid}/fdinfo").iterdir() for line in info.read_text().splitlines()]
    fields = [line.split() for line in lines if line.startswith("tfd:")]
    return {int(field[4:], 16) for each in fields for field in each if field.startswith("ino:")}
