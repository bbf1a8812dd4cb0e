"""The disk of the databases is full, for longer than all attempts at an event: nothing is given up for it."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nkk.contracts.events import ComplaintSubmitted
from nkk.sop.ticket import new_ticket
from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.builders import complaint_form
from tests.chaos import disks
from tests.chaos.world import databases_on
from tests.effort import DATABASES
from tests.faults.trial import Trial, answered, assert_unavailable
from tests.faults.trial import trial as new_trial
from tests.installations import eventually, new_vhost

EVENTS = 120
"""More than the pages hold that were begun before the disk was full."""

NOW = datetime.now(UTC)


@pytest.fixture(params=DATABASES)
def full(request: pytest.FixtureRequest, tmp_path: Path, rabbit: PrivateNode) -> Iterator[tuple[Trial, Path]]:
    """An installation whose databases lie on a small disk, and that disk."""
    settings = {"NKK_RETRY_DELAYS": "0.1,0.1"}
    if request.param == "sqlite":
        with (
            disks.small_disk(tmp_path / "var" / "db") as disk,
            new_trial(tmp_path, new_vhost(rabbit), settings=settings) as running,
        ):
            yield running, disk
        return
    with PrivatePostgres() as server, disks.small_disk(server._folder / "disk", owner=server._as) as disk:
        with new_trial(tmp_path, new_vhost(rabbit), databases_on(server, disk), settings=settings) as running:
            yield running, disk
        server.stop()


def test_events_wait_for_room_and_are_no_failures_and_callers_are_told_to_come_again(full: tuple[Trial, Path]) -> None:
    trial, disk = full
    reporter = trial.people.reporter()
    trial.settled()
    disks.fill(disk)
    told = {str(uuid.uuid4()): trial.installation.submitted(new_ticket(2026)) for _ in range(EVENTS)}
    for event_id, event in told.items():
        trial.put("notification.inbox", event.to_json(event_id, NOW), id=event_id, type=event.TYPE)
    eventually(lambda: len(trial.logged("notification-1", "database unavailable, event will be requeued")) > 20)
    refused = answered(reporter, "POST", "/complaints", complaint_form(text="Antre. " * 2000))
    assert_unavailable(refused)
    disks.empty(disk)
    eventually(lambda: set(told) <= {row[0] for row in trial.books.rows("notification", "SELECT event_id FROM inbox")})
    assert trial.quarantined("notification") == []
    assert not trial.logged("notification-1", "event failed, will be retried")
    ticket = trial.people.submit(reporter)
    eventually(lambda: trial.books.inbox("notification", ticket, ComplaintSubmitted.TYPE) == 1)
