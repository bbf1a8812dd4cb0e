"""Who is let in, for how long, and who is not let in any more."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import text

from nkk.messaging.actor import LIFETIME, Actor, sign
from nkk.messaging.settings import as_pem
from nkk.stack.keys import new_keys
from tests.databases import engine
from tests.people import PASSWORD, People, Person
from tests.problems import problem

OPERATOR = Actor("somebody", "operator")


def keys(people: People) -> dict[str, str]:
    stored = json.loads((people.installation.stack.var / "keys.json").read_text())
    return {name: as_pem(stored[name]) for name in ("NKK_TOKEN_SIGNING_KEY", "NKK_TOKEN_PUBLIC_KEY")}


def new_staff(people: People, role: str = "operator") -> dict[str, str]:
    """A staff account of its own: its credentials."""
    credentials = {"username": f"petugas-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.admin.post("/staff", credentials | {"name": "Petugas Contoh", "role": role}, expect=201)
    return credentials


def staff(people: People, username: str) -> Mapping[str, Any]:
    """A staff account as the admin sees it."""
    cursor = {}
    while True:
        page = people.admin.get("/staff", params={"limit": 200} | cursor)
        found = [account for account in page["items"] if account["username"] == username]
        if found:
            return found[0]
        cursor = {"cursor": page["next"]}


def refused(people: People, username: str, password: str) -> str:
    """What a log-in that must not succeed is answered."""
    response = people.anyone.ask("POST", "/sessions", {"username": username, "password": password})
    problem(response, 401, "not-authenticated")
    return response.text


def expired(keys: dict[str, str]) -> str:
    return sign(OPERATOR, keys["NKK_TOKEN_SIGNING_KEY"], datetime.now(UTC) - LIFETIME - timedelta(seconds=1))[0]


def signed_with_another_key(keys: dict[str, str]) -> str:
    return sign(OPERATOR, as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"]))[0]


def unsigned(keys: dict[str, str]) -> str:
    return jwt.encode(_claims(keys), None, algorithm="none")


def signed_with_the_public_key(keys: dict[str, str]) -> str:
    head = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, _claims(keys)))
    signature = hmac.new(keys["NKK_TOKEN_PUBLIC_KEY"].encode(), head, hashlib.sha256).digest()
    return b".".join((head, _base64(signature))).decode()


def promoted(keys: dict[str, str]) -> str:
    head, _, signature = sign(Actor("somebody", "reporter"), keys["NKK_TOKEN_SIGNING_KEY"])[0].split(".")
    return ".".join((head, _base64(json.dumps(_claims(keys)).encode()).decode(), signature))


def with_a_key_of_its_own(keys: dict[str, str]) -> str:
    return jwt.encode(_claims(keys), as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"]), algorithm="EdDSA", headers={
        "kid": "../../../../dev/null", "jku": "https://evil.example.org/keys", "jwk": {"kty": "OKP", "crv": "Ed25519"}})


def for_another_audience(keys: dict[str, str]) -> str:
    return jwt.encode(_claims(keys) | {"aud": "elsewhere"}, keys["NKK_TOKEN_SIGNING_KEY"], algorithm="EdDSA")


def of_another_issuer(keys: dict[str, str]) -> str:
    return jwt.encode(_claims(keys) | {"iss": "elsewhere"}, keys["NKK_TOKEN_SIGNING_KEY"], algorithm="EdDSA")


def not_good_yet(keys: dict[str, str]) -> str:
    return jwt.encode(_claims(keys) | {"nbf": 9_999_999_999}, keys["NKK_TOKEN_SIGNING_KEY"], algorithm="EdDSA")


def cut_off(keys: dict[str, str]) -> str:
    return sign(OPERATOR, keys["NKK_TOKEN_SIGNING_KEY"])[0][:-5]


def written_twice(keys: dict[str, str]) -> str:
    return ".".join(sign(OPERATOR, keys["NKK_TOKEN_SIGNING_KEY"])[0] for _ in range(2))


def without_its_signature(keys: dict[str, str]) -> str:
    return sign(OPERATOR, keys["NKK_TOKEN_SIGNING_KEY"])[0].rpartition(".")[0] + "."


FORGERIES = [expired, signed_with_another_key, unsigned, signed_with_the_public_key, promoted, with_a_key_of_its_own,
             for_another_audience, of_another_issuer, not_good_yet, cut_off, written_twice, without_its_signature]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_token_that_is_not_ours_or_no_longer_good_opens_nothing(people: People, forge: Callable) -> None:
    person = Person(people.http, forge(keys(people)))
    response = person.ask("GET", "/desks/intake")
    problem(response, 401, "not-authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic b3BlcmF0b3I6eA==", "Token x",
                                    "Bearer " + "x" * 6_000, "Bearer é"])
def test_a_header_that_holds_no_token_opens_nothing(people: People, header: str) -> None:
    response = people.http.get("/api/v1/desks/intake", headers={"Authorization": header.encode()})
    problem(response, 401, "not-authenticated")


def test_a_role_that_does_not_exist_may_do_nothing(people: People) -> None:
    token, _ = sign(Actor("somebody", "superuser"), keys(people)["NKK_TOKEN_SIGNING_KEY"])
    nobody = Person(people.http, token)
    for path in ("/desks/intake", "/complaints", "/complaints/NKK-2026-EDXY-ER30", "/staff"):
        problem(nobody.ask("GET", path), 403, "not-your-role")


def test_a_session_is_renewed_until_its_owner_logs_out(people: People) -> None:
    reporter = people.reporter()
    renewal = {"refresh_token": reporter.session["refresh_token"]}
    renewed = people.anyone.post("/sessions/current/renewal", renewal)
    assert Person(people.http, renewed["access_token"]).get("/complaints")["items"] == []
    other = people.log_in(reporter.account["username"], PASSWORD)
    assert Person(people.http, renewed["access_token"]).ask("DELETE", "/sessions/current").status_code == 204
    problem(people.anyone.ask("POST", "/sessions/current/renewal", renewal), 401, "not-authenticated")
    people.anyone.post("/sessions/current/renewal", {"refresh_token": other.session["refresh_token"]})


@pytest.mark.parametrize("token", ["x", "x" * 200, "'; --", "😀"])
def test_a_session_that_never_was_is_not_renewed(people: People, token: str) -> None:
    problem(people.anyone.ask("POST", "/sessions/current/renewal", {"refresh_token": token}), 401, "not-authenticated")


def test_staff_who_are_disabled_are_out_until_they_are_given_a_new_password(people: People) -> None:
    credentials = new_staff(people)
    person = people.log_in(**credentials)
    renewal = {"refresh_token": person.session["refresh_token"]}
    assert people.admin.post(f"/staff/{credentials['username']}/disablement")["disabled_at"]
    refused(people, **credentials)
    problem(people.anyone.ask("POST", "/sessions/current/renewal", renewal), 401, "not-authenticated")
    reset = people.admin.ask("PUT", f"/staff/{credentials['username']}/password", {"password": "sandi-yang-baru-7"})
    assert (reset.status_code, reset.json()["disabled_at"]) == (200, None)
    people.log_in(credentials["username"], "sandi-yang-baru-7")
    refused(people, **credentials)
    problem(people.anyone.ask("POST", "/sessions/current/renewal", renewal), 401, "not-authenticated")


def test_a_new_password_ends_the_sessions_of_the_old_one(people: People) -> None:
    credentials = new_staff(people)
    person = people.log_in(**credentials)
    people.admin.ask("PUT", f"/staff/{credentials['username']}/password", {"password": "sandi-yang-baru-7"})
    problem(people.anyone.ask("POST", "/sessions/current/renewal", {
        "refresh_token": person.session["refresh_token"]}), 401, "not-authenticated")


def test_a_refusal_to_log_in_does_not_tell_which_accounts_exist(people: People) -> None:
    locked, disabled = new_staff(people), new_staff(people)
    answers = {refused(people, locked["username"], "kata-sandi-salah") for _ in range(6)}
    people.admin.post(f"/staff/{disabled['username']}/disablement")
    answers |= {refused(people, **locked), refused(people, **disabled), refused(people, disabled["username"], "salah"),
                refused(people, "tidak-ada-orangnya", PASSWORD), refused(people, "😀", "x"),
                refused(people, "x" * 1_000, "y" * 1_000)}
    assert len(answers) == 1


def test_each_failure_beyond_the_fifth_locks_the_account_for_twice_as_long(people: People) -> None:
    credentials = new_staff(people)
    for _ in range(4):
        refused(people, credentials["username"], "kata-sandi-salah")
    assert staff(people, credentials["username"])["locked_until"] is None
    for minutes in (1, 2, 4):
        before = datetime.now(UTC)
        refused(people, credentials["username"], "kata-sandi-salah")
        locked_until = datetime.fromisoformat(staff(people, credentials["username"])["locked_until"])
        assert before <= locked_until - timedelta(minutes=minutes) <= datetime.now(UTC)
        refused(people, **credentials)
        _let_the_lock_lapse(people, credentials["username"])
    people.log_in(**credentials)
    refused(people, credentials["username"], "kata-sandi-salah")
    assert staff(people, credentials["username"])["locked_until"] is None


def _let_the_lock_lapse(people: People, username: str) -> None:
    with engine(people.installation, "intake").begin() as connection:
        connection.execute(text("UPDATE accounts SET locked_until = created_at WHERE username = :username"),
                           {"username": username})


def _claims(keys: dict[str, str]) -> dict[str, Any]:
    token, _ = sign(OPERATOR, keys["NKK_TOKEN_SIGNING_KEY"])
    return jwt.decode(token, options={"verify_signature": False})


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
