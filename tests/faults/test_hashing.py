"""Passwords that take long: nobody but who needs one waits, and of those no more than there are places."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ops.stack.broker import PrivateNode
from tests.builders import complaint_form
from tests.faults.stages import HASHING
from tests.faults.trial import Trial, answered
from tests.faults.trial import trial as new_trial
from tests.installations import eventually, new_vhost
from tests.people import PASSWORD, REGISTRATION
from tests.problems import problem

PLACES = 2
CALLERS = 30


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Iterator[Trial]:
    with new_trial(
        tmp_path_factory.mktemp("hashing"),
        new_vhost(rabbit),
        settings={"NKK_MAX_WORKERS": str(2 * PLACES), "NKK_RPC_TIMEOUT": "20"},
    ) as running:
        yield running


def test_with_every_place_taken_a_log_in_is_refused_at_once_and_everybody_else_is_served(trial: Trial) -> None:
    anyone, reporter = trial.people.anyone, trial.people.reporter()
    assert reporter.account
    right = {name: reporter.account[name] for name in ("username", "password")}
    trial.ask_for(HASHING)
    with ThreadPoolExecutor(CALLERS) as pool:
        try:
            tries = [
                pool.submit(anyone.ask, "POST", "/sessions", right | {"password": "bukan yang ini 42"})
                for _ in range(CALLERS)
            ]
            eventually(lambda: sum(each.done() for each in tries) == CALLERS - PLACES)
            assert answered(reporter, "POST", "/complaints", complaint_form()).status_code == 201
            assert answered(reporter, "GET", "/complaints").status_code == 200
            for refused in (
                answered(anyone, "POST", "/sessions", right),
                answered(anyone, "POST", "/reporters", REGISTRATION | {"username": "warga-yang-lain"}),
                answered(
                    reporter,
                    "PUT",
                    "/sessions/current/password",
                    {"password": PASSWORD, "new_password": "sandi yang baru 42"},
                ),
                *(each.result() for each in tries if each.done()),
            ):
                assert "Nothing was done" in problem(refused, 503, "busy")["detail"]
                assert int(refused.headers["Retry-After"]) > 0
        finally:
            trial.call_off(HASHING)
    answers = [each.result().status_code for each in tries]
    assert (answers.count(401), answers.count(503)) == (PLACES, CALLERS - PLACES)
    # None of those refused counts as a wrong password.
    assert anyone.ask("POST", "/sessions", right).status_code == 201
