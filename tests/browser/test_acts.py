"""The acts beside the path, clicked through in a browser: by their reporter, and at each desk."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_drafts import end_log_in
from tests.browser.visitors import OF_THE_LOOK, Visitor, said
from tests.e2e.test_acts import Case
from tests.installations import eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Any]

OPD, OTHER = "dinas-kesehatan", "satpol-pp"
NARROW = {"width": 360, "height": 740}
REASON = "Dua kali ditulis & <b>salah</b> alamat."


@pytest.fixture
def case(people: People) -> Case:
    return Case(people)


def own_window(visiting: Opening, case: Case, language: str = "id", **window: Any) -> Any:
    """Return a window of the case's reporter."""
    assert case.reporter.account is not None
    return visiting(language, **window).log_in(str(case.reporter.account["username"]))


def act(visitor: Any, case: Case, name: str, **fields: str) -> None:
    """Carry out the act that the page of a case offers as `name`."""
    visitor.open(f"/laporan/{case.ticket}")
    visitor.follow(name)
    visitor.fill(**fields)
    visitor.press(name)
    visitor.succeeds()


def is_well(visitor: Visitor) -> None:
    """Assert that the page is accessible in light and dark, and does not scroll sideways on a small screen."""
    visitor.page.emulate_media(color_scheme="light")
    assert visitor.accessibility() == []
    visitor.page.emulate_media(color_scheme="dark")
    assert visitor.accessibility(runOnly=OF_THE_LOOK) == []
    visitor.page.emulate_media(color_scheme="null")
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert visitor.too_wide() == []
    visitor.page.set_viewport_size({"width": 1280, "height": 800})


def happened(case: Case) -> list[str]:
    """Return the events of a case, without their versions."""
    entries = case.reporter.get(f"{case.path}/timeline")["entries"]
    return [entry["event"].rpartition(".v")[0] for entry in entries]


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_a_reporter_withdraws_and_the_main_team_lets_it_go_on(
    visiting: Opening, staff: Opening, case: Case, language: str, scripts: bool
) -> None:
    case.act(case.operator, "handover")
    eventually(lambda: case.ticket in case.main.desk("triage"))
    reporter = own_window(visiting, case, language, plain=not scripts)
    act(reporter, case, "Cabut laporan", reason=REASON)
    eventually(lambda: case.seen_by(case.reporter)["stands"]["state"] == "withdrawn")
    reporter.open(f"/laporan/{case.ticket}")
    assert reporter.sees("Anda mencabut laporan ini")
    assert REASON in reporter.read()
    # Nothing is promised of it any more, here and in the list.
    for path in (f"/laporan/{case.ticket}", "/laporan"):
        reporter.open(path)
        assert not reporter.sees("Jawaban dijanjikan paling lambat")
        assert reporter.count("//main//*[contains(@class, 'due') and not(ancestor::ol)]") == 0
    case.acts(case.main, "keep")
    main = staff("main_team", language=language)
    act(main, case, "Lanjutkan tanpa pelapor", reason="Pelanggaran berulang.")
    assert main.sees("Laporan ini dilanjutkan tanpa pelapor")
    is_well(main)
    eventually(lambda: "complaint.kept" in happened(case))
    reporter.open(f"/laporan/{case.ticket}")
    assert reporter.sees("Anda mencabut laporan ini; Tim NKK Utama melanjutkannya")
    assert "Pelanggaran berulang." not in reporter.read()


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_complaint_is_declined_and_taken_back(
    people: People, visiting: Opening, staff: Opening, case: Case, language: str
) -> None:
    case.forwarded(OPD)
    first = staff("opd_team", OPD, language=language)
    first.take("opd", case.ticket)
    first.follow("Bukan kewenangan kami")
    first.fill(reason=REASON)
    first.choose("better_opd", OTHER)
    is_well(first)
    first.button("Bukan kewenangan kami").dblclick()
    first.succeeds()
    eventually(lambda: case.seen_by(case.main)["back"])
    main = staff("main_team", language=language)
    main.take("tim-utama", case.ticket)
    assert main.sees("Perangkat daerah menyatakan ini bukan kewenangannya")
    assert REASON in main.read()
    # The agency that was proposed is chosen already.
    assert main.value("opd") == OTHER
    is_well(main)
    main.check("kind", "complaint")
    main.press("Simpan klasifikasi")
    eventually(lambda: case.ticket in people.opd_team(OTHER).desk("opd"))
    act(main, case, "Tarik kembali dari perangkat daerah", reason="Ternyata dua perangkat daerah.")
    assert main.sees("Ditarik kembali dari perangkat daerah")
    eventually(lambda: case.ticket not in people.opd_team(OTHER).desk("opd"))
    second = staff("opd_team", OTHER, language=language)
    second.open(f"/laporan/{case.ticket}")
    assert second.sees("Pengaduan ini ditarik kembali")
    assert "Ternyata dua perangkat daerah." in second.read()
    is_well(second)
    assert happened(case)[2:] == [
        "complaint.forwarded",
        "complaint.declined",
        "complaint.forwarded",
        "complaint.recalled",
    ]


