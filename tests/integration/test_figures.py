"""Public figures, counted by the database, on both databases."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import event, insert

from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS, WIB
from services.notification.counting import counted
from services.notification.counting import rated as count_ratings
from services.notification.figures import FEWEST, beginnings
from services.notification.storage import journeys
from tests.builders import REPORT
from tests.stages import ADMIN, MAIN_TEAM, OPERATOR, REPORTER, House, house


def figures(stages: House) -> dict[str, Any]:
    return stages.services["notification"].figures()


def answered(stages: House, after: timedelta) -> str:
    """Submit a request for information and answer it `after` its submission; return its ticket."""
    ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    stages.deliver()
    stages.do("intake", "hand_over", OPERATOR, ticket)
    stages.deliver()
    stages.do("triage", "classify_as_information", MAIN_TEAM, ticket)
    stages.deliver()
    stages.now += after
    stages.do("notification", "send_answer", OPERATOR, ticket, "Sudah.")
    stages.now -= after
    return ticket


def test_what_was_submitted_answered_and_closed_is_counted_and_shares_from_the_fifth_on(
    url_of: Callable[[str], str],
) -> None:
    with house(url_of) as stages:
        # They take 1, 2 and 3 office hours of a Monday morning; the fourth is answered three working days later.
        tickets = [answered(stages, timedelta(hours=hours)) for hours in (1, 2, 3, 72)]
        stages.do("intake", "submit", REPORTER, REPORT)
        stages.deliver()
        stages.do("notification", "confirm_receipt", REPORTER, tickets[0])
        stages.now += timedelta(days=4)
        few = figures(stages)["this_month"]
        assert (few["accepted"], few["answered"], few["closed"]) == (5, None, None)
        assert few["in_time_share"] is few["median_minutes"] is None
        stages.now -= timedelta(days=4)
        answered(stages, timedelta(hours=3))
        stages.now += timedelta(days=4)
        found = figures(stages)
        assert found["this_month"]["in_time_share"] == 0.8
        assert found["this_month"]["median_minutes"] == 180
        assert found["last_12_months"] == found["this_month"] | {"since": "2025-03-31T17:00:00.000000Z"}
        # A year later none of it is counted any more.
        stages.now += timedelta(days=365)
        later = figures(stages)["last_12_months"]
        assert later.pop("ratings") == {"count": None, "average": None}
        assert set(later.values()) == {None, later["since"]}


def rated(stages: House, *ratings: int) -> list[str]:
    """Answer and close a report for each of `ratings`, and rate the answer with it; return the tickets."""
    tickets = [answered(stages, timedelta(hours=1)) for _ in ratings]
    stages.now += timedelta(hours=2)
    for ticket, rating in zip(tickets, ratings, strict=True):
        stages.do("notification", "confirm_receipt", REPORTER, ticket)
        stages.do("notification", "rate", REPORTER, ticket, rating)
    stages.deliver()
    return tickets


def month(stages: House, month: str) -> Any:
    """Return what the month's recapitulation is told of its ratings."""
    return stages.do("notification", "month", OPERATOR, month, False)["ratings"]


