"""Malformed tokens, cookies, cursors and keys are refused, and cause no failure."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from nkk.trust.actor import Actor
from tests.hostile.fuzzing import token
from tests.installations import Installation
from tests.people import People

pytestmark = pytest.mark.long


def written(value: Any) -> str:
    """Return `value`, as JSON unless it is a text, in URL-safe base64."""
    text = value if isinstance(value, str) else json.dumps(value)
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


JSON: list[Any] = [
    "[" * 900 + "]" * 900,
    "[" * 2_500,
    '{"a":' * 400,
    "9" * 1_000,
    "1e999",
    "NaN",
    "null",
    "\xff",
    [],
    {},
    [[], []],
    [10**17, "x"],
    [1e17, "x"],
    ["0001-01-01T00:00:00+23:59", "x"],
    ["9999-12-31T23:59:59-23:59", "x"],
    ["2026-03-02T01:00:00", "x"],
    ["2026-03-02T01:00:00Z", 7],
    ["2026-03-02T01:00:00Z", "\x00"],
    ["2026-03-02T01:00:00Z", "\ud83d"],
    ["2026-03-02T01:00:00Z", ["x"]],
    ["\ud83d"],
    [10**17],
    [None],
    ["x"] * 100,
]
TEXTS = [
    "x",
    ".",
    "...",
    "a.b.c",
    "a.b.c.d",
    "é",
    "\x80\xff",
    "%00",
    "'; --",
    "../../etc/passwd",
    "{{7*7}}",
    "x" * 3_000,
    *map(written, JSON),
    *(f"{written({'alg': 'EdDSA'})}.{written(part)}.x.y" for part in JSON),
    *(f"{written(part)}.e30.x.y" for part in JSON),
]

PLACES: dict[str, Callable[[str], tuple[str, str, dict[str, Any]]]] = {
    "bearer": lambda text: ("GET", "/api/v1/desks/intake", {"headers": {"Authorization": f"Bearer {text}"}}),
    "access cookie": lambda text: ("GET", "/akun", {"headers": {"Cookie": f"nkk_access={text}"}}),
    "refresh cookie": lambda text: ("GET", "/akun", {"headers": {"Cookie": f"nkk_refresh={text}"}}),
    "session cookie": lambda text: ("GET", "/masuk", {"headers": {"Cookie": f"nkk_session={text}"}}),
    "refresh token": lambda text: ("POST", "/api/v1/sessions/current/renewal", {"json": {"refresh_token": text}}),
    "code": lambda text: ("POST", "/api/v1/password-resets/completion", {"json": {"token": text, "password": text}}),
    "cursor": lambda text: ("GET", "/api/v1/desks/intake", {"params": {"cursor": text}}),
    "page's cursor": lambda text: ("GET", "/meja/serah-terima", {"params": {"cursor": text}}),
    "version's cursor": lambda text: ("GET", "/api/v1/calendar/versions", {"params": {"cursor": text}}),
    "key": lambda text: ("POST", "/api/v1/complaints", {"headers": {"Idempotency-Key": text}, "json": {}}),
}


def asked(http: httpx.Client, bearer: str | None, method: str, path: str, **how: Any) -> httpx.Response:
    """Send a request, with the access token `bearer` unless it has an Authorization header."""
    headers = {name: value.encode("latin-1", "replace") for name, value in how.pop("headers", {}).items()}
    if bearer:
        headers.setdefault("Authorization", f"Bearer {bearer}".encode())
    return http.request(method, path, headers=headers, follow_redirects=False, **how)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_none_is_refused_and_is_no_failure_of_ours(whole: Installation, people: People, place: str) -> None:
    bearer = {
        "cursor": people.operator.token,
        "version's cursor": people.admin.token,
        "key": people.reporter().token if place == "key" else None,
    }.get(place)
    operators = {"Cookie": f"nkk_access={token(whole, Actor('somebody', 'operator'))}"}
    logged = len(whole.logs())
    for text in TEXTS:
        method, path, how = PLACES[place](text)
        how["headers"] = how.get("headers", {}) | (operators if place == "page's cursor" else {})
        response = asked(people.http, bearer, method, path, **how)
        # Without a session, these addresses lead to the log-in form.
        assert response.status_code in range(400, 500) or path in ("/akun", "/masuk"), (text[:40], response)
        assert response.status_code < 500, (text[:40], response)
    said = whole.logs()[logged:]
    assert [line for line in said.splitlines() if '"request failed"' in line or '"call failed"' in line] == []
