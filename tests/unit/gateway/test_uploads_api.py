"""The API of uploads: tus 1.0 to the letter, forms for simple clients, and limits for both."""

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from gateway import evidence
from gateway.files import slots
from gateway.files.arriving import TooSlowError
from gateway.files.checking import Checker
from gateway.files.errors import FileRefusedError
from gateway.files.sealing import ring_of
from gateway.files.slots import Slots
from gateway.files.uploads import Limits, Uploads
from tests.builders import REPORT
from tests.installations import PATIENCE
from tests.unit.gateway.files.stand_ins import BadStore
from tests.unit.gateway.files.test_checking import Inspection
from tests.unit.gateway.files.test_forms import written

Opened = Callable[..., dict[str, Any]]
PATH = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {
        "LIMIT_UPLOADS": "30/100 year",
        "FILE_LIMITS": Limits(file_bytes=1_000_000, files=2),
        "WEBSITE_ORIGINS": frozenset({"https://kota.example.id"}),
    }


@pytest.fixture
def uploads(app: Flask, tmp_path: Path) -> Iterator[Uploads]:
    ring = ring_of([Fernet.generate_key().decode()])
    kept = {name: app.extensions[name] for name in ("uploads", "upload_slots", "small_slots")}
    app.extensions["uploads"] = found = Uploads(BadStore(tmp_path), ring, app.config["FILE_LIMITS"])
    app.extensions |= {"upload_slots": Slots(1), "small_slots": Slots(1)}
    yield found
    app.extensions |= kept


@pytest.fixture
def reporter(opened: Opened) -> dict[str, str]:
    return {"Authorization": f"Bearer {opened()['access_token']}"}


def as_role(opened: Opened, role: str, who: str = "two") -> dict[str, str]:
    return {"Authorization": f"Bearer {opened(role, who)['access_token']}"}


def begin(client: FlaskClient, who: dict[str, str], length: int = 10, **headers: str) -> str:
    answer = client.post(PATH, headers=who | TUS | {"Upload-Length": str(length)} | headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def send(client: FlaskClient, who: dict[str, str], at: str, offset: int, plain: bytes, **how: Any) -> Any:
    return client.patch(at, headers=who | BYTES | {"Upload-Offset": str(offset)}, data=plain, **how)


pytestmark = pytest.mark.usefixtures("uploads")


def test_options_say_what_is_taken_to_anybody(client: FlaskClient) -> None:
    for path in (PATH, f"{PATH}/{'x' * 22}"):
        answer = client.options(path)
        assert answer.status_code in (200, 204)
        assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,expiration,termination"
        assert answer.headers["Tus-Max-Size"] == "1000000"


def test_an_upload_goes_from_its_beginning_to_its_end(client: FlaskClient, reporter: dict[str, str]) -> None:
    names = f"filename {b64encode('Foto ☂.jpg'.encode()).decode()},filetype aW1hZ2UvanBlZw==,original MQ=="
    at = begin(client, reporter, **{"Upload-Metadata": names})
    assert at.startswith(f"{PATH}/")
    first = send(client, reporter, at, 0, b"12345")
    assert (first.status_code, first.data, first.headers["Upload-Offset"]) == (204, b"", "5")
    assert first.headers["Tus-Resumable"] == "1.0.0"
    assert first.headers["Upload-Expires"].endswith(" GMT")
    head = client.head(at, headers=reporter | TUS)
    assert (head.status_code, head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (200, "5", "10")
    assert head.headers["Upload-Metadata"] == names
    assert head.headers["Cache-Control"] == "no-store"
    assert send(client, reporter, at, 5, b"67890").status_code == 204
    told = client.get(at, headers=reporter).json
    assert told is not None
    assert (told["state"], told["offset"], told["name"], told["original"]) == ("checking", 10, "Foto ☂.jpg", True)
    assert told["id"] == at.rpartition("/")[2]


def test_once_it_is_checked_its_sender_is_told_what_is_kept_or_why_not(
    client: FlaskClient, reporter: dict[str, str], uploads: Uploads
) -> None:
    inspection = Inspection()
    checker = Checker(uploads, inspection)
    at = begin(client, reporter)
    send(client, reporter, at, 0, b"1234567890")
    checker.check_all()
    told = client.get(at, headers=reporter).json
    assert told is not None
    assert (told["state"], told["media_type"], told["size"], told["scan"]) == ("ready", "application/pdf", 10, "none")
    assert len(told["sha256"]) == len(told["came_sha256"]) == 64
    inspection.fails = FileRefusedError("macros")
    at = begin(client, reporter)
    send(client, reporter, at, 0, b"1234567890")
    checker.check_all()
    told = client.get(at, headers=reporter).json
    assert told is not None
    assert (told["state"], told["refusal"]) == ("refused", "macros")
    assert told["detail"].startswith("This document contains macros")


@pytest.mark.parametrize("version", [None, "0.9", "1.0.0, 1.0.0", ""])
def test_another_version_is_refused_with_the_one_that_is_taken(
    client: FlaskClient, reporter: dict[str, str], version: str | None
) -> None:
    at = begin(client, reporter)
    said = {} if version is None else {"Tus-Resumable": version}
    for answer in (
        client.post(PATH, headers=reporter | said | {"Upload-Length": "1"}),
        client.patch(at, headers=reporter | BYTES | {"Upload-Offset": "0", "Tus-Resumable": ""} | said, data=b"1"),
    ):
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.json is not None
        assert answer.json["type"] == "urn:nkk:problem:other-tus-version"
    assert client.head(at, headers=reporter).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Length": "-1"},
        {"Upload-Length": "1e3"},
        {"Upload-Length": "٣"},
        {"Upload-Length": "9" * 30},
        {"Upload-Defer-Length": "1"},
        {"Upload-Length": "5", "Upload-Metadata": "filename not-base64!"},
        {"Upload-Length": "5", "Upload-Metadata": "filename YQ==,filename Yg=="},
        {"Upload-Length": "5", "Upload-Metadata": ","},
        {"Upload-Length": "5", "Upload-Metadata": "ключ YQ=="},
        {"Upload-Length": "5", "Upload-Metadata": f"filename {'YWFh' * 1100}"},
    ],
    ids=range(11),
)
def test_headers_that_cannot_be_read_are_refused(
    client: FlaskClient, reporter: dict[str, str], headers: dict[str, str]
) -> None:
    written = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    answer = client.post(PATH, headers=reporter | TUS | written)
    assert answer.status_code == 400, answer.text
    assert answer.json is not None
    assert answer.json["type"] == "urn:nkk:problem:upload-header-invalid"


