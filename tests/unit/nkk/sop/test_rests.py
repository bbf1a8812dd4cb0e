"""A clock rests while its desk waits for the reporter, and goes on with the office time that was left."""

import random
from datetime import datetime, timedelta

import pytest

from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, WIB, day_after
from nkk.sop.journey import FORWARDED, GRANTED, WITHDRAWN, Fact, Question, clocks
from nkk.sop.timed import Alarm, Timed, started
from tests.builders import opd_case

SUBMITTED, HANDED_OVER = "complaint.submitted.v2", "complaint.handed_over.v1"
MONDAY = datetime(2026, 1, 5, 8, tzinfo=WIB)


class AtStepTwo(Timed):
    @property
    def step(self):
        return steps.HAND_OVER


def at(day, hour, minute=0):
    return MONDAY.replace(hour=hour, minute=minute) + timedelta(days=day)


@pytest.fixture
def timed():
    return AtStepTwo(ticket="NKK-1", **started(steps.HAND_OVER, at(0, 8), OFFICE_HOURS))


def test_the_office_time_that_was_left_is_left_when_a_clock_goes_on(timed):
    left = OFFICE_HOURS.open_between(at(0, 8, 10), timed.due_at)
    timed.rest(at(0, 8, 10))
    timed.go_on(at(2, 0), OFFICE_HOURS)
    assert OFFICE_HOURS.open_between(at(2, 0), timed.due_at) == left


def test_a_clock_that_rests_raises_no_alarm(timed):
    timed.rest(at(0, 8, 1))
    assert timed.alarm(at(30, 8)) is None
    assert timed.rests(at(30, 8))


def test_the_alarms_come_once_the_clock_has_gone_on(timed):
    timed.rest(at(0, 8, 1))
    timed.go_on(at(1, 0), OFFICE_HOURS)
    assert timed.alarm(at(0, 23)) is None
    assert timed.alarm(timed.tell_at + timedelta(seconds=1)) == Alarm.DUE_SOON
    assert timed.alarm(timed.due_at + timedelta(seconds=1)) == Alarm.OVERDUE


def test_a_clock_that_was_overdue_stays_so_by_as_much(timed):
    over = OFFICE_HOURS.open_between(timed.due_at, at(3, 9))
    timed.rest(at(3, 9))
    timed.go_on(at(4, 0), OFFICE_HOURS)
    assert OFFICE_HOURS.open_between(timed.due_at, at(4, 0)) == over


def test_a_rest_outside_of_office_hours_moves_no_due_time(timed):
    due_at = timed.due_at
    timed.rest(at(0, 20))
    timed.go_on(at(1, 0), OFFICE_HOURS)
    assert timed.due_at == due_at


def test_no_time_passes_before_a_clock_begins(timed):
    due_at = timed.due_at
    timed.rest(at(-3, 9))
    timed.go_on(at(-2, 0), OFFICE_HOURS)
    assert timed.due_at == due_at


@pytest.mark.parametrize("heard_before", [True, False])
def test_a_rest_that_ends_at_the_instant_of_the_step_moves_no_due_time_in_either_order(timed, heard_before):
    due_at = timed.due_at
    timed.rest(at(0, 8, 5))
    if heard_before:
        timed.go_on(at(1, 9), OFFICE_HOURS)
    timed.stop_clock(at(1, 9))
    if not heard_before:
        timed.go_on(at(1, 9), OFFICE_HOURS)
    assert timed.due_at == due_at
    facts = [Fact(SUBMITTED, at(0, 8)), Fact(HANDED_OVER, at(1, 9))]
    asked = Question(2, 1, 0, at(0, 8, 5), at(1, 9))
    (counted, *_) = clocks(facts, lambda _: OFFICE_HOURS, [asked])
    assert (counted.due_at, counted.late(at(1, 9))) == (due_at, timed.counted_to(at(1, 9)) > due_at)


