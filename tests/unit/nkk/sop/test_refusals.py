import pytest

from nkk.sop import faults
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotAuthenticated, NotYourStep, Refused, UnknownTicket


def test_a_refusal_reads_as_its_code_and_keeps_its_details():
    refusal = NotYourStep({"stands": {"state": "handed_over"}})
    assert (str(refusal), refusal.code, refusal.details) == (
        "not-your-step",
        "not-your-step",
        {"stands": {"state": "handed_over"}},
    )


def test_a_refusal_without_details_has_none():
    assert AlreadyDone().details == {}


def test_two_refusals_do_not_share_their_details():
    first, second = Refused(), Refused()
    first.details["stands"] = "here"
    assert second.details == {}


def test_invalid_input_names_each_field_with_a_list_of_faults():
    refusal = InvalidInput.of(opd=faults.NO_SUCH_OPD(), note=faults.TOO_LONG(most=5))
    assert refusal.details == {"fields": {"opd": [{"code": "no-such-opd"}], "note": [{"code": "too-long", "most": 5}]}}


def test_a_refusal_has_the_code_of_its_name_or_one_that_its_class_declares():
    assert NotAuthenticated(code="expired-token").code == "expired-token"
    assert NotAuthenticated.codes[0] == "not-authenticated"
    for wrong in ("already-done", "", "session-ended"):
        with pytest.raises(ValueError, match="NotYourStep"):
            NotYourStep({}, wrong or "x")


def test_an_unknown_ticket_names_nothing():
    assert UnknownTicket().code == "unknown-ticket"
    assert UnknownTicket().details == {}
