"""One stage's database, PostgreSQL or SQLite, behind one interface.

PostgreSQL is used through psycopg2, which cooperates with eventlet, with a timeout for each statement. SQLite runs in
WAL mode with full synchronisation. Its transactions begin IMMEDIATE, and code inside one must not yield (no I/O, sleep
or publish): two greenlets of one process would deadlock.
"""

import fcntl
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import TypeDecorator

from nkk.sop.clock import EARLIEST, LATEST

Then = Callable[..., None]

STATEMENT_TIMEOUT_MS = 10_000
POOL_TIMEOUT_SECONDS = 10

TELLS_NO_TEXT = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""Settings that keep failed and waiting statements, and details of their rows, out of PostgreSQL's log. Threat: both
hold what a person wrote, because psycopg2 writes the values into the statement."""

_LOGS_STATEMENTS = {
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "auto_explain.log_min_duration": ("-1",),
    "debug_print_parse": ("off",),
    "debug_print_rewritten": ("off",),
    "debug_print_plan": ("off",),
}
"""Settings that could make PostgreSQL log successful statements, each with the values at which it does not."""

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_UNABLE_CLASSES = ("53", "58")
"""SQLSTATE classes of a server without resources (disk, memory, connections) or with a system error."""

_SHUTTING_DOWN = ("57P01", "57P02", "57P03", "25006")
"""SQLSTATEs of a server that is shutting down, starting up, or read-only."""

_SQLITE_UNABLE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Return metadata whose constraints have the same names on both databases."""
    return MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """A column of aware instants: `timestamptz` on PostgreSQL, UTC without a zone on SQLite, aware UTC in Python.

    A stored instant outside EARLIEST to LATEST is read as the nearer of the two: date arithmetic fails near the years 1
    and 9999, and one row with such a date would fail every list that contains it.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("instants must be timezone-aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return min(max(_as_utc(value), EARLIEST), LATEST)


def _as_utc(value: datetime) -> datetime:
    # No astimezone() for UTC: it raises OverflowError on the first and last day of datetime.
    return value.astimezone(UTC) if value.tzinfo is not None and value.utcoffset() else value.replace(tzinfo=UTC)


class Database:
    """A stage's database, with a connection pool.

    `url` is an SQLAlchemy URL (`sqlite:////path` or `postgresql://…`); `size` is the largest number of connections.
    """

    def __init__(self, url: str, size: int = 20) -> None:
        self.engine = _engine(url, size)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.is_sqlite = self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction, which is committed on leaving and rolled back on an exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for reading only; each statement sees what is committed."""
        if self.is_sqlite:
            with self._reading.connect() as connection:
                yield connection
            return
        # SQLAlchemy's AUTOCOMMIT costs a round trip after each read, because psycopg2 resets it at the server.
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.autocommit = True
            try:
                yield connection
            finally:
                if not driver.closed:
                    driver.autocommit = False

    @contextmanager
    def claiming(self, name: str) -> Iterator["Claim"]:
        """Claim rows that several instances compete for, with I/O allowed between claiming and marking them.

        On PostgreSQL the transaction stays open, and rows selected `FOR UPDATE SKIP LOCKED` are locked until it ends.
        On SQLite no transaction may stay open during I/O, so a lock file beside the database admits one instance at a
        time. Either way, a crash releases the claim at once and leaves the rows unmarked.
        """
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield Claim(self, connection)
            return
        with _exclusive(Path(f"{self.engine.url.database}.{name}.lock")):
            yield Claim(self, None)

    def telling_settings(self) -> dict[str, str]:
        """Return the server's settings that let its log hold what people wrote, each with the safe value.

        Empty where the log is safe, and on SQLite.
        """
        if self.is_sqlite:
            return {}
        asked = [*TELLS_NO_TEXT, *_LOGS_STATEMENTS]
        with self.reading() as connection:
            query = text("SELECT name, current_setting(name, true) FROM unnest(CAST(:names AS text[])) AS name")
            found = {name: value for name, value in connection.execute(query, {"names": asked}) if value is not None}
        wanted = {name: (value,) for name, value in TELLS_NO_TEXT.items()} | _LOGS_STATEMENTS
        return {name: wanted[name][0] for name, value in found.items() if value not in wanted[name]}

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class Claim:
    """A claim on rows by one instance; see `Database.claiming`."""

    def __init__(self, database: Database, connection: Connection | None) -> None:
        self._database = database
        self._connection = connection

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Open a connection for the next statements of this claim."""
        if self._connection is not None:
            yield self._connection
        else:
            with self._database.writing() as connection:
                yield connection


def is_away(error: BaseException) -> bool:
    """Return whether `error` means that the database is unavailable, to every caller and for every statement.

    That is: it cannot be reached, has no free connection, its disk is full or failing, or its file is locked.
    """
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _can_do_nothing(error)
    return isinstance(error, PoolTimeout)


def _can_do_nothing(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        # The primary code is the lowest byte of an extended one; errors of the sqlite3 module itself have none.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_UNABLE
    state = getattr(error.orig, "pgcode", None)
    if state is None:
        # Without an SQLSTATE, the error is not a server's answer: the connection failed.
        return isinstance(error, OperationalError)
    return state[:2] in _UNABLE_CLASSES or state in _SHUTTING_DOWN


def insert_of(connection: Connection, table: Table) -> Any:
    """Return an insert into `table` in the dialect of `connection`, which supports ON CONFLICT."""
    return _INSERT[connection.dialect.name](table)


def insert_if_absent(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert `row` unless its key exists, also under concurrency, and return whether it was inserted."""
    return connection.execute(_insert_if_absent(table, connection.dialect.name), dict(row)).rowcount == 1


