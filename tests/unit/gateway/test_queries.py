"""Query parameters must be known and given once, at every route of the API that can be tested."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

Opened = Callable[..., dict[str, Any]]
ASKED = [
    ("operator", "/desks/intake", "limit=2"),
    ("main_team", "/reports/monthly", "month=2026-11"),
    ("reporter", "/complaints", "limit=2"),
    ("website", "/entries", "limit=2"),
    ("operator", "/staff/names", "ids=a,b"),
    ("admin", "/staff", "limit=2"),
    ("admin", "/calendar/versions", "limit=2"),
    ("admin", "/calendar/national-days", "year=2026"),
]


def refused(client: FlaskClient, session: dict[str, Any], address: str) -> dict[str, list[str]]:
    """Return the invalid fields of a refusal."""
    answer = client.get(f"/api/v1{address}", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text
    assert answer.json is not None
    assert answer.json["type"] == "urn:nkk:problem:invalid-input"
    return answer.json["errors"]


@pytest.mark.parametrize(("role", "path", "asked"), ASKED)
def test_what_is_said_twice_is_refused_and_nothing_is_guessed(
    client: FlaskClient, opened: Opened, role: str, path: str, asked: str
) -> None:
    name = asked.partition("=")[0]
    for query in (f"{asked}&{asked}", f"{asked}&{name}=", f"{asked}&{name}=7&{name}=8"):
        assert refused(client, opened(role), f"{path}?{query}") == {name: ["Send this once."]}


@pytest.mark.parametrize(("role", "path", "asked"), ASKED)
def test_a_name_that_is_not_known_is_refused(
    client: FlaskClient, opened: Opened, role: str, path: str, asked: str
) -> None:
    assert refused(client, opened(role), f"{path}?{asked}&formt=pdf") == {"formt": ["Unknown field."]}


def test_every_route_that_can_be_asked_is_tried_here(app: Flask) -> None:
    paths = app.test_client().get("/api/v1/openapi.json").json["paths"]  # type: ignore[index]
    can_be_asked = {
        path.removeprefix("/api/v1")
        for path, item in paths.items()
        if any(parameter["in"] == "query" for parameter in item.get("get", {}).get("parameters", []))
    }
    assert {path for path in can_be_asked if not path.startswith("/desks/")} == {path for _, path, _ in ASKED[1:]}
