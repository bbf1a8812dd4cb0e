"""Posting to real HTTPS servers, good and bad."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest

from nkk.settings.addresses import Hosts, hosts
from ops.stack.ports import free_port
from tests.receivers import HOST, Authority, Receiver, answers, receiver
from webhooks.domain import Answer, wait_asked_for
from webhooks.posting import MOST_READ, Poster, trust

ALLOWED = hosts(HOST)
SECONDS = 1.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    return trust(str(authority.file))


@pytest.fixture
def new_poster(context: ssl.SSLContext) -> Iterator[Callable[..., Poster]]:
    """Posters that are closed at the end of the test."""
    made: list[Poster] = []

    def make(context: ssl.SSLContext = context, allowed: Hosts = ALLOWED, **more: Any) -> Poster:
        made.append(Poster(context, allowed, SECONDS, **more))
        return made[-1]

    yield make
    for poster in made:
        poster.close()


@pytest.fixture
def poster(new_poster: Callable[..., Poster]) -> Poster:
    return new_poster()


@pytest.fixture
def good(authority: Authority) -> Iterator[Receiver]:
    with receiver(authority.issue()) as found:
        yield found


def post(poster: Poster, url: str, body: bytes = b"{}") -> tuple[int | None, str]:
    began = monotonic()
    answer = poster.post(url, {"webhook-id": "1"}, body)
    assert monotonic() - began < SECONDS + 1
    return answer.status, answer.why


def test_a_receiver_gets_the_body_as_it_is_on_one_connection(good, poster):
    body = '{"text":"“sekali”"}'.encode() * 10_000
    assert [post(poster, good.url, body) for _ in range(3)] == [(204, "204")] * 3
    assert [request.body for request in good.got] == [body] * 3
    assert good.got[0].headers["host"] == f"{HOST}:{good.port}"
    assert good.connections == 1


def test_an_answer_says_how_long_the_receiver_asks_to_be_left_alone(good, poster):
    good.behave = answers(503, **{"Retry-After": "120"})
    assert poster.post(good.url, {}, b"") == Answer(503, "503", "120")
    good.behave = answers(503, **{"Retry-After": "\xff" * 5})
    assert wait_asked_for(poster.post(good.url, {}, b""), datetime.now(UTC)) == timedelta()
    good.behave = answers(503)
    assert poster.post(good.url, {}, b"").retry_after == ""


@pytest.mark.parametrize("status", [200, 301, 302, 307, 404, 410, 429, 500, 503])
def test_a_status_is_what_came_back_and_no_redirect_is_followed(status, good, poster):
    with receiver(None) as elsewhere:
        good.behave = answers(status, Location=f"http://{HOST}:{elsewhere.port}/")
        assert post(poster, good.url) == (status, str(status))
        assert elsewhere.connections == 0
    assert len(good.got) == 1


def test_a_closed_port_is_named(poster):
    assert post(poster, f"https://{HOST}:{free_port()}/") == (None, "no connection (ECONNREFUSED)")


def hang(_handler, _request) -> None:
    sleep(SECONDS + 1)


def trickle(handler, _request) -> None:
    for sign in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200:
        handler.wfile.write(bytes([sign]))
        sleep(0.05)


def trickle_body(handler, _request) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b"x")
        sleep(0.05)


@pytest.mark.parametrize("behave", [hang, trickle])
def test_a_receiver_that_hangs_or_trickles_is_left_after_the_time_for_everything(behave, good, poster):
    good.behave = behave
    assert post(poster, good.url) == (None, f"no answer within {SECONDS:g} s")
    good.behave = answers(204)
    assert post(poster, good.url) == (204, "204")


def test_an_answer_counts_once_its_status_is_there_and_its_body_is_not_waited_for(good, poster):
    good.behave = trickle_body
    assert post(poster, good.url) == (200, "200")
    good.behave = answers(204)
    assert post(poster, good.url) == (204, "204")


def test_of_a_huge_answer_only_the_beginning_is_read(good, poster):
    written = []

    def flood(handler, _request) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            written.append(handler.wfile.write(b"x" * 65536))

    good.behave = flood
    assert post(poster, good.url) == (200, "200")
    assert sum(written) < 100 * MOST_READ


@pytest.mark.parametrize(
    "wrong",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000,
        b"",
    ],
    ids=["not HTTP", "many headers", "a long header", "nothing"],
)
def test_an_answer_that_is_none_is_a_failure(wrong, good, poster):
    def behave(handler, _request) -> None:
        handler.wfile.write(wrong)
        handler.close_connection = True

    good.behave = behave
    status, why = post(poster, good.url)
    assert (status, why) == (None, "no HTTP answer")


@pytest.mark.parametrize(
    ("name", "days", "why"), [(HOST, -1, "expired"), ("other.example.id", 1, "not valid for 'localhost'")]
)
def test_a_certificate_that_is_expired_or_of_another_name_is_refused(name, days, why, authority, poster):
    with receiver(authority.issue(name, datetime.now(UTC) + timedelta(days=days))) as bad:
        status, said = post(poster, bad.url)
        assert status is None
        assert said.startswith("certificate refused: ")
        assert why in said
        assert bad.got == []


def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(good, new_poster):
    poster = new_poster(trust(""))
    assert post(poster, good.url)[1].startswith("certificate refused: ")
    assert good.got == []


def test_a_server_without_tls_is_no_https(poster):
    with receiver(None) as plain:
        assert post(poster, plain.url) == (None, "no TLS")
        assert post(poster, plain.url.replace("https", "http")) == (204, "204")


def test_a_name_that_has_turned_private_is_not_connected_to(new_poster, good):
    looked_up = [["1.1.1.1"], ["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"]]
    poster = new_poster(allowed=hosts(""), resolve=lambda *_: looked_up.pop(0))
    looked_up.pop(0)  # when it was added
    for _ in range(3):
        assert post(poster, good.url) == (None, "private address")
    assert (good.connections, looked_up) == (0, [])


def test_a_number_that_the_system_takes_for_an_address_is_checked_like_one(new_poster, good):
    poster = new_poster(allowed=hosts(""))
    for host in ("2130706433", "0x7f.1", "127.1"):
        assert post(poster, f"https://{host}:{good.port}/") == (None, "private address")
    assert good.connections == 0


def test_no_proxy_of_the_environment_is_asked(monkeypatch, good, poster):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert post(poster, good.url) == (204, "204")


def test_a_name_that_does_not_exist_or_takes_long_to_look_up_is_a_failure(new_poster):
    def unknown(*_):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert post(new_poster(resolve=unknown), f"https://{HOST}/") == (None, "no such name")
    leaving = Event()

    def slow(*_):
        leaving.wait(10)
        return ["127.0.0.1"]

    assert post(new_poster(resolve=slow), f"https://{HOST}/") == (None, "no answer within 1 s")
    leaving.set()


def test_the_second_address_of_a_name_is_tried_where_the_first_does_not_answer(new_poster, good):
    poster = new_poster(resolve=lambda *_: ["127.0.0.99", "127.0.0.1"])
    assert post(poster, good.url) == (204, "204")


@contextmanager
def deaf() -> Iterator[int]:
    """A port that accepts connections and reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []
        thread = Thread(target=lambda: taken.append(server.accept()[0]), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
        for each in taken:
            each.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_reads_nothing_is_left_too(scheme, poster):
    with deaf() as port:
        url = f"{scheme}://{HOST}:{port}/"
        assert post(poster, url, b"x" * 50_000_000) == (None, f"no answer within {SECONDS:g} s")


def test_a_host_that_is_no_longer_allowed_is_not_posted_to(new_poster, good):
    assert post(new_poster(allowed=hosts("")), good.url) == (None, "private address")
    answer = new_poster(allowed=hosts("")).post(good.url.replace("https", "http"), {}, b"")
    assert answer.status is None
    assert "not encrypted" in answer.why
    assert good.connections == 0


def test_names_and_certificates_are_verified_without_any_setting():
    assert trust("").verify_mode is ssl.CERT_REQUIRED
    assert trust("").check_hostname
