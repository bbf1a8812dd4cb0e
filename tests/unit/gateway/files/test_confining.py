"""A child process that a file has taken over reads, writes and reaches nothing, where the kernel can see to it."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.files.inspection import confining
from tests.installations import eventually

TRY = """
import sys
from gateway.files.inspection.confining import confine
confine()
try:
    {0}
except OSError as error:
    print(error.errno)
else:
    print("done")
"""
REFUSED = {"1", "13"}  # EPERM, EACCES


def tried(attempt: str) -> str:
    """Return what became of an attempt of a confined process."""
    command = [sys.executable, "-c", TRY.format(attempt)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


FILES = {
    "a password file": "open('/etc/passwd')",
    "the environment of the gateway": f"open('/proc/{os.getpid()}/environ', 'rb').read()",
    "the memory of the gateway": f"open('/proc/{os.getpid()}/mem', 'rb').read(1)",
    "a new file": "open('/tmp/new-file-of-a-child', 'w')",
    "a new file in memory that others see": "open('/dev/shm/new-file-of-a-child', 'w')",
    "our own code": "open('gateway/errors.py', 'a')",
    "our own settings": "open('pyproject.toml')",
    "a link": "import os; os.symlink('/etc/passwd', '/tmp/new-link-of-a-child')",
}
CALLS = {
    "a network": "import socket; socket.socket()",
    "a socket of another process": "import socket; socket.socket(socket.AF_UNIX)",
    "a name server": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_out_of_reach(name: str) -> None:
    assert (tried(FILES[name]) in REFUSED) == bool(confining.version())


@pytest.mark.parametrize("name", CALLS)
def test_the_network_is_out_of_reach(name: str) -> None:
    assert (tried(CALLS[name]) in REFUSED) == (platform.machine() in confining._DENIED)


def test_another_process_is_out_of_reach() -> None:
    attempt = f"import ctypes, os; os.kill({os.getpid()}, 0)"
    assert (tried(attempt) in REFUSED) == (confining.version() >= 6)


@pytest.mark.parametrize(
    "attempt",
    [
        "import gateway.files.inspection.cleaning, gateway.files.inspection.office, gateway.files.inspection.pdf",
        "import subprocess; subprocess.run(['true'], stdin=subprocess.DEVNULL, check=True)",
        "from gateway.files.inspection.memory import *; file = memory_file(b'a'); open(path_of(file), 'r+b')",
    ],
)
def test_what_an_inspection_needs_is_left(attempt: str) -> None:
    assert tried(attempt) == "done"


def test_a_process_ends_with_its_parent() -> None:
    """A gateway that is killed leaves nobody computing on a file that nobody waits for."""
    confined = "import time; from gateway.files.inspection.confining import confine; confine(); print(flush=True); "
    confined += "time.sleep(600)"
    parent = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {confined!r}]); "
    parent += "print(child.pid); child.wait()"
    with subprocess.Popen([sys.executable, "-u", "-c", parent], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        pid = int(running.stdout.readline())
        assert running.stdout.readline() == "\n"
        running.kill()
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def test_a_kernel_without_it_leaves_the_process_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confining, "version", lambda: 0)
    confining._confine_files()
    assert Path("/etc/passwd").read_text()
