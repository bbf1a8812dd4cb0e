"""Runs programs side by side, starts again what ends, and ends all of them together."""

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
    """A program to run: `name` on screen and for its log, `command`, its whole `environment`, `sockets` to inherit."""

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
        """Start it; its output goes to its log."""
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
    """`command`, to be ended by the kernel should the thread that starts it die without a word (where that can be)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)


def how_it_ended(code: int) -> str:
    """The code of a process that ended, as Popen has it, in words."""
    if code >= 0:
        return f"code {code}"
    names = {number.value: number.name for number in signal.Signals}
    return f"killed by {names.get(-code, f'signal {-code}')}"


def last_words(log: Path) -> str:
    """Why a program ended, as far as the end of its log tells: the last error, else the last line."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_WORDS_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return next(filter(None, map(_error_of, reversed(lines))), lines[-1] if lines else "it said nothing")


def _error_of(line: str) -> str:
    """What a line says of an error, in a log line's fields or at a traceback's end; nothing where it says of none."""
    try:
        said = json.loads(line)
    except ValueError:
        return line if re.match(r"[A-Za-z_.]*(Error|Exception)\b", line) else ""
    if not isinstance(said, dict) or not said.get("error"):
        return ""
    return ", ".join([f"{said.get('event')}: {said['error']}", *said.get("at", [])[-1:]])


class Supervisor:
    """Keeps programs running until told to stop. `echo` says what happens to them."""

    def __init__(self, echo: Callable[[str], None]) -> None:
        self._echo = echo
        self._programs: list[Program] = []

    def start(self, program: Program) -> None:
        """Start `program` and look after it from now on."""
        self._programs.append(program)
        program.start()

    def watch_once(self) -> None:
        """Start again whatever has ended, after a pause that grows while it keeps ending."""
        now = time.monotonic()
        for program in self._programs:
            if program.running:
                if program.failures and now - program.started_at > LONGEST_PAUSE_SECONDS:
                    program.failures = 0
            elif program.start_again_at is None:
                pause = min(0.5 * 2**program.failures, LONGEST_PAUSE_SECONDS)
                program.failures += 1
                program.start_again_at = now + pause
                how = how_it_ended(program.process.returncode) if program.process else "never began"
                self._echo(f"{program.name} ended ({how}), starts again in {pause:g} s; see {program.log}")
            elif now >= program.start_again_at:
                program.start()

    def end(self, program: Program) -> None:
        """End one program and leave it ended; `start` starts it again."""
        self._programs.remove(program)
        self._end([program])

    def stop(self) -> None:
        """End every program: SIGTERM to all, in the reverse of their order; SIGKILL to what stays."""
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
