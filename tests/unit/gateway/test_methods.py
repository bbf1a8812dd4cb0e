"""One rule for the methods of every address: GET opens, POST acts on pages, and HEAD is GET without a body."""

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, redirect
from flask.testing import FlaskClient

from gateway import methods
from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from nkk.sop import faults
from tests.current.documents import openapi
from tests.unit.gateway.visits import FORM, REFRESH_TOKEN, FakeBackend, log_in, token

Opened = Callable[..., dict[str, Any]]

FILLED = {
    "ticket": "NKK-2026-EDXY-ER30",
    "id": "xxxxxxxxxxxxxxxxxxxxxx",
    "username": "operator",
    "day": "2026-12-31",
    "first": "2026-12-31",
    "key": "kode-etik",
    "format": "pdf",
    "kind": "tanda-terima",
    "number": 1,
    "version": 1,
    "code": "en",
    "act": "serahkan",
    "what": "hari",
    "month": "2026-03",
    "digest": "0",
    "name": "x",
    "year": 2027,
}
CASE = "/laporan/NKK-2026-EDXY-ER30"
AHEAD = [
    ("Sec-Purpose", "prefetch"),
    ("Sec-Purpose", "prefetch;prerender"),
    ("Purpose", "prefetch"),
    ("sec-purpose", "Prefetch;anonymous-client-ip"),
    ("X-Moz", "prefetch"),
    ("X-Purpose", "preview"),
]
ANSWERED = {
    "complaint": {"ticket": "NKK-2026-EDXY-ER30", "submitted_at": "2026-03-02T01:00:00.000000Z"},
    "open_answer": {"stands": {"state": "closed", "step": 7}, "answer": None},
    "read_answer": {"stands": {"state": "receive", "step": 7}, "answer": None},
}


def addresses(app: Flask, which: Callable[[Any], bool]) -> list[str]:
    """Return the addresses of the rules that `which` selects, with their arguments filled in."""
    with app.test_request_context("/"):
        return [
            app.url_for(rule.endpoint, **{name: FILLED[name] for name in rule.arguments})
            for rule in app.url_map.iter_rules()
            if which(rule)
        ]


def of_pages(rule: Any) -> bool:
    return not rule.rule.startswith(methods.FOR_PROGRAMS)


def asked_for(stages: FakeBackend, client: FlaskClient, method: str, address: str, **how: Any) -> list[Any]:
    """Return the calls to the stages while `method` of `address` is answered."""
    stages.asked.clear()
    client.open(address, method=method, **how)
    return list(stages.asked)


@pytest.mark.parametrize("role", ["reporter", "admin"])
def test_a_head_asks_the_stages_what_a_get_asks_whatever_form_comes_with_it(
    app: Flask, client: FlaskClient, stages: FakeBackend, opened: Opened, role: str
) -> None:
    log_in(client, stages, opened(role))
    form = FORM | {"csrf_token": token(client, "/sampai-jumpa"), "name": "x"}
    stages.answers = defaultdict(lambda: StageUnavailableError("intake"), staff_names={})
    acts = addresses(app, lambda rule: of_pages(rule) and {"GET", "POST"} <= rule.methods)
    assert len(acts) >= 13
    for address in acts:
        for how in ({"data": form}, {"query_string": {"tinjau": "1"}}):
            head = asked_for(stages, client, "HEAD", address, **how)
            assert head == asked_for(stages, client, "GET", address), address


def test_a_page_is_opened_and_sent_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if of_pages(rule)]
    assert {method for rule in rules for method in rule.methods or ()} == {"GET", "HEAD", "POST"}
    for address in addresses(app, of_pages):
        for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "MADEUP", "post", "Head"):
            response = client.open(address, environ_overrides={"REQUEST_METHOD": method})
            assert response.status_code == 405, (method, address)
            assert {*response.headers["Allow"].split(", ")} <= {"GET", "HEAD", "POST"}


