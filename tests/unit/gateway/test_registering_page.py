"""Registration on the page and in the API: all faults are named at once, and no existing account is opened."""

import re

from flask.testing import FlaskClient

from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop import faults
from tests.unit.gateway.visits import FORM, FakeBackend, token

WRONG = {"kind": "public", "identity_number": "123", "email": "warga@", "username": "W", "password": "123"}
FIELDS = {"identity_number", "name", "email", "username", "password"}
TAKEN = RefusedRemotelyError("UsernameTaken", "", {"fields": {"username": [faults.USERNAME_TAKEN()]}})
RIGHT = {"kind": "public", "identity_number": "1971014107900001", "name": "Warga", "email": "warga@example.id"} | FORM


def test_the_page_names_all_that_is_wrong_in_one_round(client: FlaskClient, stages: FakeBackend) -> None:
    page = client.post("/daftar", data=WRONG | {"csrf_token": token(client, "/daftar")})
    assert page.status_code == 422
    assert {field for field in FIELDS if f'id="{field}-fault"' in page.text} == FIELDS
    assert stages.asked == []


def test_the_api_names_all_that_is_wrong_in_one_answer(client: FlaskClient) -> None:
    assert set(client.post("/api/v1/reporters", json=WRONG).json["errors"]) == FIELDS


def test_who_registers_anothers_name_is_told_that_it_is_taken_and_is_not_let_in(
    client: FlaskClient, stages: FakeBackend
) -> None:
    stages.answers |= {"register": TAKEN, "log_in": {"access_token": "another's"}}
    page = client.post("/daftar", data=RIGHT | {"csrf_token": token(client, "/daftar")})
    assert page.status_code == 409
    assert "sudah dipakai" in page.text
    assert [act for act, _ in stages.asked] == ["register"]


def test_the_summary_is_in_the_order_of_the_form(client: FlaskClient) -> None:
    page = client.post("/daftar", data=WRONG | {"kind": "", "phone": "x", "csrf_token": token(client, "/daftar")}).text
    named = re.findall(r'<li><a href="#([a-z_]+)">', page)
    assert set(named) == {"kind", "name", "email", "phone", "username", "password"}
    assert named == sorted(named, key=lambda name: page.index(f'id="{name}"'))
