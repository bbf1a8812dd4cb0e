"""Markup, scripts and templates in users' texts are shown as text on every page; forged cookies are refused."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.builders import complaint_form
from tests.installations import PATIENCE
from tests.people import PASSWORD, People

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{7*7}}{% raw %}${7*7}<!--]]>&lt;b&gt;"
WRITTEN = {
    name: f"{MARKUP} {name}"
    for name in ("subject_line", "text", "place", "happened_on", "accused_name", "accused_position")
}
ALIVE = ("<script>alert", "<img src=x", 'onerror=alert(2)>"', "{{49}}", " 49")


def visitor(people: People, username: str, password: str = PASSWORD) -> httpx.Client:
    """Return a client that has logged in with the site's form."""
    browser = httpx.Client(base_url=people.installation.url, timeout=PATIENCE, follow_redirects=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/masuk").text)
    assert found
    form = {"csrf_token": found[1], "username": username, "password": password}
    assert browser.post("/masuk", data=form).status_code == 200
    return browser


@pytest.fixture(scope="module")
def browsers(people: People) -> Iterator[tuple[dict[str, httpx.Client], str]]:
    """Yield a client for each role, and the ticket of an answered complaint with markup in every text."""
    reporter = people.reporter(name=MARKUP)
    ticket = people.submit(reporter, **complaint_form(**WRITTEN))
    path = f"/complaints/{ticket}"
    people.operator.act(f"{path}/handover")
    people.main_team.act(f"{path}/classification", {"kind": "complaint", "opd": "disdukcapil", "note": MARKUP})
    team = people.opd_team("disdukcapil")
    team.act(f"{path}/response", {"text": MARKUP})
    people.main_team.act(f"{path}/approval", {"approved": False, "note": MARKUP})
    team.act(f"{path}/response", {"text": MARKUP})
    people.main_team.act(f"{path}/approval", {"approved": True, "note": MARKUP})
    people.operator.act(f"{path}/answer", {"text": MARKUP})
    staff = {role: visitor(people, **people.credentials(role)) for role in ("operator", "main_team", "admin")}
    assert reporter.account
    found = staff | {
        "reporter": visitor(people, reporter.account["username"]),
        "opd_team": visitor(people, **people.credentials("opd_team", "disdukcapil")),
    }
    yield found, ticket
    for browser in found.values():
        browser.close()


@pytest.mark.parametrize("role", ["reporter", "operator", "main_team", "opd_team"])
def test_what_was_written_is_words_on_every_page(browsers: tuple[dict[str, httpx.Client], str], role: str) -> None:
    everybody, ticket = browsers
    shown = 0
    for path in (f"/laporan/{ticket}", "/laporan", "/meja", f"/laporan/{ticket}/tanda-terima", f"/cari?q={ticket}"):
        page = everybody[role].get(path)
        assert page.status_code in (200, 403, 404), path
        shown += "&lt;script&gt;alert(1)" in page.text
        assert [sign for sign in ALIVE if sign in page.text] == [], path
        assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
    assert shown, "the words are on one of them"


def test_what_was_typed_comes_back_as_words(people: People, browsers: tuple[dict[str, httpx.Client], str]) -> None:
    everybody, _ = browsers
    for role, path in (("operator", "/meja"), ("main_team", "/meja"), ("opd_team", "/meja")):
        for query in ({"q": MARKUP}, {"cursor": MARKUP}, {"category": MARKUP}, {"late": MARKUP}, {MARKUP: "x"}):
            page = everybody[role].get(path, params=query)
            assert page.status_code < 500
            assert [sign for sign in ALIVE if sign in page.text] == [], (path, query)
    for path in ("/masuk", "/daftar", "/lupa-sandi", f"/{MARKUP[:40]}"):
        page = people.http.get(path, params={"ke": f"/{MARKUP}", "pesan": MARKUP})
        assert page.status_code < 500
        assert [sign for sign in ALIVE if sign in page.text] == [], path


COOKIES = ["x", "a.b.c", "é", '"', "x" * 3_000, "../../etc/passwd", "eyJhbGciOiJub25lIn0.e30.", "{{7*7}}", "<script>"]


@pytest.mark.parametrize("value", COOKIES, ids=lambda value: value[:12])
def test_a_cookie_of_nobodys_lets_nobody_in_and_breaks_nothing(people: People, value: str) -> None:
    failures = people.installation.log("gateway").count('"request failed"')
    http = people.http
    for name in ("nkk_access", "nkk_refresh", "nkk_session", "nkk_language", "__Host-nkk_access"):
        headers = {"Cookie": f"{name}={value}; {name}={value}".encode()}
        for path, wanted in (("/", 200), ("/masuk", 200), ("/laporan", 303), ("/meja", 303), ("/admin/staf", 303)):
            http.cookies.clear()
            response = http.get(path, headers=headers)
            assert response.status_code == wanted, (name, path)
            assert value not in response.headers.get("Set-Cookie", "") or len(value) < 2
    assert people.installation.log("gateway").count('"request failed"') == failures


def test_the_api_takes_no_cookie(people: People, browsers: tuple[dict[str, httpx.Client], str]) -> None:
    everybody, ticket = browsers
    asked = [
        ("GET", "/complaints"),
        ("GET", f"/complaints/{ticket}"),
        ("POST", f"/complaints/{ticket}/handover"),
        ("GET", "/staff"),
        ("DELETE", "/sessions/current"),
    ]
    for browser in everybody.values():
        assert browser.cookies.get("nkk_access")
        for method, path in asked:
            assert browser.request(method, f"/api/v1{path}").status_code == 401


def test_a_form_from_another_site_does_nothing(people: People, browsers: tuple[dict[str, httpx.Client], str]) -> None:
    everybody, ticket = browsers
    for path in (f"/laporan/{ticket}/terima", f"/laporan/{ticket}/kerjakan", "/keluar", "/laporan/baru", "/akun"):
        for role in ("reporter", "operator"):
            response = everybody[role].post(
                path, data={"text": "x", "csrf_token": "x"}, headers={"Origin": "https://evil.example.org"}
            )
            assert response.status_code in (400, 403), (path, response.status_code)
    assert everybody["reporter"].get("/laporan").url.path == "/laporan"
