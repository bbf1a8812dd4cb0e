"""Where the limits are counted: a store that all processes share, and each process's own memory while that is away.

By default the store is a file of SQLite in a folder that nobody else may look into. It holds counts under keyed hashes
(`gateway.limits`), and nothing that would be missed: what is deleted or damaged is begun anew. It keeps no journal on
the disk, in which each count would be found as it was, one after the other.
"""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import TypeVar, cast

from limits.storage import MemoryStorage, Storage, storage_from_string

from nkk.log import get_logger

ELSE_OWN = "else-own"
SQLITE = "sqlite:///"
RETRY_SECONDS = 1.0
"""A store that is away is asked again by one request a second; the others count here without waiting for it."""

WAIT_SECONDS = 0.1
"""So long a request waits for others that count; then the store is away."""

PRUNE_EVERY, PRUNED = 100, 200
"""Each so many counts take out at most so many that are over: nobody waits for a clean-up."""

REDIS_SECONDS = 0.3

COUNT = """
    INSERT INTO counts (key, count, expires) VALUES (:key, :amount, :expires) ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN expires <= :now THEN :amount ELSE count + :amount END,
    expires = CASE WHEN expires <= :now THEN :expires ELSE expires END RETURNING count"""
KNOWN = "SELECT count, expires FROM counts WHERE key = :key AND expires > :now"
PRUNE = "DELETE FROM counts WHERE key IN (SELECT key FROM counts WHERE expires <= :now LIMIT :most)"
TABLE = """
    PRAGMA journal_mode = MEMORY;
    PRAGMA secure_delete = ON;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires REAL NOT NULL)
    WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS ix_counts_expires ON counts (expires)"""

T = TypeVar("T")

log = get_logger()


class NotPrivateError(OSError):
    """The store's folder is somebody else's, or others may look into it."""


def default_store() -> str:
    """The URI of this user's store on this machine."""
    return f"{SQLITE}{gettempdir()}/nkk-{os.geteuid()}/limits.db"


def settings(uri: str) -> dict[str, object]:
    """Flask-Limiter's settings for the store at `uri`."""
    options = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    return {
        "RATELIMIT_STORAGE_URI": f"{ELSE_OWN}:{uri}",
        "RATELIMIT_STORAGE_OPTIONS": options if uri.startswith("redis") else {},
    }


