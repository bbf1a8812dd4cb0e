import json
import re
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.contracts import EVENTS, STAGES, UnreadableEventError, read_envelope
from nkk.contracts.asyncapi import SAMPLES
from nkk.contracts.events import AnswerSent, CalendarChanged, ComplaintForwarded, ResponseReturned, ResponseSubmitted
from nkk.sop.journey import TURNS
from tests.builders import TICKET

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SECRET = "Rahasia-Pelapor"
RETURNED = ResponseReturned(ticket=TICKET, opd="disdukcapil", round=1, note="Sebutkan tindak lanjutnya.", by="staff-1")


def document(**changed):
    """Return a serialised event with changed attributes; None removes one."""
    written = json.loads(RETURNED.to_json("event-1", NOW, "request-1")) | changed
    return json.dumps({name: value for name, value in written.items() if value is not None})


def with_data(**changed):
    data = json.loads(RETURNED.to_json("event-1", NOW))["data"] | changed
    return document(data=data)


def test_what_is_written_is_read_back():
    event = ResponseReturned.read(RETURNED.to_json("event-1", NOW, "request-1"))
    assert (event.id, event.type, event.source, event.subject, event.time, event.correlation_id, event.data) == (
        "event-1",
        "response.returned.v1",
        "/nkk/triage",
        TICKET,
        NOW,
        "request-1",
        RETURNED,
    )


def test_the_envelope_is_cloudevents_1_0():
    written = json.loads(RETURNED.to_json("event-1", NOW))
    assert {name: written[name] for name in written if name != "data"} == {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/nkk/triage",
        "type": "response.returned.v1",
        "time": "2026-03-02T01:00:00.000000Z",
        "subject": TICKET,
        "datacontenttype": "application/json",
    }


def test_bytes_and_text_are_read_alike():
    written = RETURNED.to_json("event-1", NOW)
    assert ResponseReturned.read(written.encode()) == ResponseReturned.read(written)


def test_fields_and_attributes_this_version_does_not_know_are_ignored():
    event = ResponseReturned.read(with_data(mood="cerah", nested={"a": [1]}))
    assert event.data == RETURNED
    assert ResponseReturned.read(document(traceparent="00-1", dataschema=5)).data == RETURNED