def test_information_is_sent_back_as_a_complaint(staff: Opening, case: Case) -> None:
    case.informed()
    case.acts(case.operator, "answer", "reclassify")
    operator = staff("operator")
    act(operator, case, "Kembalikan kepada Tim NKK Utama", reason=REASON)
    operator.arrives("/meja/jawaban")
    operator.open(f"/laporan/{case.ticket}")
    assert operator.sees("Tidak ada yang perlu Anda kerjakan")
    eventually(lambda: case.seen_by(case.main)["back"])
    main = staff("main_team")
    main.take("tim-utama", case.ticket)
    assert main.sees("Operator mengembalikannya untuk diklasifikasi lagi")
    assert REASON in main.read()


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_a_reporter_objects_and_rates_the_second_answer(
    visiting: Opening, staff: Opening, case: Case, language: str, scripts: bool
) -> None:
    case.answered()
    reporter = own_window(visiting, case, language, plain=not scripts)
    act(reporter, case, "Nyatakan keberatan", reason=REASON)
    assert reporter.sees("Anda menyatakan keberatan atas jawaban")
    assert "Jawaban pertama." in reporter.read()
    # The steps show the second cycle; what led to the first answer stands apart.
    path = "//ol[@class='journey']/li[position() > 2]//*[@class='entry']"
    assert reporter.count(path) == 0
    assert reporter.count("//details//*[@class='entry']") == 3
    if scripts:
        is_well(reporter)
    promised = reporter.text("//*[@class='front-line']//time")
    reporter.open("/laporan")
    assert promised in reporter.read()
    eventually(lambda: case.seen_by(case.main)["back"])
    main = staff("main_team", language=language)
    main.take("tim-utama", case.ticket)
    assert REASON in main.read()
    assert "Jawaban pertama." in main.read()
    is_well(main)
    main.check("kind", "information")
    main.press("Simpan klasifikasi")
    operator = staff("operator", language=language)
    operator.take("jawaban", case.ticket)
    assert REASON in operator.read()
    operator.fill(text="Jawaban kedua.")
    operator.press("Kirim jawaban")
    operator.succeeds()
    reporter.open(f"/laporan/{case.ticket}")
    assert reporter.sees("Jawaban kedua untuk Anda")
    reporter.follow("Nilai jawaban")
    reporter.press("Nilai jawaban")
    assert reporter.sees("Pilih salah satu.")
    reporter.check("rating", "4")
    reporter.fill(comment="Lebih jelas.")
    reporter.press("Nilai jawaban")
    reporter.succeeds()
    assert f"{said('Penilaian Anda:', language)} {said('Baik (4)', language)}" in reporter.read()
    if scripts:
        is_well(reporter)
    operator.open(f"/laporan/{case.ticket}")
    assert "Lebih jelas." in operator.read()
    is_well(operator)


