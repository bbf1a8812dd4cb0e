from nkk.sop import faults
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotYourStep, Refused, UnknownTicket


def test_a_refusal_reads_as_its_sentence_and_keeps_its_details():
    refusal = NotYourStep("Not now.", {"stands": {"state": "handed_over"}})
    assert (str(refusal), refusal.sentence, refusal.details) == (
        "Not now.",
        "Not now.",
        {"stands": {"state": "handed_over"}},
    )


def test_a_refusal_without_details_has_none():
    assert AlreadyDone("Done.").details == {}


def test_two_refusals_do_not_share_their_details():
    first, second = Refused("One."), Refused("Two.")
    first.details["stands"] = "here"
    assert second.details == {}


def test_invalid_input_names_each_field_with_a_list_of_faults():
    refusal = InvalidInput.of(opd=faults.NO_SUCH_OPD(), note=faults.TOO_LONG(most=5))
    assert refusal.details == {"fields": {"opd": [{"code": "no-such-opd"}], "note": [{"code": "too-long", "most": 5}]}}


def test_an_unknown_ticket_says_what_to_do_and_names_nothing():
    assert str(UnknownTicket()) == "There is no complaint with this ticket. Check it and try again."
    assert UnknownTicket().details == {}
