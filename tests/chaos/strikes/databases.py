"""Database faults: PostgreSQL restarted or killed, its connections cut, its disk full; SQLite locked, its disk full.

Disks are really full: the databases are on a small tmpfs of their own, which a file fills.
"""

import signal
import sqlite3
from typing import Any

import psycopg2

from tests.chaos.disks import empty, fill
from tests.chaos.strikes.kinds import Kind

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL"


def _stop(world: Any, _target: str) -> None:
    world.server.stop()


def _start(world: Any, _target: str) -> None:
    world.server.start()


def _kill(world: Any, _target: str) -> None:
    """Kill the server as a power cut would. It recovers from its log when it starts again."""
    process = world.server._process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)


def _cut(world: Any, _target: str) -> None:
    connection = psycopg2.connect(world.server.url("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(CUT)
    connection.close()


def _fill(world: Any, _target: str) -> None:
    fill(world.disk)


def _empty(world: Any, _target: str) -> None:
    empty(world.disk)


def _lock(world: Any, target: str) -> None:
    """Write to a stage's database file from outside, for longer than the stage waits."""
    connection = sqlite3.connect(world.installation.stack.var / "db" / f"{target}.db", isolation_level=None, timeout=10)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        connection.close()
        # On a full disk there may be no room for the lock; the stage cannot write there either.
        if not error.sqlite_errorname.startswith(("SQLITE_IOERR", "SQLITE_FULL")):
            raise
    else:
        world.locks[target] = connection


def _unlock(world: Any, target: str) -> None:
    if (connection := world.locks.pop(target, None)) is not None:
        connection.execute("ROLLBACK")
        connection.close()


KINDS = (
    Kind("PostgreSQL restarted", "postgres", (0.5, 4.0), _stop, _start, recovers=2.0),
    Kind("PostgreSQL killed", "postgres", (0.5, 2.0), _kill, _start, recovers=2.0),
    Kind("connections cut", "postgres", (0.1, 0.5), _cut),
    Kind("disk full", "disk", (3.0, 8.0), _fill, _empty, recovers=2.0),
    Kind("database locked", "files", (1.0, 7.0), _lock, _unlock, recovers=2.0),
)