def test_a_withdrawal_told_by_its_day_lets_only_the_last_of_two_rests_move_no_due_time(timed):
    timed.rest(at(0, 8, 1))
    timed.go_on(at(1, 0), OFFICE_HOURS)
    timed.rest(at(1, 9))
    timed.stop_clock(at(1, 0))
    asked = [Question(2, 1, 0, at(0, 8, 1), at(1, 0)), Question(2, 1, 0, at(1, 9))]
    (run,) = clocks([Fact(SUBMITTED, at(0, 8)), Fact(WITHDRAWN, at(1, 0))], lambda _: OFFICE_HOURS, asked)
    assert (run.due_at, run.done_at) == (timed.due_at, timed.done_at)


def test_a_step_that_ends_during_a_rest_moves_no_due_time(timed):
    due_at = timed.due_at
    timed.rest(at(0, 8, 1))
    timed.go_on(at(1, 0), OFFICE_HOURS)
    timed.stop_clock(at(0, 12))
    assert timed.due_at == due_at


def test_a_question_asked_before_the_clock_goes_on_makes_the_rest_longer(timed):
    left = OFFICE_HOURS.open_between(at(0, 8, 10), timed.due_at)
    timed.rest(at(0, 8, 10))
    timed.go_on(at(1, 0), OFFICE_HOURS)
    timed.rest(at(0, 15))
    timed.go_on(at(3, 0), OFFICE_HOURS)
    assert timed.rests_since == at(0, 8, 10)
    assert OFFICE_HOURS.open_between(at(3, 0), timed.due_at) == left


def test_a_rest_that_is_told_twice_ends_once(timed):
    timed.rest(at(0, 8, 10))
    timed.go_on(at(1, 0), OFFICE_HOURS)
    due_at = timed.due_at
    timed.go_on(at(4, 0), OFFICE_HOURS)
    assert timed.due_at == due_at


def test_an_answer_after_the_step_ended_starts_nothing(timed):
    timed.rest(at(0, 8, 10))
    timed.stop_clock(at(0, 9))
    due_at = timed.due_at
    timed.go_on(at(1, 0), OFFICE_HOURS)
    assert (timed.due_at, timed.tell_at, timed.done_at) == (due_at, None, at(0, 9))


def test_what_a_clock_used_leaves_its_rests_out():
    facts = [Fact(SUBMITTED, at(0, 8)), Fact(HANDED_OVER, at(2, 8, 20))]
    (clock, *_) = clocks(facts, lambda _: OFFICE_HOURS, [Question(2, 1, 0, at(0, 8, 10), at(2, 0))])
    assert clock.used(at(9, 9)) == 10 + OFFICE_HOURS.minutes_between(at(2, 0), at(2, 8, 20))
    assert clock.rested(at(9, 9)) == OFFICE_HOURS.minutes_between(at(0, 8, 10), at(2, 0))


def test_a_step_that_ended_during_a_rest_is_judged_by_when_the_rest_began():
    facts = [Fact(SUBMITTED, at(0, 8)), Fact(HANDED_OVER, at(7, 9))]
    (clock, *_) = clocks(facts, lambda _: OFFICE_HOURS, [Question(2, 1, 0, at(0, 8, 1))])
    assert clock.late(at(9, 9)) is False
    assert clock.used(at(9, 9)) == OFFICE_HOURS.minutes_between(at(0, 8), at(0, 8, 1))


def test_a_question_of_another_run_of_the_clock_changes_nothing():
    facts = [Fact(SUBMITTED, at(0, 8))]
    asked = [Question(2, 2, 0, at(0, 8, 1)), Question(3, 1, 0, at(0, 8, 1))]
    assert clocks(facts, lambda _: OFFICE_HOURS, asked) == clocks(facts, lambda _: OFFICE_HOURS)