def insert_absent(connection: Connection, table: Table, rows: list[dict[str, Any]], key: str) -> set[Any]:
    """Insert those of `rows` whose keys do not exist, and return the inserted rows' values of column `key`."""
    statement = _insert_if_absent(table, connection.dialect.name).returning(table.c[key])
    return set(connection.execute(statement, rows).scalars())


class Inserts:
    """A batch of rows to write in this transaction, with one statement per table instead of one per row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = {}
        self._over: dict[tuple[Table, tuple[str, ...], tuple[str, ...]], dict[Any, tuple[dict[str, Any], Then]]] = {}

    def add(self, table: Table, row: dict[str, Any]) -> None:
        """Queue `row` for insertion into `table`, at the latest at the end of the transaction."""
        self._waiting.setdefault((table, tuple(row)), []).append(row)

    def add_or_update(self, table: Table, row: dict[str, Any], returned: tuple[str, ...], then: Then) -> None:
        """Queue `row` for insertion, or for an update of the row with the same primary key, which is a single column.

        `then` is called with the resulting values of the columns `returned`. It may write to the database itself, but
        must not add rows here.
        """
        key = row[_key(table)]
        if key in self._over.get((table, tuple(row), returned), {}):
            self.flush()
        self._over.setdefault((table, tuple(row), returned), {})[key] = row, then

    def drop(self) -> None:
        """Discard all queued rows."""
        self._waiting, self._over = {}, {}

    def flush(self) -> None:
        """Write the queued rows now: at the end, and before a query whose result they may belong to."""
        waiting, self._waiting = self._waiting, {}
        over, self._over = self._over, {}
        calls: list[Callable[[], None]] = []
        for table in {table for table, *_ in over}:
            groups = [rows for (of, *_), rows in over.items() if of is table]
            if len(groups) > 1:
                # Lock rows in key order, to avoid deadlocks with other transactions that write them.
                key = _key(table)
                statement = _insert_or_update(table, self._connection.dialect.name, (key,), (key,))
                self._connection.execute(statement, [{key: each} for each in sorted(set().union(*groups))])
        for (table, names, returned), rows in over.items():
            statement = _insert_or_update(table, self._connection.dialect.name, names, returned)
            given = self._connection.execute(statement, [row for row, _ in rows.values()])
            found = {key: values for key, *values in given}
            calls += [partial(then, *found[key]) for key, (_, then) in rows.items()]
        for (table, _), inserted in waiting.items():
            self._connection.execute(insert(table), inserted)
        for call in calls:
            call()


@cache
def _insert_if_absent(table: Table, dialect: str) -> Any:
    return _INSERT[dialect](table).on_conflict_do_nothing()


@cache
def _insert_or_update(table: Table, dialect: str, names: tuple[str, ...], returned: tuple[str, ...]) -> Any:
    statement = _INSERT[dialect](table)
    changed = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed).returning(
        table.c[_key(table)], *(table.c[name].label(f"returned_{name}") for name in returned)
    )


def _key(table: Table) -> str:
    (column,) = table.primary_key
    return column.name


def _engine(url: str, size: int) -> Engine:
    # hide_parameters: the message of an error must not hold what a person wrote, which would reach a log.
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            connect_args={"timeout": 5, "isolation_level": None},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    # psycopg2 whatever the URL says: psycopg 3 would block the whole process at each query. No ping before use: the
    # first error of a lost server empties the pool; that event is retried and that call answered with 503.
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg2"),
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args={"connect_timeout": 5, "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"},
    )
    event.listen(engine, "do_connect", _look_up)
    return engine


def _look_up(dialect: Dialect, _record: Any, _args: Any, options: dict[str, Any]) -> None:
    """Resolve the server's addresses here, because libpq would block all greenlets; keep its name, for TLS."""
    host = options.get("host") or "/"
    if host.startswith("/") or "," in host or "hostaddr" in options:
        return
    try:
        found = socket.getaddrinfo(host, int(options.get("port") or 5432), type=socket.SOCK_STREAM)
    except OSError as error:
        raise dialect.loaded_dbapi.OperationalError(f"the server's name cannot be looked up: {error.errno}") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    options |= {"host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own lower() handles ASCII only; PostgreSQL's handles all letters.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _begin_immediate(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.005)  # cooperative: `nameko run` patches it
        yield
