"""Log-ins, sessions and access tokens: who is let in, for how long, and when it ends."""

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

from nkk.settings.keys import as_pem
from nkk.trust.actor import LIFETIME, Actor, grant, sign
from ops.stack.keys import new_keys
from tests.databases import engine
from tests.e2e.test_clocks import nkk
from tests.people import PASSWORD, People, Person
from tests.problems import problem

# Ended sessions and wrong passwords are tested on both databases in tests/integration/test_ended_sessions.py and
# test_attempts.py.
DATABASES = ["postgres"]

OPERATOR = Actor("somebody", "operator")


def keys(people: People) -> dict[str, str]:
    stored = json.loads((people.installation.stack.var / "keys.json").read_text())
    return {name: as_pem(stored[name]) for name in ("NKK_TOKEN_SIGNING_KEY", "NKK_TOKEN_PUBLIC_KEY")}


def new_staff(people: People, role: str = "operator") -> dict[str, str]:
    """Add a staff account; return its credentials."""
    credentials = {"username": f"petugas-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.admin.post("/staff", credentials | {"name": "Petugas Contoh", "role": role}, expect=201)
    return credentials


def staff(people: People, username: str) -> Mapping[str, Any]:
    """Return a staff account as the admin sees it."""
    cursor = {}
    while True:
        page = people.admin.get("/staff", params={"limit": 200} | cursor)
        found = [account for account in page["items"] if account["username"] == username]
        if found:
            return found[0]
        cursor = {"cursor": page["next"]}


def refused(people: People, username: str, password: str) -> str:
    """Return the response to a log-in that must be refused."""
    response = people.anyone.ask("POST", "/sessions", {"username": username, "password": password})
    problem(response, 401, "not-authenticated")
    return response.text


def granted(keys: dict[str, str], actor: Actor = OPERATOR, now: datetime | None = None) -> tuple[str, str]:
    """Return an access token in its two parts: what the gateway passes on to stages, and the secret."""
    token, _, secret = grant(actor, keys["NKK_TOKEN_SIGNING_KEY"], now)[0].rpartition(".")
    return token, secret


def expired(keys: dict[str, str]) -> str:
    return ".".join(granted(keys, now=datetime.now(UTC) - LIFETIME - timedelta(seconds=1)))


def signed_with_another_key(keys: dict[str, str]) -> str:
    return grant(OPERATOR, as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"]))[0]


def unsigned(keys: dict[str, str]) -> str:
    claims, secret = _claims(keys)
    return f"{jwt.encode(claims, None, algorithm='none')}.{secret}"


def signed_with_the_public_key(keys: dict[str, str]) -> str:
    claims, secret = _claims(keys)
    head = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(keys["NKK_TOKEN_PUBLIC_KEY"].encode(), head, hashlib.sha256).digest()
    return b".".join((head, _base64(signature), secret.encode())).decode()


def promoted(keys: dict[str, str]) -> str:
    token, secret = granted(keys, Actor("somebody", "reporter"))
    head, claims, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"role": "operator"}
    return ".".join((head, _base64(json.dumps(changed).encode()).decode(), signature, secret))


def with_a_key_of_its_own(keys: dict[str, str]) -> str:
    claims, secret = _claims(keys)
    token = jwt.encode(
        claims,
        as_pem(new_keys()["NKK_TOKEN_SIGNING_KEY"]),
        algorithm="EdDSA",
        headers={
            "kid": "../../../../dev/null",
            "jku": "https://evil.example.org/keys",
            "jwk": {"kty": "OKP", "crv": "Ed25519"},
        },
    )
    return f"{token}.{secret}"


def signed(keys: dict[str, str], **changed: Any) -> str:
    """Return a token with `changed` claims, signed with the real key."""
    claims, secret = _claims(keys)
    return f"{jwt.encode(claims | changed, keys['NKK_TOKEN_SIGNING_KEY'], algorithm='EdDSA')}.{secret}"


def for_another_audience(keys: dict[str, str]) -> str:
    return signed(keys, aud="elsewhere")


def of_another_issuer(keys: dict[str, str]) -> str:
    return signed(keys, iss="elsewhere")


def not_good_yet(keys: dict[str, str]) -> str:
    return signed(keys, nbf=9_999_999_999)


def good_until_the_sun_has_gone(keys: dict[str, str]) -> str:
    return signed(keys, exp=10**17)


def for_a_role_that_is_a_list(keys: dict[str, str]) -> str:
    return signed(keys, role=["operator"])


def cut_off(keys: dict[str, str]) -> str:
    token, secret = granted(keys)
    return f"{token[:-5]}.{secret}"


def written_twice(keys: dict[str, str]) -> str:
    return ".".join(granted(keys) + granted(keys))


def without_its_signature(keys: dict[str, str]) -> str:
    token, secret = granted(keys)
    return f"{token.rpartition('.')[0]}..{secret}"


def as_it_travels_inward(keys: dict[str, str]) -> str:
    """Return a token as stages receive it, which an attacker could read at the broker or on its disk."""
    return granted(keys)[0]


def with_no_secret(keys: dict[str, str]) -> str:
    return f"{granted(keys)[0]}."


def with_the_secret_of_another(keys: dict[str, str]) -> str:
    return f"{granted(keys)[0]}.{granted(keys)[1]}"


def with_what_the_token_says_of_its_secret(keys: dict[str, str]) -> str:
    token, _ = granted(keys)
    return f"{token}.{jwt.decode(token, options={'verify_signature': False})['prf']}"


def with_the_proof_that_goes_to_intake(keys: dict[str, str]) -> str:
    token, secret = granted(keys)
    return f"{token}.{hashlib.sha256(secret.encode()).hexdigest()}"


def signed_for_no_door(keys: dict[str, str]) -> str:
    return sign(OPERATOR, keys["NKK_TOKEN_SIGNING_KEY"])[0] + "."


FORGERIES = [
    expired,
    signed_with_another_key,
    unsigned,
    signed_with_the_public_key,
    promoted,
    with_a_key_of_its_own,
    for_another_audience,
    of_another_issuer,
    not_good_yet,
    good_until_the_sun_has_gone,
    for_a_role_that_is_a_list,
    cut_off,
    written_twice,
    without_its_signature,
    as_it_travels_inward,
    with_no_secret,
    with_the_secret_of_another,
    with_what_the_token_says_of_its_secret,
    with_the_proof_that_goes_to_intake,
    signed_for_no_door,
]


def test_an_access_token_opens_the_door_with_its_secret(people: People) -> None:
    assert "items" in Person(people.http, ".".join(granted(keys(people)))).get("/desks/intake")


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_token_that_is_not_ours_or_no_longer_good_opens_nothing(people: People, forge: Callable) -> None:
    """Neither the API nor the site accepts it."""
    person = Person(people.http, forge(keys(people)))
    response = person.ask("GET", "/desks/intake")
    problem(response, 401, "not-authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    page = people.http.get("/akun", headers={"Cookie": f"nkk_access={person.token}"}, follow_redirects=False)
    assert (page.status_code, page.headers["Location"].split("?")[0]) == (303, "/masuk")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        "Basic b3BlcmF0b3I6eA==",
        "Token x",
        "Bearer " + "x" * 6_000,
        "Bearer é",
    ],
)
def test_a_header_that_holds_no_token_opens_nothing(people: People, header: str) -> None:
    response = people.http.get("/api/v1/desks/intake", headers={"Authorization": header.encode()})
    problem(response, 401, "not-authenticated")


