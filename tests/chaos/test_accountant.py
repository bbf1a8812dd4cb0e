"""The accountant, shown true books and then a copy in which one thing is not as it was: it says exactly that."""

import json
import shutil
import sqlite3
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from nkk.contracts import STAGES
from nkk.messaging.publisher import Message, publisher
from nkk.stack.broker import PrivateNode
from nkk.stack.run import declare_topology
from tests.chaos.accountant import Books, broker
from tests.chaos.accountant.balance import Evidence, breaches
from tests.chaos.accountant.history import history
from tests.chaos.accountant.letters import Letter
from tests.chaos.promises import PROMISES
from tests.chaos.record import Asked, Record, Struck
from tests.chaos.world import open_postbox
from tests.installations import eventually, installation, new_vhost
from tests.people import People, Person

INFORMATION, COMPLAINT, WAITING = 0, 1, 2
"""The tickets of the true books: closed on either path, and one that waits to be classified."""


@dataclass
class Copy:
    """A copy of true books, to be corrupted."""

    evidence: Evidence
    folder: Path
    tickets: list[str]

    def change(self, stage: str, statement: str, **values: Any) -> None:
        """Change what a database holds."""
        connection = sqlite3.connect(self.folder / f"{stage}.db")
        with connection:
            assert connection.execute(statement, values).rowcount == 1, statement
        connection.close()

    def event(self, type_: str, ticket: str) -> str:
        """The id of an event."""
        return next(event.event_id for event in self.evidence.pages.told
                    if (event.type, event.subject) == (type_, ticket))

    def said(self, **shown: Any) -> list[str]:
        """What the accountant says of it; `shown` replaces what it is shown."""
        books = Books({stage: f"sqlite:///{self.folder / f'{stage}.db'}" for stage in STAGES})
        evidence = replace(self.evidence, **{"pages": books.read(), **shown})
        return [str(breach) for breach in breaches(evidence)]

    def said_of(self, *asked: Asked, struck: tuple[Struck, ...] = ()) -> list[str]:
        """The same, with further requests and faults."""
        record = self.evidence.record
        return self.said(record=replace(record, asked=[*record.asked, *asked], struck=[*record.struck, *struck]))


