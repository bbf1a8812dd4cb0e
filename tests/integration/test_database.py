"""Behaviour that must be the same on both databases, and what only one of them does."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    literal,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from nkk.contracts.events import AnswerSent
from nkk.sop.clock import EARLIEST, LATEST, WIB
from nkk.store.database import Database, UtcDateTime, insert_if_absent, is_away, new_metadata
from nkk.store.work import AlreadyHandledError
from tests.installations import eventually
from tests.integration.conftest import PlainWork

metadata = new_metadata()
things = Table("things", metadata, Column("name", String(20), primary_key=True), Column("at", UtcDateTime))


@pytest.fixture
def stored(database):
    metadata.create_all(database.engine)
    return database


def test_an_instant_comes_back_as_the_same_instant_in_utc(stored):
    at = datetime(2026, 3, 2, 8, 30, 15, 123456, tzinfo=timezone(timedelta(hours=7)))
    with stored.writing() as connection:
        connection.execute(insert(things).values(name="one", at=at))
    with stored.reading() as connection:
        found = connection.execute(select(things.c.at)).scalar_one()
    assert found == at
    assert found.tzinfo is UTC


def test_a_naive_instant_is_refused(stored):
    with pytest.raises(SQLAlchemyError), stored.writing() as connection:
        connection.execute(insert(things).values(name="one", at=datetime(2026, 3, 2)))


def test_instants_are_ordered_and_compared_as_such(stored):
    late, early = datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 3, 2, 7, tzinfo=timezone(timedelta(hours=7)))
    with stored.writing() as connection:
        connection.execute(insert(things), [{"name": "late", "at": late}, {"name": "early", "at": early}])
        names = connection.execute(select(things.c.name).order_by(things.c.at)).scalars().all()
        before = connection.execute(select(func.count()).where(things.c.at < late)).scalar_one()
    assert (names, before) == (["early", "late"], 1)


def test_of_many_who_insert_one_key_at_once_exactly_one_does(stored):
    together = Barrier(8)

    def insert_it(number):
        together.wait()
        with stored.writing() as connection:
            return insert_if_absent(connection, things, {"name": "one"})

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(insert_it, range(8))) == [False] * 7 + [True]


def test_an_event_handled_by_many_at_once_has_its_effect_once(uow):
    class Heard:
        id = "event-1"
        data = None

    together = Barrier(6)

    def handle(number):
        together.wait()
        try:
            with uow.handling(Heard) as work:
                work.emit(AnswerSent(ticket="NKK-2026-EDXY-ER30", path="complaint", by=str(number)))
        except AlreadyHandledError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(handle, range(6))) == 1
    with uow.reading() as work:
        assert work.connection.execute(select(func.count()).select_from(PlainWork.OUTBOX)).scalar_one() == 1


def test_an_error_of_the_database_carries_no_parameter(stored):
    with stored.writing() as connection:
        connection.execute(insert(things).values(name="rahasia"))
    with pytest.raises(SQLAlchemyError) as error, stored.writing() as connection:
        connection.execute(text("INSERT INTO things (name) VALUES (:name), (:name)"), {"name": "sangat rahasia"})
    assert "sangat" not in str(error.value).partition("DETAIL")[0]


def test_reading_sees_what_was_committed_meanwhile(stored):
    with stored.reading() as reader:
        assert reader.execute(select(things)).all() == []
        with stored.writing() as writer:
            writer.execute(insert(things).values(name="new"))
        assert len(reader.execute(select(things)).all()) == 1


def pid_of(connection):
    return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()


def test_reading_asks_the_server_for_nothing_but_what_is_read(on_postgres):
    with on_postgres.writing() as watcher:
        for _ in range(2):
            with on_postgres.reading() as reader:
                pid = pid_of(reader)
        last = watcher.exec_driver_sql(f"SELECT query FROM pg_stat_activity WHERE pid = {pid}").scalar_one()
    assert last == "SELECT pg_backend_pid()"


def test_what_was_read_counts_though_the_connection_is_cut_thereafter(on_postgres):
    with on_postgres.writing() as killer:
        with on_postgres.reading() as reader:
            pid = pid_of(reader)
        with on_postgres.reading() as reader:
            assert pid_of(reader) == pid
            killer.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 10000)")
    assert on_postgres.engine.pool.checkedout() == 0


def test_a_connection_that_was_read_with_writes_whole_transactions(on_postgres):
    metadata.create_all(on_postgres.engine)
    with on_postgres.reading() as reader:
        reader.execute(select(things)).all()

    def write_half() -> None:
        with on_postgres.writing() as writer:
            writer.execute(insert(things).values(name="half"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    with on_postgres.reading() as reader:
        assert reader.execute(select(things)).all() == []


def failure(attempt):
    """Return the error that SQLAlchemy raises where the database refuses `attempt`."""
    with pytest.raises(SQLAlchemyError) as error:
        attempt()
    return error.value


@pytest.fixture
def file(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'one.db'}", size=2)
    metadata.create_all(database.engine)
    yield database
    database.dispose()


def full(database):
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        return failure(lambda: connection.execute(insert(things), [{"name": str(number)} for number in range(2000)]))


def held_by_another(database):
    with database.writing() as connection:
        connection.execute(insert(things).values(name="one"))
        other = Database(f"sqlite:///{database.engine.url.database}", size=1)
        with other.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as waiting:
            waiting.exec_driver_sql("PRAGMA busy_timeout = 10")
            error = failure(lambda: waiting.exec_driver_sql("BEGIN IMMEDIATE"))
        other.dispose()
    return error


def without_its_folder(database):
    return failure(Database("sqlite:////nowhere/one.db", size=1).engine.connect)


@pytest.mark.parametrize("happens", [full, held_by_another, without_its_folder])
def test_a_file_that_nobody_can_write_to_is_away(file, happens):
    assert is_away(happens(file))


@pytest.mark.parametrize(
    "statement", ["INSERT INTO things (name) VALUES ('one'), ('one')", "SELECT * FROM nothing", "not even SQL"]
)
def test_what_a_statement_itself_is_at_fault_for_is_no_absence(stored, statement):
    with stored.engine.connect() as connection:
        assert not is_away(failure(lambda: connection.exec_driver_sql(statement)))


@pytest.mark.parametrize(
    ("state", "away"),
    [
        ("53100", True),
        ("53200", True),
        ("53300", True),
        ("58030", True),
        ("57P01", True),
        ("57P03", True),
        ("25006", True),
        ("57014", False),
        ("40001", False),
        ("40P01", False),
        ("23505", False),
        ("22001", False),
        ("P0001", False),
    ],
)
def test_a_server_that_can_do_nothing_for_anybody_is_away(postgres, state, away):
    database = Database(postgres.url("postgres"), size=1)
    with database.engine.connect() as connection:
        raised = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
        assert is_away(failure(lambda: connection.exec_driver_sql(raised))) is away
    database.dispose()


# -- what the server logs


WRITTEN = "Petugas bernama rahasia meminta uang pelicin."


def logged(postgres, url: str) -> str:
    """Return what the server at `url` logs while statements that contain a report fail and wait."""
    database, before = Database(url, size=4), len(postgres.log())
    reports = Table(
        "reports",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("words", String, unique=True),
        Column("round", Integer, CheckConstraint("round > 0")),
    )
    with database.writing() as connection:
        reports.create(connection)
        connection.execute(
            insert(reports), [{"id": number, "words": f"{WRITTEN}{number}", "round": 1} for number in (1, 2)]
        )

    def run(statement: Any) -> None:
        with suppress(SQLAlchemyError), database.writing() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 100")
            connection.execute(statement)

    together = Barrier(2)

    def deadlock(first: int, second: int) -> None:
        with suppress(SQLAlchemyError), database.writing() as connection:
            connection.execute(update(reports).where(reports.c.id == first).values(words=f"{WRITTEN} {first}"))
            together.wait()
            connection.execute(update(reports).where(reports.c.id == second).values(words=f"{WRITTEN} {second}"))

    run(select(func.pg_sleep(10), literal(WRITTEN)))
    run(insert(reports).values(id=3, words=f"{WRITTEN}1", round=1))
    run(insert(reports).values(id=4, words=WRITTEN, round=0))
    run(insert(reports).values(id=None, words=WRITTEN, round=1))
    run(text("INSRT INTO reports VALUES (5, :words)").bindparams(words=WRITTEN))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(deadlock, (1, 2), (2, 1)))
    database.dispose()
    found = eventually(lambda: log if "deadlock detected" in (log := postgres.log()[before:]) else "")
    assert found.count("ERROR: ") >= 6
    return found


def test_the_servers_log_holds_no_word_of_a_statement_that_failed_or_waited(postgres):
    postgres.create("quiet", "talking")
    assert WRITTEN not in logged(postgres, postgres.url("quiet"))
    for setting in ("log_min_error_statement = error", "log_error_verbosity = default"):
        _alter(postgres, f"ALTER DATABASE talking SET {setting}")
    assert WRITTEN in logged(postgres, postgres.url("talking")), "as a server does by itself"


@pytest.mark.parametrize(
    ("setting", "value", "wanted"),
    [
        ("log_min_error_statement", "error", "panic"),
        ("log_error_verbosity", "default", "terse"),
        ("log_parameter_max_length_on_error", "-1", "0"),
        ("log_statement", "mod", "none"),
        ("log_min_duration_statement", "250ms", "-1"),
    ],
)
def test_a_setting_by_which_the_servers_log_would_hold_texts_is_named(postgres, setting, value, wanted):
    name = f"telling_{setting}"
    postgres.create(name)
    database = Database(postgres.url(name), size=1)
    assert database.telling_settings() == {}
    database.dispose()
    _alter(postgres, f"ALTER DATABASE {name} SET {setting} = '{value}'")
    assert database.telling_settings() == {setting: wanted}
    database.dispose()


def test_sqlite_has_no_such_log(tmp_path):
    assert Database(f"sqlite:///{tmp_path}/stage.db", size=1).telling_settings() == {}


def _alter(postgres, statement: str) -> None:
    database = Database(postgres.url("postgres"), size=1)
    with database.writing() as connection:
        connection.exec_driver_sql(statement)
    database.dispose()


# -- dates outside the procedure's range


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("0001-01-01 00:00:00", EARLIEST),
        ("1999-12-31 23:59:59", EARLIEST),
        ("9999-12-31 23:59:59.999999", LATEST),
        ("2000-01-01 00:00:00", EARLIEST),
        ("2199-12-31 23:59:59.999999", LATEST),
    ],
)
def test_a_date_that_nobody_can_reckon_with_is_read_as_the_nearest_that_one_can(stored, kept, read):
    with stored.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO things (name, at) VALUES ('one', '{kept}')")
    with stored.reading() as connection:
        found = connection.execute(select(things.c.at)).scalar_one()
    assert found == read
    assert found.astimezone(WIB).astimezone(timezone(timedelta(hours=-14))) == read


def test_a_servers_name_is_looked_up_where_it_holds_up_nobody(postgres, monkeypatch):
    def look_up(host, port, **_):
        asked.append(host)
        if host != "db.example":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    asked: list[str] = []
    url = make_url(postgres.url("postgres"))
    monkeypatch.setattr("nkk.store.database.socket.getaddrinfo", look_up)
    for host, there in (("db.example", True), ("gone.example", False)):
        database = Database(url.set(host=host).render_as_string(hide_password=False), size=1)
        try:
            with database.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
            assert there
        except SQLAlchemyError as error:
            assert not there
            assert is_away(error)
        finally:
            database.dispose()
    assert asked == ["db.example", "gone.example"]
