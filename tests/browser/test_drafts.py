"""Typed text survives an invalid field, a lost connection, the end of a log-in and a stage that is down."""

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PLAIN_HOST
from tests.browser.plain import PlainVisitor
from tests.browser.visitors import Visitor, Windows
from tests.installations import Installation, eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]

STORY = 'Loket ditutup pukul 14.00.\n\nAntrean masih panjang & petugas berkata "<b>besok</b> saja".'


def end_log_in(visitor: Visitor | PlainVisitor) -> None:
    """Delete both tokens, as after fifteen minutes in a session that has ended."""
    visitor.forget("nkk_access", "nkk_refresh")


def test_a_fault_stands_beside_its_field_and_the_rest_is_kept(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(subject_line="", text=STORY)
    reporter.page.check("[name=confidential]")
    reporter.press("Kirim laporan")
    assert reporter.page.inner_text("#subject_line-fault").endswith("Bagian ini wajib diisi.")
    assert reporter.page.get_attribute("#subject_line", "aria-invalid") == "true"
    assert reporter.page.input_value("#text") == STORY
    assert reporter.page.input_value("#topic") == "kode-perilaku/disiplin"
    assert reporter.page.is_checked("[name=confidential]")
    reporter.page.click(".notice.bad a")
    assert reporter.page.evaluate("document.activeElement.id") == "subject_line"
    reporter.fill(subject_line="Loket tutup")
    reporter.send()


def test_what_is_wrong_with_a_registration_is_said_in_the_pages_language(visiting: Opening) -> None:
    for language, sentence in (
        ("id", "NIK terdiri dari 16 angka; yang ini 3."),
        ("en", "A NIK has 16 digits; this one has 3."),
    ):
        visitor = visiting(language)
        visitor.open("/daftar")
        visitor.fill(
            identity_number="123",
            name="Budi",
            email="budi@example.id",
            username=f"w-{uuid.uuid4().hex[:8]}",
            password=PASSWORD,
        )
        visitor.press("Daftar")
        assert visitor.page.inner_text("#identity_number-fault").endswith(sentence)
        assert visitor.page.input_value("#name") == "Budi"
        assert visitor.page.input_value("#password") == ""


def test_a_draft_comes_back_and_goes_once_it_is_sent(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(text=STORY)
    reporter.open("/")
    reporter.open("/laporan/baru")
    assert reporter.page.input_value("#text") == STORY
    assert "Draf yang belum Anda kirim kami tampilkan kembali." in reporter.read()
    reporter.send()
    reporter.open("/laporan/baru")
    assert reporter.page.input_value("#text") == ""


def test_a_draft_can_be_thrown_away(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(text=STORY)
    reporter.page.click("[data-draft-note] button")
    eventually(lambda: reporter.page.input_value("#text") == "")
    assert drafts(reporter) == []


def test_a_draft_goes_at_log_out_which_says_so_first(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(text=STORY)
    asked: list[str] = []

    def answer(dialog: object, accept: bool) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        dialog.accept() if accept else dialog.dismiss()  # type: ignore[attr-defined]

    reporter.page.once("dialog", lambda dialog: answer(dialog, accept=False))
    reporter.page.click("header .account button")
    assert "akan dihapus" in asked[0]
    assert len(drafts(reporter)) == 1
    reporter.page.once("dialog", lambda dialog: answer(dialog, accept=True))
    reporter.page.click("header .account button")
    reporter.page.wait_for_url("**/sampai-jumpa")
    assert drafts(reporter) == []


def test_somebody_else_on_the_same_device_does_not_see_the_draft(visiting: Opening, people: People) -> None:
    visitor = visiting()
    visitor.register()
    visitor.write(text=STORY)
    end_log_in(visitor)
    other = people.reporter().account
    assert other is not None
    visitor.log_in(str(other["username"]))
    visitor.open("/laporan/baru")
    assert visitor.page.input_value("#text") == ""
    assert drafts(visitor) == []


def test_a_draft_whose_session_has_ended_is_read_by_nobody_and_comes_back_to_its_account(visiting: Opening) -> None:
    visitor = visiting()
    username = visitor.register()
    visitor.write(text=STORY)
    eventually(lambda: drafts(visitor))
    visitor.context.clear_cookies()
    for path in ("/laporan/baru", "/"):
        visitor.open(path)
        kept = left_behind(visitor)
        assert len(drafts(visitor)) == 1
        for word in ("Loket", "pukul", "antrean", "disiplin", "laporan-baru", username):
            assert word not in kept
        assert visitor.page.evaluate("Object.keys(document.body.dataset).filter(name => name !== 'draftOwner')") == []
    visitor.log_in(username)
    visitor.open("/laporan/baru")
    assert visitor.page.get_attribute("body", "data-draft-key") is None
    eventually(lambda: visitor.page.input_value("#text") == STORY)
    assert visitor.page.input_value("#topic") == "kode-perilaku/disiplin"
    assert visitor.sees("Draf yang belum Anda kirim kami tampilkan kembali.")


def test_a_draft_tells_by_its_length_no_more_than_by_its_words(visiting: Opening) -> None:
    visitor = visiting()
    visitor.register()
    lengths = set()
    for text in ("Singkat.", "Panjang sekali. " * 100):
        visitor.write(text=text)
        visitor.page.wait_for_function("text => document.querySelector('#text').value === text", arg=text)
        [name] = eventually(lambda: drafts(visitor))
        lengths.add(len(visitor.page.evaluate("name => JSON.parse(localStorage.getItem(name)).box", name)))
    assert len(lengths) == 1


def test_a_draft_that_is_too_old_or_not_as_it_was_written_is_thrown_away(visiting: Opening) -> None:
    visitor = visiting()
    visitor.register()
    for change in ("{...draft, until: draft.until - 8}", "{...draft, box: draft.iv + draft.box}", "'x'", "null"):
        visitor.write(text=STORY)
        [name] = eventually(lambda: drafts(visitor))
        visitor.open("/laporan")
        visitor.page.evaluate(
            "name => { const draft = JSON.parse(localStorage.getItem(name)); "
            f"localStorage.setItem(name, JSON.stringify({change})); }}",
            name,
        )
        visitor.open("/laporan/baru")
        eventually(lambda: drafts(visitor) == [])
        assert visitor.page.input_value("#text") == ""


def test_a_draft_from_before_drafts_were_sealed_comes_back_sealed_to_its_account_alone(visiting: Opening) -> None:
    visitor = visiting()
    visitor.register()
    visitor.open("/laporan")
    visitor.page.evaluate(
        """text => localStorage.setItem(
        `nkk:draft:${document.body.dataset.draftOwner}:laporan-baru`, JSON.stringify({text}))""",
        STORY,
    )
    visitor.open("/laporan/baru")
    eventually(lambda: visitor.page.input_value("#text") == STORY)
    eventually(lambda: [name[:11] for name in drafts(visitor)] == ["nkk:sealed:"])
    visitor.page.evaluate("localStorage.setItem('nkk:draft:somebody:laporan-baru', '{}')")
    visitor.context.clear_cookies()
    visitor.open("/")
    assert [name[:11] for name in drafts(visitor)] == ["nkk:sealed:"]


def test_without_tls_nothing_is_kept_and_the_page_says_so(browser: Browser, whole: Installation) -> None:
    """Over plain HTTP, except on localhost, browsers have no Web Crypto to seal drafts with."""
    visitor = Visitor(Windows(browser, whole.url.replace("127.0.0.1", PLAIN_HOST)), used_up=True)
    visitor.register()
    visitor.write(text=STORY)
    assert "Draf tidak disimpan di perangkat ini" in visitor.page.inner_text("[data-draft-note]")
    assert not visitor.page.is_visible("[data-draft-note] button")
    assert visitor.page.evaluate("localStorage.length") == 0
    visitor.context.set_offline(True)
    said: list[str] = []
    visitor.page.once("dialog", lambda dialog: (said.append(dialog.message), dialog.accept()))
    visitor.press("Kirim laporan")
    assert said == ["Sambungan terputus. Jangan tutup halaman ini; kirim lagi setelah tersambung."]
    visitor.context.set_offline(False)
    visitor.send()
    visitor.close()


@pytest.mark.parametrize("plain", [False, True])
def test_a_log_in_that_ends_in_the_middle_of_a_form_takes_no_word_with_it(visiting: Opening, plain: bool) -> None:
    reporter = visiting(plain=plain)
    username = reporter.register()
    reporter.write(text=STORY)
    end_log_in(reporter)
    reporter.press("Kirim laporan")
    assert "Tulisan Anda tidak hilang." in reporter.read()
    reporter.fill(username=username, password="salah-sekali-99")
    reporter.press("Masuk")
    assert "Nama pengguna atau kata sandi salah" in reporter.read()
    reporter.fill(username=username, password=PASSWORD)
    reporter.press("Masuk")
    reporter.press("Lanjutkan")
    assert reporter.value("text") == STORY
    assert reporter.value("topic") == "kode-perilaku/disiplin"
    reporter.open(f"/laporan/{reporter.send()}")
    assert '"<b>besok</b> saja"' in reporter.read()


def test_an_access_token_that_ends_is_renewed_without_a_word(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.context.clear_cookies(name="nkk_access")
    reporter.write()
    reporter.context.clear_cookies(name="nkk_access")
    reporter.send()
    assert "nkk_access" in {cookie["name"] for cookie in reporter.context.cookies()}


@pytest.mark.parametrize("plain", [False, True])
def test_a_form_whose_page_was_forgotten_is_shown_again_and_not_carried_out(visiting: Opening, plain: bool) -> None:
    reporter = visiting(plain=plain)
    reporter.register()
    reporter.write(text=STORY)
    reporter.forget("nkk_session")
    reporter.press("Kirim laporan")
    assert "Halaman ini terbuka terlalu lama" in reporter.read()
    reporter.press("Kembali ke formulir saya")
    assert reporter.value("text") == STORY
    reporter.send()
    reporter.open("/laporan")
    assert reporter.count("//li[@class='row']") == 1


def test_a_lost_connection_leaves_the_text_and_one_report(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(text=STORY)
    reporter.context.set_offline(True)
    said: list[str] = []
    reporter.page.once("dialog", lambda dialog: (said.append(dialog.message), dialog.accept()))
    reporter.press("Kirim laporan")
    assert "Sambungan terputus." in said[0]
    reporter.context.set_offline(False)
    reporter.send()
    reporter.open("/laporan")
    assert reporter.page.locator(".row").count() == 1


def test_a_report_whose_receipt_was_lost_is_not_sent_twice(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write(text=STORY)
    key = reporter.page.input_value("[name=key]")
    ticket = reporter.send()
    # As if the response had been lost: the same form is sent again, then a changed one.
    reporter.open("/laporan/baru")
    reporter.write(text=STORY)
    reporter.page.evaluate("key => { document.querySelector('[name=key]').value = key }", key)
    assert reporter.send() == ticket
    reporter.write(text="Lain lagi.")
    reporter.page.evaluate("key => { document.querySelector('[name=key]').value = key }", key)
    reporter.press("Kirim laporan")
    assert "Laporan ini sudah kami terima sebelumnya" in reporter.read()
    assert ticket in reporter.page.inner_text(".notice.info")
    assert reporter.page.input_value("#text") == "Lain lagi."
    assert reporter.send() != ticket


def test_a_stage_that_is_down_is_said_and_nothing_typed_is_lost(
    whole: Installation, people: People, visiting: Opening, staff: Opening
) -> None:
    reporter, operator = visiting(), staff("operator")
    reporter.register()
    reporter.write(text=STORY)
    ticket = people.submit(people.reporter())
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information"})
    operator.take("jawaban", ticket)
    operator.fill(text="Loket buka pukul 07.30.")
    whole.take_down("intake-1")
    try:
        reporter.press("Kirim laporan")
        assert "Sebagian layanan sedang tidak dapat dihubungi" in reporter.page.inner_text(".notice.bad")
        assert reporter.page.input_value("#text") == STORY
        operator.press("Kirim jawaban")
        assert reporter.page.context.request.get("/laporan").status == 503
        reporter.open("/laporan")
        assert "Coba lagi sebentar lagi." in reporter.read()
    finally:
        whole.bring_up("intake-1")
        whole.wait_until_ready()
    reporter.open("/laporan/baru")
    assert reporter.page.input_value("#text") == STORY
    reporter.send()


def test_an_answer_typed_while_its_stage_is_down_is_kept_and_sent_later(
    whole: Installation, people: People, staff: Opening
) -> None:
    ticket = people.submit(people.reporter())
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "satpol-pp"})
    opd_team = staff("opd_team", "satpol-pp")
    opd_team.take("opd", ticket)
    opd_team.fill(text=STORY)
    whole.take_down("opd_response-1")
    try:
        opd_team.press("Kirim tanggapan")
        opd_team.page.wait_for_load_state()
        assert "Sebagian layanan sedang tidak dapat dihubungi" in opd_team.read()
    finally:
        whole.bring_up("opd_response-1")
        whole.wait_until_ready()
    opd_team.press("Kembali ke formulir saya")
    assert opd_team.page.input_value("#text") == STORY
    opd_team.press("Kirim tanggapan")
    opd_team.page.wait_for_url("**/meja/opd")


def drafts(visitor: Visitor) -> list[str]:
    """Return the names of the drafts in local storage, sealed or not."""
    return visitor.page.evaluate("Object.keys(localStorage).filter(key => /^nkk:(sealed|draft):/.test(key))")


def left_behind(visitor: Visitor) -> str:
    """Return what the site has stored in the browser, as text, with the names of caches and databases."""
    return visitor.page.evaluate("""async () => JSON.stringify([
        Object.entries(localStorage), Object.entries(sessionStorage), await caches?.keys(), await indexedDB.databases(),
        document.cookie])""")
