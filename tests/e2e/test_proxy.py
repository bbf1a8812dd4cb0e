"""The gateway behind the repository's TLS proxy."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from tests import nginx
from tests.installations import PATIENCE, Installation, eventually
from tests.nginx import Proxy
from tests.people import People, Person
from tests.problems import problem

DATABASES = ["postgres"]


@pytest.fixture(scope="module")
def proxy(whole: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Yield the proxy before that installation."""
    with nginx.nginx(tmp_path_factory.mktemp("nginx"), whole.stack.port) as running:
        yield running


@pytest.fixture
def visitor(proxy: Proxy) -> Iterator[httpx.Client]:
    """Yield a client of the proxy."""
    with httpx.Client(base_url=proxy.url, verify=proxy.trust, timeout=PATIENCE) as http:
        yield http


def test_a_page_comes_by_tls_and_knows_it(visitor: httpx.Client) -> None:
    page = visitor.get("/masuk")
    assert page.status_code == 200
    assert "Strict-Transport-Security" in page.headers
    assert all("Secure" in cookie for cookie in page.headers.get_list("Set-Cookie"))
    assert page.headers.get_list("Set-Cookie")[0].startswith("__Host-nkk_session=")
    assert "Server" not in page.headers or page.headers["Server"] == "nginx"


def test_what_the_gateway_says_of_keeping_passes_as_it_is(visitor: httpx.Client) -> None:
    style = re.search(r'href="(/statis/[^"]+\.css)"', visitor.get("/masuk").text)
    assert style
    assert "immutable" in visitor.get(style[1]).headers["Cache-Control"]
    assert visitor.get("/masuk").headers.get_list("Cache-Control") == ["no-store"]


def test_whoever_comes_without_tls_is_sent_to_the_address_people_know(proxy: Proxy) -> None:
    sent = httpx.get(f"http://127.0.0.1:{proxy.http}//evil.example.org/x?y=z", headers={"Host": "evil.example.org"})
    assert sent.status_code == 308
    assert sent.headers["Location"] == f"{nginx.SITE_URL}//evil.example.org/x?y=z"


def test_a_named_websites_script_is_answered_through_the_proxy_as_without(visitor: httpx.Client) -> None:
    site = {"Origin": "https://kota.example.id", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "empty"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
    preflight = visitor.options("/api/v1/complaints", headers=site | asked)
    refused = visitor.post("/api/v1/complaints", json={}, headers=site)
    # The proxy itself refuses what is longer than it takes.
    too_long = visitor.post("/api/v1/complaints", content=b" " * 600_000, headers=site)
    assert [answer.status_code for answer in (preflight, refused, too_long)] == [204, 401, 413]
    for answer, allowed in ((preflight, site["Origin"]), (refused, site["Origin"]), (too_long, "*")):
        assert answer.headers.get_list("Access-Control-Allow-Origin") == [allowed]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert all("Origin" in answer.headers["Vary"] for answer in (preflight, refused))
    assert "RateLimit" in refused.headers["Access-Control-Expose-Headers"]


def test_what_is_too_long_is_refused_in_the_gateways_words(visitor: httpx.Client, people: People) -> None:
    person = Person(visitor, people.reporter().token)
    long = person.ask("POST", "/complaints", content=b" " * 400_000, headers={"Content-Type": "application/json"})
    problem(long, 413, "too-large")
    assert visitor.get("/healthz").status_code == 200


def test_a_desk_is_told_of_a_change_when_it_happens(visitor: httpx.Client, people: People) -> None:
    operator = Person(visitor, people.operator.token)
    with operator.stream("GET", "/desks/intake/changes", timeout=PATIENCE) as stream:
        lines = stream.iter_lines()
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        _until(lines, "event: ready")
        people.submit(people.reporter())
        _until(lines, "event: change")


def test_a_page_that_leaves_by_the_proxy_gives_its_place_away(
    visitor: httpx.Client, people: People, whole: Installation
) -> None:
    """Twice as many streams are opened as there is room for: the proxy closes each when its visitor leaves."""
    token = people.operator.token
    for _ in range(2 * int(whole.stack.settings["NKK_LIVE_STREAMS"])):
        request = visitor.build_request(
            "GET", "/api/v1/desks/intake/changes", headers={"Authorization": f"Bearer {token}"}
        )

        def opened(request: httpx.Request = request) -> bool:
            with closing(visitor.send(request, stream=True)) as response:
                return response.status_code == 200

        assert eventually(opened)


TEXT = b"".join(f"Baris {number} dari bukti.\n".encode() for number in range(200_000))
TUS = {"Tus-Resumable": "1.0.0"}


def test_a_file_passes_as_it_arrives_and_one_that_breaks_off_goes_on(
    visitor: httpx.Client, proxy: Proxy, people: People
) -> None:
    person = Person(visitor, people.reporter().token)
    at = person.ask("POST", "/uploads", headers=TUS | {"Upload-Length": str(len(TEXT))}).headers["Location"]
    at = at.removeprefix("/api/v1")

    def offset() -> int:
        return int(person.ask("HEAD", at, headers=TUS).headers["Upload-Offset"])

    head = TUS | person._authorization() | {"Upload-Offset": 0, "Content-Length": len(TEXT), "Host": "localhost"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    with (
        socket.create_connection(("127.0.0.1", proxy.https), timeout=PATIENCE) as plain,
        proxy.trust.wrap_socket(plain, server_hostname="localhost") as line,
    ):
        kind = "Content-Type: application/offset+octet-stream\r\n"
        line.sendall(f"PATCH /api/v1{at} HTTP/1.1\r\n{kind}{lines}\r\n".encode() + TEXT[:700_000])
        eventually(lambda: offset() == 700_000)
    headers = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "700000"}
    assert eventually(lambda: person.ask("PATCH", at, headers=headers, content=TEXT[700_000:]).status_code == 204)
    eventually(lambda: person.get(at)["state"] == "ready")


def test_a_form_with_files_passes_and_one_of_a_stranger_is_refused_before_it_is_whole(
    visitor: httpx.Client, people: People
) -> None:
    files = {"file": ("bukti.txt", TEXT)}
    person = Person(visitor, people.reporter().token)
    assert person.ask("POST", "/uploads", files=files).status_code == 201
    assert Person(visitor).ask("POST", "/uploads", files=files).status_code == 401


def _until(lines: Iterator[str], wanted: str) -> None:
    for line in lines:
        if line == wanted:
            return
    pytest.fail(f"the stream ended without {wanted!r}")