@pytest.mark.parametrize("seed", range(20))
def test_random_questions_give_the_clock_that_follows_from_the_facts_alone(seed):
    chance = random.Random(seed)
    for _ in range(100):
        now = at(chance.randrange(7), chance.randrange(6, 18), chance.randrange(60))
        facts, asked = [Fact(SUBMITTED, now)], []
        kept = AtStepTwo(ticket="NKK-1", **started(steps.HAND_OVER, now, OFFICE_HOURS))
        for _ in range(chance.randrange(4)):
            now += timedelta(minutes=chance.choice([1, 20, 90, 2_000]))
            kept.rest(now)
            since, now = now, now + timedelta(minutes=chance.choice([1, 60, 4_000]))
            answered = chance.random() < 0.5
            goes_on = day_after(now) if answered else now
            kept.go_on(goes_on, OFFICE_HOURS)
            asked.append(Question(2, 1, 0, since, goes_on))
        if chance.random() < 0.3:
            now += timedelta(minutes=1)
            kept.rest(now)
            asked.append(Question(2, 1, 0, now))
        now += timedelta(minutes=chance.choice([1, 30, 3_000]))
        if chance.random() < 0.8:
            kept.stop_clock(now)
            facts.append(Fact(HANDED_OVER, now))
        # What was on its way to the desk when the step ended.
        if asked and asked[-1].ended_at is None:
            asked[-1] = Question(2, 1, 0, asked[-1].at, day_after(now))
            kept.go_on(day_after(now), OFFICE_HOURS)
        chance.shuffle(asked)
        (clock, *_) = clocks(facts, lambda _: OFFICE_HOURS, asked)
        assert (clock.came_at, clock.due_at, clock.done_at) == (kept.came_at, kept.due_at, kept.done_at)


@pytest.mark.parametrize("seed", range(10))
def test_more_time_and_rests_give_the_clock_that_follows_from_the_facts_alone(seed):
    chance = random.Random(seed)
    for _ in range(100):
        start = now = at(chance.randrange(7), chance.randrange(6, 18), chance.randrange(60))
        case = opd_case(**started(steps.RESPOND, start, OFFICE_HOURS))
        case.asked_for = 1
        told, asked, granted = [], [], None
        for act in chance.sample(["ask", "grant", "ask", "ask"], 4):
            now += timedelta(minutes=chance.choice([1, 90, 3_000]))
            if act == "grant":
                granted = Fact(GRANTED, now, 1, days=2)
                told.append(now)
            elif not case.awaits_reporter:
                case.question = str(len(asked))
                case.rest(now)
                if chance.random() < 0.7:
                    since, now = now, now + timedelta(minutes=chance.choice([1, 60, 4_000]))
                    case.go_on(day_after(now), OFFICE_HOURS)
                    asked.append(Question(4, 1, 1, since, day_after(now)))
                else:
                    asked.append(Question(4, 1, 1, now))
            # A decision arrives at once, or after what the team did meanwhile.
            while told and chance.random() < 0.5:
                case.grant_time(1, 2, None, told.pop(), OFFICE_HOURS)
        facts = [Fact(FORWARDED, start), granted]
        now += timedelta(minutes=chance.choice([1, 30, 3_000]))
        if chance.random() < 0.8:
            case.stop_clock(now)
            facts.append(Fact("response.submitted.v1", now, 1))
        for decided_at in told:
            case.grant_time(1, 2, None, decided_at, OFFICE_HOURS)
        if case.question is not None and case.rests_until is None and chance.random() < 0.5:
            case.go_on(day_after(now), OFFICE_HOURS)
            asked[-1] = Question(4, 1, 1, asked[-1].at, day_after(now))
        clock = next(each for each in clocks(facts, lambda _: OFFICE_HOURS, asked) if each.step == steps.RESPOND)
        assert (clock.due_at, clock.done_at) == (case.due_at, case.done_at)
        assert clock.counted_to(now) == case.counted_to(now)
