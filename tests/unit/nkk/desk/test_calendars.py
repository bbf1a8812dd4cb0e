"""The time left on a clock, as worklists and cases show it."""

from contextlib import nullcontext
from datetime import time, timedelta
from types import SimpleNamespace

import pytest

from nkk.desk import Calendars
from nkk.desk.calendars import CalendarNotReceivedError
from nkk.sop import steps
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS, Calendar, Day
from nkk.sop.journey import service_due
from nkk.sop.timed import started
from tests.builders import MONDAY, triage_case
from tests.calendars import wib

CLOSED_FROM_NINE = Calendar(1, days={MONDAY.date(): Day("Banjir", ((time(7, 30), time(9)),))})
PROMISED = service_due(MONDAY, OFFICE_HOURS)


class Stored:
    """A stage that has stored `calendars`."""

    def __init__(self, *calendars):
        self._rows = {each.version: {"content": write_calendar(each)} for each in calendars}

    def reading(self):
        return nullcontext(SimpleNamespace(calendars=SimpleNamespace(row=self._rows.get)))


def standing(calendar=OFFICE_HOURS, came=MONDAY, done=None, submitted_by=0):
    """Return a case that awaits classification since `came`; one that came on Monday at 8 is due at 10."""
    return triage_case(
        **started(steps.CLASSIFY, came, calendar) | {"done_at": done},
        service_due_at=PROMISED,
        service_calendar=submitted_by,
    )


def left(case, now, *calendars):
    shown = Calendars(Stored(*calendars)).left(case, case.service_due_at, case.service_calendar, now)
    assert set(shown) - {"waiting_since"} == {"left_minutes", "service_left_minutes", "late"}
    return shown["left_minutes"], shown["service_left_minutes"], shown["late"]


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        ("2026-03-02T08:00", (120, 900, False)),
        ("2026-03-02T09:30", (30, 810, False)),
        ("2026-03-02T10:00", (0, 780, False)),
        ("2026-03-02T10:00:20", (0, 779, True)),
        ("2026-03-02T11:00", (-60, 720, True)),
        ("2026-03-04T08:00", (-780, 0, True)),
        ("2026-03-04T09:10", (-850, -70, True)),
    ],
)
def test_office_minutes_are_left_to_step_and_service_and_are_negative_once_late(now, shown):
    assert left(standing(), wib(now)) == shown


def test_past_closing_time_what_was_due_by_then_is_late_though_none_of_the_minutes_that_count_has_passed():
    case = standing(came=wib("2026-03-02T14:00"))
    assert case.due_at == wib("2026-03-02T16:00")
    assert left(case, wib("2026-03-02T16:00")) == (0, 480, False)
    assert left(case, wib("2026-03-02T18:00")) == (0, 480, True)
    assert left(case, wib("2026-03-03T07:31")) == (-1, 479, True)


@pytest.mark.parametrize(("done", "late"), [(timedelta(hours=2), False), (timedelta(hours=2, seconds=1), True)])
def test_once_a_step_is_done_nothing_is_left_and_it_was_late_or_not_whenever_it_is_looked_at(done, late):
    for now in (MONDAY + done, PROMISED + timedelta(days=10)):
        assert left(standing(done=MONDAY + done), now) == (None, None, late)


def test_the_service_ends_with_the_answer_though_the_reporter_has_not_received_it_yet(monkeypatch):
    answered = triage_case(**started(steps.CLASSIFY, MONDAY, OFFICE_HOURS), service_due_at=PROMISED, service_calendar=0)
    monkeypatch.setattr(type(answered), "step", steps.RECEIVE)
    assert left(answered, wib("2026-03-02T09:30")) == (30, None, False)


def test_what_is_left_is_counted_by_the_calendars_by_which_each_clock_started():
    case = standing(CLOSED_FROM_NINE)
    assert case.due_at == wib("2026-03-03T08:30")
    # 840 office minutes until the service is due, by the submission's calendar; by the step's, less than half of
    # Monday.
    assert left(case, wib("2026-03-02T09:00"), CLOSED_FROM_NINE) == (60, 840, False)
    assert left(standing(submitted_by=1), wib("2026-03-02T09:00"), CLOSED_FROM_NINE) == (60, 480, False)


def test_the_service_of_a_case_older_than_that_version_is_counted_by_the_steps_calendar():
    assert left(standing(CLOSED_FROM_NINE, submitted_by=None), wib("2026-03-02T09:00"), CLOSED_FROM_NINE) == (
        60,
        480,
        False,
    )


def test_nothing_passes_while_the_desk_waits_for_the_reporter_and_all_that_was_left_is_left_afterwards():
    case = standing()
    case.rest(wib("2026-03-02T09:00"))
    shown = Calendars(Stored()).left(case, case.service_due_at, case.service_calendar, wib("2026-03-02T11:00"))
    assert shown == {
        "left_minutes": 60,
        "service_left_minutes": 720,
        "late": False,
        "waiting_since": "2026-03-02T02:00:00.000000Z",
    }
    case.go_on(wib("2026-03-02T13:00"), OFFICE_HOURS)
    assert case.waiting_since is None
    assert left(case, wib("2026-03-02T13:30")) == (30, 630, False)
    assert left(case, wib("2026-03-02T14:30")) == (-30, 570, True)


def test_nothing_is_counted_by_a_calendar_that_was_not_heard_of():
    for case in (standing(CLOSED_FROM_NINE), standing(submitted_by=1)):
        with pytest.raises(CalendarNotReceivedError):
            left(case, wib("2026-03-02T09:00"))


@pytest.mark.parametrize(("calendar", "service_calendar"), [(1, 0), (0, 1), (1, None), (1, 1)])
def test_an_event_waits_for_every_calendar_it_names(calendar, service_calendar):
    named = SimpleNamespace(calendar=calendar, service_calendar=service_calendar)
    with pytest.raises(CalendarNotReceivedError):
        Calendars(Stored()).named_by(named)
    assert Calendars(Stored(CLOSED_FROM_NINE)).named_by(named).version == calendar
