"""Both paths of the procedure, clicked through from the registration to the end by everybody's own hands."""

from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor, said
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]


def lines_done(reporter: Visitor) -> int:
    """How many of the seven steps the reporter's page shows as done."""
    return reporter.page.locator(".journey > li.done").count()


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_complaint_goes_through_all_seven_steps(visiting: Opening, staff: Opening, language: str) -> None:
    reporter = visiting(language)
    reporter.open("/")
    reporter.page.locator(".hero a.button").first.click()
    reporter.register()
    reporter.write(happened_on="Senin, 2 Maret 2026", place="Loket 3")
    reporter.page.select_option("#accused_opd", "disdukcapil")
    ticket = reporter.send()
    reporter.page.locator("main a.button").first.click()
    assert reporter.page.locator(".journey > li.now h3").inner_text() == reporter.page.locator(
        ".journey > li").nth(1).locator("h3").inner_text()

    operator = staff("operator", language=language)
    operator.take("serah-terima", ticket)
    assert "Siti Rahmawati Binti Contoh" in operator.read()
    operator.press("Serahkan kepada Tim NKK Utama")
    assert ticket in operator.page.inner_text(".notice.good")

    main_team = staff("main_team", language=language)
    main_team.take("tim-utama", ticket)
    assert "Siti" not in main_team.read()
    main_team.page.check("[name=kind][value=complaint]")
    assert main_team.page.input_value("#opd") == "disdukcapil"
    main_team.fill(note="Mohon diperiksa.")
    main_team.press("Simpan klasifikasi")

    opd_team = staff("opd_team", "disdukcapil", language=language)
    opd_team.take("opd", ticket)
    assert "Mohon diperiksa." in opd_team.read()
    assert "Siti" not in opd_team.read()
    opd_team.fill(text="Sudah.")
    opd_team.press("Kirim tanggapan")

    main_team.take("tim-utama", ticket)
    main_team.press("Kembalikan dengan catatan")
    assert main_team.sees("Tuliskan apa yang kurang dari tanggapan ini: Tim NKK Pembantu bekerja dari catatan Anda.")
    main_team.fill(note="Sebutkan apa yang dilakukan.")
    main_team.press("Kembalikan dengan catatan")

    opd_team.take("opd", ticket)
    assert "Sebutkan apa yang dilakukan." in opd_team.page.inner_text(".front")
    opd_team.fill(text="Petugas telah ditegur secara tertulis.")
    opd_team.press("Kirim tanggapan")

    main_team.take("tim-utama", ticket)
    assert "Petugas telah ditegur secara tertulis." in main_team.page.inner_text(".front")
    main_team.press("Teruskan kepada operator")

    operator.take("jawaban", ticket)
    assert "Petugas telah ditegur secara tertulis." in operator.page.inner_text(".front")
    operator.fill(text="Terima kasih. Petugas tersebut <b>telah</b> ditegur.")
    operator.press("Kirim jawaban")

    reporter.open("/laporan")
    reporter.page.click(".row a")
    assert "Petugas tersebut <b>telah</b> ditegur." in reporter.page.inner_text(".front")
    assert "Mohon diperiksa." not in reporter.read()
    reporter.press("Ya, jawaban sudah saya terima")
    assert reporter.sees("Terima kasih. Anda telah mengonfirmasi penerimaan jawaban.")
    assert lines_done(reporter) == 7
    # Step 1 has no clock, and step 7 none that the reporter is held to; steps 4 and 5 were done twice.
    assert reporter.page.locator(".took .due.fine").count() == 7
    assert said("Tepat waktu", language) in reporter.page.inner_text(".whole")


