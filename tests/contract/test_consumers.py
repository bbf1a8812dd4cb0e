"""Each consumer accepts the samples of its events, and each stage consumes exactly the events of the contracts."""

import inspect

import pytest

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.asyncapi import SAMPLES
from nkk.contracts.events import (
    AnswerRated,
    CalendarChanged,
    CaseRecused,
    ComplaintAbandoned,
    ComplaintClassifiedAsInformation,
    ComplaintEnded,
    ComplaintForwarded,
    ComplaintHandedOver,
    ComplaintSupplemented,
    ComplaintWithdrawn,
    QuestionAnswered,
    QuestionAsked,
    QuestionLapsed,
    ReportAddedTo,
    ReportSupplemented,
    ResponseApproved,
    ResponseReturned,
    ResponseSubmitted,
    StepDueSoon,
    StepOverdue,
    TimeGranted,
    TimeRequested,
)
from nkk.messaging.consumer import Handles
from nkk.sop import steps
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import OFFICE_HOURS
from nkk.sop.files import described
from nkk.sop.journey import ABOUT_TIME, TURNS
from nkk.sop.journey import BESIDE as ADDED
from nkk.sop.steps import Path
from services.intake.service import IntakeService
from services.notification import service as notification
from services.opd_response import service as opd_response
from services.triage import service as triage

SERVICES = {
    service.name: service
    for service in (
        IntakeService,
        triage.TriageService,
        opd_response.OpdResponseService,
        notification.NotificationService,
    )
}
ALARMS = [StepDueSoon, StepOverdue]
# What adds to a report, what is passed on to an OPD alone, and what ends no step.
BESIDE = (
    ReportSupplemented,
    ReportAddedTo,
    ComplaintSupplemented,
    ComplaintEnded,
    AnswerRated,
    CaseRecused,
    TimeRequested,
    TimeGranted,
    QuestionAsked,
    QuestionAnswered,
    QuestionLapsed,
)
JOURNEY = [event for event in EVENTS if "ticket" in event.SCHEMA.fields and event not in (*ALARMS, *BESIDE)]


CHANGED = CalendarChanged.read((SAMPLES / "calendar.changed.v1.json").read_text("utf-8")).data
CALENDAR = read_calendar(CHANGED.content, CHANGED.version)


def handled(service):
    """Return the events that a stage has handlers for, one entry per handler."""
    entrypoints = [
        entrypoint
        for _, method in inspect.getmembers(service)
        for entrypoint in getattr(method, "nameko_entrypoints", ())
    ]
    return [entrypoint.event_cls for entrypoint in entrypoints if isinstance(entrypoint, Handles)]


def same(thing, data, names):
    return {name: getattr(thing, name) for name in names} == {name: getattr(data, name) for name in names}


def test_the_stages_of_the_contracts_are_the_services():
    assert set(STAGES) == set(SERVICES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_handler_for_each_event_that_names_it_and_for_no_other(stage):
    heard = [event.TYPE for event in handled(SERVICES[stage])]
    assert sorted(heard) == sorted(event.TYPE for event in EVENTS if stage in event.CONSUMERS)


def test_notification_hears_every_event_of_the_other_stages():
    assert set(handled(notification.NotificationService)) == {
        event for event in EVENTS if "notification" in event.CONSUMERS
    }


def test_every_event_about_a_complaint_has_a_place_in_the_journey():
    assert set(TURNS) == {event.TYPE for event in JOURNEY}
    assert set(ADDED) == {ReportAddedTo.TYPE}
    assert set(ABOUT_TIME) == {TimeRequested.TYPE, TimeGranted.TYPE}


def test_triage_makes_a_case_of_what_is_handed_over(heard):
    event = heard(ComplaintHandedOver)
    case = triage._case(event, CALENDAR)
    assert same(case, event.data, set(ComplaintHandedOver.SCHEMA.fields) - {"by", "files", "additions"})
    assert case.files == described(event.data.files)
    assert (case.came_at, case.due_at) == (event.time, CALENDAR.due(event.time, steps.CLASSIFY.minutes))
    assert case.state == "awaiting_classification"


def test_opd_response_makes_a_case_of_what_is_forwarded(heard):
    event = heard(ComplaintForwarded)
    case = opd_response._case(event, CALENDAR)
    # Whom it is hidden from stands in a table of its own.
    assert same(case, event.data, set(ComplaintForwarded.SCHEMA.fields) - {"by", "files", "additions", "barred"})
    assert case.files == described(event.data.files)
    assert (case.came_at, case.due_at) == (event.time, CALENDAR.due(event.time, steps.RESPOND.minutes))
    assert case.state == "awaiting_response"


def test_a_response_and_its_return_fit_the_cases_they_are_about(heard):
    case = triage._case(heard(ComplaintHandedOver), OFFICE_HOURS)
    forwarded, returned, response = heard(ComplaintForwarded), heard(ResponseReturned), heard(ResponseSubmitted)
    case.forward(forwarded.data.opd, forwarded.time)
    case.receive(response.data.text, response.data.round, response.time, OFFICE_HOURS)
    assert case.state == "awaiting_approval"

    desk = opd_response._case(forwarded, OFFICE_HOURS)
    desk.respond("Tanggapan pertama.", forwarded.time)
    desk.returned(returned.data.round, returned.data.note, returned.time, OFFICE_HOURS)
    assert (desk.state, desk.return_note) == ("awaiting_response", returned.data.note)


@pytest.mark.parametrize("event", JOURNEY, ids=lambda event: event.TYPE)
def test_notification_makes_an_entry_of_every_event_about_a_complaint(event, heard):
    read = heard(event)
    entry = notification._entry(read)
    assert (entry.event_id, entry.ticket, entry.type, entry.at) == (read.id, read.data.ticket, read.type, read.time)
    assert (entry.round, entry.by, entry.opd, entry.note) == (
        getattr(read.data, "round", 0),
        getattr(read.data, "by", None),
        getattr(read.data, "opd", None),
        # Why a report was withdrawn, or closed, is the note of that.
        read.data.reason if event in (ComplaintWithdrawn, ComplaintAbandoned) else getattr(read.data, "note", None),
    )
    assert entry.calendar == getattr(read.data, "calendar", 0)


@pytest.mark.parametrize(
    ("event", "path", "material"),
    [
        (ComplaintClassifiedAsInformation, Path.INFORMATION, None),
        (ResponseApproved, Path.COMPLAINT, "text"),
    ],
    ids=["information", "complaint"],
)
def test_notification_makes_work_of_what_comes_to_be_answered(event, path, material, heard):
    read = heard(event)
    text = material and getattr(read.data, material)
    answer = notification._answer(read, CALENDAR, path, text)
    assert (answer.ticket, answer.path, answer.material, answer.note, answer.service_due_at) == (
        read.data.ticket,
        path,
        text,
        read.data.note,
        read.data.service_due_at,
    )
    assert (answer.came_at, answer.due_at) == (read.time, CALENDAR.due(read.time, steps.ANSWER.minutes))
    assert answer.calendar == read.data.calendar == CALENDAR.version
    assert answer.service_calendar == read.data.service_calendar == CALENDAR.version


def test_every_sample_runs_by_the_sample_calendar(heard):
    assert {heard(event).data.calendar for event in EVENTS if "calendar" in event.SCHEMA.fields} == {CALENDAR.version}
