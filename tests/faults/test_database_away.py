"""PostgreSQL is restarted under load: callers are told to come again, and nothing told or heard is lost."""

from collections.abc import Iterator

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.faults.trial import Crowd, Trial
from tests.faults.trial import trial as new_trial
from tests.installations import eventually, new_databases, new_vhost


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as running:
        yield running


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, server: PrivatePostgres) -> Iterator[Trial]:
    with new_trial(
        tmp_path_factory.mktemp("trial"),
        new_vhost(rabbit),
        new_databases(server),
        settings={"NKK_RETRY_DELAYS": "0.1,0.1"},
    ) as running:
        yield running


def test_stages_outlive_their_databases_and_lose_nothing(trial: Trial, server: PrivatePostgres) -> None:
    pids = trial.pids()
    with Crowd(trial.people) as crowd:
        crowd.goes_on()
        server.stop()
        crowd.is_refused()
        server.start()
        crowd.goes_on()
    assert crowd.was_served(), (crowd.answers, crowd.slowest)
    trial.settled(*crowd.tickets)
    assert trial.pids() == pids


def test_events_that_come_while_the_database_is_away_wait_for_it_and_are_no_failures(
    trial: Trial, server: PrivatePostgres
) -> None:
    ticket = trial.people.submit(trial.people.reporter())
    trial.settled(ticket)
    [(event_id, body)] = trial.books.rows(
        "intake", "SELECT event_id, body FROM outbox WHERE subject = :ticket", ticket=ticket
    )
    server.stop()
    trial.put("notification.inbox", body, type="complaint.submitted.v2")
    eventually(
        lambda: (
            len(trial.logged("notification-1", "database unavailable, event will be requeued", event_id=event_id)) > 3
        )
    )
    server.start()
    eventually(lambda: trial.logged("notification-1", "event already handled", event_id=event_id))
    assert trial.quarantined("notification") == []
    trial.settled(ticket)
