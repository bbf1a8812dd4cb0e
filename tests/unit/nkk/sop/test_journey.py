from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, OFFICE_WEEK, WIB, Calendar
from nkk.sop.journey import TURNS, Fact, clocks, round_of, service_due
from nkk.sop.steps import PATHS, Path
from tests.builders import MONDAY
from tests.calendars import calendars, instants

CLOSED_MONDAYS = Calendar(1, week=((), *OFFICE_WEEK[1:]))
CALENDARS = {0: OFFICE_HOURS, 1: CLOSED_MONDAYS}

SUBMITTED, HANDED_OVER, INFORMED, FORWARDED, RESPONDED, RETURNED, APPROVED, SENT, CLOSED = (
    "complaint.submitted.v2",
    "complaint.handed_over.v1",
    "complaint.classified_as_information.v1",
    "complaint.forwarded.v1",
    "response.submitted.v1",
    "response.returned.v1",
    "response.approved.v1",
    "answer.sent.v1",
    "complaint.closed.v1",
)


def path_of(returns):
    """Return (type, round) of a whole journey; `returns` of None means the information path."""
    if returns is None:
        return [(SUBMITTED, 0), (HANDED_OVER, 0), (INFORMED, 0), (SENT, 0), (CLOSED, 0)]
    rounds = [turn for number in range(1, returns + 1) for turn in ((RESPONDED, number), (RETURNED, number))]
    return [
        (SUBMITTED, 0),
        (HANDED_OVER, 0),
        (FORWARDED, 0),
        *rounds,
        (RESPONDED, returns + 1),
        (APPROVED, returns + 1),
        (SENT, 0),
        (CLOSED, 0),
    ]


paths = st.sampled_from([None, 0, 1, 2, 3]).map(path_of)


def facts_of(path, start=MONDAY, pause=timedelta(minutes=7)):
    return [Fact(type_, start + pause * number, round_) for number, (type_, round_) in enumerate(path)]


def counted(facts, calendars_=CALENDARS):
    return clocks(facts, calendars_.__getitem__)


@pytest.mark.parametrize(("returns", "path"), [(None, Path.INFORMATION), (0, Path.COMPLAINT)])
def test_a_journey_starts_the_clock_of_each_step_of_its_path_but_the_first(returns, path):
    found = counted(facts_of(path_of(returns)))
    assert [clock.step for clock in found] == list(PATHS[path][1:])
    for clock, following in pairwise(found):
        assert clock.done_at == following.came_at
    for clock in found:
        assert clock.due_at == OFFICE_HOURS.due(clock.came_at, clock.step.minutes)
        assert clock.used(MONDAY) == 7


def test_each_return_starts_the_clocks_of_steps_4_and_5_again_and_rounds_tell_them_apart():
    found = counted(facts_of(path_of(2)))
    assert [(clock.step.number, clock.round) for clock in found] == [
        (2, 0),
        (3, 0),
        (4, 1),
        (5, 1),
        (4, 2),
        (5, 2),
        (4, 3),
        (5, 3),
        (6, 0),
        (7, 0),
    ]


@given(paths, st.data())
def test_the_order_in_which_facts_come_to_hand_changes_nothing(path, data):
    # They also happen at one instant, because the order must not depend on clocks.
    facts = facts_of(path, pause=data.draw(st.sampled_from([timedelta(), timedelta(minutes=7), timedelta(minutes=-7)])))
    assert counted(data.draw(st.permutations(facts))) == counted(facts)


@given(paths, st.data())
def test_a_clock_whose_end_was_not_heard_of_runs_and_no_other_is_touched(path, data):
    facts = facts_of(path)
    kept = data.draw(st.sets(st.sampled_from(facts), min_size=1))
    whole = {(clock.step, clock.round): clock for clock in counted(facts)}
    for clock in counted(kept):
        known = whole[clock.step, clock.round]
        assert (clock.came_at, clock.due_at) == (known.came_at, known.due_at)
        ended = {fact.at for fact in kept if fact.turn.ends == clock.step}
        assert clock.done_at in (None, known.done_at)
        assert (clock.done_at is not None) == (known.done_at in ended)


