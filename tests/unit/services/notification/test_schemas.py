import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nkk.sop.clock import OFFICE_HOURS, WIB
from nkk.sop.journey import service_due
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import SERVICE_MINUTES, Role
from nkk.trust.actor import Actor
from nkk.validation import load
from services.notification.journeys import Journey
from services.notification.schemas import Month, Teams, read_teams, show_teams
from services.notification.shown import record, standing, timeline
from tests.builders import TICKET, entry

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
STAFF, NOTE = "staff-17", "Mohon ditindaklanjuti."


def forwarded():
    return journey(
        entry("complaint.submitted.v2", AT),
        entry("complaint.handed_over.v1", AT, by=STAFF),
        entry("complaint.forwarded.v1", AT, by=STAFF, opd="disdukcapil", note=NOTE),
    )


def journey(*entries, **changed):
    known = {
        "reporter_id": "reporter-1",
        "author": "reporter-1",
        "sealed_reporter": "reporter-1",
        "submitted_at": AT,
        "service_due_at": service_due(AT, OFFICE_HOURS),
        "path": "complaint",
        "opd": "disdukcapil",
        "category": "kode-perilaku",
        "sub_category": "disiplin",
        "late_at": None,
        "closed_at": None,
    }
    return Journey(ticket=TICKET, entries=list(entries), **known | changed)


def calendars(version):
    """Return calendar `version`: the built-in week with that number."""
    return replace(OFFICE_HOURS, version=version)


READERS = {
    Role.REPORTER: Actor("reporter-1", Role.REPORTER),
    Role.OPERATOR: Actor("staff-o", Role.OPERATOR),
    Role.MAIN_TEAM: Actor("staff-m", Role.MAIN_TEAM),
    Role.OPD_TEAM: Actor("staff-t", Role.OPD_TEAM, "disdukcapil"),
}


def told_to(role, way, now=AT):
    return timeline(way, READERS[role], calendars, now)


def test_a_timeline_tells_where_a_complaint_stands_and_what_comes_next():
    told = told_to(Role.REPORTER, forwarded())
    assert told["stands"] == {"state": "respond", "step": 4}
    assert (told["next"]["step"], told["next"]["minutes"]) == (4, 900)
    assert [entry["step"] for entry in told["entries"]] == [1, 2, 3]
    assert told["submitted_at"] == "2026-03-02T03:00:00.000000Z"


def test_the_reporter_is_told_neither_who_of_the_staff_acted_nor_their_notes():
    told = json.dumps(told_to(Role.REPORTER, forwarded()))
    assert STAFF not in told
    assert NOTE not in told


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM])
def test_staff_are_told_who_acted_and_who_reported_is_not_among_it(role):
    told = told_to(role, forwarded())
    assert (told["entries"][2]["by"], told["entries"][2]["opd"]) == (STAFF, "disdukcapil")
    assert "reporter-1" not in json.dumps(told)


NOTED = {
    "complaint.classified_as_information.v1": {"operator", "main_team"},
    "complaint.forwarded.v1": {"main_team", "opd"},
    "response.returned.v1": {"main_team", "opd"},
    "response.approved.v1": {"operator", "main_team"},
    # This type has no addressee of notes, so the note would be the main team's own.
    "complaint.handed_over.v1": {"main_team"},
}


@pytest.mark.parametrize("type_", NOTED)
def test_a_note_is_shown_to_who_wrote_it_and_the_desk_it_was_written_to(type_):
    way = journey(entry(type_, AT, by=STAFF, opd="disdukcapil", note=NOTE))
    asked = {
        "reporter": READERS[Role.REPORTER],
        "operator": READERS[Role.OPERATOR],
        "main_team": READERS[Role.MAIN_TEAM],
        "opd": READERS[Role.OPD_TEAM],
        "other opd": Actor("staff-u", Role.OPD_TEAM, "satpol-pp"),
        "opd of none": Actor("staff-v", Role.OPD_TEAM),
        "admin": Actor("staff-a", Role.ADMIN),
    }
    told = {who: json.dumps(timeline(way, reader, calendars, AT)) for who, reader in asked.items()}
    assert {who for who, text in told.items() if NOTE in text} == NOTED[type_]