def test_a_withdrawal_that_the_answer_overtook_is_said_plainly(visiting: Opening, case: Case) -> None:
    case.informed()
    reporter = own_window(visiting, case)
    reporter.open(f"/laporan/{case.ticket}/cabut")
    reporter.fill(reason=REASON)
    case.act(case.operator, "answer", {"text": "Jawaban pertama."})
    reporter.press("Cabut laporan")
    assert reporter.sees("Laporan ini sudah dijawab")
    # What was typed is there to be copied.
    assert reporter.page.input_value("main textarea") == REASON
    reporter.open(f"/laporan/{case.ticket}")
    assert "Jawaban pertama." in reporter.read()


def test_an_act_done_twice_is_refused_by_name_and_goes_on_from_the_case(visiting: Opening, case: Case) -> None:
    reporter = own_window(visiting, case)
    reporter.open(f"/laporan/{case.ticket}/cabut")
    reporter.fill(reason=REASON)
    case.act(case.reporter, "withdrawal", {"reason": "Dari ponsel."}, 202)
    reporter.button("Cabut laporan").dblclick()
    reporter.page.wait_for_selector("text=Muat ulang laporan")
    assert reporter.sees("Anda sudah mencabut laporan ini")
    is_well(reporter)
    reporter.page.go_back()
    reporter.page.wait_for_function("document.querySelector('#reason').value !== ''")
    assert reporter.value("reason") == REASON
    eventually(lambda: case.seen_by(case.reporter)["stands"]["state"] == "withdrawn")
    assert happened(case).count("complaint.withdrawn") == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_a_reason_survives_the_end_of_the_log_in(visiting: Opening, case: Case, scripts: bool) -> None:
    reporter = own_window(visiting, case, plain=not scripts)
    reporter.open(f"/laporan/{case.ticket}/cabut")
    reporter.fill(reason=REASON)
    end_log_in(reporter)
    reporter.press("Cabut laporan")
    reporter.fill(username=reporter.credentials["username"], password=PASSWORD)
    reporter.press("Masuk")
    reporter.press("Lanjutkan")
    assert reporter.value("reason") == REASON
    reporter.press("Cabut laporan")
    reporter.succeeds()
    eventually(lambda: "complaint.withdrawn" in happened(case))


def test_the_draft_of_a_reason_comes_back_and_goes_once_it_was_sent(visiting: Opening, case: Case) -> None:
    reporter = own_window(visiting, case)
    drafts = "Object.keys(localStorage).filter(key => key.includes('sealed')).length"
    reporter.open(f"/laporan/{case.ticket}/cabut")
    reporter.fill(reason=REASON)
    reporter.page.wait_for_function(f"{drafts} === 1")
    reporter.open(f"/laporan/{case.ticket}")
    reporter.follow("Cabut laporan")
    reporter.page.wait_for_function("document.querySelector('#reason').value !== ''")
    assert reporter.value("reason") == REASON
    reporter.press("Cabut laporan")
    reporter.succeeds()
    reporter.page.wait_for_function(f"{drafts} === 0")


def test_a_note_is_read_at_the_own_desk_and_by_the_main_team(
    people: People, visiting: Opening, staff: Opening, case: Case
) -> None:
    case.forwarded(OPD)
    eventually(lambda: case.ticket in people.opd_team(OPD).desk("opd"))
    team, main, operator = staff("opd_team", OPD), staff("main_team"), staff("operator")
    team.open(f"/laporan/{case.ticket}")
    team.page.fill("[name=text] >> nth=-1", REASON)
    team.press("Simpan catatan")
    team.succeeds()
    assert REASON in team.read()
    main.open(f"/laporan/{case.ticket}")
    main.follow("Catatan semua meja")
    assert REASON in main.read()
    is_well(main)
    operator.open(f"/laporan/{case.ticket}")
    assert REASON not in operator.read()
    reporter = own_window(visiting, case)
    reporter.open(f"/laporan/{case.ticket}")
    assert REASON not in reporter.read()


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_an_opd_asks_for_more_time_and_the_main_team_decides(
    staff: Opening, case: Case, language: str, scripts: bool
) -> None:
    case.forwarded(OPD)
    case.seen_by(case.people.opd_team(OPD))
    team = staff("opd_team", OPD, language=language, plain=not scripts)
    team.open(f"/laporan/{case.ticket}")
    team.follow("Minta tambahan waktu")
    if scripts:
        is_well(team)
    act(team, case, "Minta tambahan waktu", days="3", reason=REASON)
    main = staff("main_team", language=language, plain=not scripts)
    eventually(lambda: "grant_time" in case.seen_by(case.main)["acts"])
    main.open(f"/laporan/{case.ticket}")
    assert REASON in main.read()
    main.follow("Putuskan permintaan waktu")
    if scripts:
        is_well(main)
    main.fill(days="0")
    main.press("Putuskan permintaan waktu")
    assert main.is_wrong("note")
    main.fill(days="2", note="Dua hari saja.")
    main.press("Putuskan permintaan waktu")
    main.succeeds()
    eventually(lambda: case.seen_by(team_of(case))["due_at"] != case.seen_by(team_of(case)).get("first_due_at"))
    eventually(lambda: (team.open(f"/laporan/{case.ticket}"), "Dua hari saja." in team.read())[1])
    if scripts:
        is_well(team)
    assert "request_time" not in case.seen_by(team_of(case))["acts"]


