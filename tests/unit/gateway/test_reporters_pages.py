"""A reporter's pages: an answer that was opened, and what is shown while notification is away."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import StageUnavailableError
from tests.unit.gateway.visits import FakeBackend, log_in, token

TICKET = "NKK-2026-6GKQ-DHSZ"
AT = "2026-03-02T01:00:00.000000Z"
COMPLAINT = {"ticket": TICKET, "subject_line": "Loket tutup", "text": "Loket tutup.", "category": "kode-etik",
             "sub_category": "bernegara", "confidential": False, "submitted_at": AT, "service_due_at": AT,
             "claimed_kind": "complaint", "stands": {"state": "handed_over", "since": AT}}
ANSWER = {"text": "Sudah ditegur.", "sent_at": AT, "closed_at": AT, "how": "opened", "confirmed_at": None}
AWAY = StageUnavailableError("notification")


@pytest.fixture(autouse=True)
def _reporter(client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]) -> None:
    log_in(client, stages, opened())
    stages.answers |= {
        "complaint": COMPLAINT, "complaints": {"items": [dict(COMPLAINT)], "next": None},
        "open_answer": {"stands": {"state": "closed"}, "answer": ANSWER},
        "timeline": {"ticket": TICKET, "path": "information", "submitted_at": AT, "service_due_at": AT,
                     "stands": {"state": "closed"}, "next": None, "entries": []}}


def test_an_answer_that_was_opened_asks_for_nothing_more(client: FlaskClient) -> None:
    page = client.get(f"/laporan/{TICKET}").text
    assert "laporan tercatat selesai sejak" in page
    assert "Konfirmasi, agar" not in page


def test_while_notification_is_away_a_reporter_sees_that_the_report_is_kept(client: FlaskClient, stages: FakeBackend
                                                                            ) -> None:
    stages.answers |= {"open_answer": AWAY, "timeline": AWAY, "standings": AWAY}
    one, every = client.get(f"/laporan/{TICKET}"), client.get("/laporan")
    assert (one.status_code, "Retry-After" in one.headers, every.status_code) == (503, True, 200)
    for page in (one, every):
        assert "Laporan Anda tersimpan" in page.text
        assert "Loket tutup" in page.text


def test_what_may_have_been_lost_on_its_way_is_said_to_be_unsure(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["confirm_receipt"] = AWAY
    page = client.post(f"/laporan/{TICKET}/terima", data={"csrf_token": token(client, f"/laporan/{TICKET}")})
    assert page.status_code == 503
    assert "Belum dapat kami pastikan" in page.text
