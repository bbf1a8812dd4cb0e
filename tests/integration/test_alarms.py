"""Alarms of clocks that run out, on real databases: each is raised once, also with several instances and crashes."""

import inspect
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import insert, select

from nkk.contracts import STAGES
from nkk.contracts.events import CalendarChanged
from nkk.desk import stage as stage_module
from nkk.desk.calendars import CalendarNotReceivedError
from nkk.sop import steps
from nkk.sop.calendar import write_calendar
from nkk.sop.clock import OFFICE_HOURS, WIB
from nkk.sop.refusals import AlreadyDone, InvalidInput
from nkk.sop.ticket import new_ticket
from nkk.sop.timed import started
from nkk.store.work import AlreadyHandledError
from services.intake.calendar import CalendarChangedMeanwhile, UnknownCalendar
from services.notification.storage import entries, journeys, messages
from services.notification.storage import teams as teams_table
from tests.builders import MONDAY, REPORT, answer, complaint, opd_case, triage_case
from tests.stages import ADMIN, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, house

NEAR, PAST = "step.due_soon.v1", "step.overdue.v1"
CLOCK = started(steps.HAND_OVER, MONDAY, OFFICE_HOURS)
SOON, LATE = MONDAY + timedelta(minutes=9), MONDAY + timedelta(minutes=11)


@pytest.fixture
def stages(url_of):
    """Yield the four stages on either database."""
    with house(url_of) as built:
        built.now = MONDAY
        yield built


def put(stages, stage, count):
    """Add `count` complaints or cases to `stage`, which came on Monday at eight and are due ten minutes later."""
    tickets = [new_ticket(2026) for _ in range(count)]
    with stages.services[stage].uow.begin() as work:
        for ticket in tickets:
            if stage == "intake":
                work.complaints.add(replace(complaint(), ticket=ticket, reporter_id=REPORTER.id))
            elif stage == "notification":
                work.answers.add(answer(ticket=ticket, **CLOCK))
            else:
                work.cases.add({"triage": triage_case, "opd_response": opd_case}[stage](ticket=ticket, **CLOCK))
    return tickets


def told(stages):
    """Return how often each alarm was raised for each ticket, from the outboxes."""
    stages.collect()
    return Counter((event.type, event.subject) for _, event in stages.told if event.type in (NEAR, PAST))


def once(kind, tickets):
    return Counter({(kind, ticket): 1 for ticket in tickets})


def look_until_nothing_is_left(instance, now):
    while instance._raise_some(now):
        pass


@pytest.mark.parametrize("stage", STAGES)
def test_each_alarm_is_told_once_however_many_instances_look_at_once(stages, stage, monkeypatch):
    monkeypatch.setattr(stage_module, "BATCH", 7)
    tickets = put(stages, stage, 60)
    together = Barrier(4)

    def look(now):
        instance = stages.instance(stage)
        together.wait()
        look_until_nothing_is_left(instance, now)

    with ThreadPoolExecutor(4) as pool:
        for now in (MONDAY + timedelta(minutes=8), SOON, SOON, LATE, LATE):
            list(pool.map(look, [now] * 4))
            expected = Counter() if now < SOON else once(NEAR, tickets)
            assert told(stages) == (expected + once(PAST, tickets) if now == LATE else expected)


@pytest.mark.parametrize("stage", STAGES)
def test_an_instance_that_dies_in_the_middle_has_told_nothing_and_the_next_one_tells_all(stages, stage, monkeypatch):
    tickets = put(stages, stage, 12)
    dying = stages.instance(stage)
    repository = type(dying.uow._work_cls(None, stage, stages.now).clocked)
    real, saved = repository.save, []

    def save(self, timed):
        saved.append(timed.ticket)
        if len(saved) == 8:
            raise KeyboardInterrupt
        real(self, timed)

    with monkeypatch.context() as patch:
        patch.setattr(repository, "save", save)
        with pytest.raises(KeyboardInterrupt):
            dying._raise_some(LATE)
    assert len(saved) == 8
    assert told(stages) == Counter()
    look_until_nothing_is_left(stages.instance(stage), LATE)
    assert told(stages) == once(PAST, tickets)


