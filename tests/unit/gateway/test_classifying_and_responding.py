"""The pages of steps 3 and 4 show a classification in full, and a returned response for revision."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from tests.builders import own_upload
from tests.unit.gateway.visits import LISTS, FakeBackend, log_in, token

TICKET = "NKK-2026-6GKQ-DHSZ"
AT = "2026-03-02T01:00:00.000000Z"
CASE = {
    "ticket": TICKET,
    "subject_line": "Loket tutup",
    "text": "Loket tutup.",
    "category": "kode-etik",
    "sub_category": "bernegara",
    "due_at": "2199-03-04T03:15:00.000000Z",
    "left_minutes": 900,
    "service_due_at": "2199-03-04T00:00:00+07:00",
    "service_left_minutes": 450,
    "round": 1,
    "opd": "inspektorat",
    "stands": {"state": "awaiting_response", "since": AT},
}

QUESTION = {
    "number": 1,
    "step": 4,
    "opd": "inspektorat",
    "text": "Pada hari apa?",
    "asked_at": AT,
    "state": "lapsed",
    "lapses_on": "2026-04-01",
    "answer": None,
    "answered_on": None,
    "files": [],
    "by": "opd-1",
}

TIMELINE = {
    "ticket": TICKET,
    "path": "complaint",
    "service_due_at": CASE["service_due_at"],
    "stands": {"state": "respond", "step": 4},
    "next": None,
    "entries": [],
}


@pytest.fixture
def visitor(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> Callable[[str], FlaskClient]:
    def enter(role: str) -> FlaskClient:
        log_in(client, stages, opened(role, group="inspektorat" if role == "opd_team" else None))
        stages.answers |= {"worklist": {"items": [], "next": None}, "timeline": TIMELINE, "case": CASE}
        return client

    return enter


@pytest.mark.parametrize("role", ["main_team", "opd_team"])
def test_a_team_goes_on_while_notification_is_away(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend, role: str
) -> None:
    team = visitor(role)
    stages.answers |= {"timeline": StageUnavailableError("notification")}
    answer = team.get(f"/laporan/{TICKET}")
    assert (answer.status_code, "laporan dapat tetap dikerjakan" in answer.text) == (200, True)
    assert ("Kirim tanggapan" in answer.text) == (role == "opd_team")


@pytest.mark.parametrize("state", ["awaiting_hand_over", "handed_over"])
def test_an_operator_goes_on_while_notification_is_away_with_what_is_not_handed_over(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend, state: str
) -> None:
    operator = visitor("operator")
    at = None if state == "awaiting_hand_over" else AT
    away = dict.fromkeys(("answer", "timeline", "questions"), StageUnavailableError("notification"))
    stages.answers |= {"complaint": CASE | {"stands": {"state": state}, "handed_over_at": at, "claim": None}} | away
    answer = operator.get(f"/laporan/{TICKET}")
    assert answer.status_code == (200 if at is None else 503)
    assert ("Langkah 2: serahkan" in answer.text) == (at is None)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (
            {"kind": "complaint", "opd": "inspektorat"},
            "sebagai pengaduan dan diteruskan kepada \u2068Inspektorat 100%\u2069.",
        ),
        ({"kind": "information", "opd": "inspektorat"}, "sebagai informasi; operator menjawabnya."),
    ],
    ids=["complaint", "information"],
)
def test_a_classification_says_as_what_and_to_whom(
    visitor: Callable[[str], FlaskClient],
    stages: FakeBackend,
    monkeypatch: pytest.MonkeyPatch,
    form: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setitem(LISTS, "opds", {"inspektorat": "Inspektorat 100%"})
    main_team = visitor("main_team")
    stages.answers |= {"classify_as_information": {}, "forward": {}}
    sent = form | {"csrf_token": token(main_team, "/meja/utama")}
    assert main_team.post(f"/laporan/{TICKET}/klasifikasi", data=sent).status_code == 303
    assert f"Laporan {TICKET} diklasifikasi {said}" in main_team.get("/meja/utama").text


def test_a_returned_response_is_where_its_mend_begins(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend
) -> None:
    team = visitor("opd_team")
    assert "dikembalikan. Perbaiki" not in team.get(f"/laporan/{TICKET}").text
    stages.answers["case"] = CASE | {"response": "Sudah ditegur.", "return_note": "Kapan?", "round": 1}
    page = team.get(f"/laporan/{TICKET}").text
    assert "berawal dari tanggapan yang dikembalikan" in page
    assert ">\nSudah ditegur.</textarea>" in page
    assert "Lampirannya tidak ikut" not in page
    # A field that was emptied by hand stays empty.
    emptied = team.post(f"/laporan/{TICKET}/tanggapan", data={"csrf_token": token(team, "/meja/opd"), "text": ""})
    assert ">\n</textarea>" in emptied.text


def test_both_clocks_of_a_case_say_the_day_they_are_due(visitor: Callable[[str], FlaskClient]) -> None:
    page = visitor("opd_team").get(f"/laporan/{TICKET}").text
    assert "Sisa 2 hari kerja" in page
    assert "Sen, 4 Mar 2199, 10.15 WIB" in page
    assert "Jatuh tempo Sen, 4 Mar 2199" in page


def test_where_one_of_a_few_is_to_be_picked_it_says_so(visitor: Callable[[str], FlaskClient]) -> None:
    main_team = visitor("main_team")
    sent = {"csrf_token": token(main_team, "/meja/utama"), "note": "x"}
    assert "Pilih salah satu." in main_team.post(f"/laporan/{TICKET}/klasifikasi", data=sent).text


ASKS = {"asked_days": 3, "asked_why": "Saksi sedang cuti.", "acts": ["recall", "grant_time"]}


@pytest.mark.parametrize("path", [f"/laporan/{TICKET}", f"/laporan/{TICKET}/beri-waktu"])
def test_a_request_for_more_time_is_shown_once_with_its_reason_and_as_something_to_do(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend, path: str
) -> None:
    main_team = visitor("main_team")
    stages.answers |= {"case": CASE | ASKS}
    page = main_team.get(path).text
    assert page.count("Perangkat daerah meminta tambahan 3 hari kerja") == 1
    assert page.count("Saksi sedang cuti.") == 1
    assert "Tidak ada yang perlu Anda kerjakan" not in page


def test_a_joined_report_says_what_it_waits_for_and_that_it_can_be_parted(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend
) -> None:
    main_team = visitor("main_team")
    other = {"joined_to": "NKK-2026-4XVM-3R2E", "acts": ["part"]}
    stages.answers |= {"case": CASE | other | {"stands": {"state": "joined", "since": AT}}}
    page = main_team.get(f"/laporan/{TICKET}").text
    assert "Menunggu laporan yang satunya" in page
    assert "sedang tidak di meja Anda" not in page


def test_that_a_reporter_cannot_be_asked_is_said_before_a_question_is_written(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend
) -> None:
    main_team = visitor("main_team")
    path = f"/laporan/{TICKET}/tanya"
    stages.answers |= {"case": CASE}
    assert main_team.get(path).status_code == 200
    stages.answers |= {"is_unreachable": True}
    refused = main_team.get(path)
    assert refused.status_code == 409
    assert "Pelapor ini tidak dapat ditanya lewat layanan ini" in refused.text
    # Without intake, which knows the reporter, the question can be written.
    stages.answers |= {"is_unreachable": StageUnavailableError("intake")}
    assert main_team.get(path).status_code == 200


def test_whoever_does_not_have_a_complaint_does_not_learn_that_its_reporter_cannot_be_asked(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend
) -> None:
    team, pages = visitor("opd_team"), []
    stages.answers["case"] = RefusedRemotelyError("UnknownTicket", "unknown-ticket", {})
    for unreachable in (False, True):
        stages.answers["is_unreachable"] = unreachable
        page = team.get(f"/laporan/{TICKET}/tanya")
        pages.append((page.status_code, re.sub('value="[^"]+"|"token":"[^"]+"', "", page.text)))
    assert pages[0] == pages[1]


def test_the_page_that_closes_a_report_says_that_no_kept_response_reaches_its_reporter(
    visitor: Callable[[str], FlaskClient],
) -> None:
    assert "Tanggapan yang sudah disimpan pun tidak sampai" in visitor("opd_team").get(f"/laporan/{TICKET}/tutup").text


@pytest.mark.parametrize("path", [f"/laporan/{TICKET}", f"/laporan/{TICKET}/tutup"])
@pytest.mark.parametrize("undelivered", [True, False])
def test_a_desk_is_told_that_the_letter_about_its_question_did_not_arrive(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend, path: str, undelivered: bool
) -> None:
    team = visitor("opd_team")
    lapsed = QUESTION | ({"undelivered": True} if undelivered else {})
    stages.answers |= {"questions": [lapsed]}
    page = team.get(path).text
    assert "Pada hari apa?" in page
    assert ("Pertanyaan ini tidak sampai lewat surel" in page) == undelivered


def test_that_files_of_a_returned_response_are_to_be_attached_again_is_said(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend
) -> None:
    team = visitor("opd_team")
    file = {
        "id": "0" * 32,
        "number": "R1-1",
        "media_type": "image/png",
        "size": 9,
        "cleaned": True,
        "scan": "none",
        "readable": True,
    }
    returned = {"response": "Sudah ditegur.", "return_note": "Kapan?", "response_files": [file]}
    stages.answers["case"] = CASE | returned
    assert "Lampirannya tidak ikut: pilih lagi" in team.get(f"/laporan/{TICKET}").text


TO_CLASSIFY = CASE | {"stands": {"state": "awaiting_classification", "since": AT}, "accused_opd": "inspektorat"}
HAD_IT = [
    {"back": "complaint.declined.v1", "opd": "inspektorat"},
    {"back": "complaint.recalled.v1", "opd": "inspektorat"},
    {
        "back": "complaint.declined.v1",
        "opd": "satpol-pp",
        "gathered": [{"opd": "inspektorat", "round": 1, "text": "Ada."}],
    },
]


@pytest.mark.parametrize("had_it", [{}, *HAD_IT], ids=["new", "declined", "recalled", "gathered"])
@pytest.mark.parametrize("conflict", [False, True])
def test_an_agency_that_gave_a_complaint_back_is_not_chosen_beforehand(
    visitor: Callable[[str], FlaskClient],
    stages: FakeBackend,
    monkeypatch: pytest.MonkeyPatch,
    had_it: dict[str, Any],
    conflict: bool,
) -> None:
    monkeypatch.setitem(LISTS, "inspectorate", "inspektorat")
    monkeypatch.setitem(LISTS, "opds", {"inspektorat": "Inspektorat", "satpol-pp": "Satpol PP"})
    main_team = visitor("main_team")
    accused = {"conflict": True, "accused_opd": "satpol-pp"} if conflict else {}
    stages.answers["case"] = TO_CLASSIFY | accused | had_it
    page = main_team.get(f"/laporan/{TICKET}").text
    assert ('value="inspektorat" dir="auto" selected' in page) == (not had_it)
    assert ("Pilih yang berwenang." in page) == bool(had_it)


@pytest.mark.parametrize(
    ("role", "key", "offered"),
    [("main_team", "opd-lain", ["bkpsdmd"]), ("opd_team", "tolak", ["bkpsdmd", "satpol-pp"])],
)
def test_an_agency_that_has_the_complaint_or_responded_is_not_offered(
    visitor: Callable[[str], FlaskClient],
    stages: FakeBackend,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    key: str,
    offered: list[str],
) -> None:
    names = {"inspektorat": "Inspektorat", "bkpsdmd": "BKPSDMD", "satpol-pp": "Satpol PP"}
    monkeypatch.setitem(LISTS, "opds", names)
    team = visitor(role)
    stages.answers["case"] = CASE | {"gathered": [{"opd": "satpol-pp", "text": "Ada."}], "asked_days": 3}
    page = team.get(f"/laporan/{TICKET}/{key}").text
    assert re.findall(r'<option value="([^"]+)"', page) == offered
    assert "meminta tambahan" not in page


def attachment(number: str) -> dict[str, Any]:
    return own_upload() | {"number": number, "added_at": AT}


def test_step_five_shows_the_objection_and_the_attachments_of_this_response_apart_from_earlier_ones(
    visitor: Callable[[str], FlaskClient], stages: FakeBackend
) -> None:
    main_team = visitor("main_team")
    stages.answers["case"] = CASE | {
        "stands": {"state": "awaiting_approval", "since": AT},
        "response": "Sudah diperiksa lagi.",
        "round": 3,
        "gathered": [{"opd": "satpol-pp", "round": 2, "text": "Kami juga."}],
        "response_files": [attachment(number) for number in ("R1-1", "R2-1", "R3-1")],
        "cycle": 2,
        "back": "complaint.reopened.v1",
        "back_why": "Bukan petugas itu.",
        "objected_to": "Petugas sudah ditegur.",
        "joined": [],
    }
    page = main_team.get(f"/laporan/{TICKET}").text
    assert "Bukan petugas itu." in page
    assert "Petugas sudah ditegur." in page
    assert "tuliskan dalam catatan apa yang harus diperbaiki" not in page
    now, before = page.split("Lampiran tanggapan sebelumnya, yang tidak ikut")
    assert [number in now for number in ("R1-1", "R2-1", "R3-1")] == [False, True, True]
    assert "R1-1" in before
    # While it is classified anew, the agency's lack of the objection is said.
    stages.answers["case"] |= {"stands": {"state": "awaiting_classification", "since": AT}}
    assert "tuliskan dalam catatan apa yang harus diperbaiki" in main_team.get(f"/laporan/{TICKET}").text