def test_a_gap_leaves_the_clock_before_it_running_and_starts_none():
    submitted, _, forwarded, *_ = facts_of(path_of(0))
    found = counted([submitted, forwarded])
    assert [(clock.step.number, clock.done_at) for clock in found] == [(2, None), (4, None)]
    assert counted([facts_of(path_of(None))[-1]]) == []


def test_where_nothing_was_heard_no_clock_runs():
    assert counted([]) == []


def test_each_clock_is_counted_by_the_calendar_its_event_names_for_ever():
    submitted, handed_over, *_ = facts_of(path_of(0))
    found = counted([submitted, Fact(HANDED_OVER, handed_over.at, calendar=1)])
    assert [(clock.calendar.version, clock.due_at) for clock in found] == [
        (0, MONDAY + timedelta(minutes=10)),
        (1, datetime(2026, 3, 3, 7, 30, tzinfo=WIB) + timedelta(minutes=steps.CLASSIFY.minutes)),
    ]


def test_a_calendar_nobody_has_is_an_error_and_not_another_calendar():
    with pytest.raises(KeyError):
        counted([Fact(SUBMITTED, MONDAY, calendar=9)])


@given(
    paths,
    instants,
    st.lists(st.timedeltas(timedelta(), timedelta(days=2)), min_size=13, max_size=13),
    st.lists(calendars, min_size=2, max_size=2),
)
def test_whenever_things_happen_each_clock_is_late_exactly_when_it_was_done_after_its_due_time(path, at, pauses, two):
    facts = []
    for number, ((type_, round_), pause) in enumerate(zip(path, pauses, strict=False)):
        at += pause
        facts.append(Fact(type_, at, round_, number % 2))
    for clock in clocks(facts, two.__getitem__):
        assert clock.due_at == clock.calendar.due(clock.came_at, clock.step.minutes)
        assert clock.late(at) == (None if clock.step == steps.RECEIVE else clock.done_at > clock.due_at)
        assert clock.used(at) == clock.calendar.minutes_between(clock.came_at, clock.done_at)
        assert not clock.late(at) or clock.used(at) >= clock.step.minutes


def test_a_reporter_owes_no_haste_and_is_never_late():
    sent = facts_of(path_of(None))[3]
    (clock,) = counted([sent])
    assert (clock.step, clock.late(clock.due_at + timedelta(days=365))) == (steps.RECEIVE, None)


def test_a_clock_that_runs_is_late_once_its_due_time_is_past():
    (clock,) = counted(facts_of(path_of(0))[:1])
    assert [clock.late(clock.due_at), clock.late(clock.due_at + timedelta(microseconds=1))] == [False, True]
    assert [clock.used(clock.came_at), clock.used(clock.due_at)] == [0, 10]


@pytest.mark.parametrize(
    ("type_", "round_", "about"),
    [
        (SUBMITTED, 0, 0),
        (HANDED_OVER, 0, 0),
        (INFORMED, 0, 0),
        (FORWARDED, 0, 1),
        (RESPONDED, 1, 1),
        (RETURNED, 1, 2),
        (RESPONDED, 2, 2),
        (APPROVED, 2, 0),
        (SENT, 0, 0),
        (CLOSED, 0, 0),
    ],
)
def test_the_step_after_a_fact_is_about_the_response_it_waits_for_or_has(type_, round_, about):
    assert round_of(Fact(type_, MONDAY, round_)) == about


@pytest.mark.parametrize("returns", [None, 0, 1, 2, 3])
def test_every_turn_begins_where_the_one_before_it_ended(returns):
    turns = [TURNS[type_] for type_, _ in path_of(returns)]
    assert turns[0].ends == steps.SUBMIT
    assert turns[-1].then is None
    assert all(turn.then == following.ends for turn, following in pairwise(turns))


def test_the_whole_service_is_due_two_working_days_after_the_form_was_entered():
    assert service_due(MONDAY, OFFICE_HOURS) == datetime(2026, 3, 4, 8, 0, tzinfo=WIB)
    assert service_due(MONDAY, CLOSED_MONDAYS) == datetime(2026, 3, 4, 16, 0, tzinfo=WIB)
