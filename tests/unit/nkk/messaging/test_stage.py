"""What every stage has."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from nkk.messaging.host import Timer
from nkk.messaging.rpc import StageRpc
from nkk.messaging.stage import UnitOfWorkProvider
from nkk.store.work import Work


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