def test_a_note_of_no_opd_is_for_no_opd_of_none():
    way = journey(entry("complaint.forwarded.v1", AT, note=NOTE))
    assert NOTE in json.dumps(timeline(way, READERS[Role.MAIN_TEAM], calendars, AT))
    assert NOTE not in json.dumps(timeline(way, READERS[Role.OPD_TEAM], calendars, AT))


def test_a_journey_that_is_closed_has_nothing_next():
    way = forwarded()
    way.entries.append(entry("complaint.closed.v1", AT))
    assert told_to(Role.REPORTER, way)["next"] is None


def test_a_journey_whose_beginning_was_not_heard_yet_can_be_told():
    unknown = dict.fromkeys(["reporter_id", "submitted_at", "service_due_at", "path", "opd", "category"])
    told = told_to(Role.OPERATOR, journey(entry("complaint.handed_over.v1", AT), **unknown))
    assert (told["submitted_at"], told["service_left_minutes"]) == (None, None)
    # Step 2 was done, but the time of its start is unknown.
    assert told["entries"][0]["came_at"] is told["entries"][0]["late"] is None


def test_a_timeline_says_of_each_step_when_it_came_was_due_and_how_long_it_took():
    way = journey(
        entry("complaint.submitted.v2", AT),
        entry("complaint.handed_over.v1", AT + timedelta(minutes=12)),
        entry("complaint.forwarded.v1", AT + timedelta(minutes=20)),
    )
    told = told_to(Role.REPORTER, way, AT + timedelta(minutes=50))
    submitted, handed_over, forwarded_ = told["entries"]
    assert [submitted[name] for name in ("came_at", "due_at", "used_minutes", "late")] == [None] * 4
    assert [handed_over[name] for name in ("came_at", "due_at", "at", "used_minutes", "late")] == [
        "2026-03-02T03:00:00.000000Z",
        "2026-03-02T03:10:00.000000Z",
        "2026-03-02T03:12:00.000000Z",
        12,
        True,
    ]
    assert (forwarded_["used_minutes"], forwarded_["late"]) == (8, False)
    assert (told["next"]["used_minutes"], told["next"]["left_minutes"], told["next"]["late"]) == (30, 870, False)
    assert told["service_left_minutes"] == 850


def test_what_is_late_has_negative_minutes_left():
    told = told_to(Role.OPD_TEAM, forwarded(), datetime(2026, 3, 5, 10, 0, tzinfo=WIB))
    assert (told["next"]["late"], told["next"]["left_minutes"], told["service_left_minutes"]) == (True, -450, -450)


def test_each_clock_of_a_timeline_runs_by_the_calendar_its_event_names():
    closed_on_monday = replace(OFFICE_HOURS, version=1, week=((), *OFFICE_HOURS.week[1:]))
    way = journey(entry("complaint.submitted.v2", AT), entry("complaint.handed_over.v1", AT, calendar=1))
    told = timeline(way, READERS[Role.REPORTER], {0: OFFICE_HOURS, 1: closed_on_monday}.__getitem__, AT)
    assert told["entries"][1]["due_at"] == "2026-03-02T03:10:00.000000Z"
    assert told["next"]["due_at"] == "2026-03-03T02:30:00.000000Z"


@pytest.mark.parametrize(
    "moved", [["complaint.handed_over.v1"], ["complaint.handed_over.v1", "complaint.forwarded.v1"]]
)
def test_what_is_left_of_the_service_is_counted_by_the_calendar_that_the_submission_named(moved):
    closed_on_tuesday = replace(OFFICE_HOURS, version=1, week=(OFFICE_HOURS.week[0], (), *OFFICE_HOURS.week[2:]))
    known = {0: OFFICE_HOURS, 1: closed_on_tuesday}.__getitem__
    for first, then in ((0, 1), (1, 0)):
        way = journey(
            entry("complaint.submitted.v2", AT, calendar=first),
            *(entry(type_, AT, calendar=then) for type_ in moved),
            service_due_at=service_due(AT, known(first)),
        )
        assert timeline(way, READERS[Role.REPORTER], known, AT)["service_left_minutes"] == SERVICE_MINUTES
        assert standing(way, known, AT)["service_left_minutes"] == SERVICE_MINUTES


