"""A reporter's contact: changed by themselves with their password, and stored in sealed form only."""

import uuid
from collections.abc import Mapping
from email.message import EmailMessage

import httpx
import pytest
from sqlalchemy import text

from nkk.contracts import STAGES
from tests.databases import engine, everything_in
from tests.e2e.test_accounts import WRONG, in_rounds
from tests.e2e.test_passwords import complete, forgotten
from tests.e2e.test_privacy import somebody, tapped, told
from tests.installations import Installation, eventually
from tests.letters import posted
from tests.people import PASSWORD, People, Person
from tests.problems import at_fault, problem

DATABASES = ["postgres"]

PATH = "/reporters/me/contact"


def new_address() -> str:
    return f"{uuid.uuid4().hex}@example.id"


def change(person: Person, **changed: object) -> httpx.Response:
    return person.ask("PUT", PATH, {"email": new_address(), "password": PASSWORD, **changed})


def letters(installation: Installation, email: str) -> list[EmailMessage]:
    """Return the letters sent to `email`, oldest first."""
    return [letter for letter in posted(installation.stack.var / "mail") if letter["To"] == email]


def letters_to(installation: Installation, email: str) -> int:
    """Return the number of letters sent to `email`."""
    return len(letters(installation, email))


def sealed_contact(people: People, reporter_id: str) -> str | None:
    """Return the sealed contact that notification stores for a reporter, or None."""
    with engine(people.installation, "notification").connect() as connection:
        return connection.execute(
            text("SELECT sealed_contact FROM keyed_contacts WHERE reporter = :reporter"),
            {"reporter": people.installation.keyed.reporter(reporter_id)},
        ).scalar_one_or_none()


def registered(people: People, **changed: str) -> tuple[Person, str]:
    """Register a reporter whose address has reached notification; return them and their id."""
    account: Mapping[str, object] | None
    reporter = people.reporter(email=new_address(), **changed)
    account = reporter.account
    assert account is not None
    ticket = people.submit(reporter)
    eventually(lambda: letters_to(people.installation, str(account["email"])) == 1)
    with engine(people.installation, "intake").connect() as connection:
        return reporter, connection.execute(
            text("SELECT reporter_id FROM complaints WHERE ticket = :ticket"), {"ticket": ticket}
        ).scalar_one()


def test_letters_after_a_change_go_to_the_new_address_and_the_old_one_is_told_so_once(people: People) -> None:
    reporter, reporter_id = registered(people)
    assert reporter.account is not None
    old, new, kept = reporter.account["email"], new_address(), sealed_contact(people, reporter_id)
    with engine(people.installation, "notification").begin() as connection:
        connection.execute(
            text("UPDATE keyed_contacts SET changed_at = :then WHERE reporter = :reporter"),
            {"reporter": people.installation.keyed.reporter(reporter_id), "then": "2026-01-02 03:04:05.000000"},
        )
    assert reporter.get(PATH) == {"email": old, "phone": reporter.account["phone"]}
    answer = change(reporter, email=new, phone="0812 3456 789")
    assert (answer.status_code, answer.content) == (204, b"")
    assert reporter.get(PATH) == {"email": new, "phone": "0812 3456 789"}
    eventually(lambda: sealed_contact(people, reporter_id) != kept)
    ticket = people.submit(reporter)
    eventually(lambda: letters_to(people.installation, new) == 1)
    farewell = eventually(lambda: letters(people.installation, old)[1:])
    assert [letter["Subject"] for letter in farewell] == ["Alamat surel akun Pengaduan NKK Anda diganti"]
    assert new not in farewell[0].as_string()
    assert f"{people.installation.url}/akun" in farewell[0].get_content()
    shown = people.operator.post(f"/complaints/{ticket}/identity")
    assert (shown["email"], shown["phone"], shown["name"]) == (new, "0812 3456 789", reporter.account["name"])


def test_a_number_that_is_left_out_is_forgotten_and_the_same_address_is_told_of_no_more(people: People) -> None:
    reporter, reporter_id = registered(people)
    kept, email = sealed_contact(people, reporter_id), reporter.get(PATH)["email"]
    with tapped(people.installation) as tap:
        assert change(reporter, email=email).status_code == 204
        assert change(reporter, email=email, phone=None).status_code == 204
        people.submit(reporter)
        broker = eventually(lambda: "complaint.submitted.v2" in (heard := tap.listen()) and heard)
    assert reporter.get(PATH) == {"email": email, "phone": None}
    assert "reporter.registered.v1" not in broker
    subjects = [letter["Subject"] for letter in letters(people.installation, email)]
    assert all(subject.startswith("Laporan Anda kami terima") for subject in subjects)
    assert sealed_contact(people, reporter_id) == kept


