"""A desk's list: its clocks as the stage counts them, its claims, and the calls to the stage."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.live import LiveFeed
from gateway.site import words
from gateway.site.desks import COMPACT, COOKIE
from gateway.site.due import of_service, of_step
from gateway.site.overview import _bars
from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from nkk.sop.ticket import new_ticket
from tests.unit.gateway.visits import LISTS, FakeBackend, log_in, set_cookies, token

Opened = Callable[..., dict[str, Any]]
ROW = {
    "ticket": "NKK-2026-EDXY-ER30",
    "subject_line": "Loket tutup",
    "category": "kode-etik",
    "sub_category": "bernegara",
    "stands": {"state": "awaiting_hand_over"},
    "confidential": False,
    "came_at": "2026-03-02T01:00:00Z",
    "due_at": "2026-03-02T01:10:00Z",
    "service_due_at": "2026-03-04T01:00:00Z",
    "left_minutes": -35,
    "service_left_minutes": -80,
    "late": True,
    "claim": None,
}


@pytest.fixture
def operator(client: FlaskClient, stages: FakeBackend, opened: Opened) -> FlaskClient:
    log_in(client, stages, opened("operator"))
    stages.answers["worklist"] = {"items": [ROW], "next": None}
    return client


@pytest.mark.parametrize(
    ("left", "late", "level", "words"),
    [
        (80, False, "fine", "Sisa 1 jam 20 menit kerja"),
        (0, False, "soon", "Sisa 0 menit kerja"),
        # Due at closing time, with no minute of office time since.
        (0, True, "late", "Terlambat kurang dari 1 menit kerja"),
        (-35, True, "late", "Terlambat 35 menit kerja"),
        (-510, True, "late", "Terlambat 1 hari kerja 1 jam"),
    ],
)
def test_a_clock_says_what_its_stage_counts(app: Flask, left: int, late: bool, level: str, words: str) -> None:
    with app.test_request_context("/"):
        due_at = ROW["due_at"] if late else "2199-03-02T01:10:00Z"
        clock = of_step(ROW | {"left_minutes": left, "due_at": due_at}, 120)
        assert clock is not None
        assert (clock.level, clock.words) == (level, words)


def test_the_service_is_late_once_its_promise_has_passed(app: Flask) -> None:
    with app.test_request_context("/"):
        clock = of_service(ROW | {"service_left_minutes": 0}, 900)
        assert clock is not None
        assert clock.level == "late"
        assert of_service(ROW | {"service_due_at": None}, 900) is None


@pytest.mark.parametrize(
    ("told", "said", "unsaid"),
    [
        ({"came_at": "2026-03-02T01:00:00Z"}, "Tiba", "Waktunya mulai"),
        # After an objection the clock starts on the next working day.
        ({"came_at": "2199-03-02T17:00:00Z"}, "Waktunya mulai", "Tiba"),
        # The case came back when the agency asked, which the row does not say.
        ({"came_at": "2026-03-02T01:00:00Z", "asked_days": 3}, "Minta tambahan 3 hari kerja", "Tiba"),
    ],
    ids=["came", "starts later", "asks for time"],
)
def test_a_row_says_when_its_case_came(
    operator: FlaskClient, stages: FakeBackend, told: dict[str, Any], said: str, unsaid: str
) -> None:
    stages.answers["worklist"] = {"items": [ROW | told], "next": None}
    page = operator.get("/meja/serah-terima").text
    assert said in page
    assert unsaid not in page


@pytest.mark.parametrize("compact", [False, True], ids=["full", "compact"])
@pytest.mark.parametrize(
    ("told", "shown"),
    [({"round": 1, "returned": True}, True), ({"round": 1, "returned": False}, False), ({"round": 1}, True)],
    ids=["returned", "of a further agency", "by the version before"],
)
def test_a_list_says_what_was_returned_to_the_team_and_not_what_another_one_had(
    client: FlaskClient, stages: FakeBackend, opened: Opened, told: dict[str, Any], shown: bool, compact: bool
) -> None:
    log_in(client, stages, opened("opd_team"))
    stages.answers["worklist"] = {"items": [ROW | {"opd": "disdukcapil"} | told], "next": None}
    client.set_cookie(COOKIE, COMPACT if compact else "")
    page = client.get("/meja/opd")
    assert ("<table" in page.text) is compact
    assert ("Dikembalikan" in page.text) is shown


@pytest.mark.parametrize(("left", "level"), [(900, "fine"), (0, "soon")])
def test_where_the_day_alone_is_told_the_clock_names_it(app: Flask, left: int, level: str) -> None:
    with app.test_request_context("/"):
        clock = of_service(ROW | {"service_due_at": "2190-03-04T00:00:00+07:00", "service_left_minutes": left}, 900)
        assert clock is not None
        assert (clock.words, clock.level, clock.by_day) == ("Jatuh tempo Kam, 4 Mar 2190", level, True)


def test_a_late_row_says_so_by_sign_word_and_colour(operator: FlaskClient) -> None:
    page = operator.get("/meja/serah-terima").text
    assert 'class="row late"' in page
    assert '<span class="due late"><span class="sign" aria-hidden="true">▲</span> Terlambat 35 menit kerja' in page
    assert "Terlambat 1 jam 20 menit kerja" in page


def test_what_is_typed_into_the_bar_is_asked_and_stays_in_every_address(
    operator: FlaskClient, stages: FakeBackend
) -> None:
    stages.answers["worklist"] = {"items": [ROW], "next": "further"}
    page = operator.get("/meja/serah-terima?kategori=kode-etik&terlambat=ya&cari=loket").text
    assert stages.asked[-1] == ("worklist", (None, 25, {"category": "kode-etik", "late": True, "q": "loket"}))
    kept = "kategori=kode-etik&amp;terlambat=ya&amp;cari=loket"
    assert f'hx-get="/meja/serah-terima/daftar?{kept}"' in page
    assert f'href="/meja/serah-terima?cursor=further&amp;{kept}"' in page


def test_what_cannot_be_asked_is_said_and_the_rest_is_kept(operator: FlaskClient, stages: FakeBackend) -> None:
    response = operator.get("/meja/serah-terima?cari=x&terlambat=ya&kategori=Bukan%20Kunci")
    assert response.status_code == 422
    assert 'id="cari-fault"' in response.text
    assert stages.asked[-1] == ("worklist", (None, 25, {"late": True}))


def test_the_order_and_whose_claim_is_wanted_are_asked_and_stay(operator: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["worklist"] = {"items": [ROW], "next": "further"}
    page = operator.get("/meja/serah-terima?dikerjakan=saya&urut=terbaru").text
    assert stages.asked[-1] == ("worklist", (None, 25, {"waits": "me", "sort": "newest"}))
    assert 'hx-get="/meja/serah-terima/daftar?dikerjakan=saya&amp;urut=terbaru"' in page
    response = operator.get("/meja/serah-terima?dikerjakan=siapa&urut=terlama&terlambat=ya")
    assert response.status_code == 422
    assert 'id="dikerjakan-fault"' in response.text
    assert 'id="urut-fault"' in response.text
    assert stages.asked[-1] == ("worklist", (None, 25, {"late": True}))


def test_the_compact_list_is_chosen_for_this_browser_and_shows_as_many_as_can_be_chosen(
    operator: FlaskClient, stages: FakeBackend
) -> None:
    chosen = {"csrf_token": token(operator, "/meja/serah-terima"), "tampilan": "ringkas"}
    response = operator.post("/meja/serah-terima/tampilan?cari=loket", data=chosen)
    assert (response.status_code, response.location) == (303, "/meja/serah-terima?cari=loket")
    assert "nkk_list=ringkas; " in set_cookies(response)["nkk_list"]
    page = operator.get("/meja/serah-terima?cari=loket").text
    assert stages.asked[-1] == ("worklist", (None, 50, {"q": "loket"}))
    assert f'name="tiket" value="{ROW["ticket"]}" aria-label="Pilih {ROW["ticket"]}"' in page
    assert "Serahkan yang dipilih" in page
    operator.post("/meja/serah-terima/tampilan", data=chosen | {"tampilan": "lengkap"})
    assert 'class="compact"' not in operator.get("/meja/serah-terima").text


def test_only_the_desk_of_step_two_hands_over_several(operator: FlaskClient, stages: FakeBackend) -> None:
    form = {"csrf_token": token(operator, "/meja/serah-terima"), "tiket": ROW["ticket"]}
    before = len(stages.asked)
    assert operator.post("/meja/jawaban/serahkan", data=form).status_code == 404
    assert operator.post("/meja/tim-utama/klaim", data=form).status_code == 404
    assert [method for method, _ in stages.asked[before:]] == []


def test_what_became_of_fifty_cases_fits_the_next_page(operator: FlaskClient, stages: FakeBackend) -> None:
    tickets = [new_ticket(2026) for _ in range(50)]
    form = {"csrf_token": token(operator, "/meja/serah-terima"), "tiket": tickets}
    stages.answers["hand_over"] = RefusedRemotelyError("AlreadyHandedOver", "already-handed-over", {})
    response = operator.post("/meja/serah-terima/serahkan?urut=terbaru", data=form)
    assert (response.status_code, response.location) == (303, "/meja/serah-terima?urut=terbaru")
    # Browsers keep cookies of 4096 bytes at most.
    assert max(map(len, set_cookies(response).values())) < 4096
    assert (
        f"Tidak diserahkan. Langkah ini sudah dikerjakan: {', '.join(tickets)}."
        in operator.get("/meja/serah-terima").text
    )
    form["tiket"] = [*tickets, new_ticket(2026)]
    assert operator.post("/meja/serah-terima/serahkan", data=form).status_code == 422


@pytest.mark.parametrize("act", ["klaim", "serahkan", "tampilan"])
def test_the_address_of_an_act_opened_later_shows_the_list(operator: FlaskClient, act: str) -> None:
    response = operator.get(f"/meja/serah-terima/{act}?cari=loket")
    assert (response.status_code, response.location) == (303, "/meja/serah-terima?cari=loket")


@pytest.mark.parametrize(
    ("names", "said"),
    [({"another": "Rina Contoh"}, "Dikerjakan <bdi>Rina Contoh</bdi>"), ({}, "Dikerjakan rekan Anda")],
)
def test_a_row_says_which_colleague_is_on_it(
    operator: FlaskClient, stages: FakeBackend, names: dict[str, str], said: str
) -> None:
    claim = {"by": "another", "since": "2026-03-02T01:05:00Z"}
    stages.answers |= {"worklist": {"items": [ROW | {"claim": claim}], "next": None}, "staff_names": names}
    assert said in operator.get("/meja/serah-terima").text


def test_where_no_more_pages_can_listen_this_one_is_told_so(app: Flask, operator: FlaskClient) -> None:
    app.extensions["live"] = LiveFeed("amqp://localhost", 0)
    response = operator.get("/meja/serah-terima/perubahan")
    assert response.status_code == 503
    assert response.headers["Retry-After"]


def test_a_bar_is_as_long_as_its_number_and_its_late_part_comes_first() -> None:
    longest, other = _bars([("Langkah", 4, 1), ("Nama yang terlalu panjang untuk sebuah telepon kecil", 2, 0)])
    assert (longest.end, other.end) == (82, 41)
    assert [(part.kind, part.at, part.width) for part in longest.parts] == [("late", 0, 20.5), ("fine", 20.5, 61.5)]
    assert other.label == "Nama yang terlalu panjang untuk sebuah…"
    assert _bars([("Tidak ada", 0, 0)])[0].end == 0


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("nkk 2026 edxy er30", "ticket"),
        ("NKK2026EDXYER30", "ticket"),
        ("edxyer", "ticket"),
        ("DXY-E", "ticket"),
        ("edxyer39", "Tidak ada laporan di meja Anda"),
        ("NKK-2026-EDXY-ER31", "Ini bukan nomor tiket"),
        ("??", "Ini bukan nomor tiket"),
    ],
)
def test_the_search_finds_a_ticket_without_hyphens_and_by_a_part_of_it(
    operator: FlaskClient, typed: str, where: str
) -> None:
    answer = operator.get("/cari", query_string={"tiket": typed})
    assert answer.location == (f"/laporan/{ROW['ticket']}" if where == "ticket" else None)
    assert answer.status_code == (303 if where == "ticket" else 422)
    assert where in answer.text or where == "ticket"


def test_of_several_that_a_part_fits_the_visitor_chooses(operator: FlaskClient, stages: FakeBackend) -> None:
    other = ROW | {"ticket": "NKK-2026-EDXY-AAAA"}
    subject_only = ROW | {"ticket": "NKK-2026-7H4K-Q2MV", "subject_line": "edxy"}
    stages.answers["worklist"] = {"items": [ROW, other, subject_only], "next": None}
    page = operator.get("/cari?tiket=edxy")
    assert page.status_code == 200
    listed = [f'href="/laporan/{row["ticket"]}"' in page.text for row in (ROW, other, subject_only)]
    assert listed == [True, True, False]


def test_an_answer_to_be_sent_says_what_its_report_is_about_as_intake_knows_it(
    operator: FlaskClient, stages: FakeBackend, opened: Opened
) -> None:
    about = {name: ROW[name] for name in ("subject_line", "category", "sub_category", "confidential")}
    bare = {name: value for name, value in ROW.items() if name not in about} | {"stands": {"state": "awaiting_answer"}}
    stages.answers |= {
        "worklist": {"items": [bare], "next": None},
        "subjects": {ROW["ticket"]: about},
        "undelivered": {"items": [], "next": None},
    }
    headers = {"Authorization": f"Bearer {opened('operator')['access_token']}"}
    assert "Loket tutup" in operator.get("/meja/jawaban").text
    assert operator.get("/api/v1/desks/answers", headers=headers).json["items"] == [bare | about]
    assert ("subjects", ([ROW["ticket"]],)) in stages.asked
    stages.answers["subjects"] = StageUnavailableError("intake")
    assert "Jawab laporan ini" in operator.get("/meja/jawaban").text
    assert operator.get("/api/v1/desks/answers", headers=headers).json["items"] == [bare]


def test_what_has_left_a_list_is_named_by_its_key_and_said_to_be_gone(app: Flask) -> None:
    with app.test_request_context("/"):
        assert words.opd_name("inspektorat", LISTS) == "Inspektorat"
        assert words.opd_name("dinkes", LISTS) == "dinkes (tidak ada lagi dalam daftar)"
        assert words.opd_name("dinkes", {"opds": {}}) == "dinkes"
        assert words.topic({"category": "kode-etik", "sub_category": "bernegara"}, LISTS) == (
            "Kode etik: Etika bernegara"
        )
        assert words.topic({"category": "kode-etik", "sub_category": "x"}, LISTS) == (
            "Kode etik: x (tidak ada lagi dalam daftar)"
        )
        assert words.topic({"category": "a", "sub_category": "x"}, {"categories": {}}) == "a: x"
