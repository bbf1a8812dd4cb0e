"""Forgotten and changed passwords, for the owners of accounts and for attackers."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from nkk.contracts import STAGES
from services.intake.resets import ASKED, hash_of
from tests.databases import engine, everything_in
from tests.e2e.test_privacy import tapped, told
from tests.e2e.test_sessions import new_staff, refused, wait_asked
from tests.installations import Installation, eventually
from tests.letters import posted
from tests.people import PASSWORD, People, Person
from tests.problems import at_fault, problem

# Counts and limits of log-ins and codes are tested on both databases in tests/integration/test_attempts.py and
# test_codes.py.
DATABASES = ["postgres"]

NEW = "sandi yang baru 42"


def forgetful(people: People, **changed: Any) -> Person:
    """Register a reporter with an e-mail address of their own."""
    return people.reporter(email=f"{uuid.uuid4().hex}@example.id", **changed)


def ask(people: People, username: str, by: str = "username") -> httpx.Response:
    return people.anyone.ask("POST", "/password-resets", {by: username})


def codes(installation: Installation, email: str) -> list[str]:
    """Return the codes in the letters to `email`, oldest first."""
    found = []
    for letter in posted(installation.stack.var / "mail"):
        if letter["To"] == email:
            said = letter.get_content()
            if link := re.search(rf"{re.escape(installation.url)}/atur-ulang-sandi#([0-9a-f]+)", said):
                assert link[1] in said.split()
                found.append(link[1])
    return found


def letter_of(installation: Installation, code: str) -> str:
    """Return the text of the letter with `code`."""
    said = (letter.get_content() for letter in posted(installation.stack.var / "mail"))
    return next(text for text in said if code in text)


def answered(people: People) -> bool:
    """Return whether intake has handled every request for a code."""
    with engine(people.installation, "intake").connect() as connection:
        return not connection.execute(text("SELECT count(*) FROM reset_requests")).scalar_one()


def owner_of(people: People, code: str) -> str | None:
    """Return the id of the account for which `code` is valid, or None."""
    with engine(people.installation, "intake").connect() as connection:
        return connection.execute(
            text("SELECT account_id FROM password_resets WHERE token_hash = :hash"), {"hash": hash_of(code)}
        ).scalar_one_or_none()


def sent(people: People, reporter: Person) -> str:
    """Wait until all requests are handled; return the valid code from the reporter's letters.

    A letter whose code was replaced before it was sent is not sent.
    """
    eventually(lambda: answered(people))
    return eventually(
        lambda: next(
            (code for code in codes(people.installation, reporter.account["email"]) if owner_of(people, code)), None
        )
    )


def forgotten(people: People, reporter: Person) -> str:
    """Request a code for the reporter; return it."""
    assert ask(people, reporter.account["username"]).status_code == 202
    return sent(people, reporter)


def complete(people: People, code: str, password: str = NEW) -> httpx.Response:
    return people.anyone.ask("POST", "/password-resets/completion", {"token": code, "password": password})


def is_renewed(people: People, person: Person) -> bool:
    renewal = {"refresh_token": person.session["refresh_token"]}
    return people.anyone.ask("POST", "/sessions/current/renewal", renewal).status_code == 200


def touch(people: People, statement: str, **values: Any) -> None:
    with engine(people.installation, "intake").begin() as connection:
        connection.execute(text(statement), values)


# -- forgotten passwords


def test_with_the_code_of_the_letter_a_reporter_sets_a_new_password_and_waits_no_more(people: People) -> None:
    reporter = forgetful(people)
    username = reporter.account["username"]
    for _ in range(5):
        refused(people, username, "kata-sandi-salah")
    wait_asked(people, username, PASSWORD)
    assert complete(people, forgotten(people, reporter)).status_code == 204
    again = people.log_in(username, NEW)
    assert is_renewed(people, again)
    assert not is_renewed(people, reporter)
    refused(people, username, PASSWORD)


def test_a_code_works_once(people: People) -> None:
    reporter = forgetful(people)
    code = forgotten(people, reporter)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: complete(people, code, f"{NEW} {number}"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422]
    for answer in (*(answer for answer in answers if answer.status_code != 204), complete(people, code)):
        problem(answer, 422, "reset-expired")
    people.log_in(reporter.account["username"], f"{NEW} {[a.status_code for a in answers].index(204)}")


def test_the_newest_code_wins_however_it_was_pasted(people: People) -> None:
    reporter = forgetful(people)
    older, newer = forgotten(people, reporter), forgotten(people, reporter)
    problem(complete(people, older), 422, "reset-expired")
    assert complete(people, f" {newer[:20].upper()}\n {newer[20:]} ").status_code == 204


def test_a_code_that_has_expired_sets_nothing(people: People) -> None:
    reporter = forgetful(people)
    code = forgotten(people, reporter)
    touch(
        people, "UPDATE password_resets SET expires_at = told_since WHERE account_id = :id", id=owner_of(people, code)
    )
    problem(complete(people, code), 422, "reset-expired")
    refused(people, reporter.account["username"], NEW)
    people.log_in(reporter.account["username"], PASSWORD)


@pytest.mark.parametrize("code", ["x", "0" * 40, "😀", "'; --", "f" * 200])
def test_a_code_that_never_was_sets_nothing(people: People, code: str) -> None:
    problem(complete(people, code), 422, "reset-expired")


def test_a_new_password_keeps_the_rules_and_a_refused_one_does_not_use_the_code_up(people: People) -> None:
    reporter = forgetful(people)
    code = forgotten(people, reporter)
    for password in ("pendek", "x" * 129, "aaaaaaaaaaaa", f"x{reporter.account['username']}x"):
        assert at_fault(complete(people, code, password)) == {"password"}
    assert is_renewed(people, reporter)
    assert complete(people, code).status_code == 204


def test_who_forgot_their_user_name_has_it_back_by_their_address(people: People) -> None:
    reporter = forgetful(people)
    assert ask(people, reporter.account["email"].upper(), "email").status_code == 202
    code = sent(people, reporter)
    letter = letter_of(people.installation, code)
    assert reporter.account["username"] in letter.split()
    assert complete(people, code).status_code == 204
    people.log_in(reporter.account["username"], NEW)


def test_whoever_asks_learns_of_no_account(people: People) -> None:
    reporter, staff, disabled = forgetful(people), new_staff(people), new_staff(people)
    people.admin.post(f"/staff/{disabled['username']}/disablement")
    names = [
        reporter.account["username"],
        reporter.account["username"].upper(),
        staff["username"],
        disabled["username"],
        "tidak-ada-orangnya",
        "😀",
        " ",
        "x" * 1_000,
        reporter.account["email"],
    ]
    answers = [ask(people, name) for name in names]
    answers += [ask(people, email, "email") for email in (reporter.account["email"], "tidak-ada@example.id")]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    # What is left of a limit is told by the time of day.
    apart = {"x-request-id", "date", "ratelimit"}
    assert (
        len({str({name: value for name, value in answer.headers.items() if name not in apart}) for answer in answers})
        == 1
    )
    assert sent(people, reporter)
    with engine(people.installation, "intake").connect() as connection:
        told_of = connection.execute(
            text("SELECT count(*) FROM password_resets JOIN accounts ON account_id = id WHERE role <> 'reporter'")
        ).scalar_one()
    assert told_of == 0


def test_an_address_is_sent_a_few_letters_an_hour_and_everybody_answered_alike(people: People) -> None:
    reporter = forgetful(people)
    answers = {ask(people, reporter.account["username"]).text for _ in range(ASKED + 3)}
    assert len(answers) == 1
    code = sent(people, reporter)
    assert len(codes(people.installation, reporter.account["email"])) <= ASKED
    with engine(people.installation, "intake").connect() as connection:
        told_of = connection.execute(
            text("SELECT count(*) FROM outbox WHERE type = 'password.reset_requested.v1' AND subject = :id"),
            {"id": owner_of(people, code)},
        )
        assert told_of.scalar_one() == ASKED


@pytest.mark.on_both
def test_a_code_stands_nowhere_but_in_its_letter(people: People) -> None:
    reporter, installation = forgetful(people), people.installation
    with tapped(installation) as tap:
        code = forgotten(people, reporter)
        assert complete(people, code, f"{NEW} {code[:8]}").status_code == 204
        broker = eventually(lambda: "password.reset_requested.v1" in (heard := tap.listen()) and heard)
    secrets = {
        "code": code,
        "email": reporter.account["email"],
        "username": reporter.account["username"],
        "password": f"{NEW} {code[:8]}",
    }
    assert told(secrets, broker) == set()
    for stage in STAGES:
        assert told(secrets, everything_in(installation, stage)) == set(), stage
    assert told(secrets, installation.logs()) == set()


# -- changed passwords


def reporters_own(people: People) -> tuple[str, Person]:
    reporter = people.reporter()
    return reporter.account["username"], reporter


def staffs_own(people: People) -> tuple[str, Person]:
    credentials = new_staff(people)
    return credentials["username"], people.log_in(**credentials)


def change(person: Person, password: str = PASSWORD, new_password: str = NEW) -> httpx.Response:
    form = {"password": password, "new_password": new_password}
    return person.ask("PUT", "/sessions/current/password", form)


each_kind = pytest.mark.parametrize("somebody", [reporters_own, staffs_own], ids=["reporter", "staff"])


@each_kind
def test_whoever_changes_their_password_stays_logged_in_here_and_nowhere_else(people: People, somebody) -> None:
    username, here = somebody(people)
    elsewhere = [people.log_in(username, PASSWORD) for _ in range(2)]
    answer = change(here)
    assert (answer.status_code, answer.content) == (204, b"")
    assert is_renewed(people, here)
    assert not any(is_renewed(people, session) for session in elsewhere)
    refused(people, username, PASSWORD)
    people.log_in(username, NEW)


@each_kind
def test_wrong_current_passwords_are_refused_and_slow_down_their_session_alone(people: People, somebody) -> None:
    username, here = somebody(people)
    for _ in range(5):
        wrong = problem(change(here, "kata-sandi-salah"), 422, "wrong-password")
        assert set(wrong["errors"]) == {"password"}
    problem(change(here), 429, "slowed-down")
    assert change(here).text == change(here, "kata-sandi-salah").text
    assert is_renewed(people, here)
    assert change(people.log_in(username, PASSWORD)).status_code == 204


@each_kind
def test_a_new_password_that_will_not_do_is_refused_whatever_the_current_one(people: People, somebody) -> None:
    username, here = somebody(people)
    for password in ("pendek", "x" * 129, "aaaaaaaaaaaa", f"x{username.upper()}x"):
        assert at_fault(change(here, PASSWORD, password)) == {"new_password"}
        assert change(here, "kata-sandi-salah", password).text == change(here, PASSWORD, password).text
    people.log_in(username, PASSWORD)


def test_every_missing_field_is_named(people: People) -> None:
    reporter = people.reporter()
    assert at_fault(reporter.ask("PUT", "/sessions/current/password", {})) == {"password", "new_password"}
    assert at_fault(people.anyone.ask("POST", "/password-resets/completion", {})) == {"token", "password"}
    assert at_fault(people.anyone.ask("POST", "/password-resets", {"username": "x", "role": "y"})) == {"role"}


def test_a_session_that_has_ended_changes_no_password(people: People) -> None:
    reporter = people.reporter()
    assert reporter.ask("DELETE", "/sessions/current").status_code == 204
    problem(change(reporter), 401, "not-authenticated")
    people.log_in(reporter.account["username"], PASSWORD)