def test_ratings_are_told_once_their_month_is_over_and_none_of_a_few(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        rated(stages, 5, 5, 4, 3, 5, 1)
        assert figures(stages)["this_month"]["ratings"] == {"count": None, "average": None}
        stages.now += timedelta(days=1)
        assert figures(stages)["this_month"]["ratings"] == {"count": FEWEST, "average": None}
        assert month(stages, "2026-03") == {"count": FEWEST, "average": None, "by_rating": {}}
        stages.now += timedelta(days=31)
        rated(stages, 2, 2)
        stages.now += timedelta(days=31)
        found = figures(stages)
        march = {"count": 6, "average": 4.0, "by_rating": {}}
        few = {"count": None, "average": None, "by_rating": {}}
        assert {each["month"]: each["ratings"] for each in found["months"][-3:]} == {
            "2026-03": march,
            "2026-04": few,
            "2026-05": few,
        }
        assert found["last_12_months"]["ratings"] == {"count": 6, "average": 4.0}
        assert [month(stages, of) for of in ("2026-03", "2026-04")] == [march, few]
        assert "ratings" not in stages.do("notification", "month", OPERATOR, "2026-03", True)


def test_ratings_are_counted_by_their_indexes_alone(tmp_path: Path) -> None:
    with house(lambda stage: f"sqlite:///{tmp_path}/{stage}.db") as stages:
        plans = []

        def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            plans.append(cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchone()[3])

        database = stages.databases["notification"]
        with database.reading() as connection:
            event.listen(database.engine, "before_cursor_execute", explain)
            found = count_ratings(connection, beginnings(stages.now), stages.now)
    assert found == {}
    assert ["ix_answers_rated " in plans[0], "ix_answers_rated_first " in plans[1], len(plans)] == [True, True, 2]
    assert all("COVERING INDEX" in plan for plan in plans)


def test_the_rating_of_an_answer_that_was_objected_to_stays_in_its_month(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        tickets = rated(stages, 1, 1, 1, 1, 1)
        ticket = tickets[0]
        stages.do("notification", "object_to", REPORTER, ticket, "Belum terjawab.")
        stages.deliver()
        stages.now += timedelta(days=40)
        march = {"count": 5, "average": 1.0, "by_rating": {}}
        assert month(stages, "2026-03") == march
        stages.do("triage", "classify_as_information", MAIN_TEAM, ticket)
        stages.deliver()
        assert month(stages, "2026-03") == march
        stages.do("notification", "send_answer", OPERATOR, ticket, "Kini sudah.")
        stages.do("notification", "confirm_receipt", REPORTER, ticket)
        stages.do("notification", "rate", REPORTER, ticket, 5)
        assert month(stages, "2026-03") == march
        assert stages.stored(ticket)["notification"].first_rating == 1


def test_what_happens_today_is_counted_from_tomorrow_on(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        for ticket in [answered(stages, timedelta(hours=1)) for _ in range(FEWEST)]:
            stages.do("notification", "confirm_receipt", REPORTER, ticket)
        midnight = stages.now.astimezone(WIB).replace(hour=0, minute=0) + timedelta(days=1)
        for stages.now, count in ((midnight - timedelta(microseconds=1), None), (midnight, FEWEST)):
            found = figures(stages)
            assert [found["this_month"][name] for name in ("accepted", "answered", "closed")] == [count] * 3
        assert found["as_of"] == "2026-03-03T00:00:00+07:00"


def test_minutes_are_counted_by_the_calendar_that_the_submission_named(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
        stages.deliver()
        _close_the_offices(stages, "2026-03-03")
        assert stages.stored(ticket)["intake"].calendar == 0
        stages.do("intake", "hand_over", OPERATOR, ticket)
        stages.deliver()
        stages.do("triage", "classify_as_information", MAIN_TEAM, ticket)
        stages.deliver()
        submitted, stages.now = stages.now, stages.now + timedelta(days=2)
        stages.do("notification", "send_answer", OPERATOR, ticket, "Sudah.")
        with stages.services["notification"].uow.reading() as work:
            journey = work.journeys.get(ticket)
        assert journey.answered_at == stages.now
        assert journey.answer_minutes == OFFICE_HOURS.minutes_between(submitted, stages.now) == 900


def test_a_submission_that_is_heard_last_is_counted_all_the_same(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        for _ in range(FEWEST - 1):
            answered(stages, timedelta(hours=2))
        ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
        late, stages.waiting = stages.waiting, []
        stages.do("intake", "hand_over", OPERATOR, ticket)
        stages.deliver()
        stages.do("triage", "classify_as_information", MAIN_TEAM, ticket)
        stages.deliver()
        submitted, stages.now = stages.now, stages.now + timedelta(hours=2)
        stages.do("notification", "send_answer", OPERATOR, ticket, "Sudah.")
        assert figures(stages)["this_month"]["answered"] is None
        stages.now += timedelta(days=1)
        assert figures(stages)["this_month"]["answered"] == FEWEST
        stages.now -= timedelta(days=1)
        stages.waiting = late
        stages.deliver()
        with stages.services["notification"].uow.reading() as work:
            journey = work.journeys.get(ticket)
        assert (journey.answered_at, journey.answer_minutes) == (submitted + timedelta(hours=2), 120)


def test_the_database_counts_as_one_would_by_hand_and_by_its_indexes(url_of: Callable[[str], str]) -> None:
    chance, now = random.Random(7), datetime(2026, 3, 15, 9, tzinfo=WIB)
    rows = [_journey(chance, number, now) for number in range(3_000)]
    with house(url_of) as stages:
        database, plans = stages.databases["notification"], []
        with database.writing() as connection:
            connection.execute(insert(journeys), rows)
        months = beginnings(now)
        if database.is_sqlite:
            event.listen(
                database.engine,
                "before_cursor_execute",
                lambda _connection, cursor, statement, parameters, *_: plans.extend(
                    row[3] for row in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                ),
            )
        with database.reading() as connection:
            whole, running, numbers = counted(connection, months, now - timedelta(days=1))
    until = now - timedelta(days=1)
    for place, (since, end) in enumerate(pairwise([*months, until])):
        accepted, answered_then, closed = (
            [row for row in rows if row[name] and since <= row[name] < end]
            for name in ("submitted_at", "answered_at", "closed_at")
        )
        assert numbers.accepted[place] == len(accepted)
        assert numbers.answered[place] == len(answered_then)
        assert numbers.closed[place] == len(closed)
        assert numbers.by_category[place] == Counter(row["category"] for row in accepted if row["category"])
    for stretch, since in ((whole, months[0]), (running, months[-1])):
        mine = [row for row in rows if row["answered_at"] and since <= row["answered_at"] < until]
        timed = [row for row in mine if row["answer_minutes"] is not None]
        assert len(timed) > FEWEST
        assert stretch.timed == len(timed)
        assert stretch.median == int(median(row["answer_minutes"] for row in timed))
        assert stretch.in_time == sum(row["answered_at"] <= row["service_due_at"] for row in timed)
        timed.sort(key=lambda row: row["answered_at"])
        in_full = timed[: len(timed) // FEWEST * FEWEST]
        assert len(in_full) < len(timed)
        assert stretch.in_full().timed == len(in_full)
        assert stretch.in_full().median == int(median(row["answer_minutes"] for row in in_full))
        assert stretch.in_full().in_time == sum(row["answered_at"] <= row["service_due_at"] for row in in_full)
    assert all("COVERING INDEX" in plan for plan in plans if "journeys" in plan)


def test_figures_are_nobodys_secret_and_nobodys_name(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        ticket = answered(stages, timedelta(hours=1))
        told = str(figures(stages))
        assert not [word for word in (ticket, REPORTER.id, OPERATOR.id, REPORT["category"]) if word in told]


def _journey(chance: random.Random, number: int, now: datetime) -> dict[str, Any]:
    submitted = now - timedelta(minutes=chance.randrange(800 * 1440))
    answered_at = min(submitted + timedelta(minutes=chance.randrange(6_000)), now) if chance.random() < 0.8 else None
    known = answered_at is not None and chance.random() < 0.9
    return {
        "ticket": f"NKK-2026-{number:04d}-0000",
        "submitted_at": submitted,
        "category": chance.choice(["kode-etik", "kode-perilaku", None]),
        "service_due_at": submitted + timedelta(days=2),
        "answered_at": answered_at,
        "answer_minutes": chance.randrange(2_000) if known else None,
        "closed_at": answered_at + timedelta(days=1) if answered_at and chance.random() < 0.7 else None,
    }


def _close_the_offices(stages: House, day: str) -> None:
    without = write_calendar(OFFICE_HOURS) | {"national_years": []}
    stages.do("intake", "replace_calendar", ADMIN, 0, without | {"days": {day: {"name": "Banjir", "spans": []}}})
    stages.deliver()


def test_what_was_withdrawn_or_closed_without_an_answer_does_not_count_as_closed(url_of: Callable[[str], str]) -> None:
    with house(url_of) as stages:
        today = stages.services["notification"].uow.clock()
        last = beginnings(today)[-2] + timedelta(days=1)
        with stages.services["notification"].uow.begin() as work:
            work.connection.execute(
                insert(journeys),
                [
                    {"ticket": f"T-{number}", "submitted_at": last, "closed_at": last, "ended": ended, "kept": 0}
                    for number, ended in enumerate([*[None] * 5, "withdrawn", "abandoned"])
                ],
            )
        assert [month["closed"] for month in figures(stages)["months"]][-2] == 5
