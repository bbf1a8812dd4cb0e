"""Pruning of a complaint's events some time after it was closed, and never before; no event has its effect twice."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event as engine_event
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from nkk.contracts.events import ResponseReturned
from nkk.sop.ticket import new_ticket
from nkk.store.database import Database
from nkk.store.pruning import BATCH, KNOWN_FOR, prune
from nkk.store.work import AlreadyHandledError, UnitOfWork
from services.intake import storage as intake
from services.notification import storage as notification
from tests.builders import REPORT
from tests.integration.conftest import PlainWork
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House, _handler, house

NOW = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
KEPT = timedelta(days=90)
LONG_AGO, LATELY = NOW - KEPT - timedelta(seconds=1), NOW - KEPT + timedelta(seconds=1)
Stage = UnitOfWork[PlainWork]


def told(uow: Stage, ticket: str, count: int = 2) -> None:
    """Add `count` sent events about `ticket` to the outbox, and one to the inbox."""
    with uow.begin() as work:
        for number in range(1, count + 1):
            work.emit(ResponseReturned(ticket=ticket, opd="inspektorat", round=number, note="x", by="y"), at=LONG_AGO)
    with uow.handling(SimpleNamespace(id=f"event about {ticket}", data=SimpleNamespace(ticket=ticket))) as work:
        outbox = work.OUTBOX
        work.connection.execute(update(outbox).where(outbox.c.subject == ticket).values(sent_at=LONG_AGO))


def closed(uow: Stage, ticket: str, at: datetime) -> str:
    with uow.begin() as work:
        work.close(ticket, at)
    return ticket


def pruned(uow: UnitOfWork[Any], now: datetime = NOW) -> int:
    """Prune until nothing is left to prune; return the number of transactions."""
    for number in range(1, 100):
        with uow.begin() as work:
            if not prune(work, now, KEPT):
                return number
    raise AssertionError("it never ends")


def left(uow: Stage, table: str, column: str) -> list[str]:
    with uow.reading() as work:
        found = getattr(work, table)
        return sorted(set(work.connection.execute(select(found.c[column])).scalars()))


def test_what_is_kept_of_a_complaint_goes_once_it_was_closed_long_ago(uow: Stage) -> None:
    stays_open, old, new = (new_ticket(2026) for _ in range(3))
    for ticket in (stays_open, old, new):
        told(uow, ticket)
    closed(uow, old, LONG_AGO)
    closed(uow, new, LATELY)
    pruned(uow)
    assert left(uow, "OUTBOX", "subject") == sorted([stays_open, new])
    assert left(uow, "INBOX", "ticket") == sorted([stays_open, old, new])
    pruned(uow, NOW + KNOWN_FOR)
    assert left(uow, "OUTBOX", "subject") == [stays_open]
    assert left(uow, "INBOX", "ticket") == sorted([stays_open, old, new])
    pruned(uow, NOW + KNOWN_FOR + timedelta(seconds=1))
    assert left(uow, "INBOX", "ticket") == sorted([stays_open, new])
    assert left(uow, "CLOSED", "ticket") == [new]


def test_what_is_not_sent_stays_with_all_of_its_complaint_until_it_is(uow: Stage) -> None:
    waiting = new_ticket(2026)
    told(uow, waiting, count=4)
    with uow.begin() as work:
        outbox = work.OUTBOX
        work.connection.execute(update(outbox).where(outbox.c.id > 2).values(sent_at=None))
    closed(uow, waiting, LONG_AGO)
    pruned(uow)
    with uow.reading() as work:
        assert len(work.connection.execute(select(work.OUTBOX)).all()) == 4
    with uow.begin() as work:
        work.connection.execute(update(work.OUTBOX).values(sent_at=NOW))
    pruned(uow)
    assert left(uow, "OUTBOX", "subject") == []


def test_an_event_that_is_to_be_published_again_is_not_pruned(uow: Stage) -> None:
    old = new_ticket(2026)
    told(uow, old)
    closed(uow, old, LONG_AGO)
    with uow.begin() as work:
        assert work.republish(LONG_AGO) == 2
    pruned(uow)
    assert left(uow, "OUTBOX", "subject") == [old]


def test_many_go_by_the_batch(uow: Stage) -> None:
    tickets = [new_ticket(2026) for _ in range(2 * BATCH + 1)]
    with uow.begin() as work:
        rows = [{"ticket": ticket, "closed_at": LONG_AGO} for ticket in tickets]
        work.connection.execute(insert(work.CLOSED), rows)
    told(uow, tickets[-1])
    assert pruned(uow) == 3
    assert left(uow, "OUTBOX", "subject") == []


def test_several_instances_prune_side_by_side(on_postgres: Database) -> None:
    uow = UnitOfWork(on_postgres, PlainWork, "triage")
    for _ in range(3):
        told(uow, closed(uow, new_ticket(2026), LONG_AGO))
    with uow.begin() as first:
        assert not prune(first, NOW, KEPT)
        with uow.begin() as second:
            second.connection.exec_driver_sql("SET LOCAL lock_timeout = 1000")
            assert not prune(second, NOW, KEPT)
    assert left(uow, "OUTBOX", "subject") == []


def test_closing_twice_is_closing_once(uow: Stage) -> None:
    old = closed(uow, closed(uow, new_ticket(2026), LONG_AGO), NOW)
    with uow.reading() as work:
        assert work.connection.execute(select(work.CLOSED.c.closed_at)).scalars().all() == [LONG_AGO]
    assert left(uow, "CLOSED", "ticket") == [old]


def plans(database: Database, run: Callable[[], Any]) -> dict[str, str]:
    """Return the query plan of each statement that `run` executes."""
    found: dict[str, str] = {}

    @engine_event.listens_for(database.engine, "before_cursor_execute")
    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "DELETE", "UPDATE")):
            cursor.execute(("EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN ") + statement, parameters)
            found[statement] = "\n".join(str(row[-1]) for row in cursor.fetchall())

    run()
    engine_event.remove(database.engine, "before_cursor_execute", explain)
    return found


def test_pruning_walks_no_table_however_much_there_is(database: Database, uow: Stage) -> None:
    """The tables hold as many rows as ten thousand complaints leave, of which a few were closed long ago."""
    outbox, inbox, table = PlainWork.OUTBOX, PlainWork.INBOX, PlainWork.CLOSED
    tickets = [f"NKK-2026-{number:09}" for number in range(10_000)]
    event = {"type": "a.b.v1", "exchange": "x", "body": "x" * 500, "mandatory": True, "created_at": LATELY}
    with uow.begin() as work:
        for name in range(3):
            rows = [event | {"event_id": f"{ticket}-{name}", "subject": ticket} for ticket in tickets]
            work.connection.execute(insert(outbox), [row | {"sent_at": LATELY} for row in rows])
        heard = {"consumer": "triage", "handled_at": LATELY}
        work.connection.execute(insert(inbox), [heard | {"event_id": ticket, "ticket": ticket} for ticket in tickets])
        rows = [{"ticket": ticket, "closed_at": NOW, "pruned_at": None} for ticket in tickets[50:]]
        rows += [{"ticket": ticket, "closed_at": LONG_AGO, "pruned_at": None} for ticket in tickets[:50]]
        work.connection.execute(insert(table), rows)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    found = plans(database, lambda: pruned(uow))
    found |= plans(database, lambda: pruned(uow, NOW + KNOWN_FOR + timedelta(seconds=1)))
    assert len(found) >= 6
    walked = "SCAN" if database.is_sqlite else "Seq Scan"
    # In SQLite's plans SCAN is a walk through a table or a whole index.
    assert {how for how in found.values() if walked in how} == set()


# -- the stages


@pytest.fixture
def stages(url_of: Callable[[str], str]) -> Iterator[House]:
    with house(url_of, random.Random(7)) as built:
        yield built


def travelled(stages: House) -> str:
    """Carry a complaint to its closing, with one response returned; return its ticket."""
    ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    acts: list[tuple[Any, ...]] = [
        ("intake", "hand_over", OPERATOR),
        ("triage", "forward", MAIN_TEAM, OPD, "Mohon ditanggapi."),
        ("opd_response", "respond", OPD_TEAM, "Sudah."),
        ("triage", "return_response", MAIN_TEAM, "Belum menjawab."),
        ("opd_response", "respond", OPD_TEAM, "Kini lengkap."),
        ("triage", "approve", MAIN_TEAM),
        ("notification", "send_answer", OPERATOR, "Terima kasih."),
        ("notification", "confirm_receipt", REPORTER),
    ]
    for stage, act, actor, *args in acts:
        stages.now += timedelta(minutes=3)
        stages.deliver()
        stages.do(stage, act, actor, ticket, *args)
    stages.deliver()
    return ticket


def sent(stages: House) -> None:
    for stage, database in stages.databases.items():
        with database.writing() as connection:
            connection.execute(update(STORAGES[stage].outbox).values(sent_at=stages.now))


def outboxes(stages: House) -> dict[str, list[str]]:
    found = {}
    for stage, database in stages.databases.items():
        outbox = STORAGES[stage].outbox
        with database.reading() as connection:
            found[stage] = list(connection.execute(select(outbox.c.type).order_by(outbox.c.id)).scalars())
    return found


def test_every_stage_prunes_what_it_was_told_was_closed(stages: House) -> None:
    stages.services["intake"].publish_lists()
    stages.services["intake"].extend_calendar()
    stages.collect()
    stages.deliver()
    travelled(stages)
    unfinished = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    sent(stages)
    assert all(outboxes(stages).values())
    for service in stages.services.values():
        pruned(service.uow, stages.now + KEPT + timedelta(days=1))
    assert outboxes(stages) == {
        "intake": ["lists.changed.v1", "calendar.changed.v1", "complaint.submitted.v2"],
        "triage": [],
        "opd_response": [],
        "notification": [],
    }
    with stages.databases["intake"].reading() as connection:
        assert connection.execute(select(intake.outbox.c.subject)).scalars().all()[-1] == unfinished


def everything(stages: House) -> dict[str, list[str]]:
    """Return everything the stages store, without outbox, inbox and closed complaints."""
    found = {}
    for stage, database in stages.databases.items():
        with database.reading() as connection:
            for table in STORAGES[stage].metadata.sorted_tables:
                if table.name not in ("inbox", "outbox", "closed"):
                    found[f"{stage}.{table.name}"] = sorted(map(repr, connection.execute(select(table)).all()))
    return found


def test_an_event_that_comes_again_when_nobody_knows_it_any_more_changes_nothing(stages: House) -> None:
    stages.services["intake"].publish_lists()
    stages.services["intake"].extend_calendar()
    stages.collect()
    stages.deliver()
    travelled(stages)
    sent(stages)
    later = stages.now + KEPT + timedelta(days=1)
    for service in stages.services.values():
        pruned(service.uow, later)
        pruned(service.uow, later + KNOWN_FOR + timedelta(days=1))
    before = everything(stages)
    again = [(ear, event) for _, event in stages.told for ear in type(event.data).CONSUMERS]
    assert len(again) > 15
    refused = set()
    for ear, event in again:
        try:
            getattr(stages.services[ear], _handler(ear, event.type)[0])(event)
        except IntegrityError:
            refused.add((ear, event.type))
        except AlreadyHandledError:
            assert "ticket" not in vars(event.data)
    assert everything(stages) == before
    # An event that would add a row finds it there already; the effect of the others is there already too.
    assert {type_ for ear, type_ in refused if ear != "notification"} == {
        "complaint.handed_over.v1",
        "complaint.forwarded.v1",
    }


def test_what_was_closed_before_the_stages_heard_of_it_is_published_once_more(stages: House) -> None:
    ticket = travelled(stages)
    sent(stages)
    outbox = notification.outbox
    closing = update(outbox).where(outbox.c.type == "complaint.closed.v1")
    for stage, database in stages.databases.items():
        with database.writing() as connection:
            connection.execute(STORAGES[stage].closed.delete())
    with stages.databases["notification"].writing() as connection:
        connection.execute(closing.values(mandatory=False))
    for _ in range(2):
        stages.services["notification"].republish_closings()
    with stages.databases["notification"].reading() as connection:
        rows = connection.execute(select(outbox.c.subject, outbox.c.mandatory).where(outbox.c.sent_at.is_(None))).all()
        kept = connection.execute(select(notification.closed.c.ticket)).scalars().all()
    assert (rows, kept) == ([(ticket, True)], [ticket])


def test_codes_go_by_their_age(stages: House) -> None:
    event = {"exchange": "intake.events", "body": "{}", "mandatory": True}
    rows = [
        event
        | {"event_id": f"{type_} {at} {sent_at}", "type": type_, "subject": "x", "created_at": at, "sent_at": sent_at}
        for type_ in ("password.reset_requested.v1", "reporter.registered.v1")
        for at, sent_at in ((LONG_AGO, NOW), (LONG_AGO, None), (LATELY, NOW))
    ]
    for number, row in enumerate(rows):
        row["event_id"] = str(number)
    with stages.databases["intake"].writing() as connection:
        connection.execute(insert(intake.outbox), rows)
    pruned(stages.services["intake"].uow)
    with stages.databases["intake"].reading() as connection:
        assert connection.execute(select(intake.outbox.c.event_id)).scalars().all() == ["1", "2", "3", "4", "5"]