@pytest.mark.parametrize("stage", STAGES)
def test_what_one_instance_is_telling_is_passed_over_by_another_and_told_if_the_first_dies(stages, stage):
    if stages.databases[stage].is_sqlite:
        # SQLite allows one writing transaction at a time: the second instance waits, and then finds nothing to do.
        tickets = put(stages, stage, 3)
        assert [stages.instance(stage)._raise_some(LATE) for _ in range(2)] == [3, 0]
        assert told(stages) == once(PAST, tickets)
        return
    tickets = put(stages, stage, 3)
    first = stages.instance(stage)
    with suppress(KeyboardInterrupt), first.uow.begin() as work:
        (timed, *_) = work.clocked.due_alarms(LATE, 1)
        work.raise_alarm(timed, LATE)
        work.clocked.save(timed)
        assert stages.instance(stage)._raise_some(LATE) == 2
        raise KeyboardInterrupt
    assert stages.instance(stage)._raise_some(LATE) == 1
    assert told(stages) == once(PAST, tickets)


# -- steps that end late


def submitted(stages, at=MONDAY):
    stages.now = at
    return stages.do("intake", "submit", REPORTER, REPORT)["ticket"]


ACTS = [
    ("intake", "hand_over", OPERATOR, ()),
    ("triage", "forward", MAIN_TEAM, (OPD,)),
    ("opd_response", "respond", OPD_TEAM, ("Tanggapan.",)),
    ("triage", "return_response", MAIN_TEAM, ("Kurang.",)),
    ("opd_response", "respond", OPD_TEAM, ("Tanggapan.",)),
    ("triage", "approve", MAIN_TEAM, ()),
    ("notification", "send_answer", OPERATOR, ("Jawaban.",)),
]
RUNS = [(2, 0), (3, 0), (4, 1), (5, 1), (4, 2), (5, 2), (6, 0)]


def carry(stages, ticket, acts=ACTS, pause=timedelta(days=7)):
    """Carry out each act `pause` after the one before, without alarm timers."""
    for stage, command, actor, args in acts:
        stages.deliver()
        stages.now += pause
        stages.do(stage, command, actor, ticket, *args)
    stages.deliver()


def test_a_step_finished_late_is_told_of_exactly_once_by_who_finishes_it(stages):
    ticket = submitted(stages)
    carry(stages, ticket)
    for later in (timedelta(), timedelta(days=400)):
        stages.raise_alarms(stages.now + later)
    alarms = [(stage, event) for stage, event in stages.told if event.type in (NEAR, PAST)]
    assert [(event.type, event.data.step, event.data.round) for _, event in alarms] == [(PAST, *run) for run in RUNS]
    assert [stage for stage, _ in alarms] == [stage for stage, *_ in ACTS]
    assert [event.data.opd for _, event in alarms] == [OPD if step == 4 else None for step, _ in RUNS]


def test_a_late_step_is_told_of_before_the_event_that_ends_it(stages):
    ticket = submitted(stages)
    carry(stages, ticket, ACTS[:1])
    assert [event.type for _, event in stages.told] == ["complaint.submitted.v2", PAST, "complaint.handed_over.v1"]
    overdue, handed_over = (event for _, event in stages.told[1:])
    assert overdue.time == handed_over.time
    assert overdue.data.due_at < handed_over.time


def test_a_step_finished_in_time_tells_nothing_of_its_clock(stages):
    ticket = submitted(stages)
    carry(stages, ticket, ACTS, timedelta(minutes=9))
    stages.raise_alarms(stages.now + timedelta(days=400))
    # Step 2 was finished after nine of its ten minutes, in the same moment in which a warning would be due.
    assert told(stages) == Counter()


def test_a_refused_command_tells_nothing_of_a_clock_and_leaves_that_to_the_timer(stages):
    ticket = submitted(stages)
    carry(stages, ticket, ACTS[:2], timedelta(minutes=1))
    stages.now += timedelta(days=30)
    with pytest.raises(AlreadyDone):
        stages.do("triage", "forward", MAIN_TEAM, ticket, OPD)
    assert told(stages) == Counter()
    stages.raise_alarms(stages.now)
    assert told(stages) == once(PAST, [ticket])


