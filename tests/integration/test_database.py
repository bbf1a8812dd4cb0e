"""What both databases must do alike."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier

import pytest
from sqlalchemy import Column, String, Table, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from nkk.contracts.events import AnswerSent
from nkk.messaging.database import Database, UtcDateTime, insert_if_absent, is_away, new_metadata
from nkk.messaging.work import AlreadyHandledError
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
    """The error that SQLAlchemy makes of what the database says to `attempt`."""
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


@pytest.mark.parametrize("statement", ["INSERT INTO things (name) VALUES ('one'), ('one')", "SELECT * FROM nothing",
                                       "not even SQL"])
def test_what_a_statement_itself_is_at_fault_for_is_no_absence(stored, statement):
    with stored.engine.connect() as connection:
        assert not is_away(failure(lambda: connection.exec_driver_sql(statement)))


@pytest.mark.parametrize(("state", "away"), [
    ("53100", True), ("53200", True), ("53300", True), ("58030", True), ("57P01", True), ("57P03", True),
    ("25006", True),
    ("57014", False), ("40001", False), ("40P01", False), ("23505", False), ("22001", False), ("P0001", False),
])
def test_a_server_that_can_do_nothing_for_anybody_is_away(postgres, state, away):
    database = Database(postgres.url("postgres"), size=1)
    with database.engine.connect() as connection:
        raised = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
        assert is_away(failure(lambda: connection.exec_driver_sql(raised))) is away
    database.dispose()
