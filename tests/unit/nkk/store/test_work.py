from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from nkk.log import begin_context
from nkk.store.work import AlreadyHandledError, UnitOfWork

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HEARD = SimpleNamespace(id="event-1", data=SimpleNamespace(ticket="NKK-1"))


class ItFailedError(Exception):
    """A handler or command fails half way."""


@pytest.fixture
def told():
    return []


@pytest.fixture
def uow(database, work_cls, told):
    begin_context()
    return UnitOfWork(database, work_cls, "things", lambda: told.append("woken"))


def rows(uow, table):
    with uow.reading() as work:
        return work.connection.execute(select(getattr(work, table))).all()


def add(work, name="a", count=0):
    work.connection.execute(insert(work.THINGS).values(name=name, count=count, at=AT))


def test_a_change_and_its_event_are_committed_together(uow, told, event_cls):
    with uow.begin() as work:
        add(work)
        work.emit(event_cls("a"), at=AT)
    (row,) = rows(uow, "OUTBOX")
    assert (row.type, row.exchange, row.subject, row.mandatory, row.created_at, row.sent_at, row.held_until) == (
        "thing.happened.v1",
        "things.events",
        "a",
        True,
        AT,
        None,
        None,
    )
    assert row.event_id in row.body
    assert len(rows(uow, "THINGS")) == 1
    assert told == ["woken"]


def test_the_relay_is_woken_after_the_commit_and_not_before(database, work_cls, event_cls):
    seen = []

    def look():
        with database.reading() as connection:
            seen.append(len(connection.execute(select(work_cls.OUTBOX)).all()))

    uow = UnitOfWork(database, work_cls, "things", look)
    with uow.begin() as work:
        work.emit(event_cls("a"))
        assert seen == []
    assert seen == [1]


def test_a_failure_leaves_neither_change_nor_event_and_wakes_nobody(uow, told, event_cls):
    def command():
        with uow.begin() as work:
            add(work)
            work.emit(event_cls("a"))
            raise ItFailedError

    with pytest.raises(ItFailedError):
        command()
    assert rows(uow, "THINGS") == rows(uow, "OUTBOX") == told == []


def test_a_refusal_by_the_database_takes_the_event_back(uow, event_cls):
    with uow.begin() as work:
        add(work)

    def command():
        with uow.begin() as work:
            work.emit(event_cls("a"))
            add(work)

    with pytest.raises(IntegrityError):
        command()
    assert rows(uow, "OUTBOX") == []


def test_an_error_of_the_database_does_not_carry_what_was_written(uow):
    with uow.begin() as work:
        add(work, "rahasia pelapor")
    with pytest.raises(IntegrityError) as refused, uow.begin() as work:
        add(work, "rahasia pelapor")
    assert "rahasia" not in str(refused.value)


def test_nobody_is_woken_where_there_is_nothing_to_tell(uow, told):
    with uow.begin() as work:
        add(work)
    assert told == []


def test_events_keep_the_order_they_were_told_in_and_have_ids_of_their_own(uow, event_cls):
    with uow.begin() as work:
        work.emit(event_cls("a"), event_cls("b"))
        work.emit(event_cls("c"))
    told = sorted(rows(uow, "OUTBOX"), key=lambda row: row.id)
    assert [row.subject for row in told] == ["a", "b", "c"]
    assert len({row.event_id for row in told}) == 3


def test_an_event_nobody_consumes_need_not_be_routed(uow, event_cls):
    class ForTooling(event_cls):
        CONSUMERS = ()

    with uow.begin() as work:
        work.emit(ForTooling("a"))
    assert [row.mandatory for row in rows(uow, "OUTBOX")] == [False]


def test_an_event_that_several_tell_goes_to_the_exchange_of_the_one_that_tells_it(database, work_cls, event_cls):
    for service in ("things", "others"):
        with UnitOfWork(database, work_cls, service).begin() as work:
            work.emit(event_cls("a"))
    told = rows(UnitOfWork(database, work_cls, "things"), "OUTBOX")
    assert [(row.exchange, f'"by": "{row.exchange.partition(".")[0]}"' in row.body) for row in told] == [
        ("things.events", True),
        ("others.events", True),
    ]


def test_an_event_only_its_own_teller_consumes_need_not_be_routed(database, work_cls, event_cls):
    for service in ("things", "others"):
        with UnitOfWork(database, work_cls, service).begin() as work:
            work.emit(event_cls("a"))
    told = rows(UnitOfWork(database, work_cls, "things"), "OUTBOX")
    assert {row.exchange: row.mandatory for row in told} == {"things.events": True, "others.events": False}


def test_an_event_carries_the_request_it_began_with(uow, event_cls):
    begin_context(correlation_id="request-1")
    with uow.begin() as work:
        work.emit(event_cls("a"))
    (row,) = rows(uow, "OUTBOX")
    assert row.correlation_id == "request-1"
    assert '"correlation": "request-1"' in row.body


