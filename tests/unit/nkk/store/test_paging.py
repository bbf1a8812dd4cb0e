import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.pool import NullPool

from nkk.sop.refusals import InvalidInput
from nkk.store.database import UtcDateTime
from nkk.store.paging import LIMIT, MAX_LIMIT, page

pairs = Table("pairs", MetaData(), Column("first", String(50)), Column("second", String(50)))
keys = [pairs.c.first, pairs.c.second]


def stored(rows):
    connection = create_engine("sqlite://", poolclass=NullPool).connect()
    pairs.create(connection)
    if rows:
        connection.execute(insert(pairs), [{"first": first, "second": second} for first, second in rows])
    return connection


def walk(connection, limit, descending=False):
    """Return the rows of every page, following `next` to the last."""
    pages, cursor = [], None
    while True:
        rows, cursor = page(connection, select(pairs), keys, cursor, limit, tuple, descending)
        pages.append(rows)
        if cursor is None:
            return pages


def cursor_of(content):
    text = content if isinstance(content, str) else json.dumps(content)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(
    st.sets(st.tuples(st.sampled_from("abc"), st.text("xyz,\"'é👍", max_size=4)), max_size=30),
    st.integers(1, 7),
    st.booleans(),
)
def test_a_walk_gives_every_row_once_and_in_order(rows, limit, descending):
    with stored(rows) as connection:
        pages = walk(connection, limit, descending)
    assert list(chain(*pages)) == sorted(rows, reverse=descending, key=lambda row: [part.encode() for part in row])
    assert all(len(rows) == limit for rows in pages[:-1])


def test_a_walk_over_rows_with_the_same_first_key_leaves_none_out():
    rows = [("same", f"{number:02d}") for number in range(10)]
    with stored(rows) as connection:
        assert list(chain(*walk(connection, 3))) == rows


def test_the_last_full_page_has_no_next():
    with stored([("a", "1"), ("a", "2")]) as connection:
        assert walk(connection, 2) == [[("a", "1"), ("a", "2")]]


def test_an_empty_list_is_one_empty_page():
    with stored([]) as connection:
        assert walk(connection, 5) == [[]]


def test_what_comes_in_before_the_cursor_does_not_shift_the_walk():
    with stored([("b", "1"), ("b", "2"), ("b", "3")]) as connection:
        first, cursor = page(connection, select(pairs), keys, None, 2, tuple)
        connection.execute(insert(pairs).values(first="a", second="0"))
        second, _ = page(connection, select(pairs), keys, cursor, 2, tuple)
    assert first + second == [("b", "1"), ("b", "2"), ("b", "3")]


def test_where_no_limit_is_given_fifty_rows_make_a_page():
    with stored([("a", f"{number:03d}") for number in range(LIMIT + 1)]) as connection:
        rows, cursor = page(connection, select(pairs), keys, None, None, tuple)
    assert (len(rows), cursor is None) == (50, False)


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1, "10", 1.5])
def test_a_limit_out_of_bounds_is_refused_by_name(limit):
    with stored([]) as connection, pytest.raises(InvalidInput) as refused:
        page(connection, select(pairs), keys, None, limit, tuple)
    assert list(refused.value.details["fields"]) == ["limit"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!",
        "é",
        "===",
        cursor_of("no json"),
        cursor_of([]),
        cursor_of(["a"]),
        cursor_of(["a", "b", "c"]),
        cursor_of(["a", 5]),
        cursor_of(["a", None]),
        cursor_of([["a"], "b"]),
        cursor_of({}),
        cursor_of("5"),
        cursor_of(["a", "b\x00"]),
        5,
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused_by_name(cursor):
    with stored([]) as connection, pytest.raises(InvalidInput) as refused:
        page(connection, select(pairs), keys, cursor, 5, tuple)
    assert list(refused.value.details["fields"]) == ["cursor"]


def test_a_cursor_stands_in_a_url_as_it_is():
    with stored([("?", "/" * 10), ("é👍", "="), ("ü", ">")]) as connection:
        _, cursor = page(connection, select(pairs), keys, None, 2, tuple)
    assert cursor.replace("-", "a").replace("_", "a").isalnum()
    assert cursor.isascii()


NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

events = Table("events", MetaData(), Column("at", UtcDateTime), Column("name", String(50)))


def stored_events(count):
    connection = create_engine("sqlite://", poolclass=NullPool).connect()
    events.create(connection)
    for number in range(count):
        connection.execute(insert(events).values(at=NOW + timedelta(seconds=number // 3), name=f"{number:02d}"))
    return connection


def test_a_walk_by_time_gives_every_row_once():
    pages, cursor = [], None
    with stored_events(10) as connection:
        while not pages or cursor:
            rows, cursor = page(connection, select(events), [events.c.at, events.c.name], cursor, 3, tuple)
            pages.append(rows)
    assert [name for _, name in chain(*pages)] == [f"{number:02d}" for number in range(10)]


@pytest.mark.parametrize(
    "values",
    [
        ["2026-03-02T01:00:00", "x"],
        ["soon", "x"],
        ["0001-01-01T00:00:00+14:00", "x"],
        ["2026-03-02T01:00:00+00:00", "\ud800"],
    ],
)
def test_a_cursor_whose_values_no_database_takes_is_refused(values):
    cursor = urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    with stored_events(1) as connection, pytest.raises(InvalidInput):
        page(connection, select(events), [events.c.at, events.c.name], cursor, 3, tuple)


def test_a_cursor_nested_too_deeply_is_refused():
    cursor = urlsafe_b64encode(b"[" * 50_000).decode()
    with stored_events(1) as connection, pytest.raises(InvalidInput):
        page(connection, select(events), [events.c.at, events.c.name], cursor, 3, tuple)
