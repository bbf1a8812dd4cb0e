"""The pages and the API show a complaint before notification has consumed its event."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway import papers
from nkk.messaging.calls import RefusedRemotelyError
from tests.unit.gateway.visits import FakeBackend, log_in

TICKET = "NKK-2026-6GKQ-DHSZ"
AT, DAY = "2026-03-02T01:00:00.000000Z", "2026-03-02T00:00:00+07:00"
UNKNOWN = RefusedRemotelyError("UnknownTicket", "", {})
CASE = {
    "ticket": TICKET,
    "subject_line": "Loket tutup",
    "text": "Loket tutup.",
    "category": "kode-etik",
    "sub_category": "bernegara",
    "accused_opd": None,
    "confidential": False,
    "submitted_at": AT,
    "service_due_at": AT,
    "handed_over_at": None,
    "claim": None,
    "claimed_kind": "complaint",
    "reporter_kind": "public",
    "stands": {"state": "awaiting_hand_over", "since": AT},
}
AT_TEAM = CASE | {
    "submitted_at": DAY,
    "handed_over_at": AT,
    "response": None,
    "return_note": None,
    "note": None,
    "opd": "inspektorat",
    "came_at": AT,
    "due_at": AT,
    "round": 1,
}
Ask = Callable[..., Any]


@pytest.fixture
def ask(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Ask:
    """A function that returns the API's answer to a role about the complaint."""
    stages.answers |= {"complaint": CASE, "case": AT_TEAM, "is_confidential": False} | dict.fromkeys(
        ("timeline", "answer", "read_answer", "open_answer", "confirm_receipt", "send_answer"), UNKNOWN
    )
    monkeypatch.setattr(papers, "make", lambda kind, format, content, **_: repr(sorted(content)).encode())

    def asked(role: str, path: str, method: str = "GET", **how: Any) -> Any:
        return client.open(
            f"/api/v1/complaints/{TICKET}{path}",
            method=method,
            headers={"Authorization": f"Bearer {opened(role)['access_token']}"},
            **how,
        )

    return asked


def being_prepared(answer: Any) -> bool:
    return (answer.status_code, answer.headers.get("Retry-After"), answer.json["type"]) == (
        409,
        "5",
        "urn:nkk:problem:being-prepared",
    )


@pytest.mark.parametrize("role", ["reporter", "operator"])
def test_its_journey_has_begun_and_its_first_documents_are_there(ask: Ask, role: str) -> None:
    told = ask(role, "/timeline").json
    assert ([entry["at"] for entry in told["entries"]], told["stands"]) == ([AT], {"state": "hand_over", "step": 2})
    assert {"form-pengaduan", "tanda-terima"} <= {document["kind"] for document in told["documents"]}
    for document in told["documents"]:
        assert document["method"] == "POST" or ask(role, document["pdf"].split(TICKET)[1]).status_code == 200


def test_a_document_of_a_later_step_is_none_yet(ask: Ask) -> None:
    for role in ("reporter", "operator"):
        assert ask(role, "/documents/laporan-tanggapan-pengaduan.pdf").json["type"].endswith("no-document-yet")
    assert ask("operator", "/documents/data-pengaduan.pdf").json["type"].endswith("no-document-yet")


def test_what_the_own_stage_knows_is_done_is_being_prepared(ask: Ask, stages: FakeBackend) -> None:
    for role, kind in (("main_team", "data-pengaduan"), ("opd_team", "laporan-pengaduan")):
        assert being_prepared(ask(role, f"/documents/{kind}.pdf"))
        assert being_prepared(ask(role, "/timeline"))
    stages.answers["complaint"] = CASE | {"handed_over_at": AT}
    assert being_prepared(ask("operator", "/documents/data-pengaduan.pdf"))
    assert ask("operator", "/timeline").json["stands"] == {"state": "classify", "step": 3}


@pytest.mark.parametrize("state", ["withdrawn", "abandoned"])
def test_a_document_of_a_step_at_which_the_report_ended_is_none(ask: Ask, stages: FakeBackend, state: str) -> None:
    """Nothing prepares it: whoever was told to come back would do so for ever."""
    told = ((1, "complaint.submitted.v2"), (2, "complaint.handed_over.v1"), (None, f"complaint.{state}.v1"))
    entries = [{"step": step, "event": event} for step, event in told]
    stages.answers["timeline"] = {"entries": entries, "stands": {"state": state, "step": None}}
    stages.answers["case"] = AT_TEAM | {"stands": {"state": state, "since": AT}}
    answer = ask("main_team", "/documents/laporan-pengaduan.pdf")
    assert (answer.status_code, answer.json["type"]) == (409, "urn:nkk:problem:no-document-yet")


def test_a_step_that_waits_for_it_is_being_prepared(ask: Ask) -> None:
    assert being_prepared(ask("reporter", "/receipt", "POST"))
    assert being_prepared(ask("operator", "/answer", "POST", json={"text": "Jawaban."}))


def test_what_the_own_stage_does_not_know_does_not_exist(ask: Ask, stages: FakeBackend) -> None:
    stages.answers |= {"complaint": UNKNOWN, "case": UNKNOWN}
    for role in ("reporter", "operator", "main_team", "opd_team"):
        assert ask(role, "/timeline").status_code == 404
    assert ask("reporter", "/documents/tanda-terima.pdf").status_code == 404
    assert ask("reporter", "/receipt", "POST").status_code == 404


@pytest.mark.parametrize("role", ["reporter", "operator", "main_team", "opd_team"])
@pytest.mark.usefixtures("ask")
def test_its_page_shows_it_to_whoever_may_see_it(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], role: str
) -> None:
    log_in(client, stages, opened(role))
    page = client.get(f"/laporan/{TICKET}")
    assert (page.status_code, "Loket tutup" in page.text) == (200, True)
    assert ("tanda-terima" in page.text) == (role in ("reporter", "operator"))