def test_who_finishes_a_late_step_and_the_timer_at_once_tell_of_it_once(stages):
    tickets = put(stages, "intake", 25)
    stages.now = LATE
    together = Barrier(3)

    def finish(_):
        together.wait()
        for ticket in tickets:
            with suppress(AlreadyDone):
                stages.do("intake", "hand_over", OPERATOR, ticket)

    def look(_):
        instance = stages.instance("intake")
        together.wait()
        look_until_nothing_is_left(instance, LATE)

    stages.collect = lock_out(stages.collect)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda act: act(None), [finish, look, look]))
    assert told(stages) == once(PAST, tickets)
    assert Counter(event.type for _, event in stages.told)["complaint.handed_over.v1"] == 25


def lock_out(act):
    lock = threading.Lock()

    def one_at_a_time():
        with lock:
            act()

    return one_at_a_time


# -- calendars that stages have not received yet


ORDINARY = write_calendar(OFFICE_HOURS) | {"national_years": []}


def closed_on_monday(name):
    return ORDINARY | {"days": {"2026-03-02": {"name": name, "spans": []}}}


def test_an_event_whose_calendar_was_not_heard_of_yet_has_no_effect_and_is_handled_later(stages):
    stages.do("intake", "replace_calendar", ADMIN, 0, closed_on_monday("Banjir"))
    changed, stages.waiting = stages.waiting, []
    ticket = submitted(stages)
    stages.do("intake", "hand_over", OPERATOR, ticket)
    handed_over = next(event for ear, event in stages.waiting if ear == "triage")
    for _ in range(2):
        with pytest.raises(CalendarNotReceivedError):
            stages.services["triage"].on_complaint_handed_over(handed_over)
        with pytest.raises(CalendarNotReceivedError):
            stages.services["notification"].on_complaint_handed_over(handed_over)
    stages.waiting += changed
    stages.deliver()
    held = stages.stored(ticket)["triage"]
    assert (held.calendar, held.due_at.astimezone(WIB).day) == (1, 3)


def test_an_event_waits_for_the_calendar_of_the_submission_too(stages):
    for version in range(2):
        stages.do("intake", "replace_calendar", ADMIN, version, closed_on_monday(f"Libur {version}"))
        if version == 0:
            ticket = submitted(stages)
    stages.do("intake", "hand_over", OPERATOR, ticket)
    first, stages.waiting = (
        [(ear, event) for ear, event in stages.waiting if event.type == CalendarChanged.TYPE],
        [(ear, event) for ear, event in stages.waiting if event.type != CalendarChanged.TYPE],
    )
    triage, handed_over = stages.services["triage"], next(event for ear, event in stages.waiting if ear == "triage")
    for version in (2, 1):
        with pytest.raises(CalendarNotReceivedError):
            triage.on_complaint_handed_over(handed_over)
        triage.on_calendar_changed(
            next(event for ear, event in first if ear == "triage" and event.data.version == version)
        )
    triage.on_complaint_handed_over(handed_over)
    held = stages.stored(ticket)["triage"]
    assert (held.calendar, held.service_calendar) == (2, 1)


LOOKS = {"intake": "complaint", "notification": "answer"}


def test_what_is_left_of_the_service_is_counted_by_the_submissions_calendar_at_every_desk(stages):
    ticket = submitted(stages)
    promised = stages.stored(ticket)["intake"].service_due_at
    # A newer calendar closes the offices on the next day: no promise changes, nor the count of what is left of it.
    stages.do(
        "intake", "replace_calendar", ADMIN, 0, ORDINARY | {"days": {"2026-03-03": {"name": "Banjir", "spans": []}}}
    )
    stages.deliver()
    for desk, actor, act, args in (
        ("intake", OPERATOR, "hand_over", ()),
        ("triage", MAIN_TEAM, "forward", (OPD,)),
        ("opd_response", OPD_TEAM, "respond", ("Sudah.",)),
        ("triage", MAIN_TEAM, "approve", ()),
        ("notification", OPERATOR, "send_answer", ("Jawaban.",)),
    ):
        stages.now += timedelta(minutes=1)
        (row,) = stages.do(desk, "worklist", actor)["items"]
        left = OFFICE_HOURS.minutes_left(stages.now, promised)
        shown = [
            row,
            stages.do(desk, LOOKS.get(desk, "case"), actor, ticket),
            stages.do("notification", "timeline", REPORTER, ticket),
        ]
        # Tim Utama and the OPD see days only; the reporter, whose journey it is, sees minutes.
        told = OFFICE_HOURS.days_left(stages.now, promised) if desk in ("triage", "opd_response") else left
        assert (desk, [each["service_left_minutes"] for each in shown]) == (desk, [told, told, left])
        stages.do(desk, act, actor, ticket, *args)
        stages.deliver()