@pytest.mark.parametrize("offset", [None, "-1", "x", "1.0", "0x1", " "])
def test_an_offset_that_cannot_be_read_is_refused(
    client: FlaskClient, reporter: dict[str, str], offset: str | None
) -> None:
    at = begin(client, reporter)
    said = {} if offset is None else {"Upload-Offset": offset}
    assert client.patch(at, headers=reporter | BYTES | said, data=b"1").status_code == 400


def test_more_than_one_file_may_have_is_refused_before_anything_is_sent(
    client: FlaskClient, reporter: dict[str, str]
) -> None:
    answer = client.post(PATH, headers=reporter | TUS | {"Upload-Length": "1000001"})
    assert answer.status_code == 413
    assert answer.json is not None
    assert answer.json["detail"] == "A file has at most 1 MB."
    begin(client, reporter, 1_000_000)


def test_bytes_at_another_place_are_refused_with_the_right_one(client: FlaskClient, reporter: dict[str, str]) -> None:
    at = begin(client, reporter)
    send(client, reporter, at, 0, b"12345")
    for offset in (0, 4, 6, 11):
        answer = send(client, reporter, at, offset, b"6")
        assert answer.status_code == 409
        assert answer.json is not None
        assert "at the byte 5" in answer.json["detail"]
    assert client.head(at, headers=reporter).headers["Upload-Offset"] == "5"


def test_more_bytes_than_it_was_said_to_have_are_refused(client: FlaskClient, reporter: dict[str, str]) -> None:
    at = begin(client, reporter)
    assert send(client, reporter, at, 0, b"12345678901").status_code == 413
    assert send(client, reporter, at, 0, b"1234567890").status_code == 204


def test_its_length_is_not_changed(client: FlaskClient, reporter: dict[str, str]) -> None:
    at = begin(client, reporter)
    headers = reporter | BYTES | {"Upload-Offset": "0", "Upload-Length": "11"}
    answer = client.patch(at, headers=headers, data=b"1")
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["type"] == "urn:nkk:problem:upload-length-changed"
    assert client.patch(at, headers=headers | {"Upload-Length": "10"}, data=b"1").status_code == 204


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/json", "", "text/plain"])
def test_bytes_of_another_content_type_are_refused(client: FlaskClient, reporter: dict[str, str], kind: str) -> None:
    at = begin(client, reporter)
    headers = reporter | TUS | {"Upload-Offset": "0", "Content-Type": kind}
    assert client.patch(at, headers=headers, data=b"1").status_code == 415


def test_anothers_upload_is_not_there(client: FlaskClient, reporter: dict[str, str], opened: Opened) -> None:
    at = begin(client, reporter)
    for who in (as_role(opened, "reporter"), as_role(opened, "operator"), as_role(opened, "website")):
        for path in (at, f"{PATH}/{'x' * 22}", f"{PATH}/x"):
            answers = [
                client.get(path, headers=who),
                client.head(path, headers=who | TUS),
                send(client, who, path, 0, b"1"),
                client.delete(path, headers=who | TUS),
            ]
            assert {answer.status_code for answer in answers} == {404}
    assert client.head(at, headers=reporter).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("role", ["reporter", "website", "operator", "opd_team", "main_team"])