def test_fields_that_may_be_left_out_are_none():
    written = json.loads(
        ComplaintForwarded(
            ticket=TICKET,
            opd="disdukcapil",
            note="n",
            category="a",
            sub_category="b",
            subject_line="s",
            text="t",
            service_due_at=NOW,
            by="staff-1",
        ).to_json("event-1", NOW)
    )
    for name in ("note", "place", "happened_on", "accused_name", "accused_position", "accused_opd"):
        written["data"].pop(name)
    data = ComplaintForwarded.read(json.dumps(written)).data
    assert (data.note, data.place, data.accused_opd) == (None, None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"\xff\xfe\x00",
        b'{"specversion": "1.0"',
        b"NaN",
        b"'a'",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_is_no_envelope_is_refused(body):
    with pytest.raises(UnreadableEventError, match=r"^not (JSON|a CloudEvents 1\.0 envelope)$"):
        read_envelope(body)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(constant):
    body = document().replace('"round": 1', f'"round": {constant}')
    with pytest.raises(UnreadableEventError, match=r"^not JSON$"):
        ResponseReturned.read(body)


def test_deep_nesting_inside_the_data_is_refused():
    body = document().replace('"round": 1', '"round": ' + "[" * 100_000 + "]" * 100_000)
    with pytest.raises(UnreadableEventError, match=r"^not JSON$"):
        ResponseReturned.read(body)


@pytest.mark.parametrize("version", ["0.3", "1.1", "2.0", 1.0, None])
def test_another_version_of_cloudevents_is_refused(version):
    with pytest.raises(UnreadableEventError, match="not a CloudEvents"):
        ResponseReturned.read(document(specversion=version))


@pytest.mark.parametrize("type_", ["response.returned.v2", "response.approved.v1"])
def test_another_version_of_the_event_is_refused(type_):
    with pytest.raises(UnreadableEventError, match=r"^expected response\.returned\.v1$"):
        ResponseReturned.read(document(type=type_))


@pytest.mark.parametrize("name", ["id", "type", "source", "subject", "time", "data"])
def test_an_envelope_that_lacks_an_attribute_is_refused_by_its_name(name):
    with pytest.raises(UnreadableEventError, match=f"^invalid envelope attribute: {name}$"):
        ResponseReturned.read(document(**{name: None}))


@pytest.mark.parametrize("name", ["id", "type", "source", "subject", "time", "data"])
def test_an_attribute_that_is_null_is_refused_by_its_name(name):
    written = json.loads(document()) | {name: None}
    with pytest.raises(UnreadableEventError, match=f"^invalid envelope attribute: {name}$"):
        ResponseReturned.read(json.dumps(written))


@pytest.mark.parametrize("value", ["", "x" * 201, 5, ["a"], "a\nb", "a\x00b", "\ud800"])
@pytest.mark.parametrize("name", ["id", "source", "subject"])
def test_an_attribute_that_no_log_or_database_could_hold_is_refused(name, value):
    with pytest.raises(UnreadableEventError, match=f"^invalid envelope attribute: {name}$"):
        ResponseReturned.read(document(**{name: value}))


@pytest.mark.parametrize("value", ["yesterday", 5, "", {}])
def test_a_time_that_is_none_is_refused(value):
    with pytest.raises(UnreadableEventError, match=r"^invalid envelope attribute: time$"):
        ResponseReturned.read(document(time=value))


@pytest.mark.parametrize("value", [5, ["a"], {"a": "b"}])
def test_a_correlation_id_that_is_no_text_is_as_good_as_none(value):
    assert ResponseReturned.read(document(correlationid=value)).correlation_id is None


def test_an_event_without_a_request_behind_it_names_none():
    assert "correlationid" not in json.loads(RETURNED.to_json("event-1", NOW))
    assert ResponseReturned.read(RETURNED.to_json("event-1", NOW)).correlation_id is None


@pytest.mark.parametrize(
    "changed",
    [
        {"ticket": SECRET},
        {"opd": SECRET},
        {"round": SECRET},
        {"note": SECRET + "\ud800"},
        {"by": SECRET * 50},
        {"round": 0},
        {"round": 1.5},
        {"round": True},
        {"note": ""},
        {"note": [SECRET]},
        {"ticket": {SECRET: SECRET}},
    ],
)
def test_fields_amiss_are_named_and_never_quoted(changed):
    with pytest.raises(UnreadableEventError) as refused:
        ResponseReturned.read(with_data(**changed))
    assert str(refused.value) == f"response.returned.v1: invalid fields: {next(iter(changed))}"


def test_no_refusal_of_an_envelope_quotes_what_was_written():
    bodies = [
        SECRET,
        json.dumps(SECRET),
        document(type=SECRET),
        document(specversion=SECRET),
        document(time=SECRET),
        document(id=SECRET * 50),
        document(data=SECRET),
        document(data={SECRET: SECRET}),
    ]
    for body in bodies:
        with pytest.raises(UnreadableEventError) as refused:
            ResponseReturned.read(body)
        assert SECRET not in str(refused.value)
        # Otherwise a traceback would quote it through the chained error.
        assert refused.value.__context__ is None or refused.value.__suppress_context__


@given(st.binary(max_size=200))
def test_no_bytes_end_in_another_error(body):
    with pytest.raises(UnreadableEventError):
        ResponseSubmitted.read(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["ticket", "opd", "round", "note", "by", "?"]), json_values, min_size=1))
def test_whatever_the_data_holds_it_is_read_or_refused(changed):
    try:
        event = ResponseReturned.read(with_data(**changed))
    except UnreadableEventError:
        return
    assert event.data.ticket == TICKET


def test_event_data_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        RETURNED.round = 2


def test_an_event_without_consumers_is_for_tooling():
    assert AnswerSent.CONSUMERS == ()