@pytest.mark.parametrize("ended", [["answer.sent.v1"], ["answer.sent.v1", "complaint.closed.v1"]])
def test_once_it_is_answered_nothing_is_left_of_the_promise(ended):
    told = told_to(Role.REPORTER, journey(*(entry(type_, AT) for type_ in ["complaint.submitted.v2", *ended])), AT)
    assert told["service_left_minutes"] is None


def test_a_record_holds_the_facts_that_clocks_are_counted_from_and_no_word_about_it():
    told = record(forwarded())
    assert told["facts"][2] == {
        "event_id": "complaint.forwarded.v1 0",
        "type": "complaint.forwarded.v1",
        "at": "2026-03-02T03:00:00.000000Z",
        "round": 0,
        "calendar": 0,
        "forwarding": 1,
        "cycle": 1,
        "days": 0,
        "opd": "disdukcapil",
    }
    assert set(told) == {"ticket", "path", "category", "sub_category", "opd", "channel", "facts", "questions"}
    for known in (STAFF, NOTE, "reporter-1"):
        assert known not in json.dumps(told)


ADDRESSES = {
    "operator": {"email": "operator@example.org", "superior_email": "kepala@example.org"},
    "opd_team": {"disdukcapil": {"email": "tim@example.org", "superior_email": None}},
}


def test_addresses_of_teams_are_shown_as_they_were_given():
    kept = read_teams(load(Teams, ADDRESSES))
    assert set(kept) == {"operator", "opd_team:disdukcapil"}
    assert show_teams(kept) == ADDRESSES
    assert show_teams(read_teams(load(Teams, {}))) == {"opd_team": {}}


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"operator": {"email": "kantor"}}, {"operator"}),
        ({"operator": {}}, {"operator"}),
        (
            {"main_team": {"email": "a@example.org", "superior_email": "b@example.org\nBcc: c@example.org"}},
            {"main_team"},
        ),
        ({"opd_team": {"Dinas Sosial": {"email": "a@example.org"}}}, {"opd_team"}),
        ({"reporter": {"email": "a@example.org"}}, {"reporter"}),
        ({"opd_team": {"x": None}}, {"opd_team"}),
    ],
)
def test_addresses_that_will_not_do_are_refused_by_team(form, fields):
    with pytest.raises(InvalidInput) as refused:
        load(Teams, form)
    assert set(refused.value.details["fields"]) == fields


def test_a_month_begins_and_ends_at_midnight_in_jakarta():
    assert load(Month, {"month": "2026-12"})["month"] == (
        datetime(2026, 12, 1, tzinfo=WIB),
        datetime(2027, 1, 1, tzinfo=WIB),
    )


@pytest.mark.parametrize(
    "month",
    [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-3",
        "26-03",
        "2026-03-01",
        "0000-01",
        "0001-01",
        "9999-12",
        202603,
        None,
        ["2026-03"],
    ],
)
def test_what_is_no_month_is_refused(month):
    with pytest.raises(InvalidInput) as refused:
        load(Month, {"month": month})
    assert set(refused.value.details["fields"]) == {"month"}


def test_a_team_that_declined_is_told_of_no_clock_that_went_on_without_it():
    way = forwarded()
    way.entries.append(entry("complaint.declined.v1", AT + timedelta(minutes=30), opd="disdukcapil"))
    asked = AT + timedelta(hours=3)
    told = timeline(
        way.told_to(Role.OPD_TEAM, "disdukcapil", asked, calendars), READERS[Role.OPD_TEAM], calendars, asked
    )
    assert (told["stands"]["step"], told["service_left_minutes"]) == (3, None)
    assert {told["next"][name] for name in ("due_at", "left_minutes", "late", "used_minutes")} == {None}
    assert told_to(Role.MAIN_TEAM, way, asked)["next"]["left_minutes"] is not None
