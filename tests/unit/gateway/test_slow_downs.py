"""The page of a staff account that is slowed down, in every way."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import RefusedRemotelyError, StageBusyError
from nkk.sop import faults
from tests.unit.gateway.visits import FORM, FakeBackend, log_in, token

ACCOUNT = {
    "username": "operator",
    "name": "Petugas",
    "role": "operator",
    "opd": None,
    "disabled_at": None,
    "locked_until": None,
    "slowed_until": None,
    "slowed_sources": 0,
}
UNTIL = "2026-03-02T01:05:00.000000Z"


@pytest.fixture
def admin(client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]) -> FlaskClient:
    log_in(client, stages, opened("admin"))
    return client


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"slowed_until": UNTIL, "slowed_sources": 1}, "1 tempat atau perangkat terlalu sering"),
        ({"slowed_until": UNTIL, "slowed_sources": 4, "locked_until": UNTIL}, "datang dari banyak tempat"),
    ],
)
def test_an_admin_is_told_who_waits_until_when_and_can_end_it(
    admin: FlaskClient, stages: FakeBackend, changed: dict[str, Any], said: str
) -> None:
    stages.answers["staff_account"] = ACCOUNT | changed
    page = admin.get("/admin/staf/operator")
    assert page.status_code == 200
    assert said in page.text
    assert "08.05 WIB" in page.text
    assert "Akhiri perlambatan" in page.text


def test_where_nobody_waits_there_is_nothing_to_end(admin: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["staff_account"] = ACCOUNT
    assert "Akhiri perlambatan" not in admin.get("/admin/staf/operator").text


def test_ending_it_leads_back_to_the_account(admin: FlaskClient, stages: FakeBackend) -> None:
    stages.answers |= {"staff_account": ACCOUNT, "let_staff_in": ACCOUNT}
    sent = {"csrf_token": token(admin, "/admin/staf/operator")}
    answer = admin.post("/admin/staf/operator/perlambatan", data=sent)
    assert (answer.status_code, answer.location) == (303, "/admin/staf/operator")
    assert ("let_staff_in", ({"username": "operator"},)) in stages.asked


def test_who_waits_is_told_how_long_by_the_page_and_to_programs(client: FlaskClient, stages: FakeBackend) -> None:
    sentence = (
        "Too many wrong passwords were given here. Try again after 08:05:09 WIB; the right one is not taken before."
    )
    stages.answers["log_in"] = RefusedRemotelyError(
        "SlowedDown", sentence, {"retry_after": 61, "fields": {"password": [faults.SLOWED_DOWN(at="08:05:09")]}}
    )
    by_page = client.post("/masuk", data=FORM | {"csrf_token": token(client)})
    assert "sesudah pukul 08.05.09 WIB" in by_page.text
    by_program = client.post("/api/v1/sessions", json=FORM)
    for answer in (by_page, by_program):
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "61")
    assert by_program.json["type"] == "urn:nkk:problem:slowed-down"
    assert by_program.json["errors"] == {"password": [sentence]}
    assert by_program.json["codes"] == {"password": [{"code": "slowed-down", "at": "08:05:09"}]}


def test_who_logs_in_beside_too_many_others_is_told_to_send_it_again(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["log_in"] = StageBusyError("intake", "Too many at once.")
    by_page = client.post("/masuk", data=FORM | {"csrf_token": token(client)})
    assert "Tunggu beberapa detik, lalu kirim lagi." in by_page.text
    assert f'value="{FORM["username"]}"' in by_page.text
    by_program = client.post("/api/v1/sessions", json=FORM)
    for answer in (by_page, by_program):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert by_program.json["type"] == "urn:nkk:problem:busy"
