import json
import re
from pathlib import Path

import pytest

import nkk.contracts
from nkk.contracts import EVENTS, UnreadableEventError, read_envelope
from nkk.contracts.events import CalendarChanged, CaseRecused
from nkk.sop import steps
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import end_of_day
from nkk.sop.journey import TURNS, service_due
from nkk.sop.ticket import read_ticket

SAMPLES = Path(nkk.contracts.__file__).parent / "samples"

each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)

IDENTITY = re.compile(r"name|nama|nik|nip|identity|identitas|e_?mail|phone|telepon|address|alamat|contact|kontak|birth")
# The accused is named by the reporter and is not the reporter; the contact is a box that only notification can open;
# there is one calendar and one set of lists, whose names are in the contract.
NO_IDENTITY = {(event.TYPE, "accused_name") for event in EVENTS} | {
    ("reporter.registered.v1", "sealed_contact"),
    ("calendar.changed.v1", "name"),
    ("lists.changed.v1", "name"),
}


def test_each_event_has_a_sample_and_there_are_no_others():
    assert {path.name for path in SAMPLES.iterdir()} == {f"{event.TYPE}.json" for event in EVENTS}


@each_event
def test_a_sample_is_read_as_its_event(event, heard):
    read = heard(event)
    assert isinstance(read.data, event)
    assert (read.type, read.source, read.subject) == (event.TYPE, f"/nkk/{event.SERVICES[0]}", read.data.subject)


@each_event
def test_a_sample_written_again_is_the_same_document(event, heard, document):
    read = heard(event)
    assert json.loads(read.data.to_json(read.id, read.time, read.correlation_id)) == document(event)


@each_event
def test_a_sample_is_pretty_printed(event, sample, document):
    assert sample(event) == json.dumps(document(event), ensure_ascii=False, indent=2) + "\n"


@each_event
def test_a_sample_shows_every_field_of_its_event_and_no_other(event, document):
    assert set(document(event)["data"]) == set(event.SCHEMA.fields)


@each_event
def test_a_samples_ticket_is_one_that_could_be_given(event, document):
    ticket = document(event)["data"].get("ticket")
    assert ticket is None or read_ticket(ticket) == ticket


def test_samples_have_ids_of_their_own(document):
    assert len({document(event)["id"] for event in EVENTS}) == len(EVENTS)


def test_the_samples_of_a_complaint_tell_one_journey_in_order(heard):
    # The other path, cases that came back to step 3 or were withdrawn, and the type that is no longer published.
    others = (
        "complaint.classified_as_information.v1",
        "complaint.joined.v1",
        "complaint.parted.v1",
        "response.concluded.v1",
        "response.shared.v1",
        "answer.returned.v1",
        "complaint.declined.v1",
        "complaint.recalled.v1",
        "complaint.withdrawn.v1",
        "complaint.ended.v1",
        "complaint.abandoned.v1",
        "complaint.kept.v1",
        "case.recused.v1",
        "question.asked.v1",
        "question.answered.v1",
        "question.lapsed.v1",
        "complaint.submitted.v1",
    )
    told = [heard(event) for event in EVENTS if event.TYPE not in others]
    tickets = {read.subject for read in told if hasattr(read.data, "ticket")}
    assert len(tickets) == 1
    in_time = sorted(told, key=lambda read: read.time)
    told_of_clocks = {"step.due_soon.v1", "step.overdue.v1"}
    assert [read.type for read in in_time if read.type not in told_of_clocks] == [
        "calendar.changed.v1",
        "lists.changed.v1",
        "reporter.registered.v1",
        "password.reset_requested.v1",
        "complaint.submitted.v2",
        "complaint.handed_over.v1",
        "complaint.forwarded.v1",
        # By its day only, so it comes first.
        "complaint.supplemented.v1",
        "report.supplemented.v1",
        "report.added_to.v1",
        "response.returned.v1",
        "time.requested.v1",
        "time.granted.v1",
        "response.submitted.v1",
        "response.gathered.v1",
        "response.approved.v1",
        "answer.sent.v1",
        "complaint.closed.v1",
        "answer.rated.v1",
        "complaint.reopened.v1",
    ]


@each_event
def test_no_schema_has_a_field_that_could_hold_who_reported(event):
    assert not {(event.TYPE, name) for name in event.SCHEMA.fields if IDENTITY.search(name)} - NO_IDENTITY


def test_the_name_of_a_calendar_can_be_no_persons():
    with pytest.raises(UnreadableEventError):
        CalendarChanged.read(
            json.dumps(
                json.loads((SAMPLES / "calendar.changed.v1.json").read_text("utf-8"))
                | {"data": {"name": "Pelapor Contoh", "version": 1, "content": {}, "by": "x"}}
            )
        )


@each_event
def test_no_sample_holds_an_address_or_an_identity_number(event, sample, document):
    written = document(event)
    assert "@" not in sample(event)
    # 16 digits are a NIK, 18 a NIP, and 9 or more in a row may be a phone number.
    words = json.dumps(
        {
            name: value
            for name, value in written["data"].items()
            if name not in ("reporter_id", "by", "sealed_contact", "sealed_letter", "sealed_reporter")
        }
    )
    assert not re.search(r"\d{9,}", words)


@each_event
def test_only_events_about_an_account_say_whose_it_is_and_the_shape_that_is_told_no_more(event):
    named = "reporter_id" in event.SCHEMA.fields
    assert named == ((event.PRIVATE and event is not CaseRecused) or event.TYPE == "complaint.submitted.v1")


@each_event
def test_any_cloudevents_reader_finds_the_envelopes_attributes(event, sample):
    envelope = read_envelope(sample(event))
    assert {"id", "source", "type", "time", "subject", "specversion", "datacontenttype", "data"} <= set(envelope)


def test_the_samples_clocks_are_counted_by_the_sample_calendar(heard):
    changed = heard(CalendarChanged).data
    calendar = read_calendar(changed.content, changed.version)
    told = {event.TYPE: heard(event) for event in EVENTS}
    submitted = told["complaint.submitted.v2"]
    assert submitted.data.submitted_at == submitted.time
    promised = {
        read.data.service_due_at
        for read in told.values()
        if hasattr(read.data, "service_due_at") and read.subject == submitted.subject
    }
    due = service_due(submitted.time, calendar)
    assert promised == {due, end_of_day(due)}
    with_due = {type_: read.data for type_, read in told.items() if hasattr(read.data, "service_due_at")}
    told_to_the_day = {type_ for type_, data in with_due.items() if data.agency}
    assert told_to_the_day == {"complaint.forwarded.v1", "response.approved.v1"}
    assert {with_due[type_].service_due_at for type_ in told_to_the_day} == {end_of_day(due)}
    for read in (told["step.due_soon.v1"], told["step.overdue.v1"]):
        assert (read.data.came_at, read.data.due_at) == (
            submitted.time,
            calendar.due(submitted.time, steps.HAND_OVER.minutes),
        )


def test_the_samples_of_alarms_tell_of_a_step_that_was_not_done_by_then(heard):
    told = {event.TYPE: heard(event) for event in EVENTS}
    near, past, done = (told[type_] for type_ in ("step.due_soon.v1", "step.overdue.v1", "complaint.handed_over.v1"))
    assert near.time <= near.data.due_at < past.time
    assert near.data.step == past.data.step == TURNS[done.type].ends.number
    assert past.time <= done.time