def test_handling_an_event_twice_keeps_its_effect_single(uow, event_cls):
    def handle():
        with uow.handling(HEARD) as work:
            add(work, f"thing {len(rows(uow, 'THINGS'))}")
            work.emit(event_cls("a"))

    handle()
    with pytest.raises(AlreadyHandledError):
        handle()
    assert [len(rows(uow, table)) for table in ("THINGS", "OUTBOX", "INBOX")] == [1, 1, 1]


def test_a_handler_that_failed_may_handle_the_event_again(uow):
    def fail():
        with uow.handling(HEARD) as work:
            add(work)
            raise ItFailedError

    with pytest.raises(ItFailedError):
        fail()
    assert rows(uow, "INBOX") == []
    with uow.handling(HEARD) as work:
        add(work)
    assert len(rows(uow, "THINGS")) == 1


def test_the_inbox_remembers_who_handled_which_event(uow):
    with uow.handling(HEARD):
        pass
    (row,) = rows(uow, "INBOX")
    assert (row.consumer, row.event_id) == ("things", "event-1")


def test_two_consumers_of_one_database_each_handle_an_event(database, work_cls, uow):
    other = UnitOfWork(database, work_cls, "others")
    with uow.handling(HEARD):
        pass
    with other.handling(HEARD) as work:
        add(work)
    assert len(rows(uow, "INBOX")) == 2


def test_reading_sees_only_what_is_committed(uow):
    with uow.begin() as work:
        add(work)
        assert rows(uow, "THINGS") == []
    assert len(rows(uow, "THINGS")) == 1


def test_instants_come_back_aware_and_in_utc(uow):
    with uow.begin() as work:
        add(work)
    assert rows(uow, "THINGS")[0].at.isoformat() == "2026-03-02T01:00:00+00:00"


def test_a_naive_instant_is_not_stored(uow):
    with uow.begin() as work:
        add(work)
    with pytest.raises(StatementError, match="instants must be timezone-aware"), uow.begin() as work:
        work.connection.execute(update(work.THINGS).values(at=datetime(2026, 3, 2)))
    assert rows(uow, "THINGS")[0].at == AT


def test_what_waits_to_be_published_is_counted_from_the_oldest(uow, event_cls):
    with uow.begin() as work:
        assert work.unsent() == (0, None)
        work.emit(event_cls("a"), at=AT)
        work.emit(event_cls("b"))
    with uow.reading() as work:
        assert work.unsent() == (2, AT)


def test_a_part_that_fails_leaves_what_was_before_it(uow, told, event_cls):
    calls = []
    with uow.begin() as work:
        add(work, "before")
        work.emit(event_cls("before"))
        work.afterwards(lambda: calls.append("before"))
        with suppress(ItFailedError), work.part():
            add(work, "within")
            work.emit(event_cls("within"))
            work.inserts.add(work.THINGS, {"name": "waiting", "count": 0, "at": AT})
            work.afterwards(lambda: calls.append("within"))
            raise ItFailedError
        add(work, "after")
    assert {row.name for row in rows(uow, "THINGS")} == {"before", "after"}
    assert [row.subject for row in rows(uow, "OUTBOX")] == ["before"]
    assert calls == ["before"]


def test_of_a_part_that_fails_nothing_is_told_where_nothing_was_before(uow, told, event_cls):
    with uow.begin() as work, suppress(ItFailedError), work.part():
        work.emit(event_cls("within"))
        raise ItFailedError
    assert (told, rows(uow, "OUTBOX")) == ([], [])


def test_a_part_that_succeeds_is_kept_with_the_rest(uow, event_cls):
    with uow.begin() as work:
        with work.part():
            add(work, "within")
            work.emit(event_cls("within"))
        assert [row.subject for row in work.connection.execute(select(work.OUTBOX)).all()] == ["within"]
    assert [row.name for row in rows(uow, "THINGS")] == ["within"]


def test_a_part_is_gone_with_a_transaction_that_fails_later(uow, told, event_cls):
    with suppress(ItFailedError), uow.begin() as work:
        with work.part():
            add(work, "within")
            work.emit(event_cls("within"))
        raise ItFailedError
    assert (rows(uow, "THINGS"), rows(uow, "OUTBOX"), told) == ([], [], [])


def test_all_that_a_transaction_does_has_the_time_at_which_it_began(database, work_cls, event_cls):
    begin_context()
    times = iter([AT, AT + timedelta(hours=1), AT + timedelta(hours=2)])
    uow = UnitOfWork(database, work_cls, "things", clock=lambda: next(times))
    with uow.handling(HEARD) as work:
        work.emit(event_cls("a"))
        work.emit(event_cls("b"))
    with uow.reading() as work:
        assert work.now == AT + timedelta(hours=1)
        assert [row.created_at for row in work.connection.execute(select(work.OUTBOX))] == [AT, AT]
        assert [row.handled_at for row in work.connection.execute(select(work.INBOX))] == [AT]


def test_handlers_whose_effects_are_committed_together_have_one_clock(database, work_cls):
    uow = UnitOfWork(database, work_cls, "things", clock=lambda: AT)
    with uow.batch([HEARD]) as together, together.handling(HEARD) as work:
        assert (work.now, together.clock()) == (AT, AT)
