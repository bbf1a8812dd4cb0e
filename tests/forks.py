"""Programs that start as forks of a process which has imported their modules.

The imports take a second and a half of processor time for each process of an installation. A fork is a full process:
its environment, log, session and inherited sockets are its own, and it can be killed, frozen and ended alone.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from ops.stack import SERVICES
from ops.stack.run import MALLOC_MMAP_THRESHOLD, PYTHONWARNINGS, ROOT
from ops.stack.supervisor import Program, dying_with_us
from tests.forking import LARGEST_ORDER

READ_BY = {
    "nameko": ("nameko.cli.run", "tests.quick", *(target.partition(":")[0] for target in SERVICES.values())),
    "gunicorn": ("gunicorn.app.wsgiapp", "gateway.app", "gateway.worker"),
    "nkk": ("ops.cli",),
    "children": (
        "gateway.documents.__main__",
        "gateway.files.inspection.__main__",
        *(f"gateway.files.inspection.{name}" for name in ("cleaning", "pdf", "pdf_preview", "pictures", "texts")),
        *(f"gateway.documents.{name}" for name in ("filling", "printing", "rendering", "trial", "workbook")),
    ),
}
"""The modules that are imported once, by the program that uses them."""


@dataclass
class Forked:
    """A process started by a fork server, with what a supervisor needs of subprocess.Popen."""

    server: "Server"
    pid: int
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        if self.returncode is None:
            self.returncode = self.server.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.02)
        return code


class Server:
    """The process from which one program's processes are forked. It ends with this process, and its forks with it."""

    def __init__(self, program: str) -> None:
        self._lock = Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _forking(program, theirs)
        atexit.register(self.close)

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        sockets: Any = (),
        errors: Path | None = None,
    ) -> Forked:
        """Start a fork that runs `command` in `environment`; its standard error goes to `errors`, else to `log`."""
        order = {
            "arguments": list(command[1:]),
            "environment": dict(environment),
            "out": str(log),
            "errors": str(errors or log),
            "sockets": [held.fileno() for held in sockets],
            "python": python_for_children(),
        }
        return Forked(self, self.ask(order))

    def ask(self, order: Mapping[str, Any]) -> Any:
        """Send an order, and return the server's answer."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(order).encode()], order.get("sockets", ()))
            return json.loads(self._socket.recv(LARGEST_ORDER))

    def close(self) -> None:
        """End the server."""
        self._socket.close()
        self._process.wait()


server = cache(Server)
"""The server of a program in this process."""

PYTHON = f"""#!{sys.executable} -IS
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
line.connect(os.path.join(os.path.dirname(__file__), "socket"))
order = {{"arguments": sys.argv[1:], "environment": dict(os.environ)}}
socket.send_fds(line, [json.dumps(order).encode()], [0, 1, 2])
sys.exit(int(line.recv(16)) % 256)
"""
"""The script that replaces the interpreter that a gateway starts for its children: it has a fork do the work."""


@cache
def python_for_children() -> str:
    """Return the path of that script, with its server listening."""
    folder = Path(tempfile.mkdtemp(prefix="nkk-children-"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(folder / "socket"))
    listener.listen(64)
    with listener:
        serving = _forking("children", listener)
    program = folder / "python"
    program.write_text(PYTHON)
    program.chmod(0o700)

    def leave() -> None:
        serving.terminate()
        serving.wait()
        shutil.rmtree(folder)

    atexit.register(leave)
    return str(program)


STARTING = ThreadPoolExecutor(1, "starting fork servers")
"""The thread that starts the servers, because what dies with us dies with the thread that started it."""


def _forking(program: str, stdin: socket.socket) -> subprocess.Popen[bytes]:
    return STARTING.submit(
        subprocess.Popen,
        dying_with_us([sys.executable, "-m", "tests.forking", program, *READ_BY[program]]),
        stdin=stdin,
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": PYTHONWARNINGS, "MALLOC_MMAP_THRESHOLD_": MALLOC_MMAP_THRESHOLD},
        start_new_session=True,
    ).result()


class ForkedProgram(Program):
    """A program that starts as a fork instead of a new process."""

    def start(self) -> None:
        if Path(self.command[0]).name not in READ_BY:
            super().start()
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        found = server(Path(self.command[0]).name).start(self.command, self.environment, self.log, self.sockets)
        self.process = found  # type: ignore[assignment]
        self.started_at, self.start_again_at = time.monotonic(), None


def run_nkk(*arguments: str, environment: Mapping[str, str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `nkk` with `arguments` as a fork; return its output and exit code."""
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        forked = server("nkk").start(["nkk", *arguments], environment, out, errors=errors)
        try:
            code = forked.wait(timeout)
        except subprocess.TimeoutExpired:
            os.kill(forked.pid, signal.SIGKILL)
            forked.wait()
            raise
        return subprocess.CompletedProcess(["nkk", *arguments], code, out.read_text(), errors.read_text())