def test_a_calendar_heard_twice_or_out_of_order_stays_what_it_was(stages):
    triage = stages.services["triage"]
    for version in range(3):
        stages.do("intake", "replace_calendar", ADMIN, version, closed_on_monday(f"Libur {version}"))
    events = [event for ear, event in stages.waiting if ear == "triage"]
    for event in reversed(events):
        triage.on_calendar_changed(event)
        with pytest.raises(AlreadyHandledError):
            triage.on_calendar_changed(event)
        assert triage.calendars.current().version == 3
    assert [triage.calendars.get(version).version for version in range(4)] == [0, 1, 2, 3]
    with pytest.raises(CalendarNotReceivedError):
        triage.calendars.get(4)


def test_of_two_admins_who_change_one_version_at_once_one_is_refused(stages):
    together = Barrier(4)

    def change(number):
        instance = stages.instance("intake")
        together.wait()
        try:
            return inspect.unwrap(type(instance).replace_calendar)(
                instance, ADMIN, 0, closed_on_monday(f"Admin {number}")
            )["version"]
        except CalendarChangedMeanwhile:
            return 0

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(4))) == [0, 0, 0, 1]
    stages.collect()
    assert [event.data.version for _, event in stages.told] == [1]


def test_the_years_put_in_are_no_admins_to_change_and_no_deleted_day_comes_back(stages):
    extend, replace_ = stages.services["intake"].extend_calendar, ("intake", "replace_calendar", ADMIN)
    extend()
    shown = stages.do("intake", "calendar", ADMIN)["calendar"]
    deleted = {day: own for day, own in shown["days"].items() if day != f"{shown['national_years'][0]}-12-25"}
    assert len(deleted) < len(shown["days"])
    assert stages.do(*replace_, 1, shown | {"days": deleted})["version"] == 2
    for years in ([], [2027, 2030], [*shown["national_years"], 2030]):
        with pytest.raises(InvalidInput) as refused:
            stages.do(*replace_, 2, shown | {"days": deleted, "national_years": years})
        assert set(refused.value.details["fields"]) == {"national_years"}
        # An outdated version is reported before invalid fields.
        with pytest.raises(CalendarChangedMeanwhile):
            stages.do(*replace_, 1, shown | {"national_years": years})
    extend()
    assert stages.do("intake", "calendar", ADMIN)["version"] == 2
    assert stages.do("intake", "calendar", ADMIN)["calendar"]["days"] == deleted


def test_of_many_instances_that_start_together_one_puts_the_year_into_the_calendar(stages):
    together = Barrier(4)

    def extend(_):
        instance = stages.instance("intake")
        together.wait()
        instance.extend_calendar()

    with ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            list(pool.map(extend, range(4)))
    stages.collect()
    ((_, event),) = stages.told
    assert (event.type, event.data.version, event.data.by) == ("calendar.changed.v1", 1, "nkk")
    assert stages.do("intake", "calendar", ADMIN)["version"] == 1


# -- letters


ADDRESSES = {
    "operator": {"email": "operator@example.org", "superior_email": "kabid@example.org"},
    "main_team": {"email": "utama@example.org"},
    "opd_team": {OPD: {"email": "opd@example.org", "superior_email": "kadis@example.org"}},
}


def letters(stages):
    with stages.databases["notification"].reading() as connection:
        rows = connection.execute(select(messages).where(messages.c.kind.not_in(["received", "answered"]))).all()
    return sorted((row.kind, row.team, row.step, row.round) for row in rows)