def test_the_api_takes_what_its_description_names(app: Flask, client: FlaskClient) -> None:
    described = {
        path: {method.upper() for method in item if method != "parameters"} for path, item in openapi()["paths"].items()
    } | {"/api/v1/openapi.json": {"GET"}}
    taken: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            taken.setdefault(re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.rule), set()).update(rule.methods or ())
    assert taken == {
        path: named | {"OPTIONS"} | ({"HEAD"} if "GET" in named else set()) for path, named in described.items()
    }
    response = client.open("/api/v1/opds", environ_overrides={"REQUEST_METHOD": "get"})
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_no_page_can_be_made_that_acts_by_another_method(app: Flask) -> None:
    with pytest.raises(ValueError, match="it is opened by GET and acts by POST"):
        methods.Gateway("x").add_url_rule("/hapus", view_func=lambda: "", methods=["DELETE"])


@pytest.mark.parametrize(
    "how",
    [{"headers": {name: "DELETE"}} for name in methods.OVERRIDES]
    + [{"query_string": {"_method": "PUT"}}, {"headers": {"x-http-method-override": "GET"}}],
    ids=str,
)
def test_a_method_that_is_to_be_another_is_refused(
    client: FlaskClient, stages: FakeBackend, how: dict[str, Any]
) -> None:
    for path in ("/masuk", "/api/v1/opds", CASE, "/healthz", "/bahasa/en"):
        for method in ("GET", "HEAD", "POST"):
            response = client.open(path, method=method, **how)
            assert (response.status_code, "Set-Cookie" in response.headers) == (400, False), (method, path)
    assert stages.asked == []


def test_a_forms_field_makes_no_other_method_of_it(client: FlaskClient, stages: FakeBackend) -> None:
    form = FORM | {"csrf_token": token(client), "_method": "DELETE"}
    assert client.post("/masuk", data=form).status_code == 400
    assert stages.asked == []


def test_what_a_refused_method_is_told_says_why(client: FlaskClient) -> None:
    response = client.get("/api/v1/opds", headers={"X-HTTP-Method-Override": "DELETE"})
    assert response.json is not None
    assert response.json["type"] == "urn:nkk:problem:method-overridden"
    assert "leave X-HTTP-Method-Override" in response.json["detail"]


def test_every_get_that_changes_something_is_an_address_that_is_opened(app: Flask) -> None:
    opened = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert opened >= methods.EFFECTS.keys()


def test_a_reporter_who_opens_their_complaint_receives_the_answer_and_its_head_does_not(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    log_in(client, stages, opened())
    stages.answers |= ANSWERED | {"timeline": RefusedRemotelyError("UnknownTicket", "", {})}
    bearer = {"Authorization": f"Bearer {opened()['access_token']}"}
    for address, how in ((CASE, {}), ("/api/v1/complaints/NKK-2026-EDXY-ER30", {"headers": bearer})):
        acts = {
            method: [act for act, _ in asked_for(stages, client, method, address, **how) if "answer" in act]
            for method in ("HEAD", "GET")
        }
        assert acts == {"HEAD": ["read_answer"], "GET": ["open_answer"]}, address


@pytest.mark.parametrize(("name", "value"), AHEAD)
def test_nothing_is_loaded_ahead_but_files(
    app: Flask, client: FlaskClient, stages: FakeBackend, opened: Opened, name: str, value: str
) -> None:
    log_in(client, stages, opened())
    stages.answers |= ANSWERED
    bearer = {"Authorization": f"Bearer {opened()['access_token']}"}
    for address in addresses(app, lambda rule: "GET" in rule.methods and not rule.endpoint.startswith(methods.FILES)):
        for method in ("GET", "HEAD"):
            stages.asked.clear()
            response = client.open(address, method=method, headers=bearer | {name: value})
            assert (response.status_code, response.headers["Cache-Control"]) == (503, "no-store"), address
            assert stages.asked == []
            assert "Set-Cookie" not in response.headers
    with app.test_request_context("/"):
        style = app.jinja_env.globals["static_file"]("site.css")  # type: ignore[operator]
    assert client.get(style, headers={name: value}).status_code == 200


@pytest.mark.parametrize(
    ("site", "dest", "status"),
    [
        ("same-site", "image", 503),
        ("cross-site", "iframe", 503),
        ("same-site", "empty", 503),
        ("same-site", "document", 200),
        ("cross-site", "document", 200),
        ("none", "document", 200),
        ("same-origin", "empty", 200),
        ("same-origin", "document", 200),
    ],
)
def test_another_origin_loads_no_page_into_its_own(
    client: FlaskClient, stages: FakeBackend, opened: Opened, site: str, dest: str, status: int
) -> None:
    log_in(client, stages, opened())
    stages.answers |= {"complaints": {"items": [], "next": None}, "standings": {}}
    stages.asked.clear()
    response = client.get("/laporan", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest})
    assert (response.status_code, bool(stages.asked)) == (status, status == 200)


