"""Events that come twice, in the wrong order, or cannot be read: one effect each, and nobody stops for them."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nkk.contracts import EventData
from nkk.contracts.events import (
    ComplaintForwarded,
    ComplaintHandedOver,
    ResponseApproved,
    ResponseReturned,
    ResponseSubmitted,
)
from nkk.sop.ticket import new_ticket
from tests.builders import REPORT
from tests.chaos.accountant.effects import HANDED_OVER
from tests.faults.trial import Trial
from tests.installations import eventually

SECRET = "Rahasia-Pelapor"
NOW = datetime.now(UTC)
DUE = {"service_due_at": NOW + timedelta(days=2)}


@pytest.fixture
def trial(tidied: Trial) -> Trial:
    return tidied


def journey(submitted: EventData) -> list[EventData]:
    """What a complaint that was returned once has told before it is answered, in order."""
    ticket = submitted.subject
    report = {name: value for name, value in REPORT.items() if name != "claimed_kind"}
    response = {"ticket": ticket, "opd": "disdukcapil", "by": "staff-1"}
    return [
        submitted,
        ComplaintHandedOver(
            ticket=ticket, reporter_kind="public", confidential=False, submitted_at=NOW, by="staff-1", **REPORT, **DUE
        ),
        ComplaintForwarded(ticket=ticket, opd="disdukcapil", note=None, by="staff-1", **report, **DUE),
        ResponseSubmitted(round=1, text="Sudah.", **response),
        ResponseReturned(round=1, note="Uraikan.", **response),
        ResponseSubmitted(round=2, text="Petugas ditegur.", **response),
        ResponseApproved(round=2, text="Petugas ditegur.", note=None, **response, **DUE),
    ]


def tell(trial: Trial, stage: str, data: EventData, **changed: Any) -> str:
    """Put `data` into the inbox of `stage` itself; the event's id."""
    event_id = str(uuid.uuid4())
    trial.put(f"{stage}.inbox", data.to_json(event_id, NOW), **{"id": event_id, "type": data.TYPE} | changed)
    return event_id


def test_an_event_delivered_twice_has_one_effect(trial: Trial) -> None:
    ticket = trial.people.submit(trial.people.reporter())
    trial.people.operator.act(f"/complaints/{ticket}/handover")
    trial.settled(ticket)
    [(event_id, body)] = trial.books.rows(
        "intake",
        "SELECT event_id, body FROM outbox WHERE subject = :ticket AND type = :type",
        ticket=ticket,
        type=HANDED_OVER,
    )
    for stage, process in (("triage", "triage-1"), ("notification", "notification-1")):
        trial.put(f"{stage}.inbox", body, id=event_id, type=HANDED_OVER)
        eventually(lambda process=process: trial.logged(process, "event already handled", event_id=event_id))
    trial.settled(ticket)


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_a_journey_is_the_same_in_whatever_order_its_events_arrive(trial: Trial, backwards: bool) -> None:
    people = trial.people
    reporter = people.reporter()
    trial.settled()
    ticket = new_ticket(2026)
    trial.books.foreign.add(ticket)
    [(reporter_id,)] = trial.books.rows("intake", "SELECT subject FROM outbox ORDER BY id DESC LIMIT 1")
    told = journey(trial.installation.submitted(ticket, reporter_id))
    for data in reversed(told) if backwards else told:
        tell(trial, "notification", data)
        eventually(
            lambda data=data: trial.books.count(
                "notification",
                "SELECT 1 FROM entries WHERE ticket = :ticket AND type = :type AND round = :round",
                ticket=ticket,
                type=data.TYPE,
                round=getattr(data, "round", 0),
            )
        )
    timeline = reporter.get(f"/complaints/{ticket}/timeline")
    assert [entry["event"] for entry in timeline["entries"]] == [data.TYPE for data in told]
    assert timeline["stands"]["step"] == 6
    people.operator.post(f"/complaints/{ticket}/answer", {"text": "Petugas telah ditegur."})
    assert trial.books.rows("notification", "SELECT material FROM answers WHERE ticket = :ticket", ticket=ticket) == [
        ("Petugas ditegur.",)
    ]
    folder = trial.installation.stack.var / "mail"
    eventually(lambda: len([path for path in folder.glob("*.eml") if ticket in path.read_text()]) == 2)
    assert sorted(
        trial.books.rows("notification", "SELECT kind FROM messages WHERE ticket = :ticket", ticket=ticket)
    ) == [("answered",), ("received",)]


def unreadable(trial: Trial) -> dict[str, tuple[str | bytes, dict[str, Any], str]]:
    """Messages nobody can make anything of: body, properties, and the reason to be found."""
    known = {"type": HANDED_OVER}
    document = json.loads(journey(trial.installation.submitted(new_ticket(2026)))[1].to_json(str(uuid.uuid4()), NOW))
    lacking = document | {"data": {"text": SECRET}}
    return {
        "not JSON": (f"<xml>{SECRET}</xml>", known, "not JSON"),
        "no text": (b"\xff\xfe\x00" + SECRET.encode(), known, "not JSON"),
        "another envelope": (json.dumps(document | {"specversion": "0.3"}), known, "not a CloudEvents 1.0 envelope"),
        "another type": (json.dumps(document), {"type": "complaint.eaten.v1"}, "UnknownTypeError"),
        "a newer version": (
            json.dumps(document | {"type": "complaint.handed_over.v2"}),
            {"type": "complaint.handed_over.v2"},
            "UnknownTypeError",
        ),
        "two types": (json.dumps(document | {"type": "complaint.eaten.v1"}), known, f"expected {HANDED_OVER}"),
        "missing fields": (json.dumps(lacking), known, "invalid fields: by, category"),
        "a megabyte of brackets": ("[" * 2**20, known, "not JSON"),
        "a megabyte of arrays": ('{"a":' + "[" * 2**19 + "]" * 2**19 + "}", known, "not JSON"),
        "a number without end": ('{"a":' + "9" * 2**20 + "}", known, "not JSON"),
        "no properties": (
            json.dumps(document | {"id": "1"}),
            {"id": "", "content_type": ""},
            "no handler for this type",
        ),
        "another encoding": (SECRET.encode("utf-16"), known | {"content_type": "text/plain"}, "not JSON"),
    }


def test_unreadable_messages_are_quarantined_with_their_reason_and_hold_nobody_up(trial: Trial) -> None:
    messages = unreadable(trial)
    for body, properties, _ in messages.values():
        trial.put("triage.inbox", body, **properties)
    ticket = trial.people.submit(trial.people.reporter())
    trial.people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in trial.people.main_team.desk("triage"))
    eventually(lambda: trial.depth("triage.quarantine") == len(messages))
    found = {item.body: item for item in trial.quarantined("triage")}
    for name, (body, _, reason) in messages.items():
        summary = found[body if isinstance(body, bytes) else body.encode()].summary()
        assert summary["reason"].startswith(("unreadable: ", "gave up after 4 attempts: UnknownTypeError")), name
        assert reason in summary["reason"], name
        assert summary["id"], name
    assert len({item.id for item in found.values()}) == len(messages)
    listed = trial.nkk("quarantine", "list", "triage").stdout
    assert len(listed.splitlines()) == len(messages)
    assert SECRET not in listed + trial.installation.log("triage-1")
    trial.settled(ticket)
