"""The operator sees undelivered letters to a reporter at the desk and on the case."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import RefusedRemotelyError
from tests.unit.gateway.visits import FakeBackend, log_in, token

TICKET = "NKK-2026-EDXY-ER30"
LETTER = {"ticket": TICKET, "kind": "answered", "given_up_at": "2026-03-02T01:00:00.000000Z"}
CASE = {
    "ticket": TICKET,
    "subject_line": "Loket tutup",
    "text": "Tutup.",
    "category": "kode-etik",
    "sub_category": "bernegara",
    "confidential": False,
    "reporter_kind": "public",
    "claim": None,
    "submitted_at": "2026-03-02T01:00:00Z",
    "service_due_at": "2026-03-04T01:00:00Z",
    "handed_over_at": "2026-03-02T01:05:00Z",
}


@pytest.fixture
def operator(client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]) -> FlaskClient:
    stages.answers |= {
        "worklist": {"items": [], "next": None},
        "undelivered": {"items": [], "next": None},
        "complaint": CASE,
        "timeline": RefusedRemotelyError("UnknownTicket", "-", {}),
        "answer": {"stands": {"state": "receive", "step": 7}, "answer": None, "undelivered": [LETTER]},
    }
    log_in(client, stages, opened("operator"))
    return client


def test_the_desk_that_answers_names_the_cases_once_each(operator: FlaskClient, stages: FakeBackend) -> None:
    assert "tidak sampai" not in operator.get("/meja/jawaban").text
    stages.answers["undelivered"] = {"items": [LETTER, LETTER | {"kind": "reminder"}], "next": None}
    page = operator.get("/meja/jawaban").text
    assert "Surat kepada pelapor tidak sampai" in page
    assert page.count(f'href="/laporan/{TICKET}"') == 1
    assert "tidak sampai" not in operator.get("/meja/serah-terima").text


@pytest.mark.parametrize(("confidential", "said"), [(False, "lewat telepon"), (True, "pelapor dapat membaca")])
def test_the_case_says_which_letter_and_what_to_do(
    operator: FlaskClient, stages: FakeBackend, confidential: bool, said: str
) -> None:
    stages.answers["complaint"] = CASE | {"confidential": confidential}
    page = operator.get(f"/laporan/{TICKET}").text
    assert "Surat bahwa laporan telah dijawab" in page
    assert said in page
    assert ("alamat pos" in page) is not confidential


@pytest.mark.parametrize("sent_at", [None, "2026-03-02T01:00:00Z"], ids=["late", "answered"])
def test_the_case_asks_to_print_an_answer_only_where_there_is_one(
    operator: FlaskClient, stages: FakeBackend, sent_at: str | None
) -> None:
    answer = {"sent_at": sent_at, "text": sent_at and "Sudah.", "earlier": []}
    told = {"stands": {"state": "classify", "step": 3}, "answer": answer, "undelivered": [LETTER | {"to_print": True}]}
    stages.answers["answer"] = told
    page = operator.get(f"/laporan/{TICKET}").text
    assert "Surat untuk dicetak" in page
    assert ("Cetak jawabannya" in page) == bool(sent_at)


@pytest.mark.parametrize(("phone", "said"), [("0717 421 001", "0717 421 001"), (None, "tidak diberikan")])
def test_who_reported_is_shown_with_what_there_is_to_reach_them_by(
    operator: FlaskClient, stages: FakeBackend, phone: str | None, said: str
) -> None:
    stages.answers["identity"] = {
        "kind": "public",
        "name": "Warga",
        "identity_number": "1971014107900001",
        "email": "warga@example.id",
        "phone": phone,
    }
    sent = {"csrf_token": token(operator, f"/laporan/{TICKET}")}
    page = " ".join(operator.post(f"/laporan/{TICKET}/identitas", data=sent).text.split())
    assert re.search(rf"Nomor telepon</dt><dd>(<bdi>)?{said}", page)
    assert "Alamat pos</dt><dd>tidak disimpan layanan ini" in page


def test_the_api_names_them_on_the_case_and_in_a_list(
    operator: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    stages.answers["undelivered"] = {"items": [LETTER], "next": "further"}
    headers = {"Authorization": f"Bearer {opened('operator')['access_token']}"}
    assert operator.get(f"/api/v1/complaints/{TICKET}", headers=headers).json["undelivered"] == [LETTER]
    listed = operator.get("/api/v1/desks/answers/undelivered?cursor=abc&limit=10", headers=headers)
    assert listed.json == {"items": [LETTER], "next": "further"}
    assert stages.asked[-1] == ("undelivered", ("abc", 10))


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("ConnectionRefusedError", "server surel tidak dapat dihubungi"),
        (None, "server surel tidak dapat dihubungi"),
        ("AUTH 535 5.7.8", "tidak menerima nama atau kata sandi layanan ini (AUTH 535 5.7.8)"),
        ("RCPT 450 4.2.1", "belum mau menerimanya (RCPT 450 4.2.1)"),
        ("CannotOpenError", "kunci yang dipasang"),
    ],
)
def test_the_desk_says_that_letters_wait_since_when_and_why(
    operator: FlaskClient, stages: FakeBackend, why: str | None, said: str
) -> None:
    assert "belum dapat dikirim" not in operator.get("/meja/jawaban").text
    stages.answers["undelivered"] = {
        "items": [],
        "next": None,
        "waiting": {"count": 3, "since": "2026-03-02T01:01:00.000000Z", "why": why},
    }
    page = operator.get("/meja/jawaban").text
    assert "3 surat belum dapat dikirim" in page
    assert "Sen, 2 Mar 2026, 08.01 WIB" in page
    assert said in page
    assert "belum dapat dikirim" not in operator.get("/meja/serah-terima").text


def test_each_of_several_responses_stands_under_its_agencys_name(operator: FlaskClient, stages: FakeBackend) -> None:
    entry = {"step": 4, "event": "response.submitted.v1", "role": "opd_team", "at": "2026-03-02T02:00:00Z"}
    stages.answers |= {
        "answer": {
            "stands": {"state": "awaiting_answer"},
            "acts": ["answer"],
            "answer": {"material": "Kedua.", "note": None, "gathered": [{"opd": "disdukcapil", "text": "Pertama."}]},
        },
        "timeline": {
            "ticket": TICKET,
            "path": "complaint",
            "service_due_at": CASE["service_due_at"],
            "stands": {"state": "answer", "step": 6},
            "next": None,
            "entries": [entry | {"opd": "disdukcapil"}, entry | {"opd": "inspektorat"}],
        },
    }
    page = operator.get(f"/laporan/{TICKET}").text
    assert "Tanggapan <bdi>Inspektorat</bdi>" in page
    assert "Tanggapan perangkat daerah" not in page