def test_a_role_that_does_not_exist_may_do_nothing(people: People) -> None:
    nobody = Person(people.http, ".".join(granted(keys(people), Actor("somebody", "superuser"))))
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
    problem(
        people.anyone.ask("POST", "/sessions/current/renewal", {"refresh_token": person.session["refresh_token"]}),
        401,
        "not-authenticated",
    )


def wait_asked(people: People, username: str, password: str, **how: Any) -> int:
    """Return the seconds that a slowed-down log-in is asked to wait."""
    response = people.anyone.ask("POST", "/sessions", {"username": username, "password": password}, **how)
    said = problem(response, 429, "slowed-down")
    assert set(said["errors"]) == {"password"}
    return int(response.headers["Retry-After"])


def test_a_refusal_to_log_in_does_not_tell_which_accounts_exist(people: People) -> None:
    slowed, disabled, nobody = new_staff(people), new_staff(people), f"tidak-ada-{uuid.uuid4().hex[:8]}"
    people.admin.post(f"/staff/{disabled['username']}/disablement")
    names = (slowed["username"], disabled["username"], nobody, people.reporter().account["username"])
    answers = {refused(people, name, "kata-sandi-salah") for name in names for _ in range(5)}
    answers |= {refused(people, "😀", "x"), refused(people, "x" * 1_000, "y" * 1_000)}
    assert len(answers) == 1
    assert {0 < wait_asked(people, name, PASSWORD) <= 60 for name in names} == {True}


