"""Reporters' identities are in no log, database, broker message or error in the clear; only operators see them."""

import uuid
from contextlib import AbstractContextManager

import pytest

from nkk.contracts import STAGES
from nkk.messaging.calls import EXCHANGE
from tests.builders import complaint_form
from tests.databases import everything_in
from tests.installations import Installation, eventually
from tests.people import REGISTRATION, People, Person, travel_as_complaint, travel_as_information
from tests.taps import Tap, tapping

TEXT = "Petugas bernama rahasia meminta uang pelicin di loket tujuh."


def tapped(installation: Installation) -> AbstractContextManager[Tap]:
    """Tap all messages on the broker of `installation`."""
    return tapping(installation.uri, *((name, "#") for name in (*(f"{stage}.events" for stage in STAGES), EXCHANGE)))


def somebody(number: str) -> dict[str, str]:
    """Return a unique identity, whose values identify the person in any text."""
    return {
        "identity_number": f"1971014107{number}",
        "name": f"Melati Kenanga {number}",
        "email": f"melati.kenanga.{number}@example.id",
        "phone": f"+62 813 {number} 77",
        "username": f"burung-hantu-{number}",
        "password": f"kata-sandi-rahasia-{number}",
    }


def told(identity: dict[str, str], where: str) -> set[str]:
    """Return which parts of `identity` are in `where`, in upper or lower case."""
    where = where.lower()
    return {name for name, value in identity.items() if value.lower() in where}


@pytest.fixture
def number() -> str:
    """Return a number that is in no other identity; as the end of a NIK it is a year and a serial number."""
    return f"{uuid.uuid4().int % 90 + 10}{uuid.uuid4().int % 9000 + 1000}"


def journeys(people: People, reporter: Person, confidential: bool) -> list[str]:
    """Carry a complaint and a request for information to their end, viewed by everyone who may; return the tickets.

    Files come with the complaint and are added later, and their names say who sent them.
    """
    assert reporter.account
    named = f"{reporter.account['username']}.png"
    sent = [reporter.upload(name=named)]
    tickets = [
        travel_as_complaint(people, reporter, confidential=confidential, text=TEXT, files=sent),
        travel_as_information(people, reporter, confidential=confidential, text=TEXT),
    ]
    team = people.opd_team("disdukcapil")
    for ticket in tickets:
        reporter.post(f"/complaints/{ticket}/supplements", {"files": [reporter.upload(name=named)]}, expect=201)
        reporter.post(f"/complaints/{ticket}/receipt")
        for person in (reporter, people.operator, people.main_team, team):
            for path in ("", "/timeline", "/files/1", "/files/1/preview"):
                person.ask("GET", f"/complaints/{ticket}{path}")
    reporter.get("/complaints")
    assert reporter.ask("DELETE", "/sessions/current").status_code == 204
    return tickets


@pytest.mark.parametrize("confidential", [False, True])
def test_who_reported_stands_nowhere_but_sealed(people: People, number: str, confidential: bool) -> None:
    identity, installation = somebody(number), people.installation
    with tapped(installation) as tap:
        tickets = journeys(people, people.reporter(**identity), confidential)
        mail = installation.stack.var / "mail"
        eventually(lambda: sum(identity["email"] in path.read_text() for path in mail.glob("*.eml")) == 4)
        _mistakes(people, identity)
        broker = eventually(lambda: (heard := tap.listen()).count("complaint.closed.v1") >= 2 and heard)
    assert all(ticket in broker for ticket in tickets)
    assert "register" in broker
    assert TEXT in broker
    assert told(identity, broker) == set()

    for stage in STAGES:
        held = everything_in(installation, stage)
        assert all(ticket in held for ticket in tickets[:1]), stage
        assert told(identity, held) == set(), stage
    assert TEXT not in everything_in(installation, "notification")
    stored = [path.read_bytes() for path in (installation.stack.var / "files").rglob("*") if path.is_file()]
    assert stored
    assert told(identity, b"\n".join(stored).decode("latin-1")) == set()

    logs = installation.logs()
    assert "message sent" in logs
    assert (
        told(identity | {"text": TEXT, "ticket text": "uang pelicin"} | {ticket: ticket for ticket in tickets}, logs)
        == set()
    )


