"""Cookies of a session: how they are set, renewed and deleted, and what another site can do with them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from tests.unit.gateway.visits import REFRESH_TOKEN, FakeBackend, log_in, set_cookies, token

Opened = Callable[..., dict[str, Any]]


def test_behind_tls_no_other_host_and_no_plain_connection_can_set_a_cookie(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    cookies = set_cookies(log_in(client, stages, opened(), base_url="https://pengaduan.example.id"))
    assert set(cookies) == {"__Host-nkk_access", "__Host-nkk_refresh", "__Host-nkk_session", "__Host-nkk_device"}
    for line in cookies.values():
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
        assert "Domain" not in line


def test_without_tls_the_same_cookies_work_under_plain_names(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    response = log_in(client, stages, opened())
    assert (response.status_code, response.location) == (303, "/laporan")
    assert set(set_cookies(response)) == {"nkk_access", "nkk_refresh", "nkk_session", "nkk_device"}


def test_a_log_in_forgets_the_session_it_came_with(client: FlaskClient, stages: FakeBackend, opened: Opened) -> None:
    before = token(client)
    log_in(client, stages, opened())
    stages.answers["log_out"] = None
    assert client.post("/keluar", data={"csrf_token": before}).status_code == 400


def test_a_forged_form_does_nothing(client: FlaskClient, stages: FakeBackend, opened: Opened) -> None:
    log_in(client, stages, opened("operator"))
    stages.asked.clear()
    for form in ({}, {"csrf_token": "x"}):
        assert client.post("/laporan/NKK-2026-EDXY-ER30/serahkan", data=form).status_code == 400
    assert stages.asked == []


def test_the_api_takes_no_cookie(client: FlaskClient, stages: FakeBackend, opened: Opened) -> None:
    log_in(client, stages, opened("operator"))
    assert client.post("/api/v1/complaints/NKK-2026-EDXY-ER30/handover").status_code == 401


def test_log_out_takes_both_tokens_away_even_where_intake_is_down(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    log_in(client, stages, opened())
    stages.answers |= {
        "log_out": StageUnavailableError("intake"),
        "complaints": {"items": [], "next": None},
        "standings": {},
    }
    response = client.post("/keluar", data={"csrf_token": token(client, "/laporan")})
    assert response.location == "/sampai-jumpa"
    assert all("Max-Age=0" in set_cookies(response)[name] for name in ("nkk_access", "nkk_refresh"))
    assert client.get("/laporan").location == "/masuk?ke=/laporan"


def test_a_session_that_intake_has_ended_leads_to_the_log_in(client: FlaskClient, stages: FakeBackend) -> None:
    client.set_cookie("nkk_refresh", REFRESH_TOKEN)
    stages.answers["renew"] = RefusedRemotelyError("NotAuthenticated", "Ended.", {})
    assert client.get("/laporan").location == "/masuk?ke=/laporan"


def test_a_renewal_that_cannot_be_had_is_no_log_out(client: FlaskClient, stages: FakeBackend) -> None:
    client.set_cookie("nkk_refresh", REFRESH_TOKEN)
    stages.answers["renew"] = StageUnavailableError("intake")
    response = client.get("/laporan")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert [method for method, _ in stages.asked] == ["renew"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "text",
    [
        "x",
        REFRESH_TOKEN[1:],
        REFRESH_TOKEN + "x",
        REFRESH_TOKEN[:-1] + ".",
        '"',
        REFRESH_TOKEN + ".",
        REFRESH_TOKEN + "." + "0" * 33,
        REFRESH_TOKEN[:-1] + "\u00e9",
    ],
)
def test_what_is_no_token_is_asked_of_nobody(client: FlaskClient, stages: FakeBackend, text: str) -> None:
    client.set_cookie("nkk_refresh", text)
    assert client.get("/").status_code == 200
    assert client.get("/laporan").location == "/masuk?ke=/laporan"
    assert stages.asked == []


@pytest.mark.parametrize("text", ["not a token", "e30.e30.x", ""])
def test_a_broken_token_is_no_failure(client: FlaskClient, text: str) -> None:
    client.set_cookie("nkk_access", text)
    assert client.get("/laporan").status_code == 303
    assert client.get("/").status_code == 200


def test_a_poll_whose_log_in_has_ended_sends_the_page_to_the_log_in(client: FlaskClient) -> None:
    response = client.get("/meja/serah-terima/daftar", headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/masuk")


def test_what_was_typed_is_carried_over_a_log_in_unless_another_site_sent_it(app: Flask) -> None:
    client = app.test_client()
    form = {"text": "Tulisan saya", "password": "rahasia"}
    for site, kept in (("same-origin", True), ("cross-site", False), ("same-site", False)):
        data = form | {"csrf_token": token(client)}
        response = client.post("/laporan/baru", data=data, headers={"Sec-Fetch-Site": site})
        assert response.status_code == 401
        assert ("Tulisan saya" in response.text) is kept
        assert "rahasia" not in response.text
    response = client.post("/laporan/baru", data=form, headers={"Origin": "https://elsewhere.example.id"})
    assert response.status_code == 401
    assert "Tulisan saya" not in response.text


def test_a_log_in_that_only_a_stage_refuses_ends_at_the_log_in_page(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    log_in(client, stages, opened())
    stages.answers["complaints"] = RefusedRemotelyError("NotAuthenticated", "Expired.", {})
    assert client.get("/laporan").location == "/masuk?ke=/laporan"
    assert client.get("/masuk?ke=/laporan").status_code == 200
