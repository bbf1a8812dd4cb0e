"""The accountant reports exactly the one thing that was changed in a copy of true books."""

import json
import time
from dataclasses import replace

import pytest

from nkk.messaging.publisher import Message, publisher
from ops.stack.broker import PrivateNode
from ops.stack.run import declare_topology
from tests.chaos.accountant import broker
from tests.chaos.accountant.letters import Letter
from tests.chaos.accountant.tools import Received
from tests.chaos.record import Struck
from tests.chaos.true_books import COMPLAINT, INFORMATION, WAITING, Copy, only, told_again, written
from tests.installations import eventually, new_vhost

HEARD = "INSERT INTO inbox (consumer, event_id, handled_at) VALUES "


@pytest.mark.long
def test_true_books_balance(copy: Copy) -> None:
    assert copy.said() == []


def test_an_event_that_was_not_heard(copy: Copy) -> None:
    event = copy.event("complaint.handed_over.v1", copy.tickets[WAITING])
    copy.change("triage", "DELETE FROM inbox WHERE event_id = :id", id=event)
    only(copy.said(), "heard:", copy.tickets[WAITING], event, "0 times by triage")


def test_an_event_that_was_not_sent(copy: Copy) -> None:
    event = copy.event("complaint.handed_over.v1", copy.tickets[WAITING])
    copy.change("intake", "UPDATE outbox SET sent_at = NULL WHERE event_id = :id", id=event)
    only(copy.said(), "sent:", copy.tickets[WAITING], event, "outbox of intake")


def test_an_event_that_nobody_told(copy: Copy) -> None:
    copy.change("triage", HEARD + "('triage', 'made-up', '2026-01-01')")
    only(copy.said(), "told:", "made-up", "nobody told")


def test_an_event_that_was_marked_as_sent_and_never_came(copy: Copy) -> None:
    event = copy.event("answer.sent.v1", copy.tickets[COMPLAINT])
    only(
        copy.said(overheard=[each for each in copy.evidence.overheard if each[1] != event]),
        "overheard:",
        copy.tickets[COMPLAINT],
        event,
    )


def test_events_that_came_out_of_order(copy: Copy) -> None:
    first, second = (
        ("intake", copy.event(type_, copy.tickets[WAITING]))
        for type_ in ("complaint.submitted.v2", "complaint.handed_over.v1")
    )
    turned = [{first: second, second: first}.get(each, each) for each in copy.evidence.overheard]
    only(copy.said(overheard=turned), "order:", copy.tickets[WAITING], "complaint.handed_over.v1")


def test_an_event_that_came_twice_is_no_fault(copy: Copy) -> None:
    assert copy.said(overheard=[*copy.evidence.overheard, *copy.evidence.overheard]) == []


def listened(copy: Copy, opd: str | None = None) -> Received:
    """Return what a tool of triage has received if nothing is amiss, some of it twice."""
    of_triage = [event for event in copy.evidence.pages.told if event.stage == "triage"]
    ids = [event.event_id for event in of_triage if opd in (None, event.data.get("opd"))]
    return Received("listens", "triage", opd, [*ids, *ids[:2]], [])


@pytest.mark.parametrize("opd", [None, "disdukcapil", "dinas-kesehatan"])
def test_a_tool_that_received_everything_some_of_it_twice(copy: Copy, opd: str | None) -> None:
    assert copy.said(received=[listened(copy, opd)]) == []


def test_a_tool_that_missed_an_event(copy: Copy) -> None:
    tool, event = listened(copy, "disdukcapil"), copy.event("response.returned.v1", copy.tickets[COMPLAINT])
    missed = replace(tool, ids=[each for each in tool.ids if each != event])
    only(copy.said(received=[missed]), "tool listens:", copy.tickets[COMPLAINT], event)


def test_a_tool_that_received_events_out_of_order(copy: Copy) -> None:
    tool = listened(copy, "disdukcapil")
    first, second, *rest = tool.ids
    only(copy.said(received=[replace(tool, ids=[second, first, *rest])]), "tool listens:", "told earlier")


def test_a_tool_that_received_an_event_that_is_not_for_it(copy: Copy) -> None:
    tool, event = listened(copy, "dinas-kesehatan"), copy.event("response.returned.v1", copy.tickets[COMPLAINT])
    only(copy.said(received=[replace(tool, ids=[event])]), "tool listens:", event, "not for the tool")


def test_a_tool_that_ended_by_itself(copy: Copy) -> None:
    only(copy.said(received=[replace(listened(copy), troubles=["it ended: KeyError"])]), "tool listens:", "KeyError")