def test_event_names_are_unique_past_tense_and_versioned():
    names = [event.TYPE for event in EVENTS]
    assert len(set(names)) == len(names)
    for name in names:
        _subject, fact, version = name.split(".")
        # An event about a clock names its new state.
        assert fact in ("due_soon", "overdue") or any(
            word.endswith(("ed", "sent", "withdrawn", "kept")) for word in fact.split("_")
        )
        assert re.fullmatch(r"v[1-9]", version)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_each_event_goes_from_one_stage_to_others(event):
    assert event.SERVICES
    assert set(event.SERVICES) <= set(STAGES)
    assert set(event.CONSUMERS) <= set(STAGES)
    # An event that several stages publish may be consumed by one of them; a sole publisher never consumes its own.
    assert len(event.SERVICES) > 1 or not set(event.CONSUMERS) & set(event.SERVICES)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_an_event_names_the_stage_that_tells_it_as_its_source(event):
    data = event.read((SAMPLES / f"{event.TYPE}.json").read_text("utf-8")).data
    for service in event.SERVICES:
        assert json.loads(data.to_json("event-1", NOW, None, service))["source"] == f"/nkk/{service}"
    assert json.loads(data.to_json("event-1", NOW))["source"] == f"/nkk/{event.SERVICES[0]}"


STARTS_A_CLOCK = [event for event in EVENTS if "calendar" in event.SCHEMA.fields]


def test_every_event_that_starts_a_clock_names_the_calendar_it_runs_by():
    starting = {type_ for type_, turn in TURNS.items() if turn.then is not None}
    # A question names the version by which its last day is found, a joining that of the step its reporter is told of.
    named = {"step.due_soon.v1", "step.overdue.v1", "question.asked.v1", "complaint.joined.v1"}
    assert {event.TYPE for event in STARTS_A_CLOCK} == starting | named


@pytest.mark.parametrize("event", STARTS_A_CLOCK, ids=lambda event: event.TYPE)
def test_an_event_older_than_calendars_is_read_as_one_of_the_built_in_calendar(event):
    written = json.loads((SAMPLES / f"{event.TYPE}.json").read_text("utf-8"))
    assert written["data"].pop("calendar") > 0
    assert event.read(json.dumps(written)).data.calendar == 0


@pytest.mark.parametrize(
    "event", [each for each in EVENTS if "service_calendar" in each.SCHEMA.fields], ids=lambda event: event.TYPE
)
def test_an_event_older_than_the_services_own_calendar_is_read_as_one_that_does_not_tell_it(event):
    written = json.loads((SAMPLES / f"{event.TYPE}.json").read_text("utf-8"))
    assert written["data"].pop("service_calendar") > 0
    assert event.read(json.dumps(written)).data.service_calendar is None


@pytest.mark.parametrize("version", [-1, 1_000_001, 1.5, True, "3", None])
def test_a_calendar_that_is_no_version_is_refused_by_its_name(version):
    with pytest.raises(UnreadableEventError, match=r"^response\.returned\.v1: invalid fields: calendar$"):
        ResponseReturned.read(with_data(calendar=version))


@pytest.mark.parametrize("content", [None, [], {"week": []}, {"days": {"2026-03-19": {}}}, {"seasons": 5}])
def test_a_changed_calendar_that_will_not_do_is_refused_and_never_quoted(content):
    written = json.loads((SAMPLES / "calendar.changed.v1.json").read_text("utf-8"))
    written["data"]["content"] = content
    with pytest.raises(UnreadableEventError, match=r"^calendar\.changed\.v1: invalid fields: content$"):
        CalendarChanged.read(json.dumps(written))


def test_what_a_changed_calendar_holds_beside_is_kept():
    written = json.loads((SAMPLES / "calendar.changed.v1.json").read_text("utf-8"))
    written["data"]["content"]["remark"] = "dari versi yang lebih baru"
    assert CalendarChanged.read(json.dumps(written)).data.content == written["data"]["content"]
