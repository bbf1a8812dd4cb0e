"""The parts that every stage has."""

import inspect
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from nkk.messaging.host import Timer
from nkk.messaging.rpc import StageRpc
from nkk.messaging.stage import Stage, UnitOfWorkProvider
from nkk.store.work import UnitOfWork, Work


def logged(entrypoint, error):
    entrypoint.method_name = "close_lapsed"
    exc_info = error and (type(error), error, None)
    with capture_logs() as lines:
        UnitOfWorkProvider(Work).worker_result(SimpleNamespace(entrypoint=entrypoint), exc_info=exc_info)
    return [(line["event"], line["call"]) for line in lines]


def test_a_timer_that_fails_says_so():
    assert logged(Timer(interval=60), ZeroDivisionError()) == [("timer failed", "close_lapsed")]


@pytest.mark.parametrize(("entrypoint", "error"), [(Timer(interval=60), None), (StageRpc(), ZeroDivisionError())])
def test_who_has_somebody_to_say_so_to_or_nothing_to_say_does_not(entrypoint, error):
    assert logged(entrypoint, error) == []


@pytest.fixture
def stage(database, work_cls, event_cls):
    """A stage that has published an event of a complaint that was closed a hundred days ago."""
    found = Stage()
    found.uow = UnitOfWork(database, work_cls, "things")
    at = datetime.now(UTC) - timedelta(days=100)
    with found.uow.begin() as work:
        work.emit(event_cls("NKK-1"), at=at)
        work.close("NKK-1", at)
    with found.uow.begin() as work:
        work.connection.execute(update(work.OUTBOX).values(sent_at=at))
    return found


@pytest.mark.parametrize(("days", "left"), [(None, 0), ("99", 0), ("101", 1)])
def test_a_stage_keeps_events_of_closed_complaints_for_so_many_days(stage, monkeypatch, days, left):
    monkeypatch.delenv("NKK_OUTBOX_DAYS", raising=False)
    if days:
        monkeypatch.setenv("NKK_OUTBOX_DAYS", days)
    stage.prune()
    with stage.uow.reading() as work:
        assert len(work.connection.execute(select(work.OUTBOX)).all()) == left


@pytest.mark.parametrize(("since", "count"), [("2020-01-01T00:00:00Z", 1), ("2199-01-01T00:00:00Z", 0)])
def test_who_has_events_published_again_is_told_how_far_back_that_reaches(stage, monkeypatch, since, count):
    monkeypatch.setenv("NKK_OUTBOX_DAYS", "30")
    done = inspect.unwrap(Stage.republish)(stage, SimpleNamespace(id="admin"), since)
    assert (done["count"], done["days"]) == (count, 30)
    assert datetime.now(UTC) - datetime.fromisoformat(done["reaches"]) - timedelta(days=30) < timedelta(minutes=5)
    assert _unsent(stage) == count


def _unsent(stage):
    with stage.uow.reading() as work:
        return work.unsent()[0]
