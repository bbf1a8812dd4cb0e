"""An attacker who joins the logs of all processes by anything they have in common learns no author's ticket."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue, binding
from sqlalchemy import text

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.envelope import read_envelope
from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, verify
from tests.databases import engine, everything_in
from tests.hostile.joining import Line, read, way
from tests.installations import Installation, eventually
from tests.letters import posted
from tests.people import PASSWORD, REGISTRATION, People, Person

SECOND = "2026-03-02T01:00:00"


class Author:
    """A reporter who uses all functions and makes mistakes; `names` has all values that identify them."""

    def __init__(self, people: People, number: int) -> None:
        self._people = people
        unlike = uuid.uuid4().hex[:8]
        self.confidential = bool(number % 2)
        self.account: dict[str, Any] = {
            **REGISTRATION,
            "username": f"penulis-{unlike}",
            "email": f"penulis.{unlike}@example.id",
        }
        # A client that has one id for all its requests sends it with each.
        self.headers = {"X-Request-ID": f"klien-{unlike}-{number}"}
        self.person = Person(people.http)
        self.names = {self.account["username"], self.account["email"], self.headers["X-Request-ID"]}
        self.ticket = ""

    def ask(self, method: str, path: str, json: Any = None, status: int = 200, **headers: str) -> Any:
        def answered() -> Any:
            response = self.person.ask(method, path, json, headers=self.headers | headers)
            # The machine is busy with other tests, so a stage may not answer in time.
            return response if response.status_code != 503 else None

        response = eventually(answered)
        assert response.status_code == status, (response.status_code, response.text)
        return response

    def submits(self) -> None:
        known = self.ask("POST", "/reporters", self.account, 201).json()
        credentials = {"username": self.account["username"], "password": PASSWORD}
        self.ask("POST", "/sessions", credentials | {"password": "salah semua"}, 401)
        session = self.ask("POST", "/sessions", credentials, 201).json()
        self.person.token = session["access_token"]
        actor = self._actor(session["access_token"])
        assert actor.id == known["reporter_id"]
        self.names |= {actor.id, str(actor.session)}
        category = self.ask("GET", "/categories").json()["items"][0]
        form = {
            "category": category["key"],
            "sub_category": category["sub_categories"][0]["key"],
            "subject_line": "Loket",
            "text": "Loket ditutup.",
            "confidential": self.confidential,
        }
        key = {"Idempotency-Key": uuid.uuid4().hex}
        self.ticket = self.ask("POST", "/complaints", form, 201, **key).json()["ticket"]
        self.ask("PUT", "/reporters/me/contact", {"email": self.account["email"], "password": PASSWORD}, 204)
        self.ask("PUT", "/sessions/current/password", {"password": PASSWORD, "new_password": f"{PASSWORD}-baru"}, 204)
        self.ask("POST", "/password-resets", {"username": self.account["username"]}, 202)

    def reads(self) -> None:
        eventually(lambda: self.ask("GET", f"/complaints/{self.ticket}/timeline"))
        self.ask("GET", "/complaints")
        self.ask("GET", f"/complaints/{self.ticket}")
        self.ask("POST", f"/complaints/{self.ticket}/receipt")
        self.ask("DELETE", "/sessions/current", status=204)

    def _actor(self, token: str) -> Actor:
        # The part after the last dot is the client's secret.
        return verify(token.rpartition(".")[0], as_pem(self._people.installation.stack.keys["NKK_TOKEN_PUBLIC_KEY"]))


def outboxes(installation: Installation) -> list[Line]:
    """Return the stages' outbox rows as lines, for an attacker who has the databases too."""
    rows: list[Line] = []
    for stage in STAGES:
        with engine(installation, stage).connect() as connection:
            found = connection.execute(text("SELECT event_id, correlation_id, subject, created_at FROM outbox"))
            rows += [
                {
                    "timestamp": row.created_at.astimezone(UTC).isoformat(),
                    "id": row.event_id,
                    "subject": row.subject,
                    "correlation_id": row.correlation_id,
                }
                for row in found
            ]
    return rows


@contextmanager
def listening(installation: Installation) -> Iterator[list[Line]]:
    """Yield what a tool may consume, as lines: all values of the events' envelopes and properties."""
    bindings = [
        binding(Exchange(f"{stage}.events", type="topic", no_declare=True), routing_key=event.TYPE)
        for event in EVENTS
        if not event.PRIVATE
        for stage in event.SERVICES
    ]
    heard: list[Line] = []
    with Connection(installation.uri) as connection:
        queue = Queue(f"tool.{uuid.uuid4().hex}", bindings=bindings, auto_delete=True)(connection.default_channel)
        queue.declare()
        try:
            yield heard
        finally:
            while (message := queue.get(no_ack=True)) is not None:
                told = read_envelope(message.body)
                heard.append(
                    {"timestamp": told["time"].isoformat()}
                    | {key: value for key, value in message.properties.items() if isinstance(value, str)}
                    | {key: value for key, value in told["data"].items() if isinstance(value, str)}
                    | {key: told[key] for key in ("id", "subject", "correlationid")}
                )
            queue.delete()