def test_a_late_step_has_one_letter_to_its_team_and_one_to_its_superior(stages):
    stages.do("notification", "replace_teams", ADMIN, ADDRESSES)
    stages.chance.random = lambda: 0.0  # deliver every event twice
    ticket = submitted(stages)
    carry(stages, ticket)
    stages.raise_alarms(stages.now + timedelta(days=30))
    stages.deliver()
    opd = f"opd_team:{OPD}"
    assert letters(stages) == sorted(
        [
            ("overdue", "operator", 2, 0),
            ("overdue_superior", "operator", 2, 0),
            ("overdue", "main_team", 3, 0),
            ("overdue", opd, 4, 1),
            ("overdue_superior", opd, 4, 1),
            ("overdue", "main_team", 5, 1),
            ("overdue", opd, 4, 2),
            ("overdue_superior", opd, 4, 2),
            ("overdue", "main_team", 5, 2),
            ("overdue", "operator", 6, 0),
            ("overdue_superior", "operator", 6, 0),
        ]
    )


def test_a_step_that_nears_its_end_has_a_letter_to_its_team_alone(stages):
    stages.do("notification", "replace_teams", ADMIN, ADDRESSES)
    submitted(stages)
    stages.deliver()
    for _ in range(2):
        stages.raise_alarms(SOON)
        stages.deliver()
    assert letters(stages) == [("due_soon", "operator", 2, 0)]


def test_a_team_whose_address_nobody_gave_has_no_letter(stages):
    stages.do("notification", "replace_teams", ADMIN, {"main_team": ADDRESSES["main_team"]})
    submitted(stages)
    stages.deliver()
    stages.raise_alarms(LATE)
    stages.deliver()
    assert letters(stages) == []


def test_addresses_are_replaced_whole(stages):
    stages.do("notification", "replace_teams", ADMIN, ADDRESSES)
    stages.do("notification", "replace_teams", ADMIN, {"operator": {"email": "baru@example.org"}})
    assert stages.do("notification", "teams", ADMIN) == {
        "opd_team": {},
        "operator": {"email": "baru@example.org", "superior_email": None},
    }
    with stages.databases["notification"].reading() as connection:
        assert len(connection.execute(select(teams_table)).all()) == 1


def waiting_journeys(stages, count, late_at):
    tickets = [new_ticket(2026) for _ in range(count)]
    with stages.databases["notification"].writing() as connection:
        for ticket in tickets:
            connection.execute(
                insert(journeys).values(
                    ticket=ticket, reporter_id="r", submitted_at=MONDAY, service_due_at=late_at, late_at=late_at
                )
            )
            connection.execute(
                insert(entries).values(
                    event_id=ticket, ticket=ticket, type="complaint.submitted.v2", at=MONDAY, round=0
                )
            )
    return tickets


def test_reporters_who_wait_too_long_are_apologised_to_once_each_however_many_look(stages):
    tickets = waiting_journeys(stages, 40, MONDAY)
    waiting_journeys(stages, 5, MONDAY + timedelta(days=36_500))
    stages.now = MONDAY + timedelta(days=1)
    together = Barrier(4)

    def look(_):
        instance = stages.instance("notification")
        together.wait()
        instance.tell_reporters()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(4)))
        list(pool.map(look, range(4)))
    with stages.databases["notification"].reading() as connection:
        rows = connection.execute(select(messages.c.ticket, messages.c.kind)).all()
    assert sorted(row.ticket for row in rows) == sorted(tickets)
    assert {row.kind for row in rows} == {"late"}


def test_an_answer_that_was_sent_is_not_apologised_for(stages):
    ticket = submitted(stages)
    carry(stages, ticket, pause=timedelta(minutes=1))
    # Long after the reminder was due; but the answer was sent in time.
    stages.now += timedelta(days=60)
    for _ in range(2):
        stages.services["notification"].tell_reporters()
    assert letters(stages) == [("reminder", None, None, None)]


def test_a_reporter_who_has_read_the_answer_is_not_reminded(stages):
    ticket = submitted(stages)
    carry(stages, ticket, pause=timedelta(minutes=1))
    stages.do("notification", "open_answer", REPORTER, ticket)
    stages.now += timedelta(days=60)
    stages.services["notification"].tell_reporters()
    assert letters(stages) == []


# -- the calendar's own commands


def test_a_calendar_is_replaced_only_by_who_has_read_the_newest(stages):
    assert stages.do("intake", "replace_calendar", ADMIN, 0, ORDINARY)["version"] == 1
    with pytest.raises(CalendarChangedMeanwhile):
        stages.do("intake", "replace_calendar", ADMIN, 0, ORDINARY)
    with pytest.raises(CalendarChangedMeanwhile):
        stages.do("intake", "replace_calendar", ADMIN, 2, ORDINARY)
    assert [event.data.version for _, event in stages.told] == [1]


