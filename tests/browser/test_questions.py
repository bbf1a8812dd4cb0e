"""Questions to the reporter, clicked through: a desk asks, its case waits, and the reporter answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_acts import is_well, own_window
from tests.browser.test_evidence import MARKER, arrived, chosen, photograph, picture
from tests.e2e.test_acts import Case
from tests.installations import eventually
from tests.people import People

Opening = Callable[..., Any]

ASKED = "Pada hari apa & <b>di mana</b>?"
WHY = "Tempatnya tidak & <b>pernah</b> disebut."
ANSWER = "Hari Selasa, di loket 3 <i>lama</i>."

WINDOWS = pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", {"plain": True})], ids=["id", "en-plain"])


@WINDOWS
def test_a_desk_asks_and_the_reporter_answers_on_the_page_of_the_report(
    visiting: Opening, staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    case = Case(people)
    case.act(case.operator, "handover")
    eventually(lambda: case.ticket in case.main.desk("triage"))
    main = staff("main_team", language=language, **window)
    main.open(f"/laporan/{case.ticket}")
    main.follow("Tanya pelapor")
    if not window:
        is_well(main)
    main.press("Tanya pelapor")
    assert main.is_wrong("reason")
    main.fill(reason=ASKED)
    main.press("Tanya pelapor")
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    main.open(f"/laporan/{case.ticket}")
    assert ASKED in main.read()
    assert main.sees("Menunggu jawaban pelapor sejak")
    if not window:
        is_well(main)
    main.open(f"/meja/tim-utama?dikerjakan=pelapor&q={case.ticket}")
    assert main.count(f"//*[@data-ticket='{case.ticket}']") == 1

    reporter = own_window(visiting, case, language, **window)
    reporter.open(f"/laporan/{case.ticket}")
    assert ASKED in reporter.read()
    assert reporter.sees("Petugas bertanya kepada Anda")
    if not window:
        is_well(reporter)
    reporter.press("Kirim jawaban")
    assert reporter.is_wrong("text")
    assert ASKED in reporter.read()
    if not window:
        is_well(reporter)
    if not window:
        reporter.open(f"/laporan/{case.ticket}")
        reporter.follow("Jawab dengan berkas")
        is_well(reporter)
        reporter.page.set_input_files("#berkas", [chosen("antrean.jpg", picture())])
        arrived(reporter, 1)
    reporter.fill(text=ANSWER)
    reporter.press("Kirim jawaban")
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"][0]["state"] == "answered")
    reporter.open(f"/laporan/{case.ticket}")
    assert ANSWER in reporter.read()
    assert not reporter.offers("Kirim jawaban")

    eventually(lambda: "ask" in case.seen_by(case.main)["acts"])
    main.open(f"/laporan/{case.ticket}")
    assert ANSWER in main.read()
    assert not main.sees("Menunggu jawaban pelapor sejak")
    if not window:
        assert main.sees("Bukti T1-1 (JPEG,")
        assert "antrean.jpg" not in main.read()
        is_well(main)


def test_without_scripts_a_question_is_answered_with_a_file(visiting: Opening, staff: Opening, people: People) -> None:
    case = Case(people)
    case.act(case.operator, "handover")
    eventually(lambda: "ask" in case.seen_by(case.main)["acts"])
    case.act(case.main, "questions", {"text": ASKED})
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    reporter = own_window(visiting, case, java_script_enabled=False)
    reporter.open(f"/laporan/{case.ticket}")
    reporter.follow("Jawab dengan berkas")
    files = [chosen("antrean.jpg", photograph()), chosen("buruk.exe", b"MZ" + bytes(200), "image/jpeg")]
    reporter.fill(text=ANSWER)
    reporter.page.set_input_files("#berkas", files)
    reporter.press("Kirim jawaban")
    reporter.page.wait_for_selector("#files-fault")
    assert "buruk.exe" in reporter.page.inner_text("#files-fault")
    assert "antrean.jpg" in reporter.page.inner_text(".uploads")
    assert reporter.value("text") == ANSWER
    assert case.reporter.get(f"{case.path}/questions")["items"][0]["state"] == "open"
    reporter.press("Kirim jawaban")
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"][0]["state"] == "answered")
    reporter.open(f"/laporan/{case.ticket}")
    assert ANSWER in reporter.read()
    assert reporter.sees("Bukti T1-1 (JPEG,")

    main = staff("main_team", java_script_enabled=False)
    main.open(f"/laporan/{case.ticket}")
    assert ANSWER in main.read()
    assert main.sees("Bukti T1-1 (JPEG,")
    assert "antrean.jpg" not in main.read()
    content = main.context.request.get(f"/laporan/{case.ticket}/bukti/T1-1")
    assert content.headers["content-type"] == "image/jpeg"
    assert MARKER not in content.body()


@WINDOWS
def test_a_desk_closes_what_was_not_answered_and_the_reporter_reads_why(
    visiting: Opening, staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    case = Case(people)
    case.act(case.operator, "handover")
    eventually(lambda: case.ticket in case.main.desk("triage"))
    main = staff("main_team", language=language, **window)
    main.open(f"/laporan/{case.ticket}")
    assert not main.sees("Tutup karena tidak dijawab")
    case.lapsed(case.main)
    main.open(f"/laporan/{case.ticket}")
    assert main.sees("Tidak dijawab pada waktunya.")
    reporter = own_window(visiting, case, language, **window)
    reporter.open(f"/laporan/{case.ticket}")
    assert reporter.sees("Bila keterangannya sudah ada, kirim dengan “Tambah keterangan atau bukti”.")
    main.follow("Tutup karena tidak dijawab")
    assert main.sees("Yang terjadi sesudahnya")
    assert "Di mana?" in main.read()
    if not window:
        is_well(main)
    main.press("Tutup karena tidak dijawab")
    assert main.is_wrong("reason")
    main.fill(reason=WHY)
    main.press("Tutup karena tidak dijawab")
    assert main.sees("Laporan ditutup, dan pelapor dikabari.")
    assert main.sees("Laporan ini ditutup karena pertanyaan kepada pelapor tidak dijawab")
    assert WHY in main.read()
    assert main.sees("Laporan ini tidak dikerjakan lagi. Alasannya tertulis juga di halaman pelapor.")
    assert not main.sees("Laporan ini sedang tidak di meja Anda.")
    if not window:
        is_well(main)
    eventually(lambda: case.seen_by(case.reporter)["stands"]["state"] == "abandoned")
    reporter.open("/laporan")
    assert reporter.sees("Ditutup tanpa jawaban: pertanyaan tidak dijawab")
    reporter.open(f"/laporan/{case.ticket}")
    assert reporter.sees("Laporan ini ditutup karena pertanyaan petugas tidak dijawab")
    assert WHY in reporter.read()
    assert not reporter.sees("Cabut laporan")
    assert not reporter.sees("Bila keterangannya sudah ada, kirim dengan “Tambah keterangan atau bukti”.")
    if not window:
        is_well(reporter)
    # From a page that is out of date, such as a tab or the letter about the question.
    reporter.open(f"/laporan/{case.ticket}/pertanyaan/1")
    assert reporter.sees("Laporan ini sudah ditutup")
    assert not reporter.sees("Waktu untuk menjawab sudah lewat")


def test_a_question_that_was_overtaken_is_not_answered_any_more(
    visiting: Opening, staff: Opening, people: People
) -> None:
    case = Case(people)
    case.act(case.operator, "questions", {"text": ASKED})
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"])
    reporter = own_window(visiting, case)
    reporter.open(f"/laporan/{case.ticket}")
    reporter.fill(text=ANSWER)
    case.act(case.operator, "handover")
    eventually(lambda: case.reporter.get(f"{case.path}/questions")["items"][0]["state"] == "overtaken")
    reporter.press("Kirim jawaban")
    assert reporter.sees("Laporan Anda sudah berlanjut")
    reporter.open(f"/laporan/{case.ticket}")
    assert not reporter.offers("Kirim jawaban")
    assert reporter.sees("Pertanyaan ini tidak dijawab sebelum laporan berlanjut atau berakhir.")