def as_mail_server(installation: Installation, addresses: set[str]) -> list[Line]:
    """Return what a mail server logs about the letters it accepted: time, recipient and Message-ID."""
    letters = posted(installation.stack.var / "mail")
    return [
        {
            "timestamp": letter["Date"].datetime.isoformat(),
            "to": str(letter["To"]),
            "message_id": str(letter["Message-ID"]).strip("<>").partition("@")[0],
        }
        for letter in letters
        if letter["To"] in addresses
    ]


def test_no_way_leads_from_an_author_to_their_ticket(whole: Installation, people: People) -> None:
    offsets = {name: len(whole.log(name)) for name in whole.stack.programs}
    authors = [Author(people, number) for number in range(4)]
    with listening(whole) as heard:
        # The first author is alone in their second; the others share theirs.
        authors[0].submits()
        with ThreadPoolExecutor(len(authors)) as pool:
            list(pool.map(Author.submits, authors[1:]))
            for author in authors:
                people.operator.act(f"/complaints/{author.ticket}/handover")
                people.operator.get(f"/complaints/{author.ticket}")
                people.main_team.act(f"/complaints/{author.ticket}/classification", {"kind": "information"})
                people.operator.act(f"/complaints/{author.ticket}/answer", {"text": "Terima kasih."})
            list(pool.map(Author.reads, authors))
        addresses = {author.account["email"] for author in authors}
        eventually(lambda: len(as_mail_server(whole, addresses)) == 3 * len(authors))
    lines = [line for name, begin in offsets.items() for line in read(name, whole.log(name)[begin:])]
    mail = as_mail_server(whole, addresses)
    names, tickets = set().union(*(author.names for author in authors)), {author.ticket for author in authors}
    assert {"/api/v1/complaints", "/api/v1/sessions"} <= {line.get("rule") for line in lines}
    assert {line["event"] for line in lines} >= {
        "event handled",
        "message sent",
        "request",
        "contact changed",
        "password changed",
        "reset codes published",
    }
    assert tickets <= {line["subject"] for line in heard}
    assert way(lines + heard, names, tickets) is None
    assert way(lines + mail, names, tickets) is None
    # Intake's database links names to tickets; but a client's request id leads nowhere, even with all databases.
    assert way(lines + outboxes(whole), {author.headers["X-Request-ID"] for author in authors}, tickets) is None
    # No line contains a name or a ticket, so that no line of another log completes a chain.
    assert way(lines, names, names) is None
    assert way(lines, tickets, tickets) is None


def test_a_message_id_leads_to_no_row_of_any_database_and_to_no_line_of_a_log(
    whole: Installation, people: People
) -> None:
    author = Author(people, 0)
    author.submits()
    letters = eventually(lambda: as_mail_server(whole, {author.account["email"]}))
    held = "".join(everything_in(whole, stage) for stage in ("intake", "notification")) + whole.logs()
    with engine(whole, "notification").connect() as connection:
        kept = (
            connection.execute(text("SELECT id FROM messages WHERE ticket = :ticket"), {"ticket": author.ticket})
            .scalars()
            .all()
        )
    assert {whole.keyed.message_id(id_) for id_ in kept} <= {letter["message_id"] for letter in letters}
    for letter in letters:
        assert letter["message_id"] not in held


LINKED = [
    # As in an earlier version: the gateway logged the account, notification the ticket, and both the request.
    [
        {"timestamp": f"{SECOND}.1Z", "actor": "account-1", "correlation_id": "request-1"},
        {"timestamp": "2026-03-02T02:00:00.1Z", "subject": "ticket-1", "correlation_id": "request-1"},
    ],
    # The lines have only the second in common.
    [{"timestamp": f"{SECOND}.1Z", "account": "account-1"}, {"timestamp": f"{SECOND}.9Z", "ticket": "ticket-1"}],
    # The lines are linked by a third one, under other field names, and within a longer text.
    [
        {"timestamp": f"{SECOND}.1Z", "account": "account-1", "id": "event-1"},
        {"timestamp": "2026-03-02T02:00:00Z", "event_id": "event-1", "message_id": "letter-1"},
        {"timestamp": "2026-03-02T03:00:00Z", "reason": "not sent: ticket-1", "letters": ["letter-0", "letter-1"]},
    ],
]


@pytest.mark.parametrize("lines", LINKED)
def test_whoever_joins_finds_the_way_where_there_is_one(lines: list[Line]) -> None:
    assert way(lines, ["account-1"], ["ticket-1"]) == lines
    assert way(lines[:-1], ["account-1"], ["ticket-1"]) is None
    apart = [
        line | {"timestamp": f"2026-03-0{day}T01:00:00Z", "event": "event handled", "level": "info"}
        for day, line in enumerate(({"account": "account-1"}, {"ticket": "ticket-1"}), 1)
    ]
    assert way(apart, ["account-1"], ["ticket-1"]) is None
