from datetime import timedelta

import pytest

from nkk.sop import steps
from nkk.sop.claims import LASTS, Claimable, ClaimedByColleague
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.refusals import AlreadyDone
from nkk.sop.timed import started
from tests.builders import MONDAY, TICKET

SECOND = timedelta(seconds=1)


class Case(Claimable):
    """A case at a desk."""

    def __init__(self):
        super().__init__(ticket=TICKET, **started(steps.CLASSIFY, MONDAY, OFFICE_HOURS))

    def must_stand_here(self):
        if self.done_at is not None:
            raise AlreadyDone


@pytest.fixture
def case():
    return Case()


def test_nobody_is_on_it_at_first(case):
    assert case.claim_at(MONDAY) is None


def test_a_claim_says_who_and_since_when(case):
    case.claim("staff-1", MONDAY)
    assert case.claim_at(MONDAY + SECOND) == {"by": "staff-1", "since": "2026-03-02T01:00:00.000000Z"}


def test_a_colleague_is_told_who_is_on_it_and_nothing_changes(case):
    case.claim("staff-1", MONDAY)
    with pytest.raises(ClaimedByColleague) as told:
        case.claim("staff-2", MONDAY + SECOND)
    assert told.value.details == {"claim": case.claim_at(MONDAY + SECOND)}
    assert case.claimed_by == "staff-1"


def test_a_colleague_may_take_it_over(case):
    case.claim("staff-1", MONDAY)
    case.claim("staff-2", MONDAY + SECOND, take_over=True)
    assert case.claim_at(MONDAY + SECOND)["by"] == "staff-2"


def test_whoever_is_on_it_may_say_so_again_and_it_lasts_from_then(case):
    case.claim("staff-1", MONDAY)
    case.claim("staff-1", MONDAY + LASTS - SECOND)
    assert case.claim_at(MONDAY + LASTS + SECOND)["by"] == "staff-1"


def test_a_claim_lapses_by_itself_and_anybody_may_have_it(case):
    case.claim("staff-1", MONDAY)
    assert case.claim_at(MONDAY + LASTS - SECOND)
    assert case.claim_at(MONDAY + LASTS) is None
    case.claim("staff-2", MONDAY + LASTS)
    assert case.claim_at(MONDAY + LASTS)["by"] == "staff-2"


def test_a_claim_is_taken_back_by_whoever_made_it_only(case):
    case.release("staff-1", MONDAY)
    case.claim("staff-1", MONDAY)
    with pytest.raises(ClaimedByColleague):
        case.release("staff-2", MONDAY)
    case.release("staff-1", MONDAY)
    assert case.claim_at(MONDAY) is None


@pytest.mark.parametrize("turn", ["stop_clock", "start_clock"])
def test_a_claim_ends_with_its_step(case, turn):
    case.claim("staff-1", MONDAY)
    if turn == "stop_clock":
        case.stop_clock(MONDAY)
    else:
        case.start_clock(steps.APPROVE, MONDAY, OFFICE_HOURS)
    assert (case.claimed_by, case.claimed_at) == (None, None)


def test_what_does_not_stand_at_the_desk_can_be_neither_claimed_nor_released(case):
    case.stop_clock(MONDAY)
    for act in (case.claim, case.release):
        with pytest.raises(AlreadyDone):
            act("staff-1", MONDAY)