def test_an_effect_that_was_noted_twice(copy: Copy) -> None:
    event = copy.event("answer.sent.v1", copy.tickets[COMPLAINT])
    copy.change(
        "notification",
        "INSERT INTO entries (event_id, ticket, type, at, round, calendar) "
        "SELECT 'again', ticket, type, at, round, calendar FROM entries WHERE event_id = :id",
        id=event,
    )
    only(copy.said(), "entries:", copy.tickets[COMPLAINT], "answer.sent.v1 again 1 times too often")


def test_an_effect_that_is_missing(copy: Copy) -> None:
    event = copy.event("complaint.submitted.v2", copy.tickets[COMPLAINT])
    copy.change("notification", "DELETE FROM entries WHERE event_id = :id", id=event)
    only(copy.said(), "entries:", copy.tickets[COMPLAINT], "lacks complaint.submitted.v2")


def test_a_complaint_that_was_lost_whole(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    for type_ in ("complaint.submitted.v2", "complaint.handed_over.v1"):
        event = copy.event(type_, ticket)
        copy.change("intake", "DELETE FROM outbox WHERE event_id = :id", id=event)
        copy.change("notification", "DELETE FROM inbox WHERE event_id = :id", id=event)
        copy.change("notification", "DELETE FROM entries WHERE event_id = :id", id=event)
    copy.change("triage", "DELETE FROM inbox WHERE event_id = :id", id=copy.event("complaint.handed_over.v1", ticket))
    copy.change("triage", "DELETE FROM cases WHERE ticket = :ticket", ticket=ticket)
    copy.change("notification", "DELETE FROM journeys WHERE ticket = :ticket", ticket=ticket)
    copy.change("intake", "DELETE FROM complaints WHERE ticket = :ticket", ticket=ticket)
    (message,) = [row["id"] for row in copy.evidence.pages.rows("messages", ticket)]
    copy.change("notification", "DELETE FROM messages WHERE id = :id", id=message)
    said = copy.said(letters=[letter for letter in copy.evidence.letters if letter.id != message])
    assert f"submissions: {ticket}: accepted with 201, and lost" in said
    assert f"commands: {ticket}: 'hand over' was accepted 1 times and told 0 times" in said


def test_a_complaint_that_is_missing_at_intake(copy: Copy) -> None:
    copy.change("intake", "DELETE FROM complaints WHERE ticket = :ticket", ticket=copy.tickets[WAITING])
    said = copy.said()
    assert f"complaints: {copy.tickets[WAITING]}: told as submitted 1 times, 0 times in intake's table" in said
    assert f"submissions: {copy.tickets[WAITING]}: accepted with 201, and lost" in said
    assert len(said) == 2


@pytest.mark.parametrize(
    ("stage", "table", "book", "state"),
    [
        ("triage", "cases", "triage cases", "awaiting_approval"),
        ("opd_response", "cases", "OPD cases", "awaiting_response"),
        ("notification", "answers", "answers", "answered"),
    ],
)
def test_a_desk_at_which_it_stands_elsewhere_than_was_told(
    copy: Copy, stage: str, table: str, book: str, state: str
) -> None:
    copy.change(
        stage, f"UPDATE {table} SET state = :state WHERE ticket = :ticket", state=state, ticket=copy.tickets[COMPLAINT]
    )
    only(copy.said(), f"{book}:", copy.tickets[COMPLAINT], f"stands as {state}")


def test_a_desk_that_has_lost_its_case(copy: Copy) -> None:
    copy.change("triage", "DELETE FROM cases WHERE ticket = :ticket", ticket=copy.tickets[WAITING])
    only(copy.said(), "triage cases:", copy.tickets[WAITING], "0 rows, where one follows")


def test_a_journey_that_is_not_closed_though_told(copy: Copy) -> None:
    copy.change("notification", "UPDATE journeys SET closed_at = NULL WHERE ticket = :t", t=copy.tickets[INFORMATION])
    only(copy.said(), "journeys:", copy.tickets[INFORMATION], "closed at None")


def test_a_command_carried_out_twice(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    again = told_again(copy, "complaint.handed_over.v1", ticket)
    for stage in ("triage", "notification"):
        copy.change(
            stage,
            HEARD + "(:consumer, :id, '2026-01-01')",
            consumer=stage,
            id=again,
        )
    said = copy.said(overheard=[*copy.evidence.overheard, ("intake", again)])
    assert any(words.startswith(f"path: {ticket}: what is told of it makes no journey") for words in said)
    assert f"commands: {ticket}: 'hand over' was told 2 times, accepted 1 times and perhaps 0 times more" in said
    assert any(words.startswith(f"entries: {ticket}: the journey lacks complaint.handed_over.v1") for words in said)
    assert len(said) == 3


def test_a_letter_that_says_again_what_another_said(copy: Copy) -> None:
    letter = written(copy, copy.tickets[COMPLAINT], "answered")
    columns = "ticket, kind, created_at, next_try_at, tries, sent_at"
    copy.change(
        "notification",
        f"INSERT INTO messages (id, {columns}) SELECT 'again', {columns} FROM messages WHERE id = :id",
        id=letter.id,
    )
    said = copy.said(letters=[*copy.evidence.letters, replace(letter, id="again")])
    assert f"letters: {letter.subject}: written to {letter.to} 2 times" in said
    assert any(f"{copy.tickets[COMPLAINT]}: 2 letters of the kind answered" in words for words in said)
    assert len(said) == 2


def test_a_letter_sent_twice_for_no_reason(copy: Copy) -> None:
    letter = written(copy, copy.tickets[COMPLAINT], "answered")
    again = replace(letter, at=letter.at + 1)
    only(copy.said(letters=[*copy.evidence.letters, again]), "letters:", letter.subject, "sent 2 times")
    killed = Struck("instance killed", "notification-1", letter.at, letter.at + 1)
    record = replace(copy.evidence.record, struck=[killed])
    assert copy.said(letters=[*copy.evidence.letters, again], record=record) == []


def test_a_letter_that_never_came(copy: Copy) -> None:
    letter = written(copy, copy.tickets[COMPLAINT], "received")
    only(
        copy.said(letters=[each for each in copy.evidence.letters if each != letter]),
        "letters:",
        copy.tickets[COMPLAINT],
        "marked as sent and never came",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [("sent_at = NULL", "is not sent"), ("sent_at = NULL, given_up_at = created_at", "was given up")],
)
def test_a_letter_that_was_not_sent(copy: Copy, change: str, words: str) -> None:
    letter = written(copy, copy.tickets[COMPLAINT], "received")
    copy.change("notification", f"UPDATE messages SET {change} WHERE id = :id", id=letter.id)
    only(copy.said(), "letters:", copy.tickets[COMPLAINT], words)


def test_a_letter_that_nobody_wrote(copy: Copy) -> None:
    stray = Letter(time.time(), "stray", "siapa@example.id", "Halo")
    only(copy.said(letters=[*copy.evidence.letters, stray]), "letters:", "Halo", "nobody wrote it")


def test_a_letter_that_is_written_a_second_time(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    for id_ in ("one", "two"):
        copy.change(
            "notification",
            "INSERT INTO messages (id, ticket, kind, created_at, next_try_at, tries, sent_at) "
            "VALUES (:id, :ticket, 'late', '2026-01-01', '2026-01-01', 1, '2026-01-01')",
            id=id_,
            ticket=ticket,
        )
    letters = [
        Letter(time.time(), id_, f"{id_}@example.id", f"Laporan {ticket} melewati waktu yang dijanjikan")
        for id_ in ("one", "two")
    ]
    only(copy.said(letters=[*copy.evidence.letters, *letters]), "messages:", ticket, "2 letters of the kind late")


def test_an_alarm_told_twice(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    for id_ in ("one", "two"):
        body = json.dumps({"data": {"ticket": ticket, "step": 3, "round": 0}})
        copy.change(
            "triage",
            "INSERT INTO outbox (event_id, type, exchange, subject, body, mandatory, created_at, "
            "sent_at) VALUES (:id, 'step.overdue.v1', 'triage.events', :ticket, :body, 1, "
            "'2026-01-01', '2026-01-01')",
            id=id_,
            ticket=ticket,
            body=body,
        )
        copy.change(
            "notification",
            HEARD + "('notification', :id, '2026-01-01')",
            id=id_,
        )
    only(
        copy.said(overheard=[*copy.evidence.overheard, ("triage", "one"), ("triage", "two")]),
        "alarms:",
        ticket,
        "step.overdue.v1 of step 3 (response 0) was told 2 times",
    )


def test_an_event_that_waits_or_is_in_quarantine(copy: Copy, rabbit: PrivateNode) -> None:
    uri = new_vhost(rabbit)
    declare_topology(uri)
    event = next(each for each in copy.evidence.pages.told if each.subject == copy.tickets[WAITING])
    with publisher(uri) as channel:
        for queue in ("triage.quarantine", "triage.inbox"):
            channel.publish(
                [Message(id=event.event_id, exchange="", routing_key=queue, body=event.body, type=event.type)]
            )
    left = eventually(lambda: found if (found := broker.read(uri)).waiting["triage.inbox"] else None)
    said = copy.said(left=left)
    assert any(words.startswith("queues: triage.inbox: 1 events still wait") for words in said)
    assert any(words.startswith(f"quarantine: {copy.tickets[WAITING]}: {event.type}") for words in said)
    assert len(said) == 2
    assert len(list(broker.breaches(left, meant_to_fail={event.event_id}))) == 1
