"""Journeys with acts beside the path: the same order and the same clocks, in whatever order the events arrive."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, WIB
from nkk.sop.journey import (
    ABANDONED,
    ANSWERED,
    CLOSED,
    DECLINED,
    GRANTED,
    KEPT,
    RECALLED,
    REOPENED,
    RETURNED,
    WITHDRAWN,
    Fact,
    clocks,
    in_order,
    services,
)

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=WIB)
MIDNIGHT = MONDAY.replace(hour=0)
FORWARDED, RESPONDED, APPROVED = "complaint.forwarded.v1", "response.submitted.v1", "response.approved.v1"
INFORMATION = "complaint.classified_as_information.v1"


def fact(type_, minutes, round_=0, forwarding=1, cycle=1):
    return Fact(type_, MONDAY + timedelta(minutes=minutes), round_, forwarding=forwarding, cycle=cycle)


def withdrawn(cycle=1):
    return Fact(WITHDRAWN, MIDNIGHT, cycle=cycle)


BEGUN = [fact("complaint.submitted.v2", 0), fact("complaint.handed_over.v1", 5), fact(FORWARDED, 10)]


def told(facts):
    ordered, overtaken = in_order(facts)
    return [each.type for each in ordered], [each.type for each in overtaken]


def in_any_order(*facts):
    """Return what the facts tell; it must be the same in each order of their last four."""
    first, last = list(facts[:-4]), facts[-4:]
    found = {str((told([*first, *some]), runs([*first, *some]))) for some in permutations(last)}
    assert len(found) == 1
    return told(facts)


def runs(facts):
    """Return (step, forwarding, round, office minutes used, whether it ended) of each clock."""
    return [
        (run.step.number, run.forwarding, run.round, run.used(MONDAY + timedelta(days=9)), run.done_at is not None)
        for run in clocks(facts, lambda _: OFFICE_HOURS)
    ]


@pytest.mark.parametrize("back", [DECLINED, RECALLED])
def test_a_complaint_that_comes_back_is_classified_anew_with_a_fresh_clock(back):
    way = [*BEGUN, fact(back, 30, 1), fact(FORWARDED, 50, forwarding=2), fact(RESPONDED, 60, 1, 2)]
    assert in_any_order(*way) == ([each.type for each in way], [])
    assert runs(way)[1:] == [
        (3, 1, 0, 5, True),
        (4, 1, 1, 20, True),
        (3, 2, 0, 20, True),
        (4, 2, 1, 10, True),
        (5, 2, 1, runs(way)[-1][3], False),
    ]


def test_what_was_taken_back_takes_no_response_that_was_on_its_way():
    way = [*BEGUN, fact(RESPONDED, 29, 1), fact(RECALLED, 30, 1), fact(FORWARDED, 50, forwarding=2)]
    assert in_any_order(*way) == (
        ["complaint.submitted.v2", "complaint.handed_over.v1", FORWARDED, RECALLED, FORWARDED],
        [RESPONDED],
    )
    assert runs(way)[2] == (4, 1, 1, 20, True)


def test_what_was_taken_back_takes_no_declination_that_was_on_its_way():
    ordered, overtaken = in_any_order(*BEGUN, fact(RECALLED, 30, 1), fact(DECLINED, 31, 1))
    assert (ordered[-1], overtaken) == (RECALLED, [DECLINED])


def test_a_response_that_was_returned_before_the_complaint_was_taken_back_stays():
    way = [
        *BEGUN,
        fact(RESPONDED, 20, 1),
        fact("response.returned.v1", 25, 1),
        fact(RECALLED, 30, 2),
        fact(FORWARDED, 40, 1, 2),
        fact(RESPONDED, 45, 2, 2),
    ]
    assert in_any_order(*way) == ([each.type for each in way], [])


def test_a_withdrawal_ends_the_clock_that_runs_wherever_the_case_is():
    way = [*BEGUN, withdrawn()]
    assert in_any_order(*way) == ([each.type for each in way], [])
    # A withdrawal is told by its day, so that the clock does not end before it began.
    assert runs(way)[-1] == (4, 1, 1, 0, True)
    (*_, run) = clocks(way, lambda _: OFFICE_HOURS)
    assert run.cut_short


def test_what_was_on_its_way_when_the_report_was_withdrawn_is_kept_and_ends_with_it():
    ordered, overtaken = in_any_order(*BEGUN, fact(RESPONDED, 20, 1), withdrawn(), fact(APPROVED, 30, 1))
    assert (ordered[-1], overtaken) == (WITHDRAWN, [])


def test_a_closing_as_not_completed_ends_the_clock_that_runs_and_no_more_time_counts():
    way = [*BEGUN, Fact(GRANTED, MONDAY, 1, days=3), fact(ABANDONED, 40, 1)]
    assert in_any_order(*way)[0][-1] == ABANDONED
    (*_, run) = clocks(way, lambda _: OFFICE_HOURS)
    assert (run.cut_short, run.first_due_at, run.done_at) == (True, None, MONDAY + timedelta(minutes=40))


def test_a_closing_does_not_count_beside_a_withdrawal_of_its_cycle():
    ordered, overtaken = in_any_order(*BEGUN, fact(ABANDONED, 40, 1), withdrawn())
    assert (ordered[-1], overtaken) == (WITHDRAWN, [ABANDONED])


def test_a_closing_does_not_count_where_the_complaint_was_taken_back():
    ordered, overtaken = in_any_order(*BEGUN, fact(ABANDONED, 40, 1), fact(RECALLED, 39, 1))
    assert (ordered[-1], overtaken) == (RECALLED, [ABANDONED])


def test_a_report_that_goes_on_after_its_opds_closing_was_overtaken_can_be_closed_at_the_next_step():
    way = [*BEGUN, fact(ABANDONED, 40, 1), fact(RECALLED, 39, 1), fact(ABANDONED, 90, 0, 2)]
    ordered, overtaken = in_any_order(*way)
    assert (ordered[-2:], overtaken) == ([RECALLED, ABANDONED], [ABANDONED])


def test_a_second_cycle_can_be_closed_though_the_first_was_withdrawn_too_late():
    first = [*BEGUN[:2], fact(INFORMATION, 20), fact(ANSWERED, 30), withdrawn()]
    ordered, overtaken = in_any_order(*first, fact(REOPENED, 60, cycle=2), fact(ABANDONED, 900, 0, 2))
    assert (ordered[-1], overtaken) == (ABANDONED, [WITHDRAWN])


def test_a_withdrawal_after_the_answer_changes_nothing():
    way = [*BEGUN, fact(RESPONDED, 20, 1), fact(APPROVED, 30, 1), fact(ANSWERED, 40), withdrawn()]
    ordered, overtaken = in_any_order(*way)
    assert (ordered[-1], overtaken) == (ANSWERED, [WITHDRAWN])


@pytest.mark.parametrize(("round_", "step"), [(0, 3), (1, 5)])
def test_a_withdrawn_report_that_goes_on_does_so_at_the_step_where_it_was(round_, step):
    response = [fact(RESPONDED, 20, 1)] if round_ else []
    way = [*BEGUN[: 3 if round_ else 2], *response, withdrawn(), fact(KEPT, 60, round_, 2)]
    ordered, _ = in_any_order(*way)
    assert ordered[-2:] == [WITHDRAWN, KEPT]
    number, forwarding, about, _, ended = runs(way)[-1]
    assert (number, forwarding, about, ended) == (step, 2, round_, False)


def test_a_kept_report_is_answered_although_it_was_withdrawn():
    way = [
        *BEGUN[:2],
        withdrawn(),
        fact(KEPT, 60, 0, 2),
        fact(INFORMATION, 70, forwarding=2),
        fact(ANSWERED, 80, forwarding=2),
        fact(CLOSED, 90, forwarding=2),
    ]
    assert in_any_order(*way) == ([each.type for each in way], [])


def test_information_that_is_a_complaint_after_all_is_classified_anew():
    way = [
        *BEGUN[:2],
        fact(INFORMATION, 10),
        fact(RETURNED, 20),
        fact(FORWARDED, 30, forwarding=2),
        fact(RESPONDED, 40, 1, 2),
    ]
    assert in_any_order(*way) == ([each.type for each in way], [])
    assert [run[:3] for run in runs(way)][1:4] == [(3, 1, 0), (6, 1, 0), (3, 2, 0)]


OBJECTED = [
    *BEGUN[:2],
    fact(INFORMATION, 10),
    fact(ANSWERED, 20),
    fact(CLOSED, 30),
    Fact(REOPENED, MIDNIGHT, cycle=2),
]


def test_an_objection_begins_a_second_cycle_the_next_morning_with_a_service_clock_of_its_own():
    again = [fact(INFORMATION, 24 * 60, forwarding=2), fact(ANSWERED, 24 * 60 + 30, forwarding=2)]
    way = [*OBJECTED, *again]
    assert in_any_order(*way) == ([each.type for each in way], [])
    ordered, _ = in_order(way)
    (first, answered), (second, answered_again) = services(ordered)
    assert (first.type, answered.forwarding) == ("complaint.submitted.v2", 1)
    assert (second.begins_at, answered_again.forwarding) == (MIDNIGHT + timedelta(days=1), 2)
    classify = next(
        run for run in clocks(way, lambda _: OFFICE_HOURS) if run.step is steps.CLASSIFY and run.forwarding == 2
    )
    assert (classify.came_at, classify.used(MONDAY)) == (MIDNIGHT + timedelta(days=1), 30)


def test_a_second_cycle_can_be_withdrawn_and_the_first_answer_stays():
    ordered, overtaken = in_any_order(*OBJECTED, withdrawn(cycle=2))
    assert (ordered[-1], overtaken) == (WITHDRAWN, [])


def test_a_withdrawal_of_the_first_cycle_that_arrives_in_the_second_changes_nothing():
    ordered, overtaken = in_any_order(*OBJECTED, withdrawn(cycle=1))
    assert (ordered[-1], overtaken) == (REOPENED, [WITHDRAWN])