@pytest.fixture(scope="module")
def true_books(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Copy:
    """What is left of three complaints, one of whose responses was returned, and every request."""
    uri, folder = new_vhost(rabbit), tmp_path_factory.mktemp("true")
    with open_postbox() as (postbox, smtp), \
            installation(folder / "var", uri, settings={"NKK_SMTP_URL": smtp}) as running:
        broker.listen(uri)
        books = Books({stage: running.stack.database_url(stage) for stage in STAGES})
        overheard = [(event.stage, event.event_id) for event in books.read().told]
        people, record = People(running), Record(seed=0)
        tickets = recorded(people, record)
        eventually(lambda: books.check(tickets) is None)
        eventually(lambda: all(row["sent_at"] for row in books.read().tables["messages"]))
        evidence = Evidence(books.read(), record, overheard + broker.overheard(uri), broker.read(uri), postbox.letters)
        people.close()
    return Copy(evidence, folder / "var" / "db", tickets)


def recorded(people: People, record: Record) -> list[str]:
    """Three journeys, each request written down as traffic would."""
    wrote = Scribe(people, record)
    reporter = people.reporter()
    tickets = [wrote.submit(reporter) for _ in range(3)]
    for ticket in tickets:
        wrote.act("hand over", people.operator, ticket, "handover")
    information, complaint, _ = tickets
    wrote.act("classify", people.main_team, information, "classification", {"kind": "information"})
    wrote.act("classify", people.main_team, complaint, "classification", {"kind": "complaint", "opd": "disdukcapil"})
    team = people.opd_team("disdukcapil")
    for operation, form in (("return", {"approved": False, "note": "Uraikan."}), ("approve", {"approved": True})):
        wrote.act("respond", team, complaint, "response", {"text": "Petugas ditegur."})
        wrote.act(operation, people.main_team, complaint, "approval", form)
    for ticket in (information, complaint):
        wrote.act("answer", people.operator, ticket, "answer", {"text": "Petugas telah ditegur."})
        wrote.act("confirm", reporter, ticket, "receipt")
    return tickets


class Scribe:
    """Asks, until it is done, and writes down."""

    def __init__(self, people: People, record: Record) -> None:
        self._people = people
        self._record = record

    def submit(self, reporter: Person) -> str:
        key = uuid.uuid4().hex
        ticket = self._people.submit(reporter, key)
        self._record.asked.append(asked("submit", 201, ticket, key=key))
        return ticket

    def act(self, operation: str, person: Person, ticket: str, path: str, form: Any = None) -> None:
        person.act(f"/complaints/{ticket}/{path}", form)
        self._record.asked.append(asked(operation, 200, ticket))


def asked(operation: str, status: int | None, ticket: str | None = None, took: float = 0.1, **more: Any) -> Asked:
    return Asked(time.time(), took, operation, "somebody", status, ticket, **more)


@pytest.fixture
def copy(true_books: Copy, tmp_path: Path) -> Copy:
    return replace(true_books, folder=Path(shutil.copytree(true_books.folder, tmp_path / "db")))


def only(said: list[str], *words: str) -> None:
    """The accountant says one thing, and all of `words` are in it."""
    assert len(said) == 1, said
    for word in words:
        assert word in said[0], said


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
    copy.change("triage", "INSERT INTO inbox VALUES ('triage', 'made-up', '2026-01-01')")
    only(copy.said(), "told:", "made-up", "nobody told")


def test_an_event_that_was_marked_as_sent_and_never_came(copy: Copy) -> None:
    event = copy.event("answer.sent.v1", copy.tickets[COMPLAINT])
    only(copy.said(overheard=[each for each in copy.evidence.overheard if each[1] != event]),
         "overheard:", copy.tickets[COMPLAINT], event)


def test_events_that_came_out_of_order(copy: Copy) -> None:
    first, second = (("intake", copy.event(type_, copy.tickets[WAITING]))
                     for type_ in ("complaint.submitted.v1", "complaint.handed_over.v1"))
    turned = [{first: second, second: first}.get(each, each) for each in copy.evidence.overheard]
    only(copy.said(overheard=turned), "order:", copy.tickets[WAITING], "complaint.handed_over.v1")


def test_an_event_that_came_twice_is_no_fault(copy: Copy) -> None:
    assert copy.said(overheard=[*copy.evidence.overheard, *copy.evidence.overheard]) == []


def test_an_effect_that_was_noted_twice(copy: Copy) -> None:
    event = copy.event("answer.sent.v1", copy.tickets[COMPLAINT])
    copy.change("notification", "INSERT INTO entries SELECT 'again', ticket, type, at, round, \"by\", opd, note, "
                                "calendar FROM entries WHERE event_id = :id", id=event)
    only(copy.said(), "entries:", copy.tickets[COMPLAINT], "answer.sent.v1 again 1 times too often")


def test_an_effect_that_is_missing(copy: Copy) -> None:
    event = copy.event("complaint.submitted.v1", copy.tickets[COMPLAINT])
    copy.change("notification", "DELETE FROM entries WHERE event_id = :id", id=event)
    only(copy.said(), "entries:", copy.tickets[COMPLAINT], "lacks complaint.submitted.v1")


def test_a_complaint_that_was_lost_whole(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    for type_ in ("complaint.submitted.v1", "complaint.handed_over.v1"):
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


def test_a_complaint_that_nobody_submitted(copy: Copy) -> None:
    record = copy.evidence.record
    others = [each for each in record.asked if (each.operation, each.ticket) != ("submit", copy.tickets[WAITING])]
    only(copy.said(record=replace(record, asked=others)), "submissions:", copy.tickets[WAITING], "nobody submitted it")


def test_a_submission_whose_answer_was_lost_may_have_been_entered(copy: Copy) -> None:
    record, ticket = copy.evidence.record, copy.tickets[WAITING]
    lost = [replace(each, ticket=None, status=503, problem="unavailable")
            if (each.operation, each.ticket) == ("submit", ticket) else each for each in record.asked]
    assert copy.said(record=replace(record, asked=lost)) == []


def test_one_key_with_two_tickets(copy: Copy) -> None:
    (key,) = {each.key for each in copy.evidence.record.asked
              if (each.operation, each.ticket) == ("submit", copy.tickets[WAITING])}
    said = copy.said_of(asked("submit", 201, copy.tickets[COMPLAINT], key=key))
    assert any("several tickets for one Idempotency-Key" in words for words in said)
    assert any("one ticket for several Idempotency-Keys" in words for words in said)


@pytest.mark.parametrize(("stage", "table", "book", "state"), [
    ("triage", "cases", "triage cases", "awaiting_approval"),
    ("opd_response", "cases", "OPD cases", "awaiting_response"),
    ("notification", "answers", "answers", "answered"),
])
def test_a_desk_at_which_it_stands_elsewhere_than_was_told(copy: Copy, stage: str, table: str, book: str, state: str
                                                           ) -> None:
    copy.change(stage, f"UPDATE {table} SET state = :state WHERE ticket = :ticket", state=state,
                ticket=copy.tickets[COMPLAINT])
    only(copy.said(), f"{book}:", copy.tickets[COMPLAINT], f"stands as {state}")


def test_a_desk_that_has_lost_its_case(copy: Copy) -> None:
    copy.change("triage", "DELETE FROM cases WHERE ticket = :ticket", ticket=copy.tickets[WAITING])
    only(copy.said(), "triage cases:", copy.tickets[WAITING], "0 rows, where one follows")


def test_a_journey_that_is_not_closed_though_told(copy: Copy) -> None:
    copy.change("notification", "UPDATE journeys SET closed_at = NULL WHERE ticket = :t", t=copy.tickets[INFORMATION])
    only(copy.said(), "journeys:", copy.tickets[INFORMATION], "closed at None")


def told_again(copy: Copy, type_: str, ticket: str, **changed: Any) -> str:
    """Have an event of the outbox told a second time under an id of its own, sent, heard and noted."""
    event = next(each for each in copy.evidence.pages.told if (each.type, each.subject) == (type_, ticket))
    again = str(uuid.uuid4())
    body = json.loads(event.body)
    body["data"] |= changed
    columns = "type, exchange, subject, body, mandatory, correlation_id, created_at, sent_at, held_until"
    copy.change(event.stage, f"INSERT INTO outbox (event_id, {columns}) SELECT :again, {columns} FROM outbox "
                             "WHERE event_id = :id", again=again, id=event.event_id)
    copy.change(event.stage, "UPDATE outbox SET body = :body WHERE event_id = :id", body=json.dumps(body), id=again)
    return again


def test_a_command_carried_out_twice(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    again = told_again(copy, "complaint.handed_over.v1", ticket)
    for stage in ("triage", "notification"):
        copy.change(stage, "INSERT INTO inbox VALUES (:consumer, :id, '2026-01-01')", consumer=stage, id=again)
    said = copy.said(overheard=[*copy.evidence.overheard, ("intake", again)])
    assert any(words.startswith(f"path: {ticket}: what is told of it makes no journey") for words in said)
    assert f"commands: {ticket}: 'hand over' was told 2 times, accepted 1 times and perhaps 0 times more" in said
    assert any(words.startswith(f"entries: {ticket}: the journey lacks complaint.handed_over.v1") for words in said)
    assert len(said) == 3


def test_a_command_accepted_and_not_carried_out(copy: Copy) -> None:
    only(copy.said_of(asked("classify", 200, copy.tickets[WAITING])), "commands:", copy.tickets[WAITING],
         "'classify' was accepted 1 times and told 0 times")


def test_a_command_refused_as_done_that_nobody_did(copy: Copy) -> None:
    only(copy.said_of(asked("answer", 409, copy.tickets[WAITING], problem="already-answered")), "commands:",
         copy.tickets[WAITING], "'answer' was refused as done before, and never told")


def test_a_command_of_which_nothing_is_known_may_be_carried_out_or_not(copy: Copy) -> None:
    assert copy.said_of(asked("classify", 503, copy.tickets[WAITING], problem="unavailable")) == []


def test_a_fact_without_a_command(copy: Copy) -> None:
    record = copy.evidence.record
    others = [each for each in record.asked if each.operation != "return"]
    only(copy.said(record=replace(record, asked=others)), "commands:", copy.tickets[COMPLAINT],
         "'return' was told 1 times, accepted 0 times")


def test_an_answer_shown_as_received_that_was_not(copy: Copy) -> None:
    only(copy.said_of(asked("read", 200, copy.tickets[WAITING], closed=True)), "commands:", copy.tickets[WAITING],
         "shown it as closed")


@pytest.mark.parametrize(("status", "problem", "words"), [
    (500, "failed", "not promised"),
    (404, "unknown-ticket", "not promised"),
    (409, "already-classified", "not promised with a 409"),
    (503, None, "not promised with a 503"),
    (401, "not-authenticated", "not promised"),
])
def test_an_answer_nobody_promised(copy: Copy, status: int, problem: str | None, words: str) -> None:
    only(copy.said_of(asked("hand over", status, copy.tickets[WAITING], problem=problem)), "answers:",
         copy.tickets[WAITING], words)


def test_an_answer_that_came_late(copy: Copy) -> None:
    late = PROMISES["timeline"].seconds + 1
    only(copy.said_of(asked("timeline", 200, copy.tickets[WAITING], took=late)), "answers:", f"took {late:.1f} s")


def test_an_answer_may_be_later_by_what_the_machine_was_busy_with_other_things(copy: Copy) -> None:
    late = PROMISES["timeline"].seconds + 1
    assert copy.said_of(asked("timeline", 200, copy.tickets[WAITING], took=late, starved=2.0)) == []


def test_an_answer_waits_for_a_gateway_that_is_stopped(copy: Copy) -> None:
    slow = asked("timeline", 200, copy.tickets[WAITING], took=PROMISES["timeline"].seconds + 1)
    frozen = Struck("worker frozen", "0", slow.at + 1, slow.at + 4)
    assert copy.said_of(slow, struck=(frozen,)) == []


def test_an_answer_in_another_form(copy: Copy) -> None:
    only(copy.said_of(asked("timeline", 503, copy.tickets[WAITING], problem="unavailable",
                            flaw="a 503 that does not say when to come again")), "answers:", "when to come again")


def test_no_answer_at_all_is_for_a_gateway_that_died_alone(copy: Copy) -> None:
    broken = asked("hand over", None, copy.tickets[WAITING], problem="ReadError")
    only(copy.said_of(broken), "answers:", copy.tickets[WAITING], "no answer, and no fault of the gateway")
    died = Struck("worker killed", "0", broken.at, broken.at + 1)
    assert copy.said_of(broken, struck=(died,)) == []


def test_a_log_in_may_run_out_while_a_clock_is_wrong(copy: Copy) -> None:
    refused = asked("hand over", 401, copy.tickets[WAITING], problem="not-authenticated")
    jumped = Struck("clock jumps", "intake +3h", refused.at - 2, refused.at - 1)
    assert copy.said_of(refused, struck=(jumped,)) == []


def written(copy: Copy, ticket: str, kind: str) -> Letter:
    (id_,) = [row["id"] for row in copy.evidence.pages.rows("messages", ticket) if row["kind"] == kind]
    return next(letter for letter in copy.evidence.letters if letter.id == id_)


def test_a_letter_that_says_again_what_another_said(copy: Copy) -> None:
    letter = written(copy, copy.tickets[COMPLAINT], "answered")
    columns = "ticket, kind, created_at, next_try_at, tries, sent_at"
    copy.change("notification", f"INSERT INTO messages (id, {columns}) SELECT 'again', {columns} FROM messages "
                                "WHERE id = :id", id=letter.id)
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
    only(copy.said(letters=[each for each in copy.evidence.letters if each != letter]), "letters:",
         copy.tickets[COMPLAINT], "marked as sent and never came")


@pytest.mark.parametrize(("change", "words"), [("sent_at = NULL", "is not sent"),
                                               ("sent_at = NULL, given_up_at = created_at", "was given up")])
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
        copy.change("notification", "INSERT INTO messages (id, ticket, kind, created_at, next_try_at, tries, sent_at) "
                                    "VALUES (:id, :ticket, 'late', '2026-01-01', '2026-01-01', 1, '2026-01-01')",
                    id=id_, ticket=ticket)
    letters = [Letter(time.time(), id_, f"{id_}@example.id", f"Laporan {ticket} melewati waktu yang dijanjikan")
               for id_ in ("one", "two")]
    only(copy.said(letters=[*copy.evidence.letters, *letters]), "messages:", ticket, "2 letters of the kind late")


def test_an_alarm_told_twice(copy: Copy) -> None:
    ticket = copy.tickets[WAITING]
    for id_ in ("one", "two"):
        body = json.dumps({"data": {"ticket": ticket, "step": 3, "round": 0}})
        copy.change("triage", "INSERT INTO outbox (event_id, type, exchange, subject, body, mandatory, created_at, "
                              "sent_at) VALUES (:id, 'step.overdue.v1', 'triage.events', :ticket, :body, 1, "
                              "'2026-01-01', '2026-01-01')", id=id_, ticket=ticket, body=body)
        copy.change("notification", "INSERT INTO inbox VALUES ('notification', :id, '2026-01-01')", id=id_)
    only(copy.said(overheard=[*copy.evidence.overheard, ("triage", "one"), ("triage", "two")]), "alarms:", ticket,
         "step.overdue.v1 of step 3 (response 0) was told 2 times")


def test_an_event_that_waits_or_is_in_quarantine(copy: Copy, rabbit: PrivateNode) -> None:
    uri = new_vhost(rabbit)
    declare_topology(uri)
    event = next(each for each in copy.evidence.pages.told if each.subject == copy.tickets[WAITING])
    with publisher(uri) as channel:
        for queue in ("triage.quarantine", "triage.inbox"):
            channel.publish([Message(id=event.event_id, exchange="", routing_key=queue, body=event.body,
                                     type=event.type)])
    left = eventually(lambda: found if (found := broker.read(uri)).waiting["triage.inbox"] else None)
    said = copy.said(left=left)
    assert any(words.startswith("queues: triage.inbox: 1 events still wait") for words in said)
    assert any(words.startswith(f"quarantine: {copy.tickets[WAITING]}: {event.type}") for words in said)
    assert len(said) == 2
    assert len(list(broker.breaches(left, meant_to_fail={event.event_id}))) == 1


def test_the_history_of_a_complaint_tells_requests_faults_events_and_rows(copy: Copy) -> None:
    ticket, record = copy.tickets[COMPLAINT], copy.evidence.record
    struck = Struck("instance killed", "triage-1", record.asked[0].at, record.asked[-1].at)
    told = history(ticket, copy.evidence.pages, replace(record, struck=[struck]))
    for words in ("somebody: submit -> 201", "somebody: return -> 200", "** instance killed triage-1",
                  "told by triage", "response.returned.v1", "heard by notification, opd_response",
                  "answers: state=closed", "messages:", "journeys: path=complaint"):
        assert words in told, words

