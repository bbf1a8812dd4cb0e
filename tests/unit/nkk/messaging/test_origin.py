import json
from types import SimpleNamespace

import pytest

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.asyncapi import SAMPLES
from nkk.contracts.events import StepDueSoon, StepOverdue
from nkk.messaging.origin import ORIGIN, ForgedError, Origin, Origins, check_origin

OURS = Origins("triage", "amqp://triage:secret@broker/nkk")
EVERYWHERE = [
    Origin(exchange, key)
    for key in (*(event.TYPE for event in EVENTS), "", "#", "triage.inbox")
    for exchange in (*(f"{stage}.events" for stage in STAGES), "triage.moves", "", "nameko-rpc", "amq.topic")
]


def delivered(exchange, routing_key, headers=None, type_="response.submitted.v1", body=b"{}"):
    """Return a message as kombu delivers it."""
    return SimpleNamespace(
        body=body,
        properties={"type": type_},
        headers=headers or {},
        delivery_info={"exchange": exchange, "routing_key": routing_key},
    )


def moved(message, origins=OURS, **changed):
    """Return `message` as it comes back from a retry queue."""
    return SimpleNamespace(
        **vars(message)
        | {
            "headers": origins.headers(message),
            "delivery_info": {"exchange": "triage.moves", "routing_key": "triage.inbox"},
        }
        | changed
    )


def believed(event, data):
    """Return the origins, and the stages as source, for which an event with this data is accepted."""
    found = set()
    for origin in [None, *EVERYWHERE]:
        for stage in STAGES:
            try:
                check_origin(event.TYPE, event.tellers(data), origin, f"/nkk/{stage}")
                found.add((origin, stage))
            except ForgedError:
                continue
    return found


def sample(event):
    """Return the data of an event's golden sample."""
    return json.loads((SAMPLES / f"{event.TYPE}.json").read_text("utf-8"))["data"]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_a_type_is_believed_from_its_owner_under_its_own_key_and_from_nowhere_else(event):
    (owner,) = event.tellers(sample(event))
    assert owner in event.SERVICES
    assert believed(event, sample(event)) == {(Origin(f"{owner}.events", event.TYPE), owner)}


@pytest.mark.parametrize("event", [StepDueSoon, StepOverdue], ids=lambda event: event.TYPE)
@pytest.mark.parametrize(
    ("step", "owner"),
    [
        (1, "intake"),
        (2, "intake"),
        (3, "triage"),
        (4, "opd_response"),
        (5, "triage"),
        (6, "notification"),
        (7, "notification"),
        (0, None),
        (8, None),
        ("2", None),
        (None, None),
        ([2], None),
    ],
)
def test_a_clock_that_runs_out_is_believed_from_the_stage_whose_step_it_is(event, step, owner):
    assert believed(event, sample(event) | {"step": step}) == (
        {(Origin(f"{owner}.events", event.TYPE), owner)} if owner else set()
    )


def test_a_refusal_names_where_it_came_from():
    with pytest.raises(ForgedError, match=r"^response.approved.v1 from opd_response.events under x"):
        check_origin("response.approved.v1", ("triage",), Origin("opd_response.events", "x"), "/nkk/triage")


def test_the_broker_is_believed_about_what_comes_from_an_exchange_whatever_its_headers_say():
    said = OURS.headers(delivered("intake.events", "complaint.handed_over.v1"))
    assert OURS.of(delivered("opd_response.events", "x", said)) == Origin("opd_response.events", "x")
    assert OURS.headers(delivered("opd_response.events", "x", said))[ORIGIN]["exchange"] == "opd_response.events"


def test_the_origin_stays_over_as_many_moves_as_there_are():
    message = delivered("opd_response.events", "response.submitted.v1")
    for _ in range(5):
        message = moved(message)
        assert OURS.of(message) == Origin("opd_response.events", "response.submitted.v1")


def test_another_instance_of_the_stage_believes_it_however_it_reaches_the_broker():
    other = Origins("triage", "amqp://triage:secret@10.0.0.9:5673/nkk")
    assert other.of(moved(delivered("a.events", "b"))) == Origin("a.events", "b")


@pytest.mark.parametrize(
    "origins",
    [
        Origins("notification", "amqp://triage:secret@broker/nkk"),
        Origins("triage", "amqp://topology:other@broker/nkk"),
        Origins("triage", "amqp://broker/nkk"),
    ],
)
def test_a_header_that_another_wrote_is_not_believed(origins):
    message = moved(delivered("a.events", "b"), origins)
    assert OURS.of(message) is None
    assert OURS.headers(message) == {}


@pytest.mark.parametrize("changed", [{"body": b"[]"}, {"properties": {"type": "response.approved.v1"}}])
def test_a_seal_holds_for_its_own_message_alone(changed):
    assert OURS.of(moved(delivered("a.events", "b"), **changed)) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "x",
        [],
        {},
        {"exchange": "a.events"},
        {"exchange": "a.events", "key": "b"},
        {"exchange": 7, "key": "b"},
        {"exchange": "a.events", "key": "b", "seal": None},
        {"exchange": "a.events", "key": "b", "seal": "é\ud800"},
        {"exchange": "a.events", "key": "b", "seal": b"\xff"},
    ],
)
def test_a_header_that_is_none_of_ours_says_nothing(header):
    assert OURS.of(moved(delivered("a.events", "b"), headers={ORIGIN: header} if header is not None else None)) is None
