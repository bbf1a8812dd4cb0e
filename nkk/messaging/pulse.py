"""Liveness of processes: each loop of a process touches its own file at every turn.

    <folder>/<process>-<pid>/lock      locked for as long as the process lives
    <folder>/<process>-<pid>/<loop>    touched at each turn; its content is the number of seconds a turn may take

Old files reveal a frozen process, or a loop that waits for something that never comes. The check asks neither the
broker nor the process itself.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

from nkk.log import get_logger

TURN_SECONDS = 30
"""How long a turn of a loop may take by default. A turn that waits for the broker or the database takes longer."""

TOUCH_SECONDS = 1.0

_ours: "Pulse | None" = None

log = get_logger()


def folder() -> Path:
    """Return the folder of this user's processes on this machine or in this container: NKK_PULSE_FOLDER."""
    return Path(os.environ.get("NKK_PULSE_FOLDER") or f"{gettempdir()}/nkk-{os.geteuid()}/pulse")


class Pulse:
    """The liveness files of this process, called `name`, in the folder `where`."""

    def __init__(self, name: str, where: Path) -> None:
        # Under /tmp another user of this machine could create the folder first.
        where.parent.mkdir(mode=0o700, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        if where.stat().st_uid != os.geteuid():
            raise PermissionError(f"{where} belongs to another user")
        self._folder = where / f"{name}-{os.getpid()}"
        # One process at a time: a folder that was created and is not locked yet looks like that of a dead process.
        with (where / ".begin").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            _sweep(where)
            self._folder.mkdir(mode=0o700)
            # Never closed: the system releases the lock when the process ends, however it ends.
            fcntl.flock(os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600), fcntl.LOCK_EX)
        self._touched: dict[str, float] = {}

    def expect(self, loop: str, seconds: float) -> None:
        (self._folder / loop).write_text(f"{seconds:g}")

    def beat(self, loop: str) -> None:
        now = time.monotonic()
        if now - self._touched.get(loop, 0.0) >= TOUCH_SECONDS:
            self._touched[loop] = now
            with suppress(OSError):
                os.utime(self._folder / loop)
                # Some systems delete old files under /tmp.
                os.utime(self._folder / "lock")


def begin(name: str) -> None:
    """Create the liveness files of this process, called `name`. Where that fails, only log it: the process works on."""
    global _ours
    try:
        _ours = Pulse(name, folder())
    except OSError as error:
        log.warning("liveness files cannot be created", folder=str(folder()), error=type(error).__name__)


def expect(loop: str, seconds: float = TURN_SECONDS) -> None:
    """Note that `loop` of this process starts and that each turn takes at most `seconds`."""
    if _ours is not None:
        with suppress(OSError):
            _ours.expect(loop, seconds)


def beat(loop: str) -> None:
    """Note that `loop`, announced by `expect`, made a turn."""
    if _ours is not None:
        _ours.beat(loop)


def troubles(name: str) -> list[str]:
    """Return what is wrong with the processes called `name`, a sentence each; that there are none is one too."""
    alive = [each for each in sorted(folder().glob(f"{name}-[0-9]*")) if _is_held(each)]
    if not alive:
        return [f"no process of {name} works here ({folder()})"]
    return [f"{each.name}: {trouble}" for each in alive for trouble in _troubles(each)]


def _troubles(of: Path) -> Iterator[str]:
    for loop in sorted(of.iterdir()):
        if loop.name != "lock":
            silent = time.time() - loop.stat().st_mtime  # noqa: TID251  the file system's clock
            if silent > float(loop.read_text() or TURN_SECONDS):
                yield f"{loop.name} has been silent for {silent:.0f} s"


def _is_held(of: Path) -> bool:
    try:
        with (of / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _sweep(where: Path) -> None:
    """Delete the files of processes that have ended."""
    for each in where.glob("*-[0-9]*"):
        if not _is_held(each):
            for file in each.iterdir():
                file.unlink(missing_ok=True)
            each.rmdir()


if __name__ == "__main__":
    # The same as `nkk health` without its second of imports: a container runs this four times a minute.
    sys.exit("\n".join(troubles(sys.argv[1])) or 0)
