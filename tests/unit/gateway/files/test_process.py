"""The child process that inspects files: its limits, and what its end means."""

import os
import resource
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from gateway.files.errors import FileRefusedError
from gateway.files.inspection import InspectionUnavailableError, inspect, process
from tests.corpus import pdfs
from tests.installations import eventually
from tests.unit.gateway.files.inspecting import inspected, refusal


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return what makes a shell script take the place of the child process."""

    def set_to(script: str) -> None:
        program = tmp_path / "program"
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(0o700)
        monkeypatch.setattr(process.sys, "executable", str(program))

    return set_to


def test_a_child_that_cannot_be_started_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.sys, "executable", "/none")
    with pytest.raises(InspectionUnavailableError, match="could not be started"):
        inspected(pdfs.plain())


@pytest.mark.parametrize(
    "script", ["exit 1", "cat >/dev/null; exit 1", "printf '\\xff\\xff\\xff\\xff'", "kill -TERM $$"]
)
def test_a_child_without_an_answer_is_no_fault_of_the_file(child, script: str) -> None:
    child(script)
    with pytest.raises(InspectionUnavailableError):
        inspected(pdfs.plain())


@pytest.mark.parametrize("signal", ["SEGV", "ABRT", "BUS", "ILL"])
def test_a_child_that_crashes_was_given_a_broken_file(child, signal: str) -> None:
    child(f"cat >/dev/null; kill -{signal} $$")
    assert refusal(pdfs.plain()) == "broken"


@pytest.mark.parametrize("signal", ["KILL", "XCPU"])
def test_a_child_that_came_to_its_limits_was_given_too_much(child, signal: str) -> None:
    child(f"cat >/dev/null; kill -{signal} $$")
    assert refusal(pdfs.plain()) == "too-complex"


@pytest.mark.parametrize("script", ["exec sleep 600", "cat >/dev/null; exec sleep 600", "sleep 600"])
def test_a_child_that_gets_no_time_to_compute_is_no_fault_of_the_file_and_is_ended(child, script, tmp_path) -> None:
    child(f"echo $$ >{tmp_path}/pid; {script}")
    with pytest.raises(InspectionUnavailableError, match="no time"):
        inspected(os.urandom(3_000_000), seconds=0.1)
    group = int((tmp_path / "pid").read_text())
    eventually(lambda: not _has_members(group))


def test_a_child_that_computes_without_end_was_given_too_much(child) -> None:
    child("cat >/dev/null; while :; do :; done")
    assert refusal(pdfs.plain(), seconds=0.2) == "too-complex"


def _has_members(group: int) -> bool:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False


def test_a_child_that_dies_while_it_gives_back_the_file_is_no_fault_of_the_file(child) -> None:
    header = '{"kind": "text/plain", "cleaned": true, "readable": true, "size": 100, "preview": 0}'
    child(f"cat >/dev/null; printf '\\0\\0\\0\\x{len(header):x}%s' '{header}'; printf abc; exit 1")
    with inspect([b"a"], original=False) as found:
        chunks = found.chunks()
        assert next(chunks) == b"abc"
        with pytest.raises(InspectionUnavailableError):
            next(chunks)


def test_a_slow_source_takes_none_of_the_childs_time(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [0.0]
    monkeypatch.setattr(process.time, "monotonic", lambda: passed[0])

    def slowly() -> Iterator[bytes]:
        for byte in b"Jalan rusak":
            passed[0] += 1000
            yield bytes((byte,))

    with inspect(slowly(), original=False) as found:
        assert b"".join(found.chunks()) == b"Jalan rusak"


def test_a_source_that_fails_is_not_taken_for_a_whole_file() -> None:
    def broken() -> Iterator[bytes]:
        yield b"Jalan"
        raise TimeoutError

    with pytest.raises(TimeoutError), inspect(broken(), original=False):
        pass


def test_who_turns_away_leaves_no_process_behind() -> None:
    with inspect([b"a" * 5_000_000], original=True) as found:
        running = found._child._process
        next(found.chunks())
    assert running.returncode is not None


def _growth_in_kib() -> int:
    """Have a file of 25 MB inspected, and return by how much this process' highest resident set grew."""

    def generated() -> Iterator[bytes]:
        for _ in range(400):
            yield b"tanggal 2026-03-02\n" * 3500

    # Once before, so that what is loaded once does not count.
    inspected(b"a")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with inspect(generated(), original=False) as found:
        assert sum(map(len, found.chunks())) > 25_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def test_no_file_stands_whole_in_the_gateway() -> None:
    # In a process of its own: this one's threads and what other tests left take memory at any time.
    with get_context("spawn").Pool(1) as alone:
        assert alone.apply(_growth_in_kib) < 4096


def test_a_child_is_given_none_of_our_secrets(child, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NKK_FILES_KEYS", "rahasia")
    child(f"env >{tmp_path}/env; ls -l /proc/self/fd >{tmp_path}/files; exit 1")
    with pytest.raises(InspectionUnavailableError):
        inspected(b"a")
    assert "rahasia" not in (tmp_path / "env").read_text()


def test_what_is_wrong_with_our_libraries_is_no_fault_of_the_file(child) -> None:
    without = "import runpy, sys; sys.modules['pikepdf'] = None; sys.argv = ['', *sys.argv[3:]]; "
    without += "runpy.run_module('gateway.files.inspection', run_name='__main__')"
    child(f'exec {sys.executable} -c "{without}" "$@"')
    assert inspected(b"Jalan rusak").cleaned
    with pytest.raises(InspectionUnavailableError):
        inspected(pdfs.plain())


def test_a_refusal_needs_no_more_than_it_takes() -> None:
    with pytest.raises(FileRefusedError), inspect((b"MZ" + bytes(60_000) for _ in range(40)), original=False):
        pass
