"""What somebody has typed is not lost: not to a fault, a lost connection, an ended log-in or a stage that is down."""

import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor
from tests.installations import Installation, eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]

STORY = "Loket ditutup pukul 14.00.\n\nAntrean masih panjang & petugas berkata \"<b>besok</b> saja\"."


def end_log_in(visitor: Visitor) -> None:
    """As after fifteen minutes and a session that was ended: neither token is there any more."""
    for name in ("nkk_access", "nkk_refresh"):
        visitor.context.clear_cookies(name=name)


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
    for language, sentence in (("id", "NIK terdiri dari 16 angka."), ("en", "A NIK has 16 digits.")):
        visitor = visiting(language)
        visitor.open("/daftar")
        visitor.fill(identity_number="123", name="Budi", email="budi@example.id", username=f"w-{uuid.uuid4().hex[:8]}",
                     password=PASSWORD)
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


@pytest.mark.parametrize("scripts", [True, False])
def test_a_log_in_that_ends_in_the_middle_of_a_form_takes_no_word_with_it(visiting: Opening, scripts: bool) -> None:
    reporter = visiting(java_script_enabled=scripts)
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
    assert reporter.page.input_value("#text") == STORY
    assert reporter.page.input_value("#topic") == "kode-perilaku/disiplin"
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


@pytest.mark.parametrize("scripts", [True, False])
def test_a_form_whose_page_was_forgotten_is_shown_again_and_not_carried_out(visiting: Opening, scripts: bool) -> None:
    reporter = visiting(java_script_enabled=scripts)
    reporter.register()
    reporter.write(text=STORY)
    reporter.context.clear_cookies(name="nkk_session")
    reporter.press("Kirim laporan")
    assert "Halaman ini terbuka terlalu lama" in reporter.read()
    reporter.press("Kembali ke formulir saya")
    assert reporter.page.input_value("#text") == STORY
    reporter.send()
    reporter.open("/laporan")
    assert reporter.page.locator(".row").count() == 1


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
    # As where the answer was lost on its way: the same form once more, then changed.
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


def test_a_stage_that_is_down_is_said_and_nothing_typed_is_lost(whole: Installation, people: People, visiting: Opening,
                                                                 staff: Opening) -> None:
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


def test_an_answer_typed_while_its_stage_is_down_is_kept_and_sent_later(whole: Installation, people: People,
                                                                         staff: Opening) -> None:
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
    """The names of the drafts that the browser holds."""
    return visitor.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('nkk:draft:'))")