def test_a_head_renews_no_session_and_chooses_no_language(
    client: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    stages.answers["renew"] = opened()
    client.set_cookie("nkk_refresh", REFRESH_TOKEN)
    for address in ("/laporan", "/masuk", "/", "/bahasa/en"):
        assert "Set-Cookie" not in client.head(address).headers
    assert stages.asked == []
    client.get("/masuk")
    assert [act for act, _ in stages.asked] == ["renew"]
    assert "nkk_language=en" in client.get("/bahasa/en").headers["Set-Cookie"]


def test_a_head_takes_no_message_away(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["request_reset"] = None
    form = {"username": "warga", "csrf_token": token(client, "/lupa-sandi")}
    assert client.post("/lupa-sandi", data=form).status_code == 303
    client.head("/atur-ulang-sandi")
    assert "surat berisi nama pengguna dan kode sedang dikirim" in client.get("/atur-ulang-sandi").text


def test_a_limit_counts_what_acts_by_whatever_method(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["register"] = RefusedRemotelyError(
        "UsernameTaken", "", {"fields": {"username": [faults.USERNAME_TAKEN()]}}
    )
    stages.answers["log_in"] = RefusedRemotelyError("NotAuthenticated", "", {})
    form = {
        "csrf_token": token(client, "/daftar"),
        "kind": "public",
        "identity_number": "1971014107900001",
        "name": "Budi",
        "email": "budi@example.id",
    } | FORM
    for _ in range(3):
        assert client.get("/daftar").status_code == client.head("/daftar", data=form).status_code == 200
        assert client.post("/daftar", data=form | {"tinjau": "1"}).status_code == 200
    assert [client.post("/daftar", data=form).status_code for _ in range(3)] == [409, 409, 429]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_way_of_writing_an_address_redirects_to_a_host_that_was_named(client: FlaskClient, method: str) -> None:
    for path in (
        "//masuk",
        "//evil.example.org",
        "//evil.example.org/..",
        "/\\evil.example.org",
        "///laporan",
        "/laporan//baru",
        "//api/v1/opds",
        "/api//v1/opds",
        "//statis/0/x",
    ):
        environ = {"PATH_INFO": path, "HTTP_HOST": "evil.example.org", "HTTP_X_FORWARDED_HOST": "evil.example.org"}
        response = client.open("/", method=method, environ_overrides=environ)
        # Every WSGI server joins the slashes before the first name; all others are part of a name.
        assert path.startswith("//") or response.status_code == 404, path
        assert response.headers.get("Location", "/masuk").startswith("/masuk"), path
        assert "evil.example.org" not in str(response.headers)
        assert "//evil.example.org" not in response.text


def test_whoever_is_sent_on_stays_at_this_site(app: Flask) -> None:
    with app.test_request_context("/", headers={"Host": "evil.example.org"}):
        for address in (
            "https://evil.example.org/",
            "//evil.example.org",
            "/\\evil.example.org",
            "evil",
            "",
            "/\tx",
            "/\r\nSet-Cookie: x=y",
            "javascript:alert(1)",
        ):
            assert redirect(address).headers["Location"] == "/", address
        assert redirect("/laporan?x=1").headers["Location"] == "/laporan?x=1"
