import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from nkk.contracts import EVENTS
from nkk.contracts.asyncapi import SAMPLES
from nkk.contracts.events import ComplaintHandedOver, ResponseSubmitted, StepOverdue
from nkk.messaging.consumer import EventConsumer, FutureError, _copy
from nkk.messaging.origin import ForgedError, Origins


def received(**properties):
    """Return a message as kombu delivers it."""
    return SimpleNamespace(body=b"{}", properties=properties, content_type=None, delivery_tag=1)


def test_a_copy_keeps_the_id_of_its_message():
    assert _copy(received(message_id="event-1"), "triage.moves", "triage.quarantine", {}).id == "event-1"


def test_messages_without_an_id_can_be_told_apart_in_quarantine():
    one, other = (_copy(received(), "triage.moves", "triage.quarantine", {}) for _ in range(2))
    assert one.id != other.id


def told(event, exchange, time=None, **changed):
    """Return the sample of `event` as delivered from an exchange, with changed data and with `time` as its time."""
    document = json.loads((SAMPLES / f"{event.TYPE}.json").read_text("utf-8"))
    document["data"] |= changed
    document["source"] = f"/nkk/{exchange.partition('.')[0]}"
    return SimpleNamespace(
        body=json.dumps(document | ({"time": time} if time else {})).encode(),
        headers={},
        properties={"type": event.TYPE},
        delivery_info={"exchange": exchange, "routing_key": event.TYPE},
    )


def read(event, message):
    consumer = EventConsumer()
    consumer._origins = Origins("notification", "amqp://notification:secret@broker/nkk")
    return consumer._read(SimpleNamespace(event_cls=event), message)


def in_hours(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_an_event_is_read_as_its_owner_tells_it(event):
    assert read(event, told(event, f"{event.SERVICES[0]}.events")).type == event.TYPE


@pytest.mark.parametrize(
    "time", ["2199-01-01T00:00:00Z", "2199-12-31T23:59:59Z", in_hours(73)], ids=["2199", "the last", "in 73 hours"]
)
def test_what_an_event_tells_of_the_future_is_not_believed(time):
    with pytest.raises(FutureError, match=r"^response.submitted.v1; the clock here says 20"):
        read(ResponseSubmitted, told(ResponseSubmitted, "opd_response.events", time))
    with pytest.raises(FutureError):
        read(ComplaintHandedOver, told(ComplaintHandedOver, "intake.events", submitted_at=time))
    with pytest.raises(FutureError):
        read(StepOverdue, told(StepOverdue, "intake.events", came_at=time))


@pytest.mark.parametrize(
    "time", ["2000-01-01T00:00:00Z", in_hours(0), in_hours(71)], ids=["2000", "now", "in 71 hours"]
)
def test_clocks_may_disagree_and_events_come_late(time):
    assert read(ResponseSubmitted, told(ResponseSubmitted, "opd_response.events", time))


def test_what_is_promised_lies_in_the_future():
    assert read(ComplaintHandedOver, told(ComplaintHandedOver, "intake.events", service_due_at=in_hours(500)))
    assert read(StepOverdue, told(StepOverdue, "intake.events", due_at=in_hours(500)))


def test_a_stage_tells_nothing_of_anothers_step():
    assert read(StepOverdue, told(StepOverdue, "opd_response.events", step=4, role="opd_team", opd="disdukcapil"))
    for stage in ("triage", "opd_response", "notification"):
        with pytest.raises(ForgedError):
            read(StepOverdue, told(StepOverdue, f"{stage}.events", step=2))