def team_of(case: Case) -> Any:
    """Return the client of the OPD's team."""
    return case.people.opd_team(OPD)


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_staff_step_aside_and_see_the_case_no_more(staff: Opening, case: Case, language: str, scripts: bool) -> None:
    case.forwarded(OPD)
    case.seen_by(case.people.opd_team(OPD))
    team = staff("opd_team", OPD, language=language, plain=not scripts)
    team.open(f"/laporan/{case.ticket}")
    team.follow("Saya tidak menangani laporan ini")
    if scripts:
        is_well(team)
    team.fill(reason="Terlapor adalah kerabat saya.")
    team.press("Saya tidak menangani laporan ini")
    team.succeeds()
    assert case.ticket not in team.read()
    assert team.open(f"/laporan/{case.ticket}") == 404


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_a_report_is_joined_parted_joined_again_and_sent_back_by_the_operator(
    people: People, staff: Opening, case: Case, language: str, scripts: bool
) -> None:
    first = Case(people).forwarded(OPD)
    case.act(case.operator, "handover")
    case.acts(case.main, "classify", "join")
    eventually(lambda: "recall" in first.seen_by(first.main)["acts"])
    main = staff("main_team", language=language, plain=not scripts)
    main.open(f"/laporan/{case.ticket}")
    main.follow("Gabungkan dengan laporan lain")
    main.fill(q=first.ticket[-4:])
    main.press("Cari")
    main.follow(first.ticket)
    assert main.value("first") == first.ticket
    if scripts:
        is_well(main)
    main.press("Gabungkan dengan laporan lain")
    assert main.is_wrong("reason")
    main.fill(reason=REASON)
    main.press("Gabungkan dengan laporan lain")
    main.succeeds()
    assert main.sees("Laporan ini digabungkan dengan laporan lain")
    if scripts:
        is_well(main)
    main.follow(first.ticket)
    assert case.ticket in main.read()
    main.open(f"/laporan/{case.ticket}")
    main.follow("Pisahkan dari laporan lain")
    if scripts:
        is_well(main)
    main.fill(reason="Loket lain.")
    main.press("Pisahkan dari laporan lain")
    main.succeeds()
    assert main.sees("Dipisahkan dari laporan lain")
    assert main.sees("Waktunya dihitung sejak hari kerja berikutnya; Anda boleh mengerjakannya sekarang.")
    assert "Loket lain." in main.text("//*[contains(@class, 'notice') and contains(., 'Loket lain.')]")
    # Sent once more, from a page that is out of date: the clock starts later, which is no time to stand there since.
    main.open(f"/laporan/{case.ticket}/pisah")
    main.fill(reason="Loket lain.")
    main.press("Pisahkan dari laporan lain")
    assert main.sees("Laporan ini tidak sedang menunggu laporan lain")
    assert not main.sees("sejak")
    act(main, case, "Gabungkan dengan laporan lain", first=first.ticket, reason=REASON)
    first.act(people.opd_team(OPD), "response", {"text": "Petugas ditegur."})
    first.act(first.main, "approval", {"approved": True})
    operator = staff("operator", language=language, plain=not scripts)
    operator.take("jawaban", case.ticket)
    assert first.ticket in operator.read()
    assert "Petugas ditegur." in operator.read()
    if scripts:
        is_well(operator)
    act(operator, case, "Kembalikan kepada Tim NKK Utama", reason="Ternyata loket lain.")
    eventually(lambda: case.seen_by(case.main)["back"] == "answer.returned.v1")
    main.open(f"/laporan/{case.ticket}")
    assert main.sees("Operator mengembalikannya untuk diklasifikasi lagi")
    assert not {"complaint.joined", "complaint.parted"} & set(happened(case))


