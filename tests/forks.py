"""Programs that begin as forks of a process which has read their modules.

Reading them takes a second and a half of processor for each process of an installation. A fork is a process as any
other: its environment, log, session and inherited sockets are its own; it is killed, frozen and ended alone.
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
    "documents": (
        "gateway.documents.__main__",
        *(f"gateway.documents.{name}" for name in ("filling", "printing", "rendering", "trial", "workbook")),
    ),
}
"""The modules that are read once, by the program that is made up of them."""


@dataclass
class Forked:
    """A process that a server of forks started; of subprocess.Popen what a supervisor needs."""

    server: "Server"
    pid: int
    returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self.returncode is None:
            self.returncode = self.server.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.02)
        return code


class Server:
    """The process that is forked from, for one program. It ends with this process, and with it those it started."""

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
        """A fork that does what `command` would, in `environment`; what it says of errors goes to `errors`."""
        order = {
            "arguments": list(command[1:]),
            "environment": dict(environment),
            "out": str(log),
            "errors": str(errors or log),
            "sockets": [held.fileno() for held in sockets],
            "python": python_for_documents(),
        }
        return Forked(self, self.ask(order))

    def ask(self, order: Mapping[str, Any]) -> Any:
        """What the server answers."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(order).encode()], order.get("sockets", ()))
            return json.loads(self._socket.recv(LARGEST_ORDER))

    def close(self) -> None:
        """End it."""
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
"""What stands for the interpreter where a gateway starts one for each document: a fork makes it."""


@cache
def python_for_documents() -> str:
    """The path of that, once somebody listens to it."""
    folder = Path(tempfile.mkdtemp(prefix="nkk-documents-"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(folder / "socket"))
    listener.listen(64)
    with listener:
        serving = _forking("documents", listener)
    program = folder / "python"
    program.write_text(PYTHON)
    program.chmod(0o700)

    def leave() -> None:
        serving.terminate()
        serving.wait()
        shutil.rmtree(folder)

    atexit.register(leave)
    return str(program)


def _forking(program: str, stdin: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        dying_with_us([sys.executable, "-m", "tests.forking", program, *READ_BY[program]]),
        stdin=stdin,
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": PYTHONWARNINGS, "MALLOC_MMAP_THRESHOLD_": MALLOC_MMAP_THRESHOLD},
        start_new_session=True,
    )


class ForkedProgram(Program):
    """A program that is a fork, not begun anew."""

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        found = server(Path(self.command[0]).name).start(self.command, self.environment, self.log, self.sockets)
        self.process = found  # type: ignore[assignment]
        self.started_at, self.start_again_at = time.monotonic(), None


def run_nkk(*arguments: str, environment: Mapping[str, str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """What the command line says to `arguments`, and how it ends."""
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
