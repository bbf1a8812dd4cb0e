"""Both paths of the procedure, from the registration to the end, with the mouse and with the keyboard."""

from collections.abc import Callable

from tests.browser.visitors import Visitor, said
from tests.installations import eventually
from tests.people import PASSWORD, People, Person

Opening = Callable[..., Visitor]


def lines_done(reporter: Visitor) -> int:
    """Return how many steps the reporter's page shows as done."""
    return reporter.page.locator(".journey > li.done").count()


def test_a_complaint_goes_through_all_seven_steps(visiting: Opening, staff: Opening) -> None:
    language = "en"
    reporter = visiting(language)
    reporter.open("/")
    reporter.page.locator(".hero a.button").first.click()
    reporter.register()
    reporter.write(happened_on="Senin, 2 Maret 2026", place="Loket 3")
    reporter.page.select_option("#accused_opd", "disdukcapil")
    ticket = reporter.send()
    reporter.page.locator("main a.button").first.click()
    assert (
        reporter.page.locator(".journey > li.now h3").inner_text()
        == reporter.page.locator(".journey > li").nth(1).locator("h3").inner_text()
    )

    operator = staff("operator", language=language)
    operator.take("serah-terima", ticket)
    # The identity is shown on request, on this one page only; viewing it again takes another request.
    assert "Siti Rahmawati" not in operator.page.content()
    operator.press("Tampilkan identitas")
    assert "Siti Rahmawati Binti Contoh" in operator.read()
    assert operator.accessibility() == []
    with operator.page.expect_download() as started:
        operator.page.click(".papers button >> nth=0")
    assert started.value.suggested_filename == f"data-pemberi-aduan-{ticket}.pdf"
    operator.open(f"/laporan/{ticket}")
    assert "Siti Rahmawati" not in operator.page.content()
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
    # Step 1 has no clock, and step 7 none that can be late; steps 4 and 5 were done twice.
    assert reporter.page.locator(".took .due.fine").count() == 7
    assert said("Tepat waktu", language) in reporter.page.inner_text(".whole")


def test_information_is_answered_without_an_agency(visiting: Opening, staff: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(subject_line="Jam buka loket")
    reporter.page.check("[name=claimed_kind][value=information]")
    reporter.page.check("[name=confidential]")
    ticket = reporter.send()

    operator = staff("operator")
    operator.take("serah-terima", ticket)
    assert "Siti" not in operator.read()
    assert operator.sees("Pelapor meminta identitasnya dirahasiakan: tidak satu meja pun melihatnya.")
    operator.press("Serahkan kepada Tim NKK Utama")

    main_team = staff("main_team")
    main_team.take("tim-utama", ticket)
    main_team.page.check("[name=kind][value=information]")
    main_team.press("Simpan klasifikasi")

    operator.take("jawaban", ticket)
    operator.fill(text="Loket buka pukul 07.30 sampai 16.00.")
    operator.press("Kirim jawaban")

    reporter.open(f"/laporan/{ticket}")
    assert "Loket buka pukul 07.30 sampai 16.00." in reporter.page.inner_text(".front")
    assert (lines_done(reporter), reporter.page.locator(".journey > li.skipped").count()) == (5, 2)


def test_everything_works_without_scripts_on_a_small_phone(visiting: Opening, staff: Opening) -> None:
    bare = {"java_script_enabled": False, "viewport": {"width": 360, "height": 740}}
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


class Keys:
    """A visitor who uses the keyboard only."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page

    def to(self, selector: str) -> "Keys":
        """Press Tab until the focused element matches `selector`."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return self
        raise AssertionError(f"{selector} is not reached")

    def type(self, text: str) -> "Keys":
        self.page.keyboard.type(text)
        return self

    def press(self, key: str = "Enter", onward: str | None = None) -> "Keys":
        """Press a key, and wait for the URL `onward` if it is given."""
        self.page.keyboard.press(key)
        if onward:
            self.page.wait_for_url(onward)
        return self

    def find(self, ticket: str) -> "Keys":
        """Open a complaint by its number with the keyboard."""
        return self.press("/").type(ticket).press("Enter", f"**/laporan/{ticket}")

    def take(self, ticket: str) -> "Keys":
        """Open a complaint from the worklist with the keyboard, once it is listed."""
        self.page.wait_for_selector(f'[data-ticket="{ticket}"]')
        for _ in range(60):
            self.press("j")
            if self.page.evaluate("document.activeElement.closest('[data-ticket]')?.dataset.ticket") == ticket:
                return self.press("Enter", f"**/laporan/{ticket}")
        raise AssertionError(f"{ticket} is not reached")

    def done(self, ticket: str) -> None:
        """Press the focused button; the list must say that the act was done."""
        self.press("Enter", "**/meja/*")
        assert ticket in self.page.inner_text(".notice.good")


def test_a_whole_journey_by_the_keyboard_alone(visiting: Opening, staff: Opening, people: People) -> None:
    account = people.reporter().account
    assert account is not None
    visitor = visiting()
    visitor.open("/masuk")
    reporter = Keys(visitor).to(".skip").press()
    reporter.to("#username").type(str(account["username"])).to("#password").type(PASSWORD).press("Enter", "**/laporan")
    reporter.to("main a.button").press("Enter", "**/laporan/baru*")
    reporter.to("#topic").type("Cermat").to("#subject_line").type("Loket tutup").to("#text").type("Terlalu awal.")
    reporter.to("main .actions button:not([type=button])").press("Enter", "**/tanda-terima")
    ticket = visitor.page.inner_text(".ticket-big")

    def arrived(person: Person, desk: str) -> bool:
        return bool(eventually(lambda: ticket in person.desk(desk)))

    operator = Keys(staff("operator")).find(ticket)
    operator.to(".claim button").press("Enter").page.wait_for_selector(".notice.good")
    operator.to(".front button").done(ticket)
    main_team = Keys(staff("main_team"))
    assert arrived(people.main_team, "triage")
    main_team.find(ticket).to("[name=kind]").press("Space").press("ArrowDown").press("ArrowUp")
    chosen = main_team.page.evaluate("document.querySelector('[name=kind]:checked').value")
    if chosen != "complaint":
        main_team.press("ArrowDown")
    main_team.to("#opd").type("Dinas Perhubungan").to("#note").type("Mohon diperiksa.").to(".front button").done(ticket)
    opd_team = Keys(staff("opd_team", "dinas-perhubungan")).take(ticket)
    opd_team.to("#text").type("Sudah.").to(".front button").done(ticket)
    assert arrived(people.main_team, "triage")
    main_team.find(ticket).to("#note").type("Sebutkan kapan.").to(".front button[value=no]").done(ticket)
    opd_team.take(ticket).to("#text").type("Petugas ditegur.").to(".front button").done(ticket)
    assert arrived(people.main_team, "triage")
    main_team.find(ticket).to(".front button[value=yes]").done(ticket)
    assert arrived(people.operator, "answers")
    operator.press("?").press("Escape").to("header a[href='/meja/jawaban']").press("Enter", "**/meja/jawaban")
    operator.find(ticket).to("#text").type("Petugas telah ditegur.").to(".front button").done(ticket)

    reporter.to("header a[href='/laporan']").press("Enter", "**/laporan")
    reporter.to(".row a").press("Enter", f"**/laporan/{ticket}").to(".front button").press()
    visitor.page.wait_for_selector(".confirmed")
    assert lines_done(visitor) == 7
    reporter.to("header .account button").press("Enter", "**/sampai-jumpa")
