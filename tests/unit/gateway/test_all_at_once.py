"""Unknown keys and inconsistent fields are reported together with malformed fields, in one response."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.gateway.visits import FakeBackend, log_in, token

TICKET = "NKK-2026-EDXY-ER30"
REPORT = {
    "category": "nowhere",
    "sub_category": "bernegara",
    "subject_line": "",
    "text": "x",
    "accused_opd": "dinas-ini",
}
STAFF = {"username": "W", "name": "Rina", "password": "sandi yang panjang 42"}


@pytest.mark.parametrize(
    ("role", "path", "sent", "at_fault"),
    [
        ("reporter", "/complaints", REPORT, {"category", "subject_line", "accused_opd"}),
        (
            "reporter",
            "/complaints",
            REPORT | {"category": "kode-etik", "sub_category": "nothing"},
            {"sub_category", "subject_line", "accused_opd"},
        ),
        ("reporter", "/complaints", REPORT | {"category": "kode-etik", "accused_opd": None}, {"subject_line"}),
        (
            "main_team",
            f"/complaints/{TICKET}/classification",
            {"kind": "information", "opd": "inspektorat", "note": ""},
            {"opd", "note"},
        ),
        ("main_team", f"/complaints/{TICKET}/classification", {"kind": "complaint", "note": ""}, {"opd", "note"}),
        (
            "main_team",
            f"/complaints/{TICKET}/classification",
            {"kind": "complaint", "opd": "dinas-ini", "note": 4},
            {"opd", "note"},
        ),
        ("main_team", f"/complaints/{TICKET}/classification", {"opd": "dinas-ini"}, {"kind"}),
        ("admin", "/staff", STAFF | {"role": "opd_team"}, {"username", "opd"}),
        ("admin", "/staff", STAFF | {"role": "opd_team", "opd": "dinas-ini"}, {"username", "opd"}),
        ("admin", "/staff", STAFF | {"role": "operator", "opd": "inspektorat"}, {"username", "opd"}),
        ("admin", "/staff", STAFF | {"role": "opd_team", "opd": "inspektorat"}, {"username"}),
        ("admin", "/staff", STAFF | {"role": "opd", "opd": "Dinas Ini"}, {"username", "role", "opd"}),
    ],
)
def test_the_api_names_all_of_it_in_one_answer(
    client: FlaskClient,
    opened: Callable[..., dict[str, Any]],
    role: str,
    path: str,
    sent: dict[str, Any],
    at_fault: set[str],
) -> None:
    headers = {"Authorization": f"Bearer {opened(role)['access_token']}"}
    answer = client.post(f"/api/v1{path}", json=sent, headers=headers)
    assert (answer.status_code, set(answer.json["errors"])) == (422, at_fault)
    assert all(len(said) == 1 for said in answer.json["errors"].values())


def test_a_category_is_told_all_that_is_wrong_with_it_in_one_round(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    log_in(client, stages, opened("admin"))
    stages.answers["lists"] = {"categories": {}, "opds": {}}
    path = "/admin/kategori/baru"
    page = client.post(path, data={"key": "Not One", "name": "", "sub-key-0": "x", "csrf_token": token(client, path)})
    assert page.status_code == 422
    assert all(f'<li><a href="#{field}">' in page.text for field in ("key", "name", "sub-key-0"))