def test_whoever_writes_or_answers_may_send_files(client: FlaskClient, opened: Opened, role: str) -> None:
    who = as_role(opened, role)
    at = begin(client, who)
    assert send(client, who, at, 0, b"1234567890").status_code == 204
    assert client.delete(at, headers=who | TUS).status_code == 204
    assert client.head(at, headers=who | TUS).status_code == 404


def test_nobody_else_may(client: FlaskClient, opened: Opened) -> None:
    for who, status in ((as_role(opened, "admin"), 403), ({}, 401)):
        answer = client.post(PATH, headers=who | TUS | {"Upload-Length": "1"})
        assert answer.status_code == status
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert send(client, who, f"{PATH}/{'x' * 22}", 0, b"1").status_code == status


@pytest.mark.parametrize(("method", "status"), [("PATCH", 204), ("DELETE", 204), ("HEAD", 200), ("patch", 204)])
def test_a_method_that_a_network_lets_not_through_is_said_in_a_header(
    client: FlaskClient, reporter: dict[str, str], method: str, status: int
) -> None:
    at = begin(client, reporter)
    headers = reporter | BYTES | {"Upload-Offset": "0", "X-HTTP-Method-Override": method}
    answer = client.post(at, headers=headers, data=b"1234567890")
    assert answer.status_code == status
    left = client.head(at, headers=reporter)
    assert left.status_code == (404 if method == "DELETE" else 200)
    if method.upper() == "PATCH":
        assert left.headers["Upload-Offset"] == "10"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_head_that_is_sent_as_post_promises_no_bytes(
    client: FlaskClient, reporter: dict[str, str], is_there: bool
) -> None:
    at = begin(client, reporter) if is_there else f"{PATH}/{'A' * 22}"
    answer = client.post(at, headers=reporter | BYTES | {"X-HTTP-Method-Override": "HEAD"})
    assert answer.status_code == (200 if is_there else 404)
    assert (answer.headers["Content-Length"], answer.data) == ("0", b"")


def test_only_an_uploads_post_is_another_method_than_it_was_sent_with(
    client: FlaskClient, reporter: dict[str, str]
) -> None:
    at = begin(client, reporter)
    for method, path, said in (
        ("GET", at, "DELETE"),
        ("POST", PATH, "DELETE"),
        ("POST", at, "PUT"),
        ("POST", "/api/v1/sessions/current", "DELETE"),
    ):
        answer = client.open(path, method=method, headers=reporter | {"X-HTTP-Method-Override": said})
        assert answer.status_code in (400, 405), (method, path)
    assert client.head(at, headers=reporter).status_code == 200


def test_a_form_brings_whole_files(client: FlaskClient, reporter: dict[str, str], uploads: Uploads) -> None:
    form = {"original": "1", "file": [(BytesIO(b"12345"), "a.pdf"), (BytesIO(b"678"), "b.pdf")]}
    answer = client.post(PATH, headers=reporter, data=form, content_type="multipart/form-data")
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    told = answer.json["uploads"]
    assert [(each["name"], each["offset"], each["state"], each["original"]) for each in told] == [
        ("a.pdf", 5, "checking", True),
        ("b.pdf", 3, "checking", True),
    ]
    Checker(uploads, Inspection()).check_all()
    assert client.get(f"{PATH}/{told[0]['id']}", headers=reporter).json["state"] == "ready"  # type: ignore[index]


def test_a_form_with_too_much_brings_nothing(client: FlaskClient, reporter: dict[str, str], tmp_path: Path) -> None:
    for files, status in (([b"1", b"2", b"3"], 422), ([bytes(1_000_001)], 413)):
        body, kind = written(*(("file", (plain, "a")) for plain in files))
        answer = client.post(PATH, headers=reporter, data=body, content_type=kind)
        assert answer.status_code == status, answer.text
    assert client.post(PATH, headers=reporter, data=b"x", content_type="multipart/form-data").status_code == 400
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@contextmanager
def taken(slots: Slots) -> Iterator[None]:
    """Take the only place."""
    begun, ended = threading.Event(), threading.Event()

    def receive() -> bool:
        begun.set()
        return ended.wait(PATIENCE)

    with ThreadPoolExecutor(1) as threads:
        received = threads.submit(slots.run, receive)
        assert begun.wait(PATIENCE)
        try:
            yield
        finally:
            ended.set()
        assert received.result()


