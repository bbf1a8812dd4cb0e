"""A file is sent whole or in part, as its type and under headers with which nothing in it runs."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import methods
from gateway.files import sealing
from gateway.files.content import Content, Writing
from gateway.files.refusals import FileLost
from gateway.files.sealing import CHUNK, SEGMENT
from gateway.files.serving import send
from gateway.files.stores.directory import Directory
from gateway.files.uploads import Opened
from nkk.sop.files import Scan
from tests.unit.gateway.files.stand_ins import pattern

PLAIN = pattern(SEGMENT + 3 * CHUNK + 5)
SIZE = len(PLAIN)
SHA256 = hashlib.sha256(PLAIN).hexdigest()
ETAG = f'"{SHA256[:32]}"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    content = Content(Directory(folder), "an-id", "kept", sealing.new_key())
    writing = Writing(content)
    writing.add(PLAIN)
    writing.flush(ends=True)
    opened = Opened("text/plain", SIZE, SHA256, Scan.NONE, content)
    app = Flask(__name__)
    app.request_class = methods.Request
    app.add_url_rule("/file", "file", view_func=lambda: send(opened, as_attachment=False, filename='Bukti 1 "☂".txt'))
    app.add_url_rule("/down", "down", view_func=lambda: send(opened, as_attachment=True, filename="Bukti 1.txt"))
    app.register_error_handler(FileLost, lambda _: ("lost", 410))
    return app.test_client()


def test_it_is_sent_whole(client: FlaskClient) -> None:
    answer = client.get("/file")
    assert (answer.status_code, answer.data) == (200, PLAIN)
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_no_browser_runs_anything_in_it_or_keeps_it(client: FlaskClient) -> None:
    headers = client.get("/file").headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_its_name_is_quoted(client: FlaskClient) -> None:
    assert client.get("/down").headers["Content-Disposition"] == 'attachment; filename="Bukti 1.txt"'
    inline = client.get("/file").headers["Content-Disposition"]
    assert inline.startswith("inline; ")
    assert "filename*=UTF-8''Bukti%201%20%22%E2%98%82%22.txt" in inline


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=5-9", 5, 10),
        (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK + 1),
        (f"bytes={SEGMENT - 1}-{SEGMENT}", SEGMENT - 1, SEGMENT + 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-3", SIZE - 3, SIZE),
        (f"bytes=10-{SIZE + 1000}", 10, SIZE),
        (f"bytes=-{SIZE + 1000}", 0, SIZE),
    ],
)
def test_a_part_is_sent(client: FlaskClient, asked: str, start: int, stop: int) -> None:
    answer = client.get("/file", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (206, PLAIN[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}"])
def test_a_part_beyond_the_end_is_refused_with_the_length(client: FlaskClient, asked: str) -> None:
    answer = client.get("/file", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=x-y", "lines=1-2", "bytes=0-1,4-5", "bytes", "bytes=", "bytes=--1", "bytes=-0"]
)
def test_what_is_no_single_range_of_bytes_is_answered_with_all(client: FlaskClient, asked: str) -> None:
    answer = client.get("/file", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (200, PLAIN)


@pytest.mark.parametrize(
    ("etag", "status"),
    [(ETAG, 206), ('"other"', 200), (f"W/{ETAG}", 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)],
)
def test_a_part_of_another_file_is_not_sent(client: FlaskClient, etag: str, status: int) -> None:
    assert client.get("/file", headers={"Range": "bytes=0-1", "If-Range": etag}).status_code == status


@pytest.mark.parametrize("known", [ETAG, f"W/{ETAG}", "*", f'"other", {ETAG}'])
def test_what_the_client_has_is_not_sent_again(client: FlaskClient, known: str) -> None:
    answer = client.get("/file", headers={"If-None-Match": known})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", ETAG)


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=5-9"}, {"Range": f"bytes={SIZE}-"}])
def test_a_head_is_the_get_without_its_body(client: FlaskClient, headers: dict[str, str]) -> None:
    head, get = client.head("/file", headers=headers), client.get("/file", headers=headers)
    assert (head.status_code, dict(head.headers), head.data) == (get.status_code, dict(get.headers), b"")


def test_one_that_is_lost_is_said_to_be_before_anything_is_sent(client: FlaskClient, folder: Path) -> None:
    for path in sorted(folder.rglob("kept-*")):
        path.unlink()
        break
    assert client.get("/file").status_code == 410
    # A part of what is left can be read.
    assert client.get("/file", headers={"Range": "bytes=-3"}).data == PLAIN[-3:]


def test_what_is_drawn_comes_in_pieces_of_which_none_is_large(folder: Path, client: FlaskClient) -> None:
    drawn: list[bytes] = []

    def draw(pieces: Iterator[bytes], length: int) -> Any:
        drawn.extend(pieces)
        assert length == SIZE
        return b""

    client.get("/file", environ_overrides={"nkk.draw": draw})
    assert b"".join(drawn) == PLAIN
    assert max(map(len, drawn)) == CHUNK
