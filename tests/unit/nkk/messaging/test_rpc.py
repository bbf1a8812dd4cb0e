import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nkk.messaging.boxes import StaleBoxError, UnreadableBoxError, UsedBoxError
from nkk.messaging.calls import BusyError, StageBusyError
from nkk.messaging.rpc import DeliveredBeforeError, _describe
from nkk.messaging.rpc_client import RefusedRemotelyError, StageFailedError, StageUnavailableError, _result
from nkk.sop.refusals import NotYourStep
from ops.cli.speaking import sentence

SECRET = "Rahasia-Pelapor"


def answered(error):
    """Return or raise what the caller of a stage gets when the stage met `error`."""
    return _result("triage", {"result": None, "error": _describe(error)})


def test_a_result_comes_back_as_it_is():
    assert _result("triage", {"result": {"a": 1}, "error": None}) == {"a": 1}


def test_a_refusal_crosses_the_wire_with_its_name_code_and_details():
    with pytest.raises(RefusedRemotelyError) as refused:
        answered(NotYourStep({"stands": {"state": "approved"}}))
    assert (refused.value.name, refused.value.code, refused.value.details) == (
        "NotYourStep",
        "not-your-step",
        {"stands": {"state": "approved"}},
    )


def test_a_fault_crosses_the_wire_as_nothing_but_a_fault():
    assert SECRET not in str(_describe(ValueError(SECRET)))
    with pytest.raises(StageFailedError) as failed:
        answered(ValueError(SECRET))
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    "error", [OperationalError("INSERT", {"text": SECRET}, Exception(SECRET)), PoolTimeout(SECRET)]
)
def test_a_database_that_is_away_makes_the_stage_unavailable(error):
    assert SECRET not in str(_describe(error))
    with pytest.raises(StageUnavailableError):
        answered(error)


@pytest.mark.parametrize(
    "error",
    [
        {"exc_type": "IncorrectSignature", "exc_args": ["x"]},
        {"exc_type": "X"},
        {"exc_type": "X", "exc_args": ["a", "b"]},
    ],
)
def test_an_error_nameko_itself_answers_with_is_a_fault(error):
    with pytest.raises(StageFailedError):
        _result("triage", {"error": error})


def test_a_busy_stage_says_that_nothing_was_begun_also_to_a_caller_of_a_version_before():
    error = _describe(BusyError("Too many at once."))
    assert (error["exc_type"], error["exc_args"][0]) == ("Unavailable", "Too many at once.")
    with pytest.raises(StageBusyError) as busy:
        _result("intake", {"error": error})
    assert (str(busy.value), busy.value.why) == ("intake", "Too many at once.")


@pytest.mark.parametrize(
    "error",
    [
        StaleBoxError("one clock, another clock"),
        UsedBoxError("one clock, another clock"),
        UnreadableBoxError("one clock, another clock"),
        DeliveredBeforeError(),
    ],
)
def test_what_was_not_carried_out_is_unavailable_to_the_caller_and_says_why(error):
    with pytest.raises(StageUnavailableError) as away:
        answered(error)
    assert not isinstance(away.value, StageBusyError)
    assert (str(away.value), away.value.why) == ("triage", error.why)
    assert error.why in sentence(away.value)


def test_a_stage_that_does_not_say_why_may_not_run():
    assert "is it running?" in sentence(StageUnavailableError("triage"))
