"""The pages of refusals and failures."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.errors import STATUS
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from tests.unit.gateway.visits import FakeBackend, log_in, token

Opened = Callable[..., dict[str, Any]]
TICKET = "NKK-2026-EDXY-ER30"


@pytest.fixture
def operator(client: FlaskClient, stages: FakeBackend, opened: Opened) -> FlaskClient:
    log_in(client, stages, opened("operator"))
    stages.answers |= {"worklist": {"items": [], "next": None}, "timeline": {"entries": []}}
    return client


@pytest.mark.parametrize("name", sorted(set(STATUS) - {"NotAuthenticated"}))
def test_every_refusal_is_a_page_of_its_status_that_says_what_to_do(
    operator: FlaskClient, stages: FakeBackend, name: str
) -> None:
    stages.answers["hand_over"] = RefusedRemotelyError(name, "English for programs.", {})
    response = operator.post(f"/laporan/{TICKET}/serahkan", data={"csrf_token": token(operator, "/meja/serah-terima")})
    assert response.status_code == STATUS[name]
    assert "English for programs." not in response.text
    assert "<h1>" in response.text
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_refusal_shows_where_the_complaint_stands_and_who_did_it(operator: FlaskClient, stages: FakeBackend) -> None:
    stages.answers |= {
        "hand_over": RefusedRemotelyError(
            "AlreadyHandedOver", "x", {"stands": {"state": "handed_over", "since": "2026-03-02T01:30:00Z"}}
        ),
        "timeline": {"entries": [{"role": "operator", "by": "another", "at": "2026-03-02T01:30:00Z"}]},
    }
    page = operator.post(f"/laporan/{TICKET}/serahkan", data={"csrf_token": token(operator, "/meja/serah-terima")}).text
    assert "Rekan Anda sudah mengerjakannya." in page
    assert "Sudah diserahkan kepada Tim NKK Utama" in page
    assert "Sen, 2 Mar 2026, 08.30 WIB" in page


def test_a_refusal_names_the_colleague(operator: FlaskClient, stages: FakeBackend) -> None:
    stages.answers |= {
        "hand_over": RefusedRemotelyError("AlreadyHandedOver", "x", {}),
        "staff_names": {"another": "Rina Contoh"},
        "timeline": {"entries": [{"role": "operator", "by": "another", "at": "2026-03-02T01:30:00Z"}]},
        "claim": RefusedRemotelyError(
            "ClaimedByColleague", "x", {"claim": {"by": "another", "since": "2026-03-02T01:30:00Z"}}
        ),
    }
    form = {"csrf_token": token(operator, "/meja/serah-terima")}
    refused = operator.post(f"/laporan/{TICKET}/serahkan", data=form)
    assert "<bdi>Rina Contoh</bdi> sudah mengerjakannya." in refused.text
    page = operator.post(f"/laporan/{TICKET}/kerjakan", data=form)
    assert page.status_code == 409
    assert "Sedang dikerjakan <bdi>Rina Contoh</bdi>, sejak" in page.text


def test_a_failure_names_the_request_and_nothing_else(operator: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["worklist"] = ValueError("Siti rahasia")
    response = operator.get("/meja/serah-terima", headers={"X-Request-ID": "request-4711"})
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] == "request-4711"
    # The code shown is the gateway's own: the one under which every process logged the request.
    (shown,) = re.findall(r"<code>([^<]*)</code>", response.text)
    assert uuid.UUID(shown)
    assert "Siti" not in response.text


@pytest.mark.parametrize(
    ("error", "status"), [(StageUnavailableError("intake"), 503), (StageFailedError("intake"), 500)]
)
def test_a_stage_that_does_not_answer_offers_to_try_again(
    operator: FlaskClient, stages: FakeBackend, error: Exception, status: int
) -> None:
    stages.answers["worklist"] = error
    response = operator.get("/meja/serah-terima")
    assert response.status_code == status
    assert 'href="/meja/serah-terima">Coba lagi' in response.text


def test_too_much_is_told_so(client: FlaskClient) -> None:
    response = client.post("/masuk", data={"csrf_token": token(client), "username": "x" * 300_000})
    assert response.status_code == 413
    assert "20.000 karakter" in response.text


def test_too_often_keeps_the_text_and_looking_at_it_again_is_not_counted(
    client: FlaskClient, stages: FakeBackend
) -> None:
    stages.answers["register"] = RefusedRemotelyError("InvalidInput", "x", {"fields": {"email": ["No."]}})
    form = {
        "kind": "public",
        "identity_number": "1971014107900001",
        "name": "Budi Contoh",
        "email": "b@example.id",
        "username": "budi",
        "password": "rahasia-sekali-42",
    }
    statuses = []
    for _ in range(3):
        response = client.post(
            "/daftar", data=form | {"csrf_token": token(client, "/daftar")}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        statuses.append(response.status_code)
    assert statuses == [422, 422, 429]
    assert int(response.headers["Retry-After"]) > 0
    assert "Budi Contoh" in response.text
    assert "rahasia-sekali-42" not in response.text
    again = client.post("/daftar", data=form | {"csrf_token": token(client, "/daftar"), "tinjau": "1"})
    assert again.status_code == 200
    assert 'value="Budi Contoh"' in again.text


@pytest.mark.parametrize("path", ["/tidak-ada", "/laporan/x/y/z", "/.git/config"])
def test_an_address_where_nothing_is_is_a_page(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (404, "text/html")


@pytest.mark.parametrize("path", ["/api/v1/tidak-ada", "/api/x", "/healthz/x"])
def test_under_the_api_it_stays_a_problem(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")


def test_every_page_that_changes_something_is_guarded(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            path = (
                rule.rule.replace("<ticket>", TICKET)
                .replace("<username>", "x")
                .replace("<key>", "x")
                .replace("<int:year>", "2027")
                .replace("<int:number>", "1")
            )
            assert client.post(path).status_code in (400, 401), path


@pytest.mark.parametrize("text", ["Sudah ditegur.", ""])
def test_who_logged_out_meanwhile_is_told_so_and_logs_in_beside_their_text(
    operator: FlaskClient, stages: FakeBackend, text: str
) -> None:
    form = {"csrf_token": token(operator, "/meja/serah-terima"), "text": text}
    stages.answers["log_out"] = None
    assert operator.post("/keluar", data=form).status_code == 303
    stages.asked.clear()
    page = operator.post(f"/laporan/{TICKET}/jawaban", data=form)
    assert page.status_code == 401
    assert "Anda sudah keluar" in page.text
    assert 'name="password"' in page.text
    assert "terlalu lama" not in page.text
    assert ("Sudah ditegur." in page.text) == bool(text)
    assert stages.asked == []


@pytest.mark.parametrize(("note", "is_shown"), [("Lengkapi fotonya.", True), ("", False)])
def test_what_was_typed_is_announced_where_something_was(
    operator: FlaskClient, stages: FakeBackend, note: str, is_shown: bool
) -> None:
    stages.answers["hand_over"] = RefusedRemotelyError("AlreadyHandedOver", "already-handed-over", {})
    form = {"csrf_token": token(operator, "/meja/serah-terima"), "note": note, "other": "x"}
    page = operator.post(f"/laporan/{TICKET}/serahkan", data=form).text
    assert ("Tulisan ini tidak dikirim." in page, note in page) == (is_shown, True)
