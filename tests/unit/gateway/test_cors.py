"""What scripts of other websites may do, and what browsers are told about it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import cors
from nkk.messaging.calls import StageFailedError, StageUnavailableError
from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, grant
from tests.access import WHO, table
from tests.unit.gateway.visits import FORM, KEYS, FakeBackend

SITE = "https://kota.example.id"
LOCAL = "http://localhost:8000"
BY_SCRIPT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
TICKET = "NKK-2026-EDXY-ER30"
STRANGERS = [
    "https://elsewhere.example",
    "http://kota.example.id",
    "https://kota.example.id:8443",
    "https://kota.example.id.",
    "https://a.kota.example.id",
    "https://kota.example.id.evil.example",
    "https://KOTA.example.id",
    "http://localhost",
    "http://localhost:8001",
    "null",
    "",
    "*",
    f"{SITE}, {SITE}",
]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"WEBSITE_ORIGINS": frozenset({SITE, LOCAL})}


def bearer(role: str = "reporter") -> dict[str, str]:
    signed, _ = grant(Actor("one", role, session="s"), as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
    return {"Authorization": f"Bearer {signed}"}


def allowed(answer: Any) -> str | None:
    """Return the origin whose scripts may read `answer`. No answer allows credentials."""
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer.headers.get("Access-Control-Allow-Origin")


def varies(answer: Any) -> bool:
    return "Origin" in answer.vary


def preflight(client: FlaskClient, path: str, method: str, origin: str = SITE, headers: str = "authorization") -> Any:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return client.options(f"/api/v1{path}", headers=BY_SCRIPT | asked | ({"Origin": origin} if origin else {}))


@pytest.mark.parametrize("origin", [SITE, LOCAL])
def test_a_named_websites_script_reads_what_reporters_read(client: FlaskClient, origin: str) -> None:
    answer = client.get("/api/v1/categories", headers=BY_SCRIPT | {"Origin": origin})
    assert (answer.status_code, allowed(answer), varies(answer)) == (200, origin, True)
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "X-NKK-Device", "X-Request-ID"} <= exposed


@pytest.mark.parametrize("origin", STRANGERS)
def test_no_other_websites_script_does(client: FlaskClient, origin: str) -> None:
    answer = client.get("/api/v1/categories", headers={"Origin": origin})
    assert (allowed(answer), varies(answer)) == (None, True)
    assert client.get("/api/v1/categories", headers=BY_SCRIPT | {"Origin": origin}).status_code == 503
    asked = preflight(client, "/complaints", "POST", origin)
    assert allowed(asked) is None
    assert "Access-Control-Allow-Methods" not in asked.headers


def test_a_cache_never_gives_one_origins_answer_to_another(client: FlaskClient) -> None:
    assert varies(client.get("/api/v1/categories"))
    assert varies(client.options("/api/v1/categories"))
    assert varies(client.get("/api/v1/nothing"))


def test_where_no_website_is_named_none_may(app: Flask, client: FlaskClient) -> None:
    app.config["WEBSITE_ORIGINS"] = frozenset()
    for origin in (SITE, LOCAL, "", "null"):
        assert allowed(client.get("/api/v1/categories", headers={"Origin": origin})) is None


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/reporters", {"POST"}),
        ("/sessions", {"POST"}),
        ("/sessions/current", {"DELETE"}),
        ("/reporters/me/contact", {"GET", "HEAD", "PUT"}),
        ("/complaints", {"GET", "HEAD", "POST"}),
        (f"/complaints/{TICKET}", {"GET", "HEAD"}),
        (f"/complaints/{TICKET}/receipt", {"POST"}),
        (f"/complaints/{TICKET}/documents/tanda-terima.pdf", {"GET", "HEAD"}),
    ],
)
def test_a_preflight_names_what_is_open_at_the_address(client: FlaskClient, path: str, methods: set[str]) -> None:
    answer = preflight(client, path, min(methods))
    assert (answer.status_code, allowed(answer), varies(answer)) == (204, SITE, True)
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == methods
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )


def test_an_unknown_header_or_method_is_not_among_what_is_allowed(client: FlaskClient) -> None:
    answer = preflight(client, "/complaints", "PATCH", headers="x-evil, authorization")
    assert "PATCH" not in answer.headers["Access-Control-Allow-Methods"]
    assert "evil" not in answer.headers["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/complaints/{TICKET}/handover"),
        ("POST", f"/complaints/{TICKET}/identity"),
        ("POST", f"/complaints/{TICKET}/documents/data-pemberi-aduan.pdf"),
        ("GET", "/desks/intake"),
        ("GET", "/staff"),
        ("PUT", "/catalogue"),
        ("GET", "/reports/monthly"),
        ("GET", "/nothing"),
    ],
)
def test_operations_of_staff_are_open_to_no_website(client: FlaskClient, method: str, path: str) -> None:
    assert allowed(preflight(client, path, method)) is None
    if path != "/nothing":
        for role in ("reporter", "operator", "admin"):
            answer = client.open(f"/api/v1{path}", method=method, json={}, headers=bearer(role) | {"Origin": SITE})
            assert allowed(answer) is None


def test_what_staff_receive_from_a_shared_operation_no_website_reads(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    stages.answers["complaint"] = StageUnavailableError("intake")
    for role, origin in (("reporter", SITE), ("operator", None), ("main_team", None), ("admin", None)):
        stages.answers["log_in"] = opened(role)
        entered = client.post("/api/v1/sessions", json=FORM, headers={"Origin": SITE})
        assert (entered.status_code, allowed(entered)) == (201, origin)
        stages.answers["renew"] = opened(role)
        token = {"refresh_token": entered.json["refresh_token"]}
        renewed = client.post("/api/v1/sessions/current/renewal", json=token, headers={"Origin": SITE})
        assert (renewed.status_code, allowed(renewed)) == (200, origin)
        read = client.get(f"/api/v1/complaints/{TICKET}", headers=bearer(role) | {"Origin": SITE})
        assert allowed(read) == origin


@pytest.mark.parametrize("path", ["/", "/masuk", "/daftar", "/laporan", "/api/docs", "/healthz", "/readyz/gateway"])
def test_pages_are_open_to_no_website(client: FlaskClient, path: str) -> None:
    assert allowed(client.get(path, headers={"Origin": SITE})) is None
    asked = client.options(path, headers={"Origin": SITE, "Access-Control-Request-Method": "GET"})
    assert allowed(asked) is None
    if path != "/api/docs":
        assert client.get(path, headers=BY_SCRIPT | {"Origin": SITE}).status_code == 503


def test_every_error_can_be_shown_by_the_script(app: Flask, client: FlaskClient, stages: FakeBackend) -> None:
    from_site = {"Origin": SITE} | BY_SCRIPT
    app.config["LIMIT_SUBMISSION"] = "4/100 year"

    def submit(**more: Any) -> Any:
        return client.post("/api/v1/complaints", headers=from_site | bearer(), **more)

    answers = [
        client.get("/api/v1/complaints", headers=from_site),
        client.get("/api/v1/complaints/x", headers=from_site | bearer()),
        client.get("/api/v1/nothing", headers=from_site),
        client.patch("/api/v1/complaints", headers=from_site),
        submit(data="[", content_type="application/json"),
        submit(data="x", content_type="text/plain"),
        submit(json={}),
        submit(data=b" " * 300_000, content_type="application/json"),
        submit(json={}),
    ]
    for error in (StageUnavailableError("intake"), StageFailedError("intake"), RuntimeError("a fault")):
        stages.answers["complaints"] = error
        answers.append(client.get("/api/v1/complaints", headers=from_site | bearer()))
    assert [answer.status_code for answer in answers] == [401, 404, 404, 405, 400, 415, 422, 413, 429, 503, 500, 500]
    assert {allowed(answer) for answer in answers} == {SITE}
    assert all(map(varies, answers))


def test_an_options_that_is_no_preflight_is_answered_as_ever(client: FlaskClient) -> None:
    for answer in (
        client.options("/api/v1/complaints", headers={"Origin": SITE}),
        client.options("/api/v1/complaints", headers={"Access-Control-Request-Method": "POST"}),
    ):
        assert (answer.status_code, allowed(answer)) == (200, None)
        assert "POST" in answer.headers["Allow"]


def test_a_request_with_cookies_is_answered_as_without(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    client.set_cookie("nkk_access", opened()["access_token"])
    answer = client.get("/api/v1/complaints", headers=BY_SCRIPT | {"Origin": SITE})
    assert (answer.status_code, allowed(answer)) == (401, SITE)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/figures", "/figures.csv"])
@pytest.mark.parametrize("origin", [SITE, "https://elsewhere.example", "null"])
def test_figures_are_open_to_everybodys_script(
    client: FlaskClient, stages: FakeBackend, path: str, origin: str
) -> None:
    part = {"accepted": None, "answered": None, "closed": None, "since": "", "in_time_share": None}
    part |= {"median_minutes": None}
    stages.answers["figures"] = {
        "as_of": "",
        "promised_minutes": 900,
        "last_12_months": part,
        "this_month": part,
        "months": [],
    }
    answer = client.get(f"/api/v1{path}", headers=BY_SCRIPT | {"Origin": origin})
    assert (answer.status_code, allowed(answer)) == (200, "*")
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    asked = preflight(client, path, "GET", origin, "if-none-match")
    assert (asked.status_code, allowed(asked)) == (204, "*")


def test_exactly_what_a_reporter_may_do_is_open(app: Flask) -> None:
    adapter, reporters = app.url_map.bind("localhost"), set()
    for operation, entries in table().items():
        method, path = operation.split(" ")
        path = path.replace("{ticket}", TICKET).replace("{format}", "pdf").replace("{username}", "x")
        path = (
            path.replace("{version}", "1")
            .replace("{day}", "2026-03-02")
            .replace("{id}", "x" * 22)
            .replace("{number}", "1")
        )
        if entries[WHO.index("owner")] == "✓":
            reporters.add(adapter.match(f"/api/v1{path}", method=method)[0])
    assert reporters - {"api-docs.openapi_json"} == cors.OPERATIONS | cors.PUBLIC
