"""A supervisor that runs several programs, restarts those that end, and stops all of them together."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAST_WORDS_BYTES = 16_384
LONGEST_PAUSE_SECONDS = 10.0
STOP_SECONDS = 40.0


@dataclass
class Program:
    """A program to run: its `name`, `command`, entire `environment`, `log` file, and `sockets` to inherit."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    sockets: tuple[socket.socket, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_again_at: float | None = None

    def start(self) -> None:
        """Start the program, with its output appended to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                dying_with_us(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[held.fileno() for held in self.sockets],
            )
        self.started_at, self.start_again_at = time.monotonic(), None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


def dying_with_us(command: Sequence[str]) -> list[str]:
    """Return `command` changed so that, where setpriv exists, the kernel ends it when the starting thread dies."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)


def how_it_ended(code: int) -> str:
    """Return the return code of a process, as Popen gives it, in words."""
    if code >= 0:
        return f"code {code}"
    names = {number.value: number.name for number in signal.Signals}
    return f"killed by {names.get(-code, f'signal {-code}')}"


def last_words(log: Path) -> str:
    """Return the last error in a program's log, else its last line, to tell why the program ended."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_WORDS_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return next(filter(None, map(_error_of, reversed(lines))), lines[-1] if lines else "it said nothing")


def _error_of(line: str) -> str:
    """Return the error in a log line's fields or in the last line of a traceback; empty where there is none."""
    try:
        said = json.loads(line)
    except ValueError:
        return line if re.match(r"[A-Za-z_.]*(Error|Exception)\b", line) else ""
    if not isinstance(said, dict) or not said.get("error"):
        return ""
    return ", ".join([f"{said.get('event')}: {said['error']}", *said.get("at", [])[-1:]])


class Supervisor:
    """A supervisor that keeps programs running until it is stopped, and reports their ends by `echo`."""

    def __init__(self, echo: Callable[[str], None]) -> None:
        self._echo = echo
        self._programs: list[Program] = []

    def start(self, program: Program) -> None:
        """Start `program` and supervise it from now on."""
        self._programs.append(program)
        program.start()

    def watch_once(self) -> None:
        """Restart programs that have ended, after a pause that grows while they keep ending."""
        now = time.monotonic()
        for program in self._programs:
            if program.running:
                if program.failures and now - program.started_at > LONGEST_PAUSE_SECONDS:
                    program.failures = 0
            elif program.start_again_at is None:
                pause = min(0.5 * 2**program.failures, LONGEST_PAUSE_SECONDS)
                program.failures += 1
                program.start_again_at = now + pause
                how = how_it_ended(program.process.returncode) if program.process else "never started"
                self._echo(f"{program.name} ended ({how}), starts again in {pause:g} s; see {program.log}")
            elif now >= program.start_again_at:
                program.start()

    def end(self, program: Program) -> None:
        """Stop one program and no longer supervise it; `start` starts it again."""
        self._programs.remove(program)
        self._end([program])

    def stop(self) -> None:
        """Stop all programs in reverse order by SIGTERM, and by SIGKILL those that do not end."""
        self._end(list(reversed(self._programs)))
        self._programs.clear()

    def _end(self, programs: list[Program]) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        running = [program for program in programs if program.running]
        for program in running:
            _signal(program, signal.SIGTERM)
        for program in running:
            try:
                program.process.wait(max(0.1, deadline - time.monotonic()))  # type: ignore[union-attr]
            except subprocess.TimeoutExpired:
                self._echo(f"{program.name} does not end, is killed")
                _signal(program, signal.SIGKILL)
                program.process.wait()  # type: ignore[union-attr]


def _signal(program: Program, number: int) -> None:
    try:
        os.kill(program.process.pid, number)  # type: ignore[union-attr]
    except ProcessLookupError:
        return
