"""An act without fields needs no body, and one with fields names those that are missing."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.gateway.visits import FakeBackend

TICKET = "NKK-2026-6GKQ-DHSZ"
CLAIM = {"ticket": TICKET, "claim": None}
NOTHING: list[dict[str, Any]] = [
    {},
    {"json": {}},
    {"content_type": "application/json"},
    {"data": ""},
    {"data": b"", "content_type": "application/x-www-form-urlencoded"},
]
"""The empty requests of various clients."""


@pytest.fixture
def as_operator(opened: Callable[..., dict[str, Any]], stages: FakeBackend) -> dict[str, str]:
    stages.answers |= dict.fromkeys(("claim", "release"), CLAIM) | {"hand_over": {"ticket": TICKET, "stands": {}}}
    return {"Authorization": f"Bearer {opened('operator')['access_token']}"}


@pytest.mark.parametrize("sent", NOTHING, ids=repr)
@pytest.mark.parametrize(("method", "act"), [("POST", "claim"), ("DELETE", "claim"), ("POST", "handover")])
def test_an_act_without_fields_takes_nothing_for_an_answer(
    client: FlaskClient, as_operator: dict[str, str], method: str, act: str, sent: dict[str, Any]
) -> None:
    answer = client.open(f"/api/v1/complaints/{TICKET}/{act}", method=method, headers=as_operator, **sent)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("sent", NOTHING, ids=repr)
def test_nothing_where_fields_are_needed_names_them(client: FlaskClient, sent: dict[str, Any]) -> None:
    answer = client.post("/api/v1/sessions", **sent)
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"username", "password"})


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        ("{}", "text/plain", 415),
        ("take_over=1", "application/x-www-form-urlencoded", 415),
        (" ", "application/json", 400),
        ("null", "application/json", 400),
    ],
)
def test_something_is_json_as_before(
    client: FlaskClient, as_operator: dict[str, str], data: str, kind: str, status: int
) -> None:
    answer = client.post(f"/api/v1/complaints/{TICKET}/claim", data=data, content_type=kind, headers=as_operator)
    assert answer.status_code == status


@pytest.mark.parametrize("sent", [sent for sent in NOTHING if "json" not in sent], ids=repr)
@pytest.mark.parametrize("path", ["teams", "catalogue", "calendar/days/2026-12-31"])
def test_nothing_replaces_nothing(
    client: FlaskClient, opened: Callable[..., dict[str, Any]], stages: FakeBackend, path: str, sent: dict[str, Any]
) -> None:
    as_admin = {"Authorization": f"Bearer {opened('admin')['access_token']}"}
    answer = client.put(f"/api/v1/{path}", headers=as_admin, **sent)
    assert answer.status_code in (400, 415), answer.text
    assert stages.asked == []
