"""Several events in one transaction, on both databases."""

from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import Column, DateTime, MetaData, String, Table, select
from sqlalchemy.event import listens_for

from nkk.store.database import Inserts, insert_absent
from nkk.store.work import AlreadyHandledError

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
EVENTS = [SimpleNamespace(id=f"event-{number}", data=SimpleNamespace()) for number in range(5)]

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("kind", String(20)),
    Column("note", String(20)),
    Column("at", DateTime(timezone=True)),
)


@pytest.fixture
def database(database):
    metadata.create_all(database.engine)
    return database


def handled(uow):
    with uow.reading() as work:
        return sorted(work.connection.execute(select(work.INBOX.c.event_id)).scalars())


def rows(database):
    with database.reading() as connection:
        return [
            tuple(row)
            for row in connection.execute(select(things.c.name, things.c.kind, things.c.note).order_by(things.c.name))
        ]


def test_all_are_handled_in_one_transaction(database, uow):
    with uow.batch(EVENTS) as joint:
        for event in EVENTS:
            with joint.handling(event) as work:
                work.inserts.add(things, {"name": event.id})
        assert rows(database) == []
    assert handled(uow) == [event.id for event in EVENTS]
    assert [name for name, *_ in rows(database)] == [event.id for event in EVENTS]


def test_what_was_handled_before_or_comes_twice_has_no_second_effect(uow):
    with uow.handling(EVENTS[1]):
        pass
    had = []
    with uow.batch([*EVENTS, EVENTS[3]]) as joint:
        for event in [*EVENTS, EVENTS[3]]:
            try:
                with joint.handling(event):
                    had.append(event.id)
            except AlreadyHandledError:
                continue
    assert had == ["event-0", "event-2", "event-3", "event-4"]
    assert handled(uow) == [event.id for event in EVENTS]


def test_a_failure_leaves_nothing_of_any_and_each_can_be_handled_alone(database, uow):
    def fail():
        with uow.batch(EVENTS) as joint:
            for event in EVENTS:
                with joint.handling(event) as work:
                    work.inserts.add(things, {"name": event.id})
                    if event is EVENTS[2]:
                        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (handled(uow), rows(database)) == ([], [])
    for event in EVENTS:
        with uow.handling(event):
            pass
    assert handled(uow) == [event.id for event in EVENTS]


def test_what_is_to_follow_a_commit_follows_it_once_and_no_failure(uow):
    called = []

    def call():
        called.append(handled(uow))

    with uow.batch(EVENTS) as joint:
        for event in EVENTS:
            with joint.handling(event) as work:
                work.afterwards(call)
        assert called == []
    assert called == [[event.id for event in EVENTS]]

    def fail():
        with uow.begin() as work:
            work.afterwards(call)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(called) == 1


def test_rows_wait_until_they_are_asked_for_and_may_have_different_columns(database):
    with database.writing() as connection:
        inserts = Inserts(connection)
        inserts.add(things, {"name": "a", "kind": "x"})
        inserts.add(things, {"name": "b", "note": "y"})
        inserts.add(things, {"name": "c", "kind": "z"})
        assert connection.execute(select(things)).all() == []
        inserts.flush()
        inserts.flush()
    assert rows(database) == [("a", "x", None), ("b", None, "y"), ("c", "z", None)]


def test_only_what_is_absent_is_inserted(database):
    with database.writing() as connection:
        assert insert_absent(connection, things, [{"name": "a"}, {"name": "b"}], "name") == {"a", "b"}
        assert insert_absent(connection, things, [{"name": "b"}, {"name": "c"}], "name") == {"c"}
        assert insert_absent(connection, things, [{"name": "c"}], "name") == set()


def test_a_row_is_written_over_what_there_was_and_leaves_the_other_columns(database):
    found = {}
    with database.writing() as connection:
        inserts = Inserts(connection)
        for row, returned in [
            ({"name": "a", "kind": "x"}, "note"),
            ({"name": "b", "kind": "y"}, "note"),
            ({"name": "a", "note": "z"}, "kind"),
            ({"name": "a"}, "note"),
        ]:
            inserts.add_or_update(things, row, (returned,), partial(found.__setitem__, (*row, returned, row["name"])))
        assert connection.execute(select(things)).all() == []
        inserts.flush()
    assert rows(database) == [("a", "x", "z"), ("b", "y", None)]
    assert found == {
        ("name", "kind", "note", "a"): None,
        ("name", "kind", "note", "b"): None,
        ("name", "note", "kind", "a"): "x",
        ("name", "note", "a"): "z",
    }


def test_of_two_rows_with_one_key_the_later_is_written_over_the_earlier(database):
    found = []
    with database.writing() as connection:
        inserts = Inserts(connection)
        for kind in ("x", "y"):
            inserts.add_or_update(things, {"name": "a", "kind": kind}, ("kind",), found.append)
        inserts.flush()
    assert rows(database) == [("a", "y", None)]
    assert found == ["x", "y"]


def test_rows_are_come_to_in_one_order_whatever_is_written_of_each(database):
    come_to = []

    @listens_for(database.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, *_):
        come_to.extend(name for name in ("a", "b", "c") if repr(name) in repr(parameters) and "things" in statement)

    with database.writing() as connection:
        inserts = Inserts(connection)
        for row in ({"name": "c", "kind": "x"}, {"name": "a", "note": "y"}, {"name": "b", "kind": "z"}):
            inserts.add_or_update(things, row, ("kind",), lambda _: None)
        inserts.flush()
    assert come_to[:3] == ["a", "b", "c"]
    assert rows(database) == [("a", None, "y"), ("b", "z", None), ("c", "x", None)]
