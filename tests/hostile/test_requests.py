"""Hostile HTTP requests: paths, methods, headers, bodies and framing that no real client would send."""

import gzip
import json
from typing import Any

import httpx
import pytest

from gateway.app import HEADERS
from gateway.methods import OVERRIDES
from tests.hostile.raw import answers
from tests.installations import Installation, eventually, running_processes
from tests.people import PASSWORD, REGISTRATION, People
from tests.problems import at_fault, problem

EVIL = "evil.example.org"
MARK = "Rahasia-Dalam-Permintaan"
JSON = b"Content-Type: application/json\r\n"

POST = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
SAID = MARK.encode()

NO_HTTP = {
    "a long address": (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a long header": (GET + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n", 431),
    "many headers": (GET + b"X-A: b\r\n" * 200 + b"\r\n", 431),
    "a header without a name": (GET + b": " + SAID + b"\r\n\r\n", 400),
    "a header name with a space": (GET + SAID + b" : x\r\n\r\n", 400),
    "a folded header": (GET + b"X-A: b\r\n  " + SAID + b"\r\n\r\n", 400),
    "a NUL in a header": (GET + b"X-A: \x00" + SAID + b"\r\n\r\n", 400),
    "another version": (b"GET /" + SAID + b" HTTP/9.9\r\n\r\n", 400),
    "a method of odd signs": (b"G\x01T /" + SAID + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "a length with a sign": (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    "a length and chunks": (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SAID, 400),
    "chunks twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    **{
        f"chunks after {coding}": (POST + b"Transfer-Encoding: " + coding.encode() + b", Chunked\r\n\r\n0\r\n\r\n", 501)
        for coding in ("gzip", "deflate", "x-gzip", "compress", "identity")
    },
    "chunks after gzip in two lines": (
        POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
    ),
    "chunks misspelt": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "chunks in old HTTP": (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "an expectation": (POST + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}", 417),
}


@pytest.mark.parametrize(("request_", "status"), NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_a_problem_that_repeats_nothing(whole: Installation, request_: bytes, status: int) -> None:
    logged = len(whole.log("gateway"))
    [answer] = answers(whole, request_)
    assert answer.status == status
    answer.problem()
    assert [name for name in HEADERS if answer.headers.get(name.lower()) != HEADERS[name]] == []
    assert answer.headers["connection"] == "close"
    assert MARK not in answer.body.decode()
    assert MARK not in whole.log("gateway")[logged:]


def test_a_body_is_no_second_request(whole: Installation) -> None:
    """Nothing in a body is answered as a request of its own, however it is framed (request smuggling)."""
    inner = b"GET /api/v1/opds HTTP/1.1\r\nHost: x\r\n\r\n"
    framed = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\n" + JSON
    for head, body in {
        b"Content-Length: %d\r\n\r\n" % len(inner): inner,
        b"Transfer-Encoding: chunked\r\n\r\n": b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner),
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n": b"0\r\n\r\n" + inner,
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n": b"0\r\n\r\n" + inner,
        b"Transfer-Encoding:\x0bchunked\r\nContent-Length: 0\r\n\r\n": b"0\r\n\r\n" + inner,
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n": b"0\r\n\r\n" + inner,
    }.items():
        given = answers(whole, framed + head + body)
        assert [answer.status for answer in given if answer.status < 400] == [], head


PATHS = [
    "/api/v1/%2e%2e/%2e%2e/etc/passwd",
    "/api/v1/../../healthz",
    "//api/v1/staff",
    "/api//v1/opds",
    "/api/v1//opds",
    "/api/v1/complaints%2fNKK-2026-EDXY-ER30",
    "/api/v1/complaints/NKK-2026-EDXY-ER30%2ftimeline",
    "/api/v1/complaints/%00",
    "/api/v1/complaints/%c0%ae%c0%ae",
    "/api/v1/complaints/%ed%a0%80",
    "/api/v1/complaints/" + "x" * 4_000,
    "/API/V1/opds",
    "/api/v1/OPDS",
    "/api/v1/opds;x=y",
    "/api/v1/opds%20",
    "/api/v1/complaints/..%5c..%5cetc",
    "/api/docs/..%2f..%2fapp.py",
    "/statis/0/..%2f..%2f..%2fapp.py",
    "/api/v1/calendar/versions/99999999999999999999",
    "/api/v1/calendar/versions/-1",
    "/api/v1/staff/%2e%2e/password",
    "/api/v1/complaints/\u202e",
    "/api/v1/opds%0d%0aSet-Cookie:%20x=y",
    "/api/v1/%",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_no_way_of_writing_a_path_leads_anywhere_else(whole: Installation, people: People, path: str) -> None:
    for person in (people.anyone, people.admin, people.operator):
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        if person.token:
            head += f"Authorization: Bearer {person.token}\r\n"
        [answer] = answers(whole, (head + "\r\n").encode())
        may = path == "//api/v1/staff" and person is people.admin
        assert answer.status in ({200} if may else {400, 401, 403, 404, 405, 422}), (answer.status, answer.body)
        assert "set-cookie" not in answer.headers
        assert "location" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PATCH", "PROPFIND", "DEBUG", "get", "XYZ"])
def test_no_other_method_does_anything(whole: Installation, method: str) -> None:
    [answer] = answers(whole, f"{method} /api/v1/opds HTTP/1.1\r\nHost: x\r\nX-Mark: {MARK}\r\n\r\n".encode())
    assert answer.status in (400, 405)
    answer.problem()
    assert MARK.encode() not in answer.body


def test_a_method_is_what_it_says_whatever_else_the_request_says(people: People) -> None:
    ticket = people.submit(people.reporter())
    for how in (*({"headers": {name: "DELETE"}} for name in OVERRIDES), {"params": {"_method": "DELETE"}}):
        problem(people.operator.ask("GET", f"/complaints/{ticket}", **how), 400, "method-overridden")
    assert people.operator.get(f"/complaints/{ticket}")["stands"]["step"] == 2


SPOOFED = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": f"for=1;host={EVIL};proto=https",
    "X-Original-URL": "/api/v1/staff",
    "X-Rewrite-URL": "/api/v1/staff",
    "X-Real-IP": "127.0.0.1",
    "X-Script-Name": "/evil",
    "SCRIPT_NAME": "/evil",
    "PATH_INFO": "/api/v1/staff",
}


@pytest.mark.parametrize("name", SPOOFED)
def test_no_header_tells_us_who_we_are_or_where(people: People, name: str) -> None:
    headers = {name: SPOOFED[name]}
    reporter = people.reporter()
    ticket = people.submit(reporter)
    for path in ("/", "/masuk", "/desa", "/api/docs", "/api/v1/openapi.json", "/api/v1/opds", "/laporan"):
        response = people.http.get(path, headers=headers, follow_redirects=False)
        assert response.status_code in (200, 303, 404), path
        assert "/evil" not in response.text + response.headers.get("Location", "")
        assert EVIL not in response.text
        assert EVIL not in str(response.headers)
        assert "Strict-Transport-Security" not in response.headers
    # The document is made from the journey, which exists a moment after the report was accepted.
    eventually(lambda: reporter.ask("GET", f"/complaints/{ticket}/timeline").status_code == 200)
    document = reporter.ask("GET", f"/complaints/{ticket}/documents/tanda-terima.pdf", headers=headers)
    assert document.status_code in (200, 409)
    assert EVIL.encode() not in document.content
    asked = people.anyone.ask("POST", "/password-resets", {"username": reporter.account["username"]}, headers=headers)
    assert asked.status_code == 202


def test_no_letter_names_a_host_that_a_request_brought(whole: Installation) -> None:
    letters = [path.read_text() for path in (whole.stack.var / "mail").glob("*.eml")]
    assert letters
    assert [letter for letter in letters if EVIL in letter] == []


ELSEWHERE = [
    f"//{EVIL}",
    f"https://{EVIL}",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"/\t/{EVIL}",
    f"/%09/{EVIL}",
    f"///{EVIL}",
    f"/%2f%2f{EVIL}",
    f"javascript://{EVIL}/%0aalert(1)",
    f"/{chr(0)}//{EVIL}",
    f" //{EVIL}",
    f"http:{EVIL}",
    "/\r\nSet-Cookie: x=y",
    f"/\u2028//{EVIL}",
    f"@{EVIL}",
    f"/.//{EVIL}",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_parameter_leads_to_another_site(people: People, address: str) -> None:
    for path in ("/bahasa/en", "/masuk", "/"):
        for name in ("ke", "next"):
            response = people.http.get(path, params={name: address}, follow_redirects=False)
            location = httpx.URL(people.installation.url).join(response.headers.get("Location", "/"))
            assert location.host == "127.0.0.1", (path, name, response.headers["Location"])
            assert response.headers.get_list("Set-Cookie") == [
                cookie for cookie in response.headers.get_list("Set-Cookie") if not cookie.startswith("x=")
            ]


@pytest.mark.parametrize("origin", [f"https://{EVIL}", "null", "http://127.0.0.1", "http://localhost:3000"])
def test_no_other_origin_is_let_read_or_write(people: People, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    for path in ("/api/v1/complaints", "/api/v1/opds", "/api/v1/sessions", "/", "/healthz", "/api/v1/openapi.json"):
        for method in ("OPTIONS", "GET", "POST"):
            response = people.http.request(method, path, headers=asked)
            assert [name for name in response.headers if name.lower().startswith("access-control")] == []
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def sent(people: People, body: Any, headers: dict[str, str]) -> httpx.Response:
    return people.anyone.ask("POST", "/sessions", content=body, headers=headers)


def test_a_body_that_is_packed_is_refused_and_not_unpacked(people: People) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    for coding in ("gzip", "deflate", "br", "x-gzip, gzip"):
        problem(sent(people, packed, {"Content-Type": "application/json", "Content-Encoding": coding}), 415, "not-json")
    credentials = json.dumps({"username": "x", "password": PASSWORD}).encode()
    assert (
        sent(
            people, gzip.compress(credentials), {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        ).status_code
        == 415
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json; charset=utf-16", 400),
        ("application/json; charset=x", 401),
        ("application/json;;;", 401),
        ("application/vnd.api+json", 401),
        ("multipart/form-data; boundary=x", 415),
        ("APPLICATION/JSON", 401),
        ("application/json, text/plain", 415),
        ("text/html", 415),
        ("application/xml", 415),
        ("x" * 5_000, 415),
    ],
)
def test_a_body_is_what_its_type_says(people: People, kind: str, status: int) -> None:
    form = json.dumps({"username": "tidak-ada-orangnya", "password": PASSWORD})
    body = form.encode("utf-16") if "utf-16" in kind else form.encode()
    response = sent(people, body, {"Content-Type": kind})
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_key_that_stands_twice_is_refused(people: People) -> None:
    """A check before us may look at the first value, while we would take the last."""
    body = b'{"username": "tidak-ada-orangnya", "password": "x", "password": "' + PASSWORD.encode() + b'"}'
    said = problem(sent(people, body, {"Content-Type": "application/json"}), 400, "malformed")
    assert "twice" in said["detail"]


INJECTIONS = [
    "siti@example.id\r\nBcc: x@example.org",
    "siti@example.id\nSubject: x",
    "siti@example.id, x@example.org",
    "siti@example.id%0aBcc:x@example.org",
    '"x\n"@example.id',
    "siti@example.id\x00",
    "<siti@example.id>",
    "siti@[127.0.0.1]\nX: y",
    "=?utf-8?q?x=0aBcc:?=@example.id x",
]


@pytest.mark.parametrize("address", INJECTIONS)
def test_no_address_brings_a_header_of_its_own_into_a_letter(people: People, address: str) -> None:
    form = REGISTRATION | {"username": "warga-suntik", "email": address}
    assert at_fault(people.anyone.ask("POST", "/reporters", form)) == {"email"}
    assert at_fault(people.admin.ask("PUT", "/teams", {"operator": {"email": address}})) == {"operator"}


def test_no_text_of_a_request_becomes_a_header(whole: Installation, people: People) -> None:
    reporter = people.reporter()
    for key in ("x\r\nX-Evil: 1", "x\nSet-Cookie: y=z"):
        quoted = key.encode("latin-1")
        given = answers(
            whole,
            b"POST /api/v1/complaints HTTP/1.1\r\nHost: x\r\nIdempotency-Key: "
            + quoted
            + b"\r\nAuthorization: Bearer "
            + (reporter.token or "").encode()
            + b"\r\n"
            + JSON
            + b"Content-Length: 2\r\n\r\n{}",
        )
        assert [
            answer
            for answer in given
            if answer.status < 400 or "x-evil" in answer.headers or "set-cookie" in answer.headers
        ] == []
    for path in ("/api/v1/desks/intake?q=%0d%0aX-Evil:%201", "/bahasa/en?ke=/%0d%0aX-Evil:%201", "/%0d%0aX-Evil:%201"):
        response = people.http.get(path)
        assert "X-Evil" not in response.headers


def test_as_many_ids_as_may_be_asked_for_fit_into_an_address(people: People) -> None:
    ids = ",".join(f"{number:08}-0000-4000-8000-000000000000" for number in range(200))
    assert people.operator.get("/staff/names", params={"ids": ids}) == {"names": {}}


def test_the_gateway_is_the_process_it_was(whole: Installation, people: People) -> None:
    before = running_processes(whole)
    for request_, _ in NO_HTTP.values():
        answers(whole, request_)
    assert running_processes(whole) == before
    assert people.http.get("/readyz").status_code == 200
    assert '"request failed"' not in whole.log("gateway")
