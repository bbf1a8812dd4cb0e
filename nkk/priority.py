"""Giving way to the other processes and threads of a machine, for one whose work can wait."""

import os
import threading
from contextlib import suppress
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")
"""How much the process's session gives way to other sessions (sched(7)), in the same numbers as niceness."""


def give_way(niceness: int) -> None:
    """Give way to other processes by `niceness`, from 1 to 19.

    Where Linux shares the processors among sessions first, niceness counts only within a session. So the session gives
    way too where this process leads it.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        # Not every kernel has it, and all processes together may write it ten times a second.
        with suppress(OSError):
            _AUTOGROUP.write_text(str(niceness))


def thread_gives_way(niceness: int) -> None:
    """Give way by `niceness`, from 1 to 19, with the calling thread alone, as long as it lives.

    In Linux, niceness is that of a thread, and only a privileged process gets back what it gave.
    """
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)