def test_each_wrong_password_beyond_the_fifth_slows_its_source_down_for_twice_as_long(people: People) -> None:
    credentials = new_staff(people)
    username = credentials["username"]
    for _ in range(4):
        refused(people, username, "kata-sandi-salah")
    assert staff(people, username)["slowed_until"] is None
    for minutes in (1, 2, 4):
        before = datetime.now(UTC)
        refused(people, username, "kata-sandi-salah")
        slowed = staff(people, username)
        until = datetime.fromisoformat(slowed["slowed_until"])
        assert before <= until - timedelta(minutes=minutes) <= datetime.now(UTC)
        assert (slowed["slowed_sources"], slowed["locked_until"]) == (1, None)
        assert 60 * (minutes - 1) < wait_asked(people, **credentials) <= 60 * minutes
        _let_the_wait_lapse(people)
    people.log_in(**credentials)
    refused(people, username, "kata-sandi-salah")
    assert staff(people, username)["slowed_until"] is None


def test_a_device_that_logged_in_before_is_let_in_while_others_guess_from_its_address(people: People) -> None:
    credentials = new_staff(people)
    entered = people.anyone.ask("POST", "/sessions", credentials)
    known = {"X-NKK-Device": entered.headers["X-NKK-Device"]}
    for _ in range(5):
        refused(people, credentials["username"], "kata-sandi-salah")
    wait_asked(people, **credentials)
    wait_asked(people, **credentials, headers={"X-NKK-Device": "x" * 32})
    assert people.anyone.ask("POST", "/sessions", credentials, headers=known).status_code == 201
    other = new_staff(people)
    for _ in range(5):
        refused(people, other["username"], "kata-sandi-salah")
    wait_asked(people, **other, headers=known)


def test_an_admin_ends_a_slow_down(people: People) -> None:
    credentials = new_staff(people)
    for _ in range(5):
        refused(people, credentials["username"], "kata-sandi-salah")
    wait_asked(people, **credentials)
    ended = people.admin.ask("DELETE", f"/staff/{credentials['username']}/slow-down")
    assert (ended.status_code, ended.json()["slowed_until"], ended.json()["slowed_sources"]) == (200, None, 0)
    people.log_in(**credentials)
    for _ in range(5):
        refused(people, credentials["username"], "kata-sandi-salah")
    done = nkk(people.installation, "staff", "let-in", credentials["username"])
    assert done.returncode == 0, done.stderr
    people.log_in(**credentials)


def test_registration_does_not_tell_which_names_the_staff_have(people: People) -> None:
    credentials = new_staff(people)
    reporter = people.reporter(username=credentials["username"], password="sandi-pelapor-42")
    assert reporter.session is not None
    assert reporter.session["role"] == "reporter"
    assert people.log_in(**credentials).session["role"] == "operator"


def test_one_name_and_password_of_both_opens_the_staffs_account(people: People) -> None:
    credentials = new_staff(people)
    assert people.reporter(**credentials).session["role"] == "operator"
    changed = people.admin.ask("PUT", f"/staff/{credentials['username']}/password", {"password": "kata-sandi-lain-42"})
    assert changed.status_code < 300
    assert people.log_in(**credentials).session["role"] == "reporter"


def _let_the_wait_lapse(people: People) -> None:
    with engine(people.installation, "intake").begin() as connection:
        connection.execute(text("UPDATE attempts SET waits_until = NULL"))


def _claims(keys: dict[str, str]) -> tuple[dict[str, Any], str]:
    token, secret = granted(keys)
    return jwt.decode(token, options={"verify_signature": False}), secret


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
