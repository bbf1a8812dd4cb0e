"""The liveness of a process is judged by the files that its loops touch."""

import os
import subprocess
import sys
import time

import pytest

from nkk.messaging import pulse


@pytest.fixture
def here(monkeypatch, tmp_path):
    monkeypatch.setenv("NKK_PULSE_FOLDER", str(tmp_path / "pulse"))
    monkeypatch.setattr(pulse, "_ours", None)
    return tmp_path / "pulse" / f"triage-{os.getpid()}"


def long_ago(file, seconds):
    os.utime(file, (time.time() - seconds,) * 2)


def test_a_process_whose_loops_turn_works(here):
    pulse.begin("triage")
    pulse.expect("relay")
    pulse.expect("events")
    assert pulse.troubles("triage") == []
    assert {file.name for file in here.iterdir()} == {"lock", "relay", "events"}


def test_one_loop_that_stands_still_is_named_and_another_turn_of_it_mends_it(here):
    pulse.begin("triage")
    for loop in ("relay", "events"):
        pulse.expect(loop)
    long_ago(here / "relay", 100)
    assert pulse.troubles("triage") == [f"{here.name}: relay has been silent for 100 s"]
    pulse.beat("relay")
    assert pulse.troubles("triage") == []


def test_a_loop_may_take_the_time_it_said(here):
    pulse.begin("triage")
    pulse.expect("raise_alarms", 150)
    long_ago(here / "raise_alarms", 100)
    assert pulse.troubles("triage") == []
    long_ago(here / "raise_alarms", 160)
    assert len(pulse.troubles("triage")) == 1


def test_a_loop_that_has_never_turned_has_its_time_from_the_start_on(here):
    pulse.begin("triage")
    pulse.expect("events", 0.0)
    assert len(pulse.troubles("triage")) == 1


def test_where_there_is_no_process_it_says_so(here):
    assert pulse.troubles("triage") == [f"no process of triage works here ({here.parent})"]
    pulse.begin("triage")
    assert pulse.troubles("triage") == []
    assert pulse.troubles("intake") != []


def test_a_process_that_died_is_none_and_its_files_go_with_the_next_start(here):
    code = (
        "from nkk.messaging import pulse; pulse.begin('triage'); pulse.expect('relay'); import os, signal; "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    (left,) = here.parent.glob("triage-*")
    assert pulse.troubles("triage") == [f"no process of triage works here ({here.parent})"]
    pulse.begin("intake")
    assert not left.exists()


def test_many_that_begin_at_once_leave_each_other_alone(here):
    code = "from nkk.messaging import pulse; pulse.begin('triage'); print(pulse._ours is not None, flush=True); input()"
    begun = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    try:
        assert [each.stdout.readline() for each in begun] == ["True\n"] * 6
        assert len(list(here.parent.glob("triage-*"))) == 6
    finally:
        for each in begun:
            each.communicate("\n", timeout=30)


def test_where_no_files_can_be_kept_a_process_works_all_the_same(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NKK_PULSE_FOLDER", str(tmp_path / "file" / "pulse"))
    monkeypatch.setattr(pulse, "_ours", None)
    pulse.begin("triage")
    pulse.expect("relay")
    pulse.beat("relay")
    assert len(pulse.troubles("triage")) == 1


@pytest.mark.parametrize(("seconds", "code"), [(0, 0), (100, 1)])
def test_a_container_asks_by_the_module_itself(here, seconds, code):
    pulse.begin("triage")
    pulse.expect("relay")
    long_ago(here / "relay", seconds)
    asked = subprocess.run(
        [sys.executable, "-m", "nkk.messaging.pulse", "triage"], check=False, capture_output=True, text=True, timeout=60
    )
    assert (asked.returncode, "relay has been silent" in asked.stderr) == (code, bool(code))
