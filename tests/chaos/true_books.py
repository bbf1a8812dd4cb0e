"""True books for tests to change: the data of three complaints, and all requests about them."""

import json
import sqlite3
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nkk.contracts import STAGES
from tests.chaos.accountant import Books
from tests.chaos.accountant.balance import Evidence, breaches
from tests.chaos.accountant.letters import Letter
from tests.chaos.record import Asked, Record, Struck
from tests.people import People, Person

INFORMATION, COMPLAINT, WAITING = 0, 1, 2
"""The tickets of the true books: one closed on each path, and one that awaits classification."""


@dataclass
class Copy:
    """A copy of true books, for a test to change."""

    evidence: Evidence
    folder: Path
    tickets: list[str]

    def change(self, stage: str, statement: str, **values: Any) -> None:
        """Change one row of a database."""
        connection = sqlite3.connect(self.folder / f"{stage}.db")
        with connection:
            assert connection.execute(statement, values).rowcount == 1, statement
        connection.close()

    def event(self, type_: str, ticket: str) -> str:
        """Return the id of an event."""
        return next(
            event.event_id for event in self.evidence.pages.told if (event.type, event.subject) == (type_, ticket)
        )

    def said(self, **shown: Any) -> list[str]:
        """Return the accountant's breaches; `shown` replaces parts of the evidence."""
        books = Books({stage: f"sqlite:///{self.folder / f'{stage}.db'}" for stage in STAGES})
        evidence = replace(self.evidence, **{"pages": books.read(), **shown})
        return [str(breach) for breach in breaches(evidence)]

    def said_of(self, *asked: Asked, struck: tuple[Struck, ...] = ()) -> list[str]:
        """Return the accountant's breaches with further requests and faults."""
        record = self.evidence.record
        return self.said(record=replace(record, asked=[*record.asked, *asked], struck=[*record.struck, *struck]))


def recorded(people: People, record: Record) -> list[str]:
    """Carry three journeys, and record each request as the traffic would."""
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
    """Sends requests until they succeed, and records them."""

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


def only(said: list[str], *words: str) -> None:
    """Assert that the accountant reports one breach, which contains all of `words`."""
    assert len(said) == 1, said
    for word in words:
        assert word in said[0], said


def told_again(copy: Copy, type_: str, ticket: str, **changed: Any) -> str:
    """Publish an event of the outbox a second time under an id of its own, sent, consumed and recorded."""
    event = next(each for each in copy.evidence.pages.told if (each.type, each.subject) == (type_, ticket))
    again = str(uuid.uuid4())
    body = json.loads(event.body)
    body["data"] |= changed
    columns = "type, exchange, subject, body, mandatory, correlation_id, created_at, sent_at, held_until"
    copy.change(
        event.stage,
        f"INSERT INTO outbox (event_id, {columns}) SELECT :again, {columns} FROM outbox WHERE event_id = :id",
        again=again,
        id=event.event_id,
    )
    copy.change(event.stage, "UPDATE outbox SET body = :body WHERE event_id = :id", body=json.dumps(body), id=again)
    return again


def written(copy: Copy, ticket: str, kind: str) -> Letter:
    (id_,) = [row["id"] for row in copy.evidence.pages.rows("messages", ticket) if row["kind"] == kind]
    return next(letter for letter in copy.evidence.letters if letter.id == id_)
