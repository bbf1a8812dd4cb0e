"""What a limited operation says about its limits, in RateLimit and RateLimit-Policy."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from nkk.messaging.calls import StageUnavailableError
from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, grant
from tests.unit.gateway.test_limits import BOTH_DOORS, REGISTRATION, stages  # noqa: F401
from tests.unit.gateway.visits import KEYS, FakeBackend

HUNDRED_YEARS = 100 * 365 * 86_400
ITEM = re.compile(r'"(?P<name>[a-z-]+(?:-\d+)?)"(?P<parameters>(?:;[a-z]+=\d+)+)')


@pytest.fixture
def settings() -> dict[str, Any]:
    names = ("REGISTRATION", "LOGIN", "RESET", "SUBMISSION", "DOCUMENTS")
    return {f"LIMIT_{name}": "2/100 year" for name in names}


def bearer() -> dict[str, str]:
    signed, _ = grant(Actor("one", "reporter", session="s"), as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
    return {"Authorization": f"Bearer {signed}"}


def read(field: str) -> dict[str, dict[str, int]]:
    """Return the items of a field, a list of strings with parameters (RFC 9651)."""
    assert re.fullmatch(
        rf"{ITEM.pattern}(?:, {ITEM.pattern})*".replace("?P<name>", "").replace("?P<parameters>", ""), field
    )
    return {
        found["name"]: {
            key: int(value) for key, value in (pair.split("=") for pair in found["parameters"][1:].split(";"))
        }
        for found in ITEM.finditer(field)
    }


def left(answer: Any) -> dict[str, int]:
    """Return how many requests are left of each limit."""
    standings, policies = read(answer.headers["RateLimit"]), read(answer.headers["RateLimit-Policy"])
    assert standings.keys() == policies.keys()
    assert all(set(policy) == {"q", "w"} for policy in policies.values())
    assert all(1 <= standing["t"] <= policies[name]["w"] for name, standing in standings.items())
    return {name: standing["r"] for name, standing in standings.items()}


NAMES = {
    "registration": "registration",
    "log-in": "login",
    "reset": "reset",
    "code": "completion",
    "password": "password",
    "submission": "submission",
}


@pytest.mark.parametrize("kind", BOTH_DOORS)
def test_each_limited_operation_says_what_is_left_until_there_is_nothing(client: FlaskClient, kind: str) -> None:
    method, path, form = BOTH_DOORS[kind][0]
    answers = [client.open(path, method=method, json=form, headers=bearer()) for _ in range(3)]
    assert [left(answer) for answer in answers] == [{NAMES[kind]: rest} for rest in (1, 0, 0)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    refused = answers[-1]
    assert int(refused.headers["Retry-After"]) == pytest.approx(
        read(refused.headers["RateLimit"])[NAMES[kind]]["t"], abs=1
    )
    assert read(refused.headers["RateLimit-Policy"]) == {
        NAMES[kind]: {"q": 2, "w": pytest.approx(HUNDRED_YEARS, rel=0.02)}
    }


def test_what_fails_says_it_too(client: FlaskClient, stages: FakeBackend) -> None:  # noqa: F811
    assert left(client.post("/api/v1/reporters", json={})) == {"registration": 1}
    stages.answers["register"] = StageUnavailableError("intake")
    answer = client.post("/api/v1/reporters", json=REGISTRATION)
    assert (answer.status_code, left(answer)) == (503, {"registration": 0})


def test_a_head_counts_and_says_so(client: FlaskClient, stages: FakeBackend) -> None:  # noqa: F811
    stages.answers |= {"complaint": StageUnavailableError("intake"), "timeline": StageUnavailableError("notification")}
    path = "/api/v1/complaints/NKK-2026-EDXY-ER30/documents/tanda-terima.pdf"
    assert [left(client.head(path, headers=bearer()))["documents"] for _ in range(3)] == [1, 0, 0]


def test_several_limits_are_each_named(app: Flask, client: FlaskClient) -> None:
    app.config["LIMIT_REGISTRATION"] = "2/100 year;9/200 year"
    answers = [client.post("/api/v1/reporters", json={}) for _ in range(3)]
    (short, long), *_ = [list(left(answer)) for answer in answers]
    assert [left(answer)[short] for answer in answers] == [1, 0, 0]
    assert left(answers[0])[long] == 8
    assert read(answers[0].headers["RateLimit-Policy"])[long]["q"] == 9
    assert answers[-1].status_code == 429


def test_what_is_left_of_a_count_that_others_share_is_told_in_quarters(app: Flask, client: FlaskClient) -> None:
    """Everybody in an office has one address, and would learn from it that somebody there has just registered."""
    app.config["LIMIT_REGISTRATION"] = app.config["LIMIT_SUBMISSION"] = "8/100 year"
    shared = [left(client.post("/api/v1/reporters", json={}))["registration"] for _ in range(9)]
    assert shared == [6, 6, 4, 4, 2, 2, 1, 0, 0]
    own = [left(client.post("/api/v1/complaints", json={}, headers=bearer()))["submission"] for _ in range(3)]
    assert own == [7, 6, 5]


def test_nothing_is_said_where_nothing_is_limited_or_counted(client: FlaskClient) -> None:
    for answer in (client.get("/api/v1/categories"), client.post("/api/v1/complaints", json={}), client.get("/daftar")):
        assert "RateLimit" not in answer.headers
        assert "RateLimit-Policy" not in answer.headers


def test_every_limited_operation_is_described_with_them(client: FlaskClient) -> None:
    described = json.loads(client.get("/api/v1/openapi.json").text)
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(
        described["components"]["responses"]["TOO_MANY_REQUESTS"]["headers"]
    )
    limited = [
        operation
        for path in described["paths"].values()
        for method, operation in path.items()
        if method != "parameters" and "429" in operation["responses"]
    ]
    assert len(limited) >= 10
    for operation in limited:
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                assert {"RateLimit", "RateLimit-Policy"} <= set(answer["headers"]), operation["operationId"]
