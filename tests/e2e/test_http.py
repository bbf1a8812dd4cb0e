"""HTTP basics: addresses, methods, headers, health, and the API's description."""

import json
import re
import socket
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from gateway.app import HEADERS
from nkk.contracts import STAGES
from tests.builders import complaint_form
from tests.databases import engine, everything_in
from tests.installations import PATIENCE, eventually
from tests.people import People
from tests.problems import problem

DATABASES = ["postgres"]

REQUESTS = [
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/api/docs", 200),
    ("GET", "/api/docs/start.js", 200),
    ("GET", "/api/docs/swagger-ui.css", 200),
    ("GET", "/api/docs/swagger-ui-bundle.js", 200),
    ("GET", "/api/v1/openapi.json", 200),
    ("GET", "/api/v1/categories", 200),
    ("GET", "/api/v1/opds", 200),
    ("GET", "/", 200),
    ("POST", "/", 405),
    ("GET", "/laporan", 303),
    ("GET", "/statis/0/site.css", 404),
    ("GET", "/api/docs/../../etc/passwd", 404),
    ("GET", "/api/docs/start.css", 404),
    ("GET", "/api/v1/nope", 404),
    ("POST", "/api/v2/complaints", 404),
    ("GET", "/%00", 404),
    ("GET", "/%ff", 404),
    ("GET", "/api/v1/complaints", 401),
    ("POST", "/api/v1/complaints", 401),
    ("DELETE", "/healthz", 405),
    ("PUT", "/api/v1/complaints", 405),
    ("TRACE", "/api/v1/categories", 405),
    ("XYZ", "/api/v1/opds", 405),
    ("OPTIONS", "/api/v1/complaints", 200),
    ("HEAD", "/api/v1/categories", 200),
    ("HEAD", "/nope", 404),
    ("POST", "/api/v1/sessions", 422),
]

BROKEN = [
    b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
    b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    b"POST /api/v1/complaints HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    b"GET /api/v1/complaints HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"\x00" * 100,
    b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n",
]


@pytest.fixture
def http(people: People) -> httpx.Client:
    return people.http