def test_the_newest_of_many_changes_is_the_one_that_counts(people: People) -> None:
    reporter, _ = registered(people)
    addresses = [new_address() for _ in range(5)]
    for email in addresses:
        assert change(reporter, email=email).status_code == 204
    assert reporter.get(PATH)["email"] == addresses[-1]

    def reached() -> bool:
        people.submit(reporter)
        return bool(letters_to(people.installation, addresses[-1]))

    eventually(reached)
    # An address that is soon replaced was mistyped, so its owner gets no letter about a stranger's account.
    told = [letter["Subject"] for email in addresses for letter in letters(people.installation, email)]
    assert not [subject for subject in told if "diganti" in subject]


def test_wrong_passwords_change_nothing_and_slow_down_their_session_alone(people: People) -> None:
    reporter = people.reporter()
    assert reporter.account is not None
    known = reporter.get(PATH)
    for _ in range(5):
        assert set(problem(change(reporter, password="kata-sandi-salah"), 422, "wrong-password")["errors"]) == {
            "password"
        }
    problem(change(reporter), 429, "slowed-down")
    assert reporter.get(PATH) == known
    again = people.log_in(str(reporter.account["username"]), PASSWORD)
    assert change(again).status_code == 204


def test_a_code_that_went_to_the_old_address_is_good_no_more(people: People) -> None:
    reporter = people.reporter(email=new_address())
    assert reporter.account is not None
    code = forgotten(people, reporter)
    assert change(reporter, email=reporter.account["email"], phone="0812 3456 789").status_code == 204
    assert change(reporter).status_code == 204
    problem(complete(people, code), 422, "reset-expired")
    people.log_in(str(reporter.account["username"]), PASSWORD)


def test_a_session_that_has_ended_neither_shows_nor_changes_it(people: People) -> None:
    reporter = people.reporter()
    assert reporter.ask("DELETE", "/sessions/current").status_code == 204
    problem(change(reporter), 401, "not-authenticated")
    problem(reporter.ask("GET", PATH), 401, "not-authenticated")


def test_what_could_not_be_registered_cannot_be_changed_to(people: People) -> None:
    reporter = people.reporter()
    known = reporter.get(PATH)
    for wrong in in_rounds(email=WRONG["email"], phone=WRONG["phone"]):
        assert at_fault(change(reporter, **wrong)) == set(wrong), wrong
        assert reporter.get(PATH) == known


@pytest.mark.parametrize("field", ["name", "identity_number", "username", "kind", "reporter_id"])
def test_nothing_else_of_who_one_is_is_changed_that_way(people: People, field: str) -> None:
    reporter = people.reporter()
    assert at_fault(change(reporter, **{field: "lain"})) == {field}
    assert at_fault(reporter.ask("PUT", PATH, {})) == {"email", "password"}


@pytest.mark.on_both
def test_neither_the_old_nor_the_new_address_stands_anywhere_but_sealed(people: People) -> None:
    number, installation = f"{uuid.uuid4().int % 90 + 10}{uuid.uuid4().int % 9000 + 1000}", people.installation
    identity = somebody(number)
    changed = {"email": f"kenari.{number}@example.id", "phone": f"0857 {number} 33"}
    with tapped(installation) as tap:
        reporter, reporter_id = registered(
            people, **{name: value for name, value in identity.items() if name != "email"}
        )
        kept = sealed_contact(people, reporter_id)
        assert change(reporter, password=identity["password"], **changed).status_code == 204
        answers = [
            change(reporter, **changed).text,
            change(reporter, password=identity["password"], **changed | {"phone": changed["email"]}).text,
        ]
        reporter.get(PATH)
        eventually(lambda: sealed_contact(people, reporter_id) != kept)
        people.submit(reporter)
        eventually(lambda: letters_to(installation, changed["email"]))
        broker = eventually(lambda: (heard := tap.listen()).count("reporter.registered.v1") >= 2 and heard)
    secrets = {**identity, **{f"new {name}": value for name, value in changed.items()}}
    assert "change_contact" in broker
    assert told(secrets, broker) == set()
    for stage in STAGES:
        assert told(secrets, everything_in(installation, stage)) == set(), stage
    assert told(secrets, installation.logs()) == set()
    for answer in answers:
        assert told(secrets, answer) == set()