class SqliteStorage(Storage):
    """Counts in one file that the processes of a machine share. Each count is one statement, and so settled among
    them; threads of a process take turns."""

    STORAGE_SCHEME = ["sqlite"]  # noqa: RUF012
    base_exceptions = (sqlite3.Error, OSError)

    def __init__(self, uri: str, wrap_exceptions: bool = False, **_options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions)
        self._path = Path(uri.removeprefix(SQLITE))
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int, int] | None = None
        self._counted = 0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` under `key`, until the next whole multiple of `expiry` seconds; what it is then. No row tells
        when it was begun."""
        now = time.time()
        with self._turn() as connection:
            self._prune(connection, now)
            given = {"key": key, "amount": amount, "now": now, "expires": (now // expiry + 1) * expiry}
            return int(connection.execute(COUNT, given).fetchone()[0])

    def get(self, key: str) -> int:
        """What was counted under `key`."""
        return int(self._known(key)[0])

    def get_expiry(self, key: str) -> float:
        """When `key` is counted anew (Unix time)."""
        return float(self._known(key)[1])

    def check(self) -> bool:
        """Whether it can be read."""
        try:
            self._known("")
        except self.base_exceptions:
            return False
        return True

    def reset(self) -> int:
        """Forget all counts; how many there were."""
        with self._turn() as connection:
            return connection.execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Forget what was counted under `key`."""
        with self._turn() as connection:
            connection.execute("DELETE FROM counts WHERE key = ?", (key,))

    def _known(self, key: str) -> tuple[int, float]:
        now = time.time()
        with self._turn() as connection:
            return connection.execute(KNOWN, {"key": key, "now": now}).fetchone() or (0, now)

    def _prune(self, connection: sqlite3.Connection, now: float) -> None:
        self._counted += 1
        if self._counted % PRUNE_EVERY == 0:
            connection.execute(PRUNE, {"now": now, "most": PRUNED})

    def _turn(self) -> "_Turn":
        return _Turn(self._lock, self._current)

    def _current(self) -> sqlite3.Connection:
        """The connection to the file as it is now: not to one that was deleted, nor one opened before a fork."""
        if self._connection is None or self._opened != self._identity():
            return self._reopen()
        return self._connection

    def _identity(self) -> tuple[int, int, int] | None:
        with suppress(FileNotFoundError):
            found = os.stat(self._path)
            return os.getpid(), found.st_dev, found.st_ino
        return None

    def _reopen(self) -> sqlite3.Connection:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        _make_private(self._path.parent)
        try:
            opened = _open(self._path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Damaged, such as by a machine that lost its power: nothing in it is missed.
            _delete(self._path)
            opened = _open(self._path)
        self._connection, self._opened = opened, self._identity()
        return opened


class OwnWhereAway(Storage):
    """A shared store, and this process's own count while that is away. It is said once, and once when it is back.

    Flask-Limiter's own fallback lets a request fail whose thread finds the store gone a moment after another did.
    """

    STORAGE_SCHEME = [ELSE_OWN]  # noqa: RUF012
    base_exceptions = ()

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions)
        self._shared = cast(Storage, storage_from_string(uri.partition(":")[2], **options))
        self._own = MemoryStorage()
        self._is_away = False
        self._ask_again_at = 0.0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` under `key`, until the next whole multiple of `expiry` seconds; what it is then. No row tells
        when it was begun."""
        return self._ask(lambda store: store.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """What was counted under `key`."""
        return self._ask(lambda store: store.get(key))

    def get_expiry(self, key: str) -> float:
        """When `key` is counted anew (Unix time)."""
        return self._ask(lambda store: store.get_expiry(key))

    def check(self) -> bool:
        """It always counts, somewhere."""
        return True

    def reset(self) -> int | None:
        """Forget all counts."""
        self._own.reset()
        return self._ask(lambda store: store.reset())

    def clear(self, key: str) -> None:
        """Forget what was counted under `key`."""
        self._own.clear(key)
        self._ask(lambda store: store.clear(key))

    def _ask(self, question: Callable[[Storage], T]) -> T:
        if self._is_away and time.monotonic() < self._ask_again_at:
            return question(self._own)
        # Before it is asked: the other threads do not wait for it meanwhile.
        self._ask_again_at = time.monotonic() + RETRY_SECONDS
        try:
            answer = question(self._shared)
        except self._shared.base_exceptions as error:
            self._note(True, error=type(error).__name__)
            return question(self._own)
        self._note(False)
        return answer

    def _note(self, is_away: bool, **more: str) -> None:
        if is_away == self._is_away:
            return
        self._is_away = is_away
        if is_away:
            log.warning("limits: the shared store is away, each process counts for itself", **more)
        else:
            log.info("limits: the shared store is back")


class _Turn:
    """One thread's turn with the connection. Who cannot have it soon does not wait for a store that hangs."""

    def __init__(self, lock: threading.Lock, connect: Callable[[], sqlite3.Connection]) -> None:
        self._lock = lock
        self._connect = connect

    def __enter__(self) -> sqlite3.Connection:
        if not self._lock.acquire(timeout=2 * WAIT_SECONDS):
            raise sqlite3.OperationalError("other threads wait for the store")
        try:
            return self._connect()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.executescript(TABLE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _delete(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    """Have the folder, for this user alone. Raises NotPrivateError: another user may have put one there before us."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise NotPrivateError(f"{folder} must be a folder of this user's alone (chmod 700)")