def raw(people: People, request: bytes) -> bytes:
    """Send bytes that no HTTP client would send; return the response."""
    with socket.create_connection(("127.0.0.1", people.installation.stack.port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_answer_carries_what_keeps_a_browser_safe(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    response = http.request(method, path)
    assert response.status_code == status
    assert [name for name in HEADERS if name not in response.headers] == []
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert uuid.UUID(response.headers["X-Request-ID"])
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Set-Cookie" not in response.headers


def test_an_address_where_nothing_is_says_where_the_description_is(http: httpx.Client) -> None:
    assert "/api/docs" in problem(http.get("/api/v1/pengaduan"), 404, "not-found")["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/complaints", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/api/v1/sessions/current", {"DELETE", "OPTIONS"}),
        ("/api/v1/complaints/NKK-2026-EDXY-ER30/receipt", {"POST", "OPTIONS"}),
        ("/healthz", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(http: httpx.Client, path: str, allowed: set[str]) -> None:
    response = http.request("PATCH", path)
    problem(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == allowed
    options = http.options(path)
    assert (options.status_code, options.content) == (200, b"")
    assert set(options.headers["Allow"].split(", ")) == allowed


def test_a_head_is_a_get_without_its_body(http: httpx.Client) -> None:
    for path in ("/healthz", "/api/v1/categories", "/api/docs"):
        head, get = http.head(path), http.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert {name: head.headers[name] for name in ("Content-Type", "Content-Length")} == {
            name: get.headers[name] for name in ("Content-Type", "Content-Length")
        }


@pytest.mark.parametrize("given", ["12345678", "a.B_c-9" * 9, str(uuid.UUID(int=7))])
def test_a_request_is_answered_with_the_id_it_came_with_and_staffs_are_logged_by_it(
    http: httpx.Client, people: People, given: str
) -> None:
    headers, lines = {"X-Request-ID": given}, len(logged(people, "gateway"))
    for path in ("/healthz", "/api/v1/nope", "/api/v1/complaints"):
        assert http.get(path, headers=headers).headers["X-Request-ID"] == given
    for path in ("/desks/intake", "/desks/triage"):
        assert people.operator.ask("GET", path, headers=headers).headers["X-Request-ID"] == given
    found = [line for line in logged(people, "gateway")[lines:] if line.get("client_request_id") == given]
    assert [line["role"] for line in found] == ["operator"] * 2
    assert len({uuid.UUID(line["correlation_id"]) for line in found}) == 2


def test_the_id_a_report_came_with_is_given_back_and_kept_nowhere(people: People) -> None:
    """Stored beside the correlation id, it would link another server's log to the ticket."""
    given = f"milik-klien-{uuid.uuid4().hex}"
    reporter = people.reporter()
    submitted = reporter.ask(
        "POST", "/complaints", complaint_form(), headers={"X-Request-ID": given, "Idempotency-Key": uuid.uuid4().hex}
    )
    ticket = submitted.json()["ticket"]
    assert (submitted.status_code, submitted.headers["X-Request-ID"]) == (201, given)
    people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    with engine(people.installation, "intake").connect() as connection:
        told = (
            connection.execute(
                text("SELECT correlation_id FROM outbox WHERE subject = :ticket ORDER BY id"), {"ticket": ticket}
            )
            .scalars()
            .all()
        )
    (line,) = [line for line in logged(people, "gateway") if line.get("correlation_id") == told[0]]
    assert line["role"] == "reporter"
    assert "actor" not in line
    assert given not in people.installation.logs()
    for stage in STAGES:
        assert given not in everything_in(people.installation, stage)


def logged(people: People, name: str) -> list[dict]:
    """Return the lines of a process's log."""
    return [json.loads(line) for line in people.installation.log(name).splitlines() if line.startswith("{")]


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space", "<script>alert(1)</script>", "x;y=z-12345", "é" * 8, "a\tb-12345"]
)
def test_an_odd_request_id_is_replaced_by_one_of_ours(http: httpx.Client, given: str) -> None:
    for path in ("/healthz", "/api/v1/nope"):
        assert uuid.UUID(http.get(path, headers={"X-Request-ID": given.encode()}).headers["X-Request-ID"])


def test_health_is_the_processs_own_and_readiness_that_of_every_stage(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {
        "status": "ready",
        "stages": {"intake": True, "triage": True, "opd_response": True, "notification": True},
    }


@pytest.mark.parametrize("request_", BROKEN, ids=range(len(BROKEN)))
def test_what_breaks_off_or_is_no_http_is_no_failure_of_ours(people: People, request_: bytes) -> None:
    failures = people.installation.log("gateway").count('"request failed"')
    answer = raw(people, request_)
    assert re.match(rb"HTTP/1\.[01] 4\d\d ", answer) or answer == b""
    assert people.http.get("/healthz").status_code == 200
    assert people.installation.log("gateway").count('"request failed"') == failures


def test_the_description_is_a_page_that_needs_nothing_from_elsewhere(http: httpx.Client) -> None:
    page = http.get("/api/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    addresses = re.findall(r"""(?:href|src)="([^"]*)\"""", page.text)
    assert len(addresses) == 5
    for address in addresses:
        assert address.startswith(("/api/", "data:,"))
        if address.startswith("/"):
            assert http.get(address).status_code == 200
    assert not re.search(r"https?://|//[a-z]", page.text + http.get("/api/docs/start.js").text)


def test_every_operation_is_described_with_its_purpose_its_answers_and_its_errors(http: httpx.Client) -> None:
    description = json.loads(http.get("/api/v1/openapi.json").content)
    assert description["openapi"].startswith("3.")
    operations = {
        (method, path): operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "delete", "patch")
    }
    assert len(operations) >= 55
    for at, operation in operations.items():
        assert operation["summary"].strip(), at
        assert {status for status in operation["responses"] if status.startswith("2")}, at
        assert all(answer.get("description") or "$ref" in answer for answer in operation["responses"].values()), at
        if operation.get("security"):
            assert "401" in operation["responses"], at
    assert {pointer for pointer in _pointers(description) if not _resolves(description, pointer)} == set()


def _pointers(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [pointer for value in part.values() for pointer in _pointers(value)]
    return [pointer for value in part for pointer in _pointers(value)] if isinstance(part, list) else []


def _resolves(description: Any, pointer: str) -> bool:
    for name in pointer.removeprefix("#/").split("/"):
        description = description.get(name, {})
    return bool(description)