def test_no_desk_but_the_operators_is_told_who_reported_and_that_not_in_confidence(people: People, number: str) -> None:
    identity = somebody(number)
    known = {name: value for name, value in identity.items() if name != "password"}
    reporter, team = people.reporter(**identity), people.opd_team("disdukcapil")
    for confidential in (False, True):
        ticket = travel_as_complaint(people, reporter, confidential=confidential)
        path = f"/complaints/{ticket}"
        for person in (people.main_team, team, reporter):
            for view in (path, f"{path}/timeline"):
                assert told(identity, person.ask("GET", view).text) == set()
        assert told(identity, people.operator.ask("GET", f"{path}/timeline").text) == set()
        assert told(identity, people.operator.ask("GET", path).text) == set()
        asked = people.operator.ask("POST", f"{path}/identity").text
        assert told(identity, asked) == (set() if confidential else set(known))
        assert reporter.session["access_token"] not in people.operator.ask("GET", path).text
    for person, desk in (
        (people.operator, "intake"),
        (people.operator, "answers"),
        (people.main_team, "triage"),
        (team, "opd"),
    ):
        assert told(identity, person.ask("GET", f"/desks/{desk}", params={"limit": 200}).text) == set()
    assert told(identity, people.admin.ask("GET", "/staff", params={"limit": 200}).text) == set()


def test_no_error_repeats_what_tells_who_somebody_is(people: People, number: str) -> None:
    identity = somebody(number)
    people.reporter(**identity)
    for answer in _mistakes(people, identity):
        assert told(identity, answer) == set()


def _mistakes(people: People, identity: dict[str, str]) -> list[str]:
    """Send mistaken requests that contain parts of `identity`; return the responses."""
    form = REGISTRATION | identity
    wrong = [
        form | {"phone": None},
        form | {"kind": identity["name"]},
        form | {"email": identity["name"]},
        form | {"phone": identity["email"]},
        form | {"identity_number": identity["phone"]},
        form | {"username": identity["name"]},
        form | {"password": identity["username"] * 20},
        form | {"name": identity["name"] * 20},
        form | {"name": "\x00", "email": identity["name"]},
        [form],
    ]
    answers = [people.anyone.ask("POST", "/reporters", one) for one in wrong]
    for credentials in (
        {"username": identity["username"], "password": identity["name"]},
        {"username": identity["email"], "password": identity["password"]},
        {"username": identity["username"]},
        {"username": identity["username"] * 100, "password": ""},
    ):
        answers.append(people.anyone.ask("POST", "/sessions", credentials))
    answers += [
        people.anyone.ask("POST", "/sessions/current/renewal", {"refresh_token": identity["password"]}),
        people.anyone.ask("GET", f"/{identity['username']}"),
        people.anyone.ask("GET", f"/complaints/{identity['identity_number']}"),
        people.operator.ask("GET", f"/complaints/{identity['identity_number']}"),
        people.operator.ask("GET", "/desks/intake", params={"cursor": identity["email"], "limit": identity["phone"]}),
        people.admin.ask("GET", f"/staff/{identity['username']}"),
        people.admin.ask("POST", f"/staff/{identity['username']}/disablement"),
        people.admin.ask("PUT", f"/staff/{identity['username']}/password", {"password": identity["password"]}),
        people.anyone.ask(
            "POST",
            "/complaints",
            complaint_form(text=identity["name"]),
            headers={"Authorization": f"Bearer {identity['password']}"},
        ),
        people.http.post(
            "/api/v1/reporters",
            content=f'{{"name": "{identity["name"]}'.encode(),
            headers={"Content-Type": "application/json", "X-Request-ID": identity["name"]},
        ),
    ]
    assert all(answer.status_code >= 400 for answer in answers)
    return [f"{answer.text} {answer.headers}" for answer in answers]
