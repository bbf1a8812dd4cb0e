"""The gateway's side of an inspection: it passes a file to a child process and passes on what comes back.

Neither stands whole in the gateway's memory, and neither touches a disk: the child keeps them in memory files.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway import children
from gateway.files.errors import FileRefusedError, InspectionUnavailableError
from gateway.files.kinds import KINDS, Kind

SECONDS = 60.0
"""How long a child may compute."""

PATIENCE = 5
"""How many times as long the gateway waits for it in all: on a busy machine, a child gets a part of a processor."""

CHUNK = 64 << 10
_LONGEST_HEADER = 4096
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP)


@dataclass(frozen=True)
class Inspected:
    """A file as it is kept. `readable` is False for an encrypted one; `preview` is a JPEG of at most 1,024 pixels."""

    kind: Kind
    cleaned: bool
    readable: bool
    size: int
    preview: bytes | None
    _child: "_Child" = field(repr=False, compare=False)

    def chunks(self) -> Iterator[bytes]:
        """Yield what is kept, once. Raises InspectionUnavailableError where the child ends before that."""
        left = self.size
        while left:
            chunk = self._child.read(min(left, CHUNK))
            left -= len(chunk)
            yield chunk


@contextmanager
def inspect(content: Iterable[bytes], *, original: bool, seconds: float = SECONDS) -> Iterator[Inspected]:
    """Yield what is kept of the file `content`. With `original` nothing is removed, but all else is checked alike.

    Raises FileRefusedError, or InspectionUnavailableError where it should be tried again.
    """
    child = _Child(original, seconds)
    try:
        child.feed(content)
        yield _answer(child)
    finally:
        child.end()


def _answer(child: "_Child") -> Inspected:
    length = int.from_bytes(child.read_all(4), "big")
    if not 0 < length <= _LONGEST_HEADER:
        raise InspectionUnavailableError("The child process answered something else than agreed.")
    said = json.loads(child.read_all(length))
    if "refused" in said:
        raise FileRefusedError(said["refused"])
    preview = child.read_all(said["preview"]) if said["preview"] else None
    return Inspected(KINDS[said["kind"]], said["cleaned"], said["readable"], said["size"], preview, child)


class _Child:
    """The child process and the two pipes to it, with a limit to the time that is spent waiting for it."""

    def __init__(self, original: bool, seconds: float) -> None:
        self._seconds, self._left = seconds, PATIENCE * seconds
        command = [
            sys.executable,
            "-m",
            "gateway.files.inspection",
            f"{seconds:g}",
            "original" if original else "clean",
        ]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=children.ROOT,
                env=children.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # A group of its own, so that programs which the child starts end with it.
                start_new_session=True,
            )
        except OSError as error:
            raise InspectionUnavailableError(
                f"The child process could not be started ({type(error).__name__})."
            ) from None
        assert self._process.stdin  # nosec B101 # both are pipes
        assert self._process.stdout  # nosec B101
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        for descriptor in (self._in, self._out):
            os.set_blocking(descriptor, False)

    def feed(self, content: Iterable[bytes]) -> None:
        """Write `content` to the child, until it has had enough: a refusal needs no more than the beginning."""
        assert self._process.stdin  # nosec B101 # it is a pipe
        with suppress(BrokenPipeError):
            for chunk in content:
                self._write(chunk)
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def _write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            self._wait(self._in, select.POLLOUT)
            with suppress(BlockingIOError):
                rest = rest[os.write(self._in, rest[:CHUNK]) :]

    def read(self, most: int) -> bytes:
        """Return the next bytes of the child's answer, at least one and `most` at most."""
        while True:
            self._wait(self._out, select.POLLIN)
            with suppress(BlockingIOError):
                if chunk := os.read(self._out, most):
                    return chunk
                raise self._failure()

    def read_all(self, size: int) -> bytes:
        """Return the next `size` bytes of the child's answer."""
        parts = []
        while size:
            parts.append(self.read(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def _wait(self, descriptor: int, event: int) -> None:
        """Wait until the child can be written to or read from. Only this waiting counts as the child's time."""
        poll, began = select.poll(), time.monotonic()
        poll.register(descriptor, event)
        ready = poll.poll(max(0.0, self._left) * 1000)
        self._left -= time.monotonic() - began
        if not ready:
            raise self._lateness()

    def _lateness(self) -> Exception:
        """Return what it means that time is up: too much work for a child, or too little of a processor for it."""
        if _computed(self._process.pid) >= self._seconds / 2:
            return FileRefusedError("too-complex")
        return InspectionUnavailableError("The child process got no time to compute.")

    def _failure(self) -> Exception:
        """Return what the end of a child without an answer means."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, self._left))
        code = self._process.returncode
        if code is None or -code in (signal.SIGKILL, signal.SIGXCPU):
            return FileRefusedError("too-complex")
        if -code in _CRASHES:
            return FileRefusedError("broken")
        return InspectionUnavailableError(f"The child process ended with code {code}.")

    def end(self) -> None:
        """End the child and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


def _computed(pid: int) -> float:
    """Return how many seconds a process, and those that it started and waited for, have computed."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
