from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nkk.sop import steps
from nkk.sop.clock import OFFICE_HOURS, WIB, Calendar
from nkk.sop.steps import STEPS
from nkk.sop.timed import Alarm, Timed, started
from tests.builders import MONDAY, TICKET
from tests.calendars import calendars, instants
from tests.effort import quick


class Standing(Timed):
    """A case that waits at a step."""

    def __init__(self, step, at=MONDAY, calendar=OFFICE_HOURS):
        super().__init__(ticket=TICKET, **started(step, at, calendar))


def after(minutes):
    return MONDAY + timedelta(minutes=minutes)


NEAR, PAST = [Alarm.DUE_SOON], [Alarm.OVERDUE]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_clock_that_starts_is_near_its_end_after_four_fifths_of_its_time(step):
    timed = Standing(step)
    assert (timed.came_at, timed.done_at, timed.calendar) == (MONDAY, None, 0)
    assert OFFICE_HOURS.minutes_between(MONDAY, timed.due_at) == step.minutes
    assert OFFICE_HOURS.minutes_between(MONDAY, timed.tell_at) == step.minutes * 4 // 5
    assert timed.tell_at < timed.due_at


@given(st.sampled_from(STEPS), instants, calendars)
def test_a_clock_runs_by_the_calendar_it_was_started_with(step, at, calendar):
    timed = Standing(step, at, calendar)
    assert (timed.due_at, timed.calendar) == (calendar.due(at, step.minutes), calendar.version)
    assert at < timed.tell_at < timed.due_at


@pytest.mark.parametrize(("minutes", "told"), [(0, []), (8, []), (8.01, NEAR), (10, NEAR), (10.01, PAST), (9999, PAST)])
def test_nearness_is_told_after_its_time_and_lateness_after_the_due_time(minutes, told):
    timed = Standing(steps.HAND_OVER)
    assert [alarm for alarm in (timed.alarm(after(minutes)) for _ in range(3)) if alarm] == told


def test_nearness_is_told_once_and_lateness_once_after_it():
    timed = Standing(steps.HAND_OVER)
    assert [timed.alarm(after(minutes)) for minutes in (7, 9, 9.5, 10, 10.5, 11, 600)] == [
        None,
        Alarm.DUE_SOON,
        None,
        None,
        Alarm.OVERDUE,
        None,
        None,
    ]
    assert timed.tell_at is None


def test_of_a_clock_that_is_late_already_nearness_is_not_told():
    timed = Standing(steps.HAND_OVER)
    assert [timed.alarm(after(minutes)) for minutes in (11, 9, 11)] == [Alarm.OVERDUE, None, None]


def test_of_a_step_that_was_done_nothing_is_told():
    timed = Standing(steps.HAND_OVER)
    timed.stop_clock(after(5))
    assert (timed.done_at, timed.alarm(after(11))) == (after(5), None)


def test_a_clock_that_starts_again_tells_again():
    timed = Standing(steps.RESPOND)
    timed.alarm(timed.due_at + timedelta(days=1))
    timed.stop_clock(timed.due_at + timedelta(days=1))
    again = datetime(2026, 3, 9, 8, 0, tzinfo=WIB)
    timed.start_clock(steps.RESPOND, again, Calendar(4))
    assert (timed.came_at, timed.calendar, timed.done_at) == (again, 4, None)
    assert timed.alarm(timed.due_at) == Alarm.DUE_SOON
    assert timed.alarm(timed.due_at + timedelta(microseconds=1)) == Alarm.OVERDUE


class Ticking(RuleBasedStateMachine):
    """Time passes, the clock is checked, and the step is done and starts again: each run gets each alarm once."""

    @initialize(calendar=calendars, step=st.sampled_from(STEPS), at=instants)
    def begin(self, calendar, step, at):
        self.calendar, self.now = calendar, at
        self.timed = Standing(step, at, calendar)
        self.told = []

    @rule(share=st.sampled_from([0, 0.3, 0.79, 0.8, 0.81, 0.99, 1, 1.01, 2]))
    def time_passes(self, share):
        """Advance to a share of the clock's time, never backwards."""
        self.now = max(self.now, self.timed.came_at + (self.timed.due_at - self.timed.came_at) * share)

    @rule()
    def an_alarm_time_comes_exactly(self):
        self.now = max(self.now, self.timed.tell_at or self.now)

    @rule(elapsed=st.timedeltas(timedelta(), timedelta(days=3)))
    def some_time_passes(self, elapsed):
        self.now += elapsed

    @rule()
    def somebody_looks(self):
        before, tell_at = self.timed.done_at, self.timed.tell_at
        alarm = self.timed.alarm(self.now)
        if alarm:
            assert before is None
            assert self.now > tell_at
            self.told.append(alarm)
            assert (alarm == Alarm.OVERDUE) == (self.now > self.timed.due_at)
            assert self.timed.tell_at == (None if alarm == Alarm.OVERDUE else self.timed.due_at)
        else:
            assert self.timed.tell_at == tell_at

    @rule()
    def it_is_done(self):
        self.timed.stop_clock(self.now)

    @rule(step=st.sampled_from(STEPS))
    def it_begins_again(self, step):
        self.timed.start_clock(step, self.now, self.calendar)
        self.told = []

    @invariant()
    def each_run_tells_each_alarm_once_and_in_order(self):
        assert self.told in ([], NEAR, PAST, NEAR + PAST)

    @invariant()
    def whoever_looks_late_finds_what_was_not_told(self):
        told = self.timed.done_at or Alarm.OVERDUE in self.told
        assert (self.timed.tell_at is None) == bool(told)
        assert self.timed.tell_at is None or self.timed.tell_at <= self.timed.due_at


TestTicking = Ticking.TestCase
TestTicking.settings = settings(quick(60), stateful_step_count=30)
