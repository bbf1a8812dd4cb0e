"""Storage of the rate limits' counts: one store for all processes, and process memory while it is unavailable.

By default the store is an SQLite file in a folder private to its user. It holds counts under keyed hashes
(`gateway.limits`) and nothing that must be kept: a deleted or damaged file is created again. Its journal is in memory,
because one on the disk would show each count in order.
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
"""How often an unavailable store is tried again, by one request; the others count in memory without waiting."""

WAIT_SECONDS = 0.1
"""How long a request waits for others that count, before the store is taken as unavailable."""

PRUNE_EVERY, PRUNED = 100, 200
"""Every PRUNE_EVERY counts, at most PRUNED expired rows are deleted, so that no request waits for a clean-up."""

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
    """The store's folder belongs to another user, or others may read it."""


def default_store() -> str:
    """Return the URI of this user's store on this machine."""
    return f"{SQLITE}{gettempdir()}/nkk-{os.geteuid()}/limits.db"


def settings(uri: str) -> dict[str, object]:
    """Return Flask-Limiter's settings for the store at `uri`."""
    options = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    return {
        "RATELIMIT_STORAGE_URI": f"{ELSE_OWN}:{uri}",
        "RATELIMIT_STORAGE_OPTIONS": options if uri.startswith("redis") else {},
    }


class SqliteStorage(Storage):
    """Counts in an SQLite file that the processes of a machine share.

    Each count is one statement, hence atomic among processes; threads of one process take turns.
    """

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
        """Add `amount` to the count of `key` and return it.

        It expires at the next whole multiple of `expiry` seconds, so that no row shows when it began.
        """
        now = time.time()
        with self._turn() as connection:
            self._prune(connection, now)
            given = {"key": key, "amount": amount, "now": now, "expires": (now // expiry + 1) * expiry}
            return int(connection.execute(COUNT, given).fetchone()[0])

    def get(self, key: str) -> int:
        """Return the count of `key`."""
        return int(self._known(key)[0])

    def get_expiry(self, key: str) -> float:
        """Return when the count of `key` expires (Unix time)."""
        return float(self._known(key)[1])

    def check(self) -> bool:
        """Return whether the store can be read."""
        try:
            self._known("")
        except self.base_exceptions:
            return False
        return True

    def reset(self) -> int:
        """Delete all counts; return how many there were."""
        with self._turn() as connection:
            return connection.execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Delete the count of `key`."""
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
        """Return a connection to the file that exists now, not to a deleted file nor one opened before a fork."""
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
            # Damaged, for example by a power failure. Its counts need not be kept.
            _delete(self._path)
            opened = _open(self._path)
        self._connection, self._opened = opened, self._identity()
        return opened


class OwnWhereAway(Storage):
    """A shared store, with this process's memory as its fallback. Each change between them is logged once.

    Flask-Limiter's own fallback fails the request of a thread that finds the store unavailable just after another did.
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
        """Add `amount` to the count of `key`, which expires as in SqliteStorage, and return it."""
        return self._ask(lambda store: store.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """Return the count of `key`."""
        return self._ask(lambda store: store.get(key))

    def get_expiry(self, key: str) -> float:
        """Return when the count of `key` expires (Unix time)."""
        return self._ask(lambda store: store.get_expiry(key))

    def check(self) -> bool:
        """Return True, because it can always count in memory."""
        return True

    def reset(self) -> int | None:
        """Delete all counts."""
        self._own.reset()
        return self._ask(lambda store: store.reset())

    def clear(self, key: str) -> None:
        """Delete the count of `key`."""
        self._own.clear(key)
        self._ask(lambda store: store.clear(key))

    def _ask(self, question: Callable[[Storage], T]) -> T:
        if self._is_away and time.monotonic() < self._ask_again_at:
            return question(self._own)
        # Set before the call, so that the other threads do not wait for the store too.
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
            log.warning("rate limits: the shared store is unavailable, each process counts for itself", **more)
        else:
            log.info("rate limits: the shared store is available again")


class _Turn:
    """A thread's turn with the connection. It waits only briefly, so that a hanging store blocks no request."""

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
    """Create the folder, private to this user. Raises NotPrivateError where another user may have created it first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise NotPrivateError(f"{folder} must be a folder that only this user can use (chmod 700)")