def test_a_day_that_is_set_makes_a_version_and_running_clocks_keep_theirs(stages):
    stages.do("intake", "replace_calendar", ADMIN, 0, ORDINARY)
    ticket = submitted(stages)
    shown = stages.do("intake", "set_day", ADMIN, "2026-03-02", {"name": "Banjir"})
    assert (shown["version"], shown["calendar"]["days"]) == (2, {"2026-03-02": {"name": "Banjir", "spans": []}})
    assert shown["changed_by"] == ADMIN.id
    held = stages.stored(ticket)["intake"]
    assert (held.calendar, held.due_at) == (1, MONDAY + timedelta(minutes=10))
    later = stages.stored(submitted(stages))["intake"]
    assert (later.calendar, later.due_at.astimezone(WIB).day) == (2, 3)
    assert stages.do("intake", "set_day", ADMIN, "2026-03-02", None)["calendar"]["days"] == {}


def test_the_versions_are_listed_newest_first_a_page_at_a_time_and_read_one_by_one(stages):
    for version in range(5):
        stages.do("intake", "replace_calendar", ADMIN, version, closed_on_monday(f"Hari {version}"))
    first = stages.do("intake", "calendar_versions", ADMIN, None, 2)
    second = stages.do("intake", "calendar_versions", ADMIN, first["next"], 2)
    last = stages.do("intake", "calendar_versions", ADMIN, second["next"], 2)
    assert [item["version"] for page in (first, second, last) for item in page["items"]] == [5, 4, 3, 2, 1]
    assert last["next"] is None
    assert stages.do("intake", "calendar", ADMIN, 3)["calendar"]["days"]["2026-03-02"]["name"] == "Hari 2"
    for unknown in (0, 6):
        with pytest.raises(UnknownCalendar):
            stages.do("intake", "calendar", ADMIN, unknown)


def test_where_no_calendar_was_ever_made_that_is_said(stages):
    with pytest.raises(UnknownCalendar):
        stages.do("intake", "calendar", ADMIN)
    with pytest.raises(UnknownCalendar):
        stages.do("intake", "set_day", ADMIN, "2026-03-02", {"name": "Banjir"})


def test_a_month_lists_what_was_closed_since_it_began_and_what_is_open_to_this_day(stages):
    february = submitted(stages, MONDAY - timedelta(days=10))
    carry(stages, february, pause=timedelta(minutes=1))
    stages.do("notification", "confirm_receipt", REPORTER, february)
    closed, waits = submitted(stages), submitted(stages)
    carry(stages, closed, pause=timedelta(minutes=1))
    stages.do("notification", "confirm_receipt", REPORTER, closed)
    stages.deliver()

    def listed(month, of_closed):
        page = stages.do("notification", "month", ADMIN, month, of_closed)
        assert page["next"] is None
        return {journey["ticket"] for journey in page["journeys"]}

    assert (listed("2026-02", True), listed("2026-02", False)) == ({february}, set())
    assert (listed("2026-03", True), listed("2026-03", False)) == ({closed}, {waits})
    assert (listed("2026-04", True), listed("2026-04", False)) == (set(), {waits})
    assert (listed("2026-01", True), listed("2026-01", False)) == (set(), set())


def test_each_clock_runs_by_the_newest_calendar_there_is_when_it_starts(stages):
    ticket = submitted(stages)
    for version, act in enumerate(ACTS):
        stages.do("intake", "replace_calendar", ADMIN, version, closed_on_monday(f"Hari {version}"))
        stages.deliver()
        carry(stages, ticket, [act], timedelta(minutes=1))
    (journey,) = stages.do("notification", "record", ADMIN, ticket)["journeys"]
    told = sorted(journey["facts"], key=lambda fact: fact["at"])
    assert [fact["calendar"] for fact in told] == list(range(len(ACTS) + 1))
    held = stages.stored(ticket)
    assert {stage: timed.calendar for stage, timed in held.items()} == {
        "intake": 0,
        "triage": 5,
        "opd_response": 4,
        "notification": 7,
    }
