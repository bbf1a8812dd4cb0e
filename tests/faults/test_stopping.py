"""Deploys under load: instances are told to end again and again, and nobody but the log notices."""

import os
import signal
from collections.abc import Iterator

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.run import Stack
from tests.faults.trial import Crowd, Trial
from tests.faults.trial import trial as new_trial
from tests.installations import eventually, new_vhost

INSTANCES = ("triage-1", "intake-1", "notification-1", "opd_response-1", "triage-2")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Iterator[Trial]:
    with new_trial(
        tmp_path_factory.mktemp("trial"),
        new_vhost(rabbit),
        scale={"triage": 2, "intake": 2},
        # A call that is lost is waited for longer than a caller has patience; one that is late is not taken for lost.
        settings={"NKK_TEST_HANDLING_SECONDS": "0.3", "NKK_RPC_TIMEOUT": "60"},
        # Processes as operations start them.
        stack_cls=Stack,
    ) as running:
        yield running


@pytest.mark.long
def test_instances_that_end_under_load_finish_what_they_hold(trial: Trial) -> None:
    with Crowd(trial.people) as one, Crowd(trial.people) as other:
        one.goes_on()
        for name in INSTANCES:
            pid = trial.pids()[name]
            os.kill(pid, signal.SIGTERM)
            eventually(lambda name=name, pid=pid: trial.pids().get(name, pid) != pid)
            one.goes_on(2)
            other.goes_on(2)
    for crowd in (one, other):
        assert crowd.was_served(), (crowd.answers, crowd.slowest)
    trial.settled(*one.tickets, *other.tickets)
    logs = trial.installation.logs()
    assert "stopped with messages in flight" not in logs
    assert "event already handled" not in logs
    assert "acknowledgement lost" not in logs
    assert "Traceback" not in logs


def test_instances_of_which_another_remains_end_without_anybody_being_refused(trial: Trial) -> None:
    def all_there() -> bool:
        return all(trial.consumers(queue) == 2 for queue in ("intake.calls", "triage.calls", "triage.inbox"))

    eventually(all_there)
    with Crowd(trial.people) as crowd:
        crowd.goes_on()
        for name in ("intake-1", "triage-1"):
            trial.installation.take_down(name)
            crowd.goes_on(3)
            trial.installation.bring_up(name)
            eventually(all_there)
    assert set(crowd.answers) == {("submit", 201), ("hand over", 200)}
    trial.settled(*crowd.tickets)
