"""Whether a process works: each of its loops touches a file of its own at every turn.

    <folder>/<process>-<pid>/lock      held for as long as the process lives
    <folder>/<process>-<pid>/<loop>    touched at each turn; its content is the number of seconds a turn may take

A process that is frozen, or one of whose loops waits for something that never comes, is told by its old files. Nobody
has to be asked: neither the broker nor the process itself.
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
"""How long a turn of a loop may take. One that waits for the broker or the database takes longer."""

TOUCH_SECONDS = 1.0

_ours: "Pulse | None" = None

log = get_logger()


def folder() -> Path:
    """Where processes of this user, on this machine or in this container, keep their files: NKK_PULSE_FOLDER."""
    return Path(os.environ.get("NKK_PULSE_FOLDER") or f"{gettempdir()}/nkk-{os.geteuid()}/pulse")


class Pulse:
    """The files of one process, `name`, in `where`."""

    def __init__(self, name: str, where: Path) -> None:
        # Others on this machine could put their own in its place.
        where.parent.mkdir(mode=0o700, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        if where.stat().st_uid != os.geteuid():
            raise PermissionError(f"{where} is somebody else's")
        self._folder = where / f"{name}-{os.getpid()}"
        # One after another: what has been made and is not held yet looks like what is left of somebody.
        with (where / ".begin").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            _sweep(where)
            self._folder.mkdir(mode=0o700)
            # Never closed: it is let go when the process ends, however it does.
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
                # Old files under /tmp are somewhere taken away.
                os.utime(self._folder / "lock")


def begin(name: str) -> None:
    """This process is one of `name` from now on. Where no files can be kept its health is not known, and it works."""
    global _ours
    try:
        _ours = Pulse(name, folder())
    except OSError as error:
        log.warning("whether this process works cannot be told", folder=str(folder()), error=type(error).__name__)


def expect(loop: str, seconds: float = TURN_SECONDS) -> None:
    """`loop` of this process begins, and takes no longer than `seconds` for a turn."""
    if _ours is not None:
        with suppress(OSError):
            _ours.expect(loop, seconds)


def beat(loop: str) -> None:
    """`loop`, which was expected, has made a turn."""
    if _ours is not None:
        _ours.beat(loop)


def troubles(name: str) -> list[str]:
    """What is wrong with the processes of `name`, in sentences; with there being none, too."""
    alive = [each for each in sorted(folder().glob(f"{name}-[0-9]*")) if _is_held(each)]
    if not alive:
        return [f"no process of {name} works here ({folder()})"]
    return [f"{each.name}: {trouble}" for each in alive for trouble in _troubles(each)]


def _troubles(of: Path) -> Iterator[str]:
    for loop in sorted(of.iterdir()):
        if loop.name != "lock":
            silent = time.time() - loop.stat().st_mtime  # noqa: TID251  the file system's clock
            if silent > float(loop.read_text() or TURN_SECONDS):
                yield f"{loop.name} has made no turn for {silent:.0f} s"


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
    """Take away what is left of processes that have ended."""
    for each in where.glob("*-[0-9]*"):
        if not _is_held(each):
            for file in each.iterdir():
                file.unlink(missing_ok=True)
            each.rmdir()


if __name__ == "__main__":
    # As `nkk health`, which has a second of imports to make first: a container asks this four times a minute.
    sys.exit("\n".join(troubles(sys.argv[1])) or 0)
