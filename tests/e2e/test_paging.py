"""Paging: long lists come in pages, each row once."""

import base64
import json

import pytest

from tests.people import People, Person
from tests.problems import at_fault

# What is no limit and no cursor is refused before a database is asked.
DATABASES = ["postgres"]


def pages(person: Person, path: str, limit: int) -> list[list[str]]:
    """Return the rows of every page, by ticket or user name."""
    found, cursor = [], {}
    while True:
        page = person.get(path, params={"limit": limit} | cursor)
        found.append([item.get("ticket") or item["username"] for item in page["items"]])
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def encoded(values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.on_both
def test_a_reporter_pages_through_their_own_complaints_newest_first(people: People) -> None:
    reporter, other = people.reporter(), people.reporter()
    tickets = [(people.submit(other), people.submit(reporter))[1] for _ in range(7)][::-1]
    assert pages(reporter, "/complaints", 3) == [tickets[:3], tickets[3:6], tickets[6:]]
    assert pages(reporter, "/complaints", 7) == [tickets]
    assert pages(reporter, "/complaints", 1) == [[ticket] for ticket in tickets]


@pytest.mark.on_both
def test_what_comes_in_meanwhile_neither_hides_nor_repeats_a_row(people: People) -> None:
    reporter = people.reporter()
    tickets = [people.submit(reporter) for _ in range(4)][::-1]
    first = reporter.get("/complaints", params={"limit": 2})
    people.submit(reporter)
    second = reporter.get("/complaints", params={"limit": 2, "cursor": first["next"]})
    assert [item["ticket"] for item in first["items"] + second["items"]] == tickets


@pytest.mark.on_both
def test_a_desk_pages_through_its_worklist_oldest_due_first(people: People) -> None:
    reporter = people.reporter()
    tickets = {people.submit(reporter) for _ in range(5)}
    found = [ticket for page in pages(people.operator, "/desks/intake", 2) for ticket in page]
    assert tickets <= set(found)
    assert len(found) == len(set(found))
    due = [item["due_at"] for item in people.operator.get("/desks/intake", params={"limit": 200})["items"]]
    assert due == sorted(due)


@pytest.mark.on_both
def test_staff_are_listed_a_page_at_a_time(people: People) -> None:
    [everybody] = pages(people.admin, "/staff", 200)
    assert len(everybody) > 6
    assert everybody == sorted(set(everybody))
    limit = len(everybody) // 3
    found = pages(people.admin, "/staff", limit)
    assert [len(page) for page in found[:3]] == [limit] * 3
    assert [name for page in found for name in page] == everybody


@pytest.fixture(scope="module")
def inspectorate(people: People) -> Person:
    return people.opd_team("inspektorat")


@pytest.mark.parametrize("limit", ["0", "-1", "201", "abc", "", "1.5", "1e2", "9" * 5_00])
def test_a_limit_that_cannot_be_is_refused(people: People, limit: str) -> None:
    for person, path in (
        (people.operator, "/desks/intake"),
        (people.operator, "/desks/answers"),
        (people.main_team, "/desks/triage"),
        (people.admin, "/staff"),
    ):
        assert at_fault(person.ask("GET", path, params={"limit": limit})) == {"limit"}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "😀",
        "%00",
        "x" * 501,
        "'; --",
        encoded("x"),
        encoded(7),
        encoded(None),
        encoded([]),
        encoded(["x"] * 3),
        encoded(["not a time", "x"]),
        encoded(["2026-01-01T00:00:00", "x"]),
        encoded(["2026-01-01T00:00:00+00:00", 7]),
        encoded(["2026-01-01T00:00:00+00:00", "\x00"]),
        encoded(["2026-01-01T00:00:00+00:00", "\ud800"]),
        encoded(["0001-01-01T00:00:00+23:59", "x"]),
        encoded([[[]], {}]),
        encoded(["operator"]),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(people: People, inspectorate: Person, cursor: str) -> None:
    for person, path in (
        (people.operator, "/desks/intake"),
        (people.operator, "/desks/answers"),
        (people.main_team, "/desks/triage"),
        (inspectorate, "/desks/opd"),
    ):
        assert at_fault(person.ask("GET", path, params={"cursor": cursor})) == {"cursor"}


def test_the_cursor_of_one_list_is_none_of_another(people: People) -> None:
    cursor = people.admin.get("/staff", params={"limit": 1})["next"]
    assert at_fault(people.operator.ask("GET", "/desks/intake", params={"cursor": cursor})) == {"cursor"}
