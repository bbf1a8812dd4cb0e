"""Processes that give way to others, and the sessions that they lead."""

import subprocess
import sys
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
ASKED = f"""
import os
from pathlib import Path
from nkk.priority import give_way
give_way(19)
group = Path("{AUTOGROUP}")
print(os.nice(0), *(group.read_text().split()[-1:] if group.exists() else ()))
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
