from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nkk.sop import faults
from nkk.sop.clock import OFFICE_HOURS, WIB, write_instant
from nkk.sop.refusals import AlreadyDone, InvalidInput, NotYourStep, Refused
from services.triage.domain import OPEN, State
from services.triage.refusals import (
    AlreadyApproved,
    AlreadyClassified,
    NoRequest,
    NoResponseYet,
    check_forwarding,
    check_grant,
    check_information,
    check_return,
)
from tests.builders import MONDAY, triage_case

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def responded(round_=1):
    case = triage_case()
    case.forward("disdukcapil", NOW)
    case.receive("Petugas telah ditegur.", round_, NOW, OFFICE_HOURS)
    return case


def approved():
    case = responded()
    case.approve(NOW)
    return case


def informed():
    case = triage_case()
    case.classify_as_information(NOW)
    return case


def forwarded():
    case = triage_case()
    case.forward("disdukcapil", NOW)
    return case


def test_a_new_case_awaits_classification_since_it_came():
    assert triage_case().stands() == {"state": "awaiting_classification", "since": write_instant(MONDAY)}


def test_information_leaves_tim_utamas_desk_for_good():
    assert informed().stands() == {"state": "classified_as_information", "since": write_instant(NOW)}
    assert informed().state not in OPEN


def test_a_complaint_is_forwarded_to_one_opd_and_awaits_its_response():
    case = forwarded()
    assert (case.opd, case.stands()) == ("disdukcapil", {"state": "awaiting_response", "since": write_instant(NOW)})
    assert case.state not in OPEN


def test_a_response_comes_to_be_approved_within_ten_office_minutes():
    case = forwarded()
    came = datetime(2026, 3, 6, 16, 25, tzinfo=WIB)
    case.receive("Petugas telah ditegur.", 1, came, OFFICE_HOURS)
    assert (case.response, case.round, case.came_at) == ("Petugas telah ditegur.", 1, came)
    assert case.due_at == datetime(2026, 3, 9, 7, 35, tzinfo=WIB)
    assert case.stands() == {"state": "awaiting_approval", "since": write_instant(came)}


def test_the_clock_of_the_whole_service_never_moves():
    case = responded()
    case.return_response(NOW)
    case.receive("Ditambahkan.", 2, NOW + timedelta(days=3), OFFICE_HOURS)
    assert case.service_due_at == triage_case().service_due_at


@pytest.mark.parametrize("round_", [0, 1, 2])
def test_a_response_seen_before_changes_nothing(round_):
    case = responded(2)
    case.return_response(NOW)
    case.receive("Terlambat.", round_, NOW + timedelta(hours=1), OFFICE_HOURS)
    assert (case.response, case.round, case.state) == ("Petugas telah ditegur.", 2, State.AWAITING_RESPONSE)


def at_fault(check, *args):
    with pytest.raises(InvalidInput) as refusal:
        check(*args)
    return refusal.value.details["fields"]


def test_information_goes_to_no_agency():
    assert at_fault(check_information, "disdukcapil") == {"opd": [faults.OPD_OF_INFORMATION()]}
    check_information(None)


@pytest.mark.parametrize(
    ("opd", "roster"), [(None, None), (None, {"disdukcapil"}), ("bkpsdmd", {"disdukcapil"}), ("disdukcapil", set())]
)
def test_a_complaint_goes_to_an_agency_of_the_roster(opd, roster):
    assert at_fault(check_forwarding, opd, roster) == {"opd": [faults.NO_SUCH_OPD()]}


@pytest.mark.parametrize("roster", [None, {"disdukcapil", "bkpsdmd"}])
def test_any_agency_will_do_until_the_roster_is_known(roster):
    check_forwarding("disdukcapil", roster)


def test_a_response_goes_back_with_a_note_alone():
    assert at_fault(check_return, None) == {"note": [faults.RETURN_WITHOUT_NOTE()]}
    check_return("Belum menjawab.")


def test_time_is_refused_with_a_note_alone():
    assert at_fault(check_grant, 0, None) == {"note": [faults.REFUSAL_WITHOUT_NOTE()]}
    check_grant(0, "Cukup dua hari.")
    check_grant(3, None)


def test_a_request_for_time_is_decided_once_and_forgotten_with_the_response():
    case = forwarded()
    with pytest.raises(NoRequest):
        case.grant_time(3)
    case.asked_for_time(1, 1, 5, "Saksi sedang cuti.")
    assert "grant_time" in case.acts()
    case.grant_time(3)
    assert (case.granted_days, "grant_time" in case.acts()) == (3, False)
    with pytest.raises(NoRequest):
        case.grant_time(3)
    case.receive("Ditegur.", 1, NOW, OFFICE_HOURS)
    assert (case.asked_days, case.granted_days) == (None, None)


def test_a_request_that_the_response_overtook_changes_nothing():
    case = responded()
    case.asked_for_time(1, 1, 5, "Saksi sedang cuti.")
    assert case.asked_days is None


def test_an_approved_response_is_done_with():
    assert approved().stands() == {"state": "approved", "since": write_instant(NOW)}


