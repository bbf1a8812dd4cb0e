"""Input that is read before a schema has checked it gets the same answer as other invalid input."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.devices import HEADER
from tests.unit.gateway.visits import FORM, FakeBackend, token

DEVICE = f"{'A' * 32}.{'0' * 32}"
HALF_A_PAIR = "\ud800"


@pytest.mark.parametrize("path", ["/sessions", "/password-resets"])
def test_a_user_name_that_is_no_text_is_malformed_also_from_a_known_device(
    client: FlaskClient, stages: FakeBackend, path: str
) -> None:
    answer = client.post(
        f"/api/v1{path}",
        headers={HEADER: DEVICE},
        content_type="application/json",
        data=json.dumps({"username": HALF_A_PAIR, "password": "x"}),
    )
    assert (answer.status_code, answer.json["type"]) == (400, "urn:nkk:problem:malformed")
    assert stages.asked == []


@pytest.mark.parametrize(
    "carried",
    [
        "[" * 30_000,
        '{"text": ' + "[" * 970 + "]" * 970 + "}",
        '{"text": "\\ud800"}',
        '{"\\ud800": "x"}',
        '{"text": 1}',
        '{"text": ["x"]}',
        "[]",
        "null",
        "x",
        "1" * 5_000,
        "\x00",
    ],
    ids=lambda text: repr(text[:16]),
)
def test_what_no_page_of_ours_carried_is_not_shown_and_hinders_no_log_in(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], carried: str
) -> None:
    stages.answers["log_in"] = opened()
    sent = FORM | {"csrf_token": token(client), "ke": "/laporan/baru", "carried": carried}
    answer = client.post("/masuk", data=sent)
    assert (answer.status_code, answer.location) == (303, "/laporan/baru")


def test_of_what_was_carried_each_text_is_kept(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    stages.answers["log_in"] = opened()
    carried = json.dumps({"text": "Tulisan 🙂 saya", "place": HALF_A_PAIR, "subject_line": 7})
    answer = client.post("/masuk", data=FORM | {"csrf_token": token(client), "ke": "/laporan/baru", "carried": carried})
    assert answer.status_code == 200
    assert "Tulisan 🙂 saya" in answer.text
    assert "subject_line" not in answer.text


@pytest.mark.parametrize("onward", ["/\t/[", "/\r\n/[::1", "/\n/a\u2100b", "/\t/elsewhere.example"])
def test_an_address_that_cannot_be_read_leads_nowhere(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], onward: str
) -> None:
    assert client.get("/masuk", query_string={"ke": onward}).status_code == 200
    assert client.get("/bahasa/en", query_string={"ke": onward}).location == "/"
    stages.answers["log_in"] = opened()
    answer = client.post("/masuk", data=FORM | {"csrf_token": token(client), "ke": onward})
    assert (answer.status_code, answer.location) == (303, "/laporan")


@pytest.mark.parametrize("origin", ["http://[", "//[::1", "null", "", "://", "http://a\u2100b"])
def test_an_origin_that_cannot_be_read_is_another_one(client: FlaskClient, origin: str) -> None:
    headers = {"Origin": origin.encode().decode("latin1")}
    sent = {"csrf_token": token(client), "text": "Tulisan saya"}
    for data in (sent, sent | {"csrf_token": "x"}):
        answer = client.post("/laporan/baru", data=data, headers=headers)
        assert answer.status_code == 401
        assert "Tulisan saya" not in answer.text


@pytest.mark.parametrize("base", ["http://localhost", "http://localhost:8080", "https://[::1]:8443"])
def test_what_was_typed_on_a_page_of_ours_is_kept_wherever_the_site_is(client: FlaskClient, base: str) -> None:
    client.get("/masuk", base_url=base)
    answer = client.post("/laporan/baru", data={"text": "Tulisan saya"}, base_url=base, headers={"Origin": base})
    assert answer.status_code == 401
    assert "Tulisan saya" in answer.text
