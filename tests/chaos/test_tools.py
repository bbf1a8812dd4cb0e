"""The tools of the faults work: disks are full, clocks are wrong, and a stage is of an older version."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.stack.broker import install_packages
from ops.stack.run import ROOT
from tests.chaos import disks
from tests.chaos.world import LIBFAKETIME, fake_clock
from tests.installations import eventually

TELLS_TIME = "import sys, time\nfor _ in sys.stdin: print(time.time(), time.monotonic(), flush=True)"

READS_AND_WRITES = """
import tests.chaos.older
from nkk.contracts.events import AnswerSent
from datetime import UTC, datetime
told = AnswerSent(ticket="NKK-2026-EDXY-ER30", path="complaint", calendar=3, by="staff-1")
written = told.to_json("1", datetime.now(UTC))
newer = written.replace('"by"', '"calendar":3,"by"')
print("calendar" in written, AnswerSent.read(newer).data.calendar)
"""


def test_a_full_disk_takes_nothing_and_gives_back_what_it_took(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        assert disk is not None
        (disk / "kept").write_bytes(b"kept")
        disks.fill(disk)
        with pytest.raises(OSError, match="No space left"):
            (disk / "more").write_bytes(b"x" * disks.BLOCK)
        disks.empty(disk)
        (disk / "more").write_bytes(b"x" * disks.BLOCK)
        assert (disk / "kept").read_bytes() == b"kept"
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_clock_jumps_while_a_process_runs_and_only_that_one(tmp_path: Path) -> None:
    if not LIBFAKETIME.exists():
        install_packages("libfaketime")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with subprocess.Popen(
        [sys.executable, "-c", TELLS_TIME],
        env=os.environ | fake_clock(clock),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:

        def off() -> timedelta:
            process.stdin.write("\n")
            process.stdin.flush()
            told, ticks = map(float, process.stdout.readline().split())
            ticking.append(ticks)
            return datetime.fromtimestamp(told, UTC) - datetime.now(UTC)

        ticking: list[float] = []
        assert abs(off()) < timedelta(minutes=1)
        for shift, hours in (("+3h", 3), ("-3h", -3), ("+0", 0)):
            clock.write_text(shift)
            eventually(lambda hours=hours: abs(off() - timedelta(hours=hours)) < timedelta(minutes=1))
        process.stdin.close()
    assert ticking == sorted(ticking)


def test_a_stage_of_an_older_version_neither_writes_nor_understands_the_later_field() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READS_AND_WRITES],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["False", "0"], done.stderr