def test_a_report_that_is_picked_goes_before_one_that_was_picked_earlier(
    people: People, staff: Opening, case: Case
) -> None:
    first, second = Case(people).forwarded(OPD), Case(people).forwarded(OPD)
    case.act(case.operator, "handover")
    case.acts(case.main, "classify", "join")
    main = staff("main_team")
    page = f"/laporan/{case.ticket}/gabung"
    main.open(f"{page}?first={first.ticket}")
    main.fill(reason=REASON)
    eventually(lambda: main.page.evaluate("nkkDrafts.any()"))
    main.open(f"{page}?first={second.ticket}")
    eventually(lambda: main.value("reason") == REASON)
    assert main.value("first") == second.ticket
    main.open(page)
    eventually(lambda: main.value("reason") == REASON)
    assert main.value("first") == first.ticket


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_page_that_is_out_of_date_says_that_the_report_is_not_at_that_step(
    staff: Opening, case: Case, language: str
) -> None:
    case.act(case.operator, "handover")
    case.acts(case.main, "classify", "join")
    main = staff("main_team", language=language, plain=True)
    main.open(f"/laporan/{case.ticket}/tanya")
    main.fill(reason=REASON)
    case.act(case.main, "classification", {"kind": "complaint", "opd": OPD})
    main.press("Tanya pelapor")
    assert main.sees("Laporan ini tidak sedang di langkah Anda")
    assert REASON in main.read()


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_a_further_opd_declines_and_the_operator_answers_from_what_was_kept(
    people: People, staff: Opening, case: Case, language: str, scripts: bool
) -> None:
    case.forwarded(OPD)
    case.act(people.opd_team(OPD), "response", {"text": "Petugas ditegur."})
    case.acts(case.main, "approve", "gather")
    main = staff("main_team", language=language, plain=not scripts)
    main.open(f"/laporan/{case.ticket}")
    main.follow("Teruskan juga kepada perangkat daerah lain")
    main.press("Teruskan juga kepada perangkat daerah lain")
    assert main.is_wrong("opd")
    if scripts:
        is_well(main)
    main.choose("opd", OTHER)
    main.fill(note=REASON)
    main.press("Teruskan juga kepada perangkat daerah lain")
    main.succeeds()
    assert "Petugas ditegur." in main.read()
    second = staff("opd_team", OTHER, language=language)
    second.take("opd", case.ticket)
    assert REASON in second.read()
    assert "Petugas ditegur." not in second.read()
    case.act(people.opd_team(OTHER), "declination", {"reason": "Bukan kewenangan kami."})
    case.acts(case.main, "classify", "conclude", "join")
    main.open(f"/laporan/{case.ticket}")
    main.follow("Teruskan tanggapan yang ada")
    if scripts:
        is_well(main)
    main.fill(note="Cukup dengan yang ada.")
    main.press("Teruskan tanggapan yang ada")
    main.succeeds()
    operator = staff("operator", language=language, plain=not scripts)
    operator.take("jawaban", case.ticket)
    for text in ("Petugas ditegur.", "Cukup dengan yang ada."):
        assert text in operator.read()
    if scripts:
        is_well(operator)
    operator.fill(text="Petugas telah ditegur.")
    operator.press("Kirim jawaban")
    operator.succeeds()
    eventually(lambda: happened(case)[-2:] == ["response.concluded", "answer.sent"])
