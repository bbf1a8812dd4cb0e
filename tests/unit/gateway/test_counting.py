"""The store of the rate limits: shared by processes, and no obstacle to requests while it is unavailable."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from limits import parse
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from structlog.testing import capture_logs

from gateway import counting

AN_HOUR = parse("1000/hour")
LONG = 10**10
"""The seconds of a window that ends in 2286, so that none begins within a test, however slow the machine is."""

PATIENT_SECONDS = 60
"""A replacement for WAIT_SECONDS where other counting threads are merely slow."""

COUNT_MANY = f"""
import sys
from gateway import counting
counting.WAIT_SECONDS = {PATIENT_SECONDS}
store = counting.SqliteStorage(sys.argv[1])
for _ in range(int(sys.argv[2])):
    store.incr("flood", {LONG})
"""

FORK = f"""
import os, sys
from gateway.counting import SqliteStorage
store = SqliteStorage(sys.argv[1])
store.incr("flood", {LONG})
child = os.fork()
if child == 0:
    os._exit(store.incr("flood", {LONG}) - 2)
assert os.waitpid(child, 0)[1] == 0
store.incr("flood", {LONG})
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "limits" / "counts.db"


@pytest.fixture
def uri(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def store(uri: str) -> Storage:
    return storage_from_string(uri)


def else_own(uri: str) -> Storage:
    """Return the store as the gateway creates it."""
    return storage_from_string(f"else-own:{uri}", **counting.settings(uri)["RATELIMIT_STORAGE_OPTIONS"])


def test_processes_and_threads_count_together_and_lose_nothing(
    uri: str, store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "WAIT_SECONDS", PATIENT_SECONDS)
    processes = [subprocess.Popen([sys.executable, "-c", COUNT_MANY, uri, "200"]) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.incr("flood", LONG), range(200)))
    assert [process.wait(60) for process in processes] == [0, 0]
    assert store.get("flood") == 600


def test_a_limit_holds_for_all_stores_of_one_file_and_ends_with_its_window(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_020.0
    monkeypatch.setattr(counting.time, "time", lambda: now)
    one, other = (FixedWindowRateLimiter(else_own(uri)) for _ in range(2))
    few = parse("3/minute")
    assert [limiter.hit(few, "source") for limiter in (one, other, one, other, one)] == [True, True, True, False, False]
    assert one.hit(few, "another source")
    assert one.get_window_stats(few, "source").reset_time == now + 60
    now += 59.9
    assert not other.hit(few, "source")
    now += 0.1
    assert [limiter.hit(few, "source") for limiter in (other, one, other, one)] == [True, True, True, False]


def test_what_is_over_leaves_the_file(path: Path, store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(counting.time, "time", lambda: now)
    for number in range(counting.PRUNED):
        store.incr(f"source {number}", 60)
    now += 61
    for _ in range(counting.PRUNE_EVERY):
        store.incr("the one that stays", 60)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT key FROM counts").fetchall() == [("the one that stays",)]


def test_counts_can_be_forgotten_one_by_one_or_all(store: Storage) -> None:
    for key in ("one", "another"):
        store.incr(key, LONG)
    store.clear("one")
    assert (store.get("one"), store.get("another")) == (0, 1)
    assert store.reset() == 1
    assert store.get("another") == 0


def test_nobody_else_may_look_into_the_folder(path: Path, store: Storage) -> None:
    store.incr("source", LONG)
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_process_that_forks_does_not_use_its_parents_connection(uri: str, store: Storage) -> None:
    assert subprocess.run([sys.executable, "-c", FORK, uri], timeout=60).returncode == 0
    assert store.get("flood") == 3


def deleted(path: Path) -> None:
    path.unlink()


def deleted_with_all_that_belongs_to_it(path: Path) -> None:
    for name in path.parent.iterdir():
        name.unlink()
    path.parent.rmdir()


def replaced_by_rubbish(path: Path) -> None:
    deleted_with_all_that_belongs_to_it(path)
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"no database at all" * 400)


@pytest.mark.parametrize(
    "lose", [deleted, deleted_with_all_that_belongs_to_it, replaced_by_rubbish], ids=lambda lose: lose.__name__
)
def test_a_store_that_is_lost_in_the_middle_is_begun_anew_by_all(
    uri: str, path: Path, lose: Callable[[Path], None]
) -> None:
    one, other = else_own(uri), storage_from_string(uri)
    assert (one.incr("source", LONG), other.incr("source", LONG)) == (1, 2)
    lose(path)
    with capture_logs() as logs:
        assert (one.incr("source", LONG), other.incr("source", LONG), one.get("source")) == (1, 2, 2)
    assert logs == []


@contextmanager
def held_by_somebody(path: Path) -> Iterator[None]:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    yield
    holder.close()


@contextmanager
def a_file_in_its_folders_place(path: Path) -> Iterator[None]:
    deleted_with_all_that_belongs_to_it(path)
    path.parent.touch()
    yield
    path.parent.unlink()


@contextmanager
def open_to_others(path: Path) -> Iterator[None]:
    deleted(path)
    path.parent.chmod(0o755)
    yield
    path.parent.chmod(0o700)


AWAY = [held_by_somebody, a_file_in_its_folders_place, open_to_others]


@pytest.mark.parametrize("away", AWAY, ids=lambda away: away.__name__)
def test_a_store_that_is_away_fails_no_request_and_is_spoken_of_once(
    uri: str, path: Path, away: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "RETRY_SECONDS", 0)
    store = else_own(uri)
    assert store.incr("source", LONG) == 1
    with capture_logs() as logs:
        with away(path), ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(lambda _: store.incr("source", LONG), range(8))) == [1, 2, 3, 4, 5, 6, 7, 8]
        store.incr("source", LONG)
    assert [line["event"] for line in logs] == [
        "rate limits: the shared store is unavailable, each process counts for itself",
        "rate limits: the shared store is available again",
    ]
    assert "source" not in str(logs)


def test_a_store_that_hangs_is_waited_for_by_one_request_a_second(
    uri: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(counting.time, "monotonic", lambda: now)
    store = else_own(uri)
    store.incr("source", LONG)
    asked = []
    shared = store._shared
    monkeypatch.setattr(shared, "incr", lambda *given: asked.append(given) or 1 / 0)
    monkeypatch.setattr(type(shared), "base_exceptions", (ZeroDivisionError,))
    assert [store.incr("source", LONG) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert len(asked) == 1
    now += counting.RETRY_SECONDS
    assert [store.incr("source", LONG) for _ in range(5)] == [6, 7, 8, 9, 10]
    assert len(asked) == 2


def test_a_fault_of_our_own_is_not_taken_for_a_store_that_is_away(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = else_own(uri)
    monkeypatch.setattr(store._shared, "incr", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.incr("source", LONG)


def test_the_default_store_is_this_users_own() -> None:
    assert counting.default_store().endswith(f"/nkk-{os.geteuid()}/limits.db")