@pytest.mark.parametrize("language", ["id", "en"])
def test_information_is_answered_without_an_agency(visiting: Opening, staff: Opening, language: str) -> None:
    reporter = visiting(language)
    reporter.register()
    reporter.write(subject_line="Jam buka loket")
    reporter.page.check("[name=claimed_kind][value=information]")
    reporter.page.check("[name=confidential]")
    ticket = reporter.send()

    operator = staff("operator", language=language)
    operator.take("serah-terima", ticket)
    assert "Siti" not in operator.read()
    assert operator.sees("Pelapor meminta identitasnya dirahasiakan: tidak satu meja pun melihatnya.")
    operator.press("Serahkan kepada Tim NKK Utama")

    main_team = staff("main_team", language=language)
    main_team.take("tim-utama", ticket)
    main_team.page.check("[name=kind][value=information]")
    main_team.press("Simpan klasifikasi")

    operator.take("jawaban", ticket)
    operator.fill(text="Loket buka pukul 07.30 sampai 16.00.")
    operator.press("Kirim jawaban")

    reporter.open(f"/laporan/{ticket}")
    assert "Loket buka pukul 07.30 sampai 16.00." in reporter.page.inner_text(".front")
    assert (lines_done(reporter), reporter.page.locator(".journey > li.skipped").count()) == (5, 2)


def test_everything_works_without_scripts(visiting: Opening, staff: Opening) -> None:
    bare = {"java_script_enabled": False}
    reporter = visiting(**bare)
    reporter.register()
    reporter.write()
    ticket = reporter.send()
    operator = staff("operator", **bare)
    operator.take("serah-terima", ticket)
    operator.press("Serahkan kepada Tim NKK Utama")
    main_team = staff("main_team", **bare)
    main_team.take("tim-utama", ticket)
    main_team.page.check("[name=kind][value=complaint]")
    main_team.page.select_option("#opd", "inspektorat")
    main_team.press("Simpan klasifikasi")
    opd_team = staff("opd_team", "inspektorat", **bare)
    opd_team.take("opd", ticket)
    opd_team.fill(text="Petugas telah ditegur.")
    opd_team.press("Kirim tanggapan")
    main_team.take("tim-utama", ticket)
    main_team.press("Teruskan kepada operator")
    operator.take("jawaban", ticket)
    operator.fill(text="Petugas telah ditegur.")
    operator.press("Kirim jawaban")
    reporter.open(f"/laporan/{ticket}")
    reporter.press("Ya, jawaban sudah saya terima")
    assert lines_done(reporter) == 7
    reporter.page.click("header .account button")
    assert reporter.sees("Anda sudah keluar")


@pytest.mark.usefixtures("empty_desk")
def test_a_whole_journey_by_the_keyboard_alone(visiting: Opening, staff: Opening, people: People) -> None:
    def tab_to(visitor: Visitor, selector: str) -> None:
        for _ in range(60):
            visitor.page.keyboard.press("Tab")
            if visitor.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} is not reached")

    reporter = visiting()
    account = people.reporter().account
    assert account is not None
    reporter.open("/masuk")
    tab_to(reporter, ".skip")
    reporter.page.keyboard.press("Enter")
    tab_to(reporter, "#username")
    reporter.page.keyboard.type(str(account["username"]))
    tab_to(reporter, "#password")
    reporter.page.keyboard.type(PASSWORD)
    reporter.page.keyboard.press("Enter")
    reporter.page.wait_for_url("**/laporan")
    tab_to(reporter, "main a.button")
    reporter.page.keyboard.press("Enter")
    reporter.page.wait_for_url("**/laporan/baru")
    tab_to(reporter, "#topic")
    reporter.page.keyboard.type("Cermat")
    tab_to(reporter, "#subject_line")
    reporter.page.keyboard.type("Loket tutup")
    tab_to(reporter, "#text")
    reporter.page.keyboard.type("Loket ditutup terlalu awal.")
    tab_to(reporter, "main .actions button:not([type=button])")
    reporter.page.keyboard.press("Enter")
    reporter.page.wait_for_url("**/tanda-terima")
    ticket = reporter.page.inner_text(".ticket-big")

    operator = staff("operator")
    operator.page.wait_for_selector(f'[data-ticket="{ticket}"]')
    for _ in range(200):
        operator.page.keyboard.press("j")
        if operator.page.evaluate("document.activeElement.closest('[data-ticket]')?.dataset.ticket") == ticket:
            break
    operator.page.keyboard.press("Enter")
    operator.page.wait_for_url(f"**/laporan/{ticket}")
    tab_to(operator, ".front button")
    operator.page.keyboard.press("Enter")
    operator.page.wait_for_url("**/meja/serah-terima")
    assert ticket in operator.page.inner_text(".notice.good")
