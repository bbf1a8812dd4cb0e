"""Processes that give way to others, the sessions that they lead, and threads."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nkk.priority import thread_gives_way

AUTOGROUP = Path("/proc/self/autogroup")
ASKED = f"""
import os
from pathlib import Path
from nkk.priority import give_way
give_way(19)
group = Path("{AUTOGROUP}")
print(os.nice(0), *(group.read_text().split()[-1:] if group.exists() else ()))
"""

TWICE = """
import os
from nkk.priority import thread_gives_way
thread_gives_way(19)
thread_gives_way(10)
print(os.nice(0))
"""


def given_way(**how):
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, **how)
    return done.stdout.split()


def test_a_process_gives_way_with_the_session_that_it_leads():
    assert given_way(start_new_session=True) == (["19", "19"] if AUTOGROUP.exists() else ["19"])


def test_a_process_changes_no_session_that_others_are_in():
    # A container's first session is in no group of its own: its file is there, and empty.
    before = AUTOGROUP.read_text().split()[-1:] if AUTOGROUP.exists() else []
    assert given_way() == ["19", *before]


def test_a_machine_that_refuses_it_still_has_its_niceness(monkeypatch):
    from nkk import priority

    given = []
    monkeypatch.setattr(priority, "_AUTOGROUP", Path("/none/autogroup"))
    monkeypatch.setattr(priority.os, "nice", given.append)
    monkeypatch.setattr(priority.os, "getsid", lambda _: priority.os.getpid())
    priority.give_way(19)
    assert given == [19]


def test_a_thread_gives_way_alone():
    def given() -> tuple[int, int]:
        thread = threading.get_native_id()
        before = os.getpriority(os.PRIO_PROCESS, thread)
        thread_gives_way(3)
        return before, os.getpriority(os.PRIO_PROCESS, thread)

    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(given).result() == (here, min(19, here + 3))
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == here


def test_a_thread_that_has_given_all_it_has_works_on():
    assert subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True).stdout.split() == ["19"]
