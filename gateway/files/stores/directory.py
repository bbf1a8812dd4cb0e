"""A folder of this machine, or one that machines share, as store."""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.files.stores import HeldError, MissingError, StoreAwayError, StoreFullError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
GONE = (errno.ENOENT, errno.ENOTDIR)
HIDDEN = "."
"""What the names of locks, wishes for them and unfinished objects begin with."""

STALE_SECONDS = 3600
"""The age from which an unfinished object is one that a process which died has left."""

PAUSE_SECONDS = 0.05

TRIES = 5
"""How often a folder is removed to which others add locks at the same time."""


class Directory:
    """The store in the folder `root`, which it creates, for its owner only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        path = self._path(name)
        beside = path.parent / f"{HIDDEN}{path.name}.{secrets.token_hex(8)}"
        with _faults():
            if not path.parent.is_dir():
                _make(path.parent)
            try:
                _write(beside, content)
                beside.replace(path)
            except BaseException:
                with suppress(OSError):
                    beside.unlink()
                raise
            _keep(path.parent)

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        with _faults(), self._path(name).open("rb", buffering=0) as file:
            if start:
                file.seek(start)
            return _all_of(file.fileno(), (os.fstat(file.fileno()).st_size if stop is None else stop) - start)

    def sizes(self, folder: str) -> dict[str, int]:
        return {name: entry.st_size for name, entry in self._entries(self._path(folder + "/"))}

    def delete(self, name: str) -> None:
        with _faults(), suppress(FileNotFoundError, NotADirectoryError):
            self._path(name).unlink()

    def delete_all(self, folder: str) -> None:
        path = self._path(folder + "/")
        with _faults(), suppress(FileNotFoundError):
            for tries_left in reversed(range(TRIES)):
                # The header is first, so that of a file that is removed only in part nothing can be opened.
                for each in sorted(path.iterdir(), key=lambda each: each.name != "head"):
                    each.unlink(missing_ok=True)
                try:
                    path.rmdir()
                except OSError as error:
                    # Somebody has asked for its lock meanwhile, which made that anew.
                    if error.errno != errno.ENOTEMPTY or not tries_left:
                        raise

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        now = time.time()
        if folder != "files":
            for name, entry in self._entries(self._root / folder):
                yield name, now - entry.st_mtime
            return
        for shelf, _ in self._entries(self._root / folder):
            for name, entry in self._entries(self._root / folder / shelf):
                yield name, now - entry.st_mtime

    def spare(self) -> int | None:
        with _faults():
            try:
                disk = os.statvfs(self._root)
            except FileNotFoundError:
                return None
        return disk.f_bavail * disk.f_frsize

    @contextmanager
    def hold(self, name: str, patience: float = 0) -> Iterator["FileLock"]:
        path = self._path(name)
        path = path.parent / f"{HIDDEN}{path.name}"
        until, wish = time.monotonic() + patience, None
        try:
            while (lock := self._try(path)) is None:
                if patience and wish is None:
                    wish = path.parent / f"{path.name}.wish"
                    with _faults():
                        wish.touch()
                if time.monotonic() >= until:
                    raise HeldError(name)
                time.sleep(PAUSE_SECONDS)
        finally:
            if wish:
                with suppress(OSError):
                    wish.unlink()
        try:
            yield lock
        finally:
            lock.end()

    def _try(self, path: Path) -> "FileLock | None":
        """Return the lock, or None where somebody else has it."""
        with _faults():
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Between opening and locking, its holder may have removed it with the folder.
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return FileLock(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            return None

    def _path(self, name: str) -> Path:
        """Return where `name` lies; files are spread over folders by the first letters of their ids."""
        kind, _, rest = name.partition("/")
        return self._root / kind / rest[:2] / rest if kind == "files" else self._root / kind / rest

    def _entries(self, folder: Path) -> Iterator[tuple[str, os.stat_result]]:
        with _faults():
            try:
                found = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except FileNotFoundError:
                return
        for entry in found:
            with _faults(), suppress(FileNotFoundError):
                if not entry.name.startswith(HIDDEN):
                    yield entry.name, entry.stat()
                elif entry.name.count(HIDDEN) > 1 and time.time() - entry.stat().st_mtime > STALE_SECONDS:
                    os.unlink(entry.path)


class FileLock:
    """A lock that is held: of a file, which the system lets go with the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._wish, self._descriptor = path.parent / f"{path.name}.wish", descriptor

    def is_wanted(self) -> bool:
        """Return whether somebody waits for it."""
        return self._wish.exists()

    def end(self) -> None:
        """Let go."""
        os.close(self._descriptor)


@contextmanager
def _faults() -> Iterator[None]:
    """Raise what the system refuses as an error of the store."""
    try:
        yield
    except OSError as error:
        if error.errno in GONE:
            raise MissingError(error.strerror) from error
        if error.errno in FULL:
            raise StoreFullError(error.strerror) from error
        raise StoreAwayError(error.strerror or type(error).__name__) from error


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _all_of(descriptor: int, length: int) -> bytes:
    """Return the next `length` bytes, or those up to the end: a read of a network's file may return fewer at once."""
    read = os.read(descriptor, length) if length > 0 else b""
    while 0 < len(read) < length and (more := os.read(descriptor, length - len(read))):
        read += more
    return read


def _make(folder: Path) -> None:
    """Create a folder and those above it durably."""
    if not folder.parent.is_dir():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _keep(folder.parent)


def _keep(folder: Path) -> None:
    """Have the names in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