@pytest.mark.parametrize("small", [False, True], ids=["long", "small"])
def test_where_all_places_are_taken_it_is_said_when_to_come_again(
    client: FlaskClient, app: Flask, reporter: dict[str, str], monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    at = begin(client, reporter)
    monkeypatch.setattr(slots, "SMALL", 1000 if small else 0)
    with taken(app.extensions["small_slots" if small else "upload_slots"]):
        for answer in (
            send(client, reporter, at, 0, b"1"),
            client.post(PATH, headers=reporter, data={"f": (BytesIO(b"1"), "a")}, content_type="multipart/form-data"),
        ):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert answer.json is not None
            assert answer.json["type"] == "urn:nkk:problem:too-many-uploads"
        # What waits for no bytes is done.
        assert client.head(at, headers=reporter).status_code == 200
    # Neither kind takes the places of the other.
    with taken(app.extensions["upload_slots" if small else "small_slots"]):
        assert send(client, reporter, at, 0, b"1").status_code == 204


def test_only_some_requests_wait_until_an_upload_is_checked(
    client: FlaskClient, app: Flask, reporter: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would hold a thread: those of one account were enough to stop the gateway."""
    at = begin(client, reporter)
    send(client, reporter, at, 0, b"1234567890")
    # Whoever waits fails.
    monkeypatch.setattr(evidence, "LOOK_SECONDS", -1)
    named = {"json": REPORT | {"files": [at[-22:]]}, "headers": reporter}
    assert client.post("/api/v1/complaints", **named).status_code == 500
    with ExitStack() as waiting:
        for _ in range(app.config["UPLOAD_THREADS"]):
            waiting.enter_context(app.extensions["check_places"].one())
        refused = client.post("/api/v1/complaints", **named)
        assert refused.json is not None
        assert (refused.status_code, refused.json["type"]) == (409, "urn:nkk:problem:upload-not-ready")


class Stalled(BytesIO):
    """A body of which nothing comes any more."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise TooSlowError


def test_a_line_that_stalls_is_a_503_which_clients_of_tus_try_again(
    client: FlaskClient, reporter: dict[str, str]
) -> None:
    at = begin(client, reporter)
    headers = reporter | BYTES | {"Upload-Offset": "0"}
    answer = client.patch(at, headers=headers, input_stream=Stalled(), content_length=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json is not None
    assert answer.json["type"] == "urn:nkk:problem:too-slow"
    assert send(client, reporter, at, 0, b"1234567890").status_code == 204


def test_a_store_that_is_full_or_away_is_a_promised_503(
    client: FlaskClient, reporter: dict[str, str], uploads: Uploads
) -> None:
    assert isinstance(uploads.store, BadStore)
    at = begin(client, reporter)
    uploads.store.room = 0
    for answer in (
        client.post(PATH, headers=reporter | TUS | {"Upload-Length": "1"}),
        send(client, reporter, at, 0, b"1"),
    ):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json is not None
        assert answer.json["type"] == "urn:nkk:problem:store-away"
    uploads.store.room, uploads.store.is_away = None, True
    for method in ("GET", "HEAD", "DELETE", "PATCH"):
        headers = reporter | BYTES | {"Upload-Offset": "0"}
        assert client.open(at, method=method, headers=headers).status_code == 503
    uploads.store.is_away = False
    assert send(client, reporter, at, 0, b"1234567890").status_code == 204


def test_an_account_begins_no_more_than_its_limit_and_is_told_how_many(
    client: FlaskClient, reporter: dict[str, str], opened: Opened
) -> None:
    answer = client.post(PATH, headers=reporter | TUS | {"Upload-Length": "1"})
    assert answer.headers["RateLimit-Policy"].startswith('"uploads";q=30')
    assert '"uploads";r=29' in answer.headers["RateLimit"]
    for _ in range(29):
        begin(client, reporter)
    refused = client.post(PATH, headers=reporter | TUS | {"Upload-Length": "1"})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    website = client.post(PATH, headers=as_role(opened, "website") | TUS | {"Upload-Length": "1"})
    assert website.headers["RateLimit-Policy"].startswith('"website-uploads";q=100')


def test_a_script_of_an_admitted_website_may_send_files(client: FlaskClient, reporter: dict[str, str]) -> None:
    asked = {
        "Origin": "https://kota.example.id",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, tus-resumable, upload-offset, content-type",
    }
    preflight = client.options(f"{PATH}/{'x' * 22}", headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://kota.example.id"
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("tus-resumable", "upload-offset", "upload-length", "upload-metadata"))
    answer = client.post(PATH, headers=reporter | TUS | {"Upload-Length": "1", "Origin": "https://kota.example.id"})
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert all(name in exposed for name in ("Location", "Upload-Offset", "Upload-Expires", "Tus-Resumable"))