def test_a_returned_response_is_awaited_again_and_the_next_one_approved():
    case = responded()
    case.return_response(NOW)
    assert case.state == State.AWAITING_RESPONSE
    case.receive("Petugas ditegur dan loket dibuka.", 2, NOW, OFFICE_HOURS)
    case.approve(NOW)
    assert (case.response, case.round, case.state) == ("Petugas ditegur dan loket dibuka.", 2, State.APPROVED)


ACTS = {
    "classify": lambda case: case.classify_as_information(NOW),
    "forward": lambda case: case.forward("dinas-sosial", NOW),
    "approve": lambda case: case.approve(NOW),
    "return": lambda case: case.return_response(NOW),
}
REFUSALS = [
    (informed, "classify", AlreadyClassified),
    (informed, "forward", AlreadyClassified),
    (forwarded, "classify", AlreadyClassified),
    (forwarded, "forward", AlreadyClassified),
    (responded, "classify", AlreadyClassified),
    (responded, "forward", AlreadyClassified),
    (approved, "classify", AlreadyClassified),
    (approved, "forward", AlreadyClassified),
    (triage_case, "approve", NoResponseYet),
    (triage_case, "return", NoResponseYet),
    (forwarded, "approve", NoResponseYet),
    (forwarded, "return", NoResponseYet),
    (approved, "approve", AlreadyApproved),
    (approved, "return", AlreadyApproved),
    (informed, "approve", AlreadyApproved),
    (informed, "return", AlreadyApproved),
]


@pytest.mark.parametrize(
    ("standing", "act", "refusal"), REFUSALS, ids=[f"{act} when {standing.__name__}" for standing, act, _ in REFUSALS]
)
def test_an_act_out_of_order_is_refused_says_where_the_case_stands_and_changes_nothing(standing, act, refusal):
    case, before = standing(), standing()
    with pytest.raises(refusal) as refused:
        ACTS[act](case)
    assert refused.value.details == {"stands": before.stands()}
    assert case == before


def test_refusals_are_of_the_kinds_the_gateway_knows():
    assert issubclass(AlreadyClassified, AlreadyDone)
    assert issubclass(AlreadyApproved, AlreadyDone)
    assert issubclass(NoResponseYet, NotYourStep)


NEXT = {
    State.AWAITING_CLASSIFICATION: {State.CLASSIFIED_AS_INFORMATION, State.AWAITING_RESPONSE},
    State.AWAITING_RESPONSE: {State.AWAITING_APPROVAL},
    State.AWAITING_APPROVAL: {State.AWAITING_RESPONSE, State.APPROVED},
    State.CLASSIFIED_AS_INFORMATION: set(),
    State.APPROVED: set(),
}


class Desk(RuleBasedStateMachine):
    """Everybody acts in any order, but the case only follows the procedure's paths."""

    def __init__(self):
        super().__init__()
        self.case = triage_case()
        self.now = NOW
        self.answered = 0

    def act(self, act):
        """Act on the case: an allowed act changes the state, and a refused one changes nothing."""
        before, kept = self.case.state, dict(vars(self.case))
        self.now += timedelta(minutes=1)
        refusal = None
        try:
            act()
        except Refused as error:
            refusal = error
        if refusal:
            assert vars(self.case) == kept
            assert refusal.details["stands"] == self.case.stands()
        else:
            assert self.case.state in NEXT[before]
            assert self.case.since == self.now

    @rule()
    def classify_as_information(self):
        self.act(lambda: self.case.classify_as_information(self.now))

    @rule(opd=st.sampled_from(["disdukcapil", "dinas-sosial"]))
    def forward(self, opd):
        self.act(lambda: self.case.forward(opd, self.now))

    @rule()
    def the_opd_team_responds(self):
        # Only a forwarded or returned complaint gets a response, which the OPD team's own desk ensures.
        if self.case.state == State.AWAITING_RESPONSE:
            self.answered += 1
            self.act(lambda: self.case.receive(f"Tanggapan {self.answered}", self.answered, self.now, OFFICE_HOURS))

    @rule(back=st.integers(0, 3))
    def an_old_response_comes_again(self, back):
        kept = dict(vars(self.case))
        self.case.receive("Lama", max(0, self.answered - back), self.now, OFFICE_HOURS)
        assert vars(self.case) == kept

    @rule()
    def approve(self):
        self.act(lambda: self.case.approve(self.now))

    @rule()
    def return_response(self):
        self.act(lambda: self.case.return_response(self.now))

    @invariant()
    def the_newest_response_is_the_one_at_hand(self):
        assert self.case.round == self.answered
        assert self.case.response == (f"Tanggapan {self.answered}" if self.answered else None)

    @invariant()
    def only_a_forwarded_case_has_an_opd_and_only_a_response_is_approved(self):
        forwarded = self.case.state not in (State.AWAITING_CLASSIFICATION, State.CLASSIFIED_AS_INFORMATION)
        assert forwarded == (self.case.opd is not None)
        assert self.case.response is not None or self.case.state not in (State.AWAITING_APPROVAL, State.APPROVED)


TestDesk = Desk.TestCase


def test_a_response_to_a_case_that_awaits_none_changes_nothing():
    case = triage_case()
    case.classify_as_information(NOW)
    kept = dict(vars(case))
    with pytest.raises(NotYourStep):
        case.receive("Tersesat.", 1, NOW, OFFICE_HOURS)
    assert vars(case) == kept
