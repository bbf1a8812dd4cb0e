"""A reporter's pages: an opened answer, and the pages while notification is unavailable."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.site.evidence import what_was_added
from nkk.messaging.calls import StageUnavailableError
from tests.unit.gateway.visits import FakeBackend, log_in, token

TICKET = "NKK-2026-6GKQ-DHSZ"
AT = "2026-03-02T01:00:00.000000Z"
COMPLAINT = {
    "ticket": TICKET,
    "subject_line": "Loket tutup",
    "text": "Loket tutup.",
    "category": "kode-etik",
    "sub_category": "bernegara",
    "confidential": False,
    "submitted_at": AT,
    "service_due_at": AT,
    "claimed_kind": "complaint",
    "stands": {"state": "handed_over", "since": AT},
}
ANSWER = {"text": "Sudah ditegur.", "sent_at": AT, "closed_at": AT, "how": "opened", "confirmed_at": None}
KEY = "0" * 32
AWAY = StageUnavailableError("notification")


@pytest.fixture(autouse=True)
def _reporter(client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]) -> None:
    log_in(client, stages, opened())
    stages.answers |= {
        "complaint": COMPLAINT,
        "complaints": {"items": [dict(COMPLAINT)], "next": None},
        "open_answer": {"stands": {"state": "closed"}, "answer": ANSWER},
        "timeline": {
            "ticket": TICKET,
            "path": "information",
            "submitted_at": AT,
            "service_due_at": AT,
            "stands": {"state": "closed"},
            "next": None,
            "entries": [],
        },
    }


def test_an_answer_that_was_opened_asks_for_nothing_more(client: FlaskClient) -> None:
    page = client.get(f"/laporan/{TICKET}").text
    assert "laporan tercatat selesai sejak" in page
    assert "Konfirmasi, agar" not in page


def test_a_report_with_an_open_question_waits_for_its_reporter(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers |= {"standings": {TICKET: {"state": "classify", "step": 3, "waiting_since": AT}}}
    page = client.get("/laporan").text
    assert "Menunggu jawaban Anda" in page
    assert "Sedang diklasifikasi" not in page


@pytest.mark.parametrize(("state", "waits"), [("open", True), ("answered", False)])
def test_the_page_of_a_report_says_that_its_question_waits_for_the_reporter(
    client: FlaskClient, stages: FakeBackend, state: str, waits: bool
) -> None:
    asked = {"number": 1, "step": 3, "text": "Kapan?", "asked_at": AT, "state": state, "lapses_on": AT, "answer": None}
    stages.answers |= {
        "open_answer": {"stands": {"state": "classify", "step": 3}, "answer": None, "acts": ["answer_question"]},
        "questions": [asked],
    }
    page = client.get(f"/laporan/{TICKET}").text
    assert ("Menunggu jawaban Anda" in page) == waits
    assert ("Sedang diklasifikasi" in page) != waits
    assert "Pertanyaan kepada pelapor" not in page


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("open", "atau menutup laporan bila tanpa jawaban Anda"),
        ("answered", "Pertanyaan ini sudah Anda jawab"),
        ("lapsed", "Waktu untuk menjawab sudah lewat"),
        ("overtaken", "Laporan Anda sudah berlanjut"),
    ],
)
def test_the_page_of_a_question_says_before_an_answer_is_written_what_becomes_of_it(
    client: FlaskClient, stages: FakeBackend, state: str, said: str
) -> None:
    asked = {"number": 1, "step": 3, "text": "Kapan?", "asked_at": AT, "state": state, "lapses_on": "2026-03-09"}
    stages.answers["questions"] = [asked | {"answer": None}]
    page = client.get(f"/laporan/{TICKET}/pertanyaan/1").text
    assert said in page
    assert "Kapan?" in page
    assert ("Kirim jawaban" in page) == ("dapat dijawab sampai" in page) == (state == "open")


@pytest.mark.parametrize("state", ["lapsed", "overtaken"])
@pytest.mark.parametrize(
    ("ended", "said"),
    [("withdrawn", "Anda sudah mencabut laporan ini"), ("abandoned", "Laporan ini sudah ditutup")],
)
def test_the_page_of_a_question_about_a_report_that_ended_says_so(
    client: FlaskClient, stages: FakeBackend, state: str, ended: str, said: str
) -> None:
    asked = {"number": 1, "step": 3, "text": "Kapan?", "asked_at": AT, "state": state, "lapses_on": "2026-03-09"}
    stages.answers["questions"] = [asked | {"answer": None}]
    stages.answers["timeline"] = stages.answers["timeline"] | {"stands": {"state": ended, "step": None}}
    page = client.get(f"/laporan/{TICKET}/pertanyaan/1").text
    assert said in page
    assert not any(other in page for other in ("berlanjut", "melanjutkan"))


def test_the_page_of_a_report_says_what_follows_where_its_question_is_not_answered(
    client: FlaskClient, stages: FakeBackend
) -> None:
    asked = {"number": 1, "step": 3, "text": "Kapan?", "asked_at": AT, "state": "open", "lapses_on": "2026-03-09"}
    stages.answers |= {
        "open_answer": {"stands": {"state": "classify", "step": 3}, "answer": None, "acts": ["answer_question"]},
        "questions": [asked | {"answer": None}, asked | {"number": 2, "answer": None}],
    }
    page = client.get(f"/laporan/{TICKET}").text
    assert page.count("atau menutup laporan bila tanpa jawaban Anda") == 1


def test_while_notification_is_away_a_reporter_sees_that_the_report_is_kept(
    client: FlaskClient, stages: FakeBackend
) -> None:
    stages.answers |= {"open_answer": AWAY, "timeline": AWAY, "standings": AWAY}
    one, every = client.get(f"/laporan/{TICKET}"), client.get("/laporan")
    assert (one.status_code, "Retry-After" in one.headers, every.status_code) == (503, True, 200)
    for page in (one, every):
        assert "Laporan Anda tersimpan" in page.text
        assert "Loket tutup" in page.text
    # An answer may have been lost on its way: only the report need not be sent again.
    assert "laporan ini tidak perlu dikirim ulang" in one.text


def test_what_may_have_been_lost_on_its_way_is_said_to_be_unsure(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["confirm_receipt"] = AWAY
    page = client.post(f"/laporan/{TICKET}/terima", data={"csrf_token": token(client, f"/laporan/{TICKET}")})
    assert page.status_code == 503
    assert "Belum dapat kami pastikan" in page.text


def test_what_is_too_long_is_said_and_not_cut_off(client: FlaskClient) -> None:
    """A maxlength is not used: a browser would truncate a pasted text without a message."""
    opened = client.get("/laporan/baru", follow_redirects=True).text
    assert "maxlength" not in opened
    written = {"text": "a" * 20_050 + " akhir", "subject_line": "b" * 201, "topic": "kode-etik/bernegara"}
    page = client.post(
        "/laporan/baru",
        data=written
        | {"csrf_token": token(client, "/laporan/baru", follow_redirects=True), "claimed_kind": "complaint"},
    )
    assert page.status_code == 422
    assert "Panjangnya harus 1 sampai 20000 karakter." in page.text
    assert "Panjangnya harus 1 sampai 200 karakter." in page.text
    assert written["text"] in page.text
    assert written["subject_line"] in page.text


def test_who_sends_too_much_is_told_until_when(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["submit"] = {"ticket": TICKET, "submitted_at": AT, "service_due_at": AT}
    form = {
        "text": "Loket tutup.",
        "subject_line": "Loket",
        "topic": "kode-etik/bernegara",
        "claimed_kind": "complaint",
        "csrf_token": token(client, "/laporan/baru", follow_redirects=True),
    }
    for _ in range(3):
        page = client.post("/laporan/baru", data=form)
    assert page.status_code == 429
    # The window of these tests ends in 2068.
    assert " 2068, " in page.text.partition("Coba lagi sesudah ")[2][:30]
    assert "Tulisan Anda tidak hilang." in page.text


def test_of_a_title_that_is_too_long_it_is_said_by_how_much(client: FlaskClient) -> None:
    form = {"csrf_token": token(client, f"/laporan/baru?kunci={KEY}"), "subject_line": "x" * 223}
    page = client.post("/laporan/baru", data=form | {"key": KEY}).text
    assert "Panjangnya harus 1 sampai 200 karakter. Kelebihan 23 karakter." in page
    assert "paling banyak 200 karakter" in client.get(f"/laporan/baru?kunci={KEY}").text


def test_who_is_logged_in_is_not_asked_to_register(client: FlaskClient) -> None:
    response = client.get("/daftar")
    assert (response.status_code, response.location) == (303, "/laporan")


def test_a_document_of_an_answer_that_was_received_is_opened_without_a_warning(
    client: FlaskClient, stages: FakeBackend
) -> None:
    answered = {"event": "answer.sent.v1", "step": 6, "role": "operator", "at": AT, "minutes": 30, "round": 0}
    answered |= {"used_minutes": None, "late": None, "output": "x", "activity": "x"}
    stages.answers["timeline"] |= {"entries": [answered]}
    page = client.get(f"/laporan/{TICKET}").text
    assert "laporan-tanggapan-pengaduan.pdf" in page
    assert "berarti menerima jawaban" not in page


@pytest.mark.parametrize(
    ("files", "text", "said"),
    [
        (0, "Ia datang lagi.", "Keterangan Anda ditambahkan."),
        (2, None, "2 berkas ditambahkan."),
        (2, "Ia datang lagi.", "Keterangan Anda dan 2 berkas ditambahkan."),
    ],
)
def test_what_was_added_is_named(app: Flask, files: int, text: str | None, said: str) -> None:
    with app.test_request_context():
        assert what_was_added(files, bool(text)) == said
