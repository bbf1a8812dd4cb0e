"""Every page whose form takes files: they are read as they arrive, whoever sends them, and nobody holds all threads."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import bodies
from gateway.files.arriving import BrokenOffError, LeavingError, TooSlowError
from tests.unit.gateway.files.stand_ins import Bodies
from tests.unit.gateway.files.test_forms import written
from tests.unit.gateway.test_methods import addresses
from tests.unit.gateway.test_uploads_api import taken, uploads
from tests.unit.gateway.visits import FakeBackend, log_in

__all__ = ["uploads"]

PROXY = Path(__file__).resolve().parents[3] / "deploy/nginx/nginx.conf"
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}
BODY, KIND = written(("text", "Cerita yang panjang"), ("file", (b"12345", "a.pdf")))

pytestmark = pytest.mark.usefixtures("uploads")


def with_files(app: Flask) -> list[str]:
    found = addresses(app, lambda rule: getattr(app.view_functions[rule.endpoint], "takes_files", False))
    assert "/laporan/baru" in found
    return found


def test_what_they_send_is_read_as_it_arrives(app: Flask) -> None:
    for address in with_files(app):
        for kind in (KIND, KIND.replace("multipart/form-data", "Multipart/Form-Data")):
            assert bodies.arrives("POST", address, kind), address
        assert not bodies.arrives("POST", address, "application/x-www-form-urlencoded")


def test_the_proxy_passes_it_on_as_it_arrives(app: Flask) -> None:
    passes_on = re.findall(
        r"location ~ (\S+) \{\s+client_max_body_size 128m;\s+proxy_request_buffering off;", PROXY.read_text()
    )
    for address in (*with_files(app), "/unggahan", "/api/v1/uploads/x"):
        assert any(re.match(written, address) for written in passes_on), address


@pytest.mark.parametrize("role", ["reporter", "operator", "opd_team"])
def test_whoever_has_such_a_page_sends_by_its_script_too(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], role: str
) -> None:
    log_in(client, stages, opened(role))
    told = client.get("/unggahan/token")
    assert told.status_code == 200
    assert told.json is not None
    begun = client.post("/unggahan", headers=TUS | {"X-CSRFToken": told.json["token"]})
    assert begun.status_code == 201


def as_a_stranger(client: FlaskClient, *parts: Any) -> Any:
    arriving = {"wsgi.input": Bodies(*parts), "CONTENT_TYPE": KIND}
    return client.post("/laporan/baru", environ_overrides=arriving)


def test_a_stranger_is_asked_to_log_in_with_what_they_typed(client: FlaskClient) -> None:
    answer = as_a_stranger(client, BODY[:30], None, BODY[30:])
    assert answer.status_code == 401
    assert "Cerita yang panjang" in answer.text


@pytest.mark.parametrize("error", [BrokenOffError(), TooSlowError(), LeavingError()], ids=repr)
def test_one_whose_form_does_not_come_to_its_end_is_asked_all_the_same(client: FlaskClient, error: Exception) -> None:
    assert as_a_stranger(client, BODY[:30], error).status_code == 401


def test_where_enough_strangers_send_forms_no_thread_waits_for_the_next(app: Flask, client: FlaskClient) -> None:
    places = app.extensions["field_slots"]
    with taken(places), taken(places):
        answer = as_a_stranger(client, AssertionError("it is not read"))
        assert answer.status_code == 401
    assert "Cerita yang panjang" in as_a_stranger(client, BODY).text
