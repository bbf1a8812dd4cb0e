"""Evidence in the browser: chosen, dragged, pasted, resumed, seen at the desks, and sent with an answer."""

import base64
import io
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Error

from gateway.app import MAX_BODY_BYTES
from tests.browser.visitors import Visitor
from tests.installations import eventually
from tests.people import PASSWORD

Opening = Callable[..., Visitor]
MARKER = b"Kamera-Rahasia-7731"


def picture(noise: int = 40, size: tuple[int, int] = (320, 240)) -> bytes:
    """Return a photograph whose hidden data holds MARKER."""
    exif = Image.Exif()
    exif[0x010F] = MARKER.decode()
    file = io.BytesIO()
    Image.effect_noise(size, noise).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def photograph() -> bytes:
    """Return one that is longer than all that a form without files may be."""
    found = picture(99, (1600, 1200))
    assert len(found) > MAX_BODY_BYTES
    return found


def chosen(name: str, content: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": content}


def arrived(visitor: Visitor, count: int = 1) -> None:
    """Wait until `count` files of the form have arrived and were checked."""
    eventually(lambda: visitor.page.inner_text(".uploads").count("Sudah sampai (") == count)


def handed_on(staff: Opening, ticket: str) -> None:
    """Bring a report to the team of dinas-sosial."""
    operator = staff("operator")
    operator.take("serah-terima", ticket)
    operator.press("Serahkan kepada Tim NKK Utama")
    operator.leaves(ticket)
    main_team = staff("main_team")
    main_team.take("tim-utama", ticket)
    main_team.check("kind", "complaint")
    main_team.choose("opd", "dinas-sosial")
    main_team.press("Simpan klasifikasi")
    main_team.leaves(ticket)


@pytest.mark.parametrize("scripts", [True, False])
def test_evidence_goes_with_a_report_to_every_desk_and_back_with_the_answer(
    visiting: Opening, staff: Opening, scripts: bool
) -> None:
    window = {"java_script_enabled": scripts}
    reporter = visiting(**window)
    reporter.register()
    reporter.write()
    reporter.page.set_input_files("#berkas", [chosen("Siti di loket.jpg", picture()), chosen("b.jpg", picture(60))])
    if scripts:
        arrived(reporter, 2)
    ticket = reporter.send()
    receipt = reporter.read()
    assert "Bukti 1 (JPEG," in receipt
    assert "Siti di loket.jpg" in receipt
    assert receipt.count("SHA-256") == 2
    assert "Data tersembunyi sudah dihapus." in receipt

    handed_on(lambda role: staff(role, **window), ticket)
    team = staff("opd_team", "dinas-sosial", **window)
    team.take("opd", ticket)
    assert "Siti di loket" not in team.page.content()
    content = team.context.request.get(f"/laporan/{ticket}/bukti/1")
    assert content.headers["content-type"] == "image/jpeg"
    assert MARKER not in content.body()
    assert "sandbox" in content.headers["content-security-policy"]
    shown = team.page.locator(".evidence img").first
    shown.scroll_into_view_if_needed()
    eventually(lambda: shown.evaluate("image => image.naturalWidth") > 0 if scripts else True)
    team.fill(text="Petugas telah ditegur; berita acara terlampir.")
    team.page.set_input_files(
        "#berkas", [chosen("Teguran Budi.txt", b"Berita acara.", "text/plain"), chosen("c.jpg", picture(80))]
    )
    if scripts:
        arrived(team, 2)
    team.press("Kirim tanggapan")
    team.leaves(ticket)

    main_team = staff("main_team", **window)
    main_team.take("tim-utama", ticket)
    assert "Lampiran R1-2 (JPEG," in main_team.read()
    main_team.press("Teruskan kepada operator")
    main_team.leaves(ticket)
    operator = staff("operator", **window)
    operator.take("jawaban", ticket)
    operator.fill(text="Petugas telah ditegur. Berita acara terlampir.")
    operator.check("kirim-R1-1", "ya")
    operator.press("Kirim jawaban")
    operator.leaves(ticket)
    reporter.open(f"/laporan/{ticket}")
    answered = reporter.read()
    assert "Lampiran R1-1 (TXT," in answered
    assert "R1-2" not in answered
    assert "Teguran Budi" not in answered, "the operator has not seen this name"
    assert reporter.context.request.get(f"/laporan/{ticket}/bukti/R1-1").body() == b"Berita acara."
    assert reporter.context.request.get(f"/laporan/{ticket}/bukti/R1-2").status == 404


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", ["id", "en"])
def test_the_forms_and_lists_of_files_are_accessible_and_narrow_enough(
    visiting: Opening, language: str, width: int
) -> None:
    reporter = visiting(language, viewport={"width": width, "height": 800})
    reporter.register()
    reporter.write()
    reporter.page.set_input_files(
        "#berkas", [chosen("a" * 120 + ".jpg", picture()), chosen("tak.exe", b"MZ" + bytes(90))]
    )
    eventually(lambda: reporter.page.locator(".uploads .fault:not([hidden])").count())
    eventually(lambda: reporter.page.locator("[data-ids]").input_value())
    assert reporter.accessibility() == []
    assert reporter.too_wide() == []
    ticket = reporter.send()
    assert reporter.accessibility() == []
    assert reporter.too_wide() == []
    for path in (f"/laporan/{ticket}", f"/laporan/{ticket}/tambah"):
        reporter.open(path)
        assert reporter.accessibility() == []
        assert reporter.too_wide() == []


def test_files_can_be_dragged_and_pasted_and_removed(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write()
    for name, event, field in (("seret.jpg", "drop", "dataTransfer"), ("tempel.png", "paste", "clipboardData")):
        reporter.page.evaluate(
            """([name, type, field, content]) => {
                const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
                const carried = new DataTransfer();
                carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
                const kind = type === "paste" ? ClipboardEvent : DragEvent;
                // What is dropped beside the field is taken too.
                document.querySelector(type === "paste" ? ".uploads" : "h1").dispatchEvent(
                    new kind(type, { bubbles: true, cancelable: true, [field]: carried }));
            }""",
            [name, event, field, base64.b64encode(picture()).decode()],
        )
    arrived(reporter, 2)
    reporter.page.get_by_role("button", name="Buang seret.jpg").click()
    arrived(reporter)
    ticket = reporter.send()
    receipt = reporter.read()
    assert "tempel.png" in receipt
    assert "seret.jpg" not in receipt
    assert reporter.context.request.get(f"/laporan/{ticket}/bukti/2").status == 404


def test_an_upload_goes_on_after_the_line_and_the_page_were_lost(visiting: Opening, tmp_path: Path) -> None:
    reporter = visiting(used_up=True)
    reporter.register()
    reporter.write()
    sent: list[int] = []

    def break_off(route: Any) -> None:
        # The first two parts come through, then there is a tunnel.
        if route.request.method == "PATCH":
            sent.append(int(route.request.headers["upload-offset"]))
            if len(sent) > 2:
                route.abort()
                return
        route.continue_()

    reporter.page.route("**/unggahan/*", break_off)
    big = tmp_path / "besar.jpg"
    assert big.write_bytes(picture(99, (3900, 2900))) > 5_000_000
    reporter.page.set_input_files("#berkas", big)
    eventually(lambda: "Sambungan terputus" in reporter.page.inner_text(".uploads"))
    assert sent[:3] == [0, 2_000_000, 4_000_000]
    kept = reporter.page.evaluate("Object.entries(localStorage).map((entry) => entry.join('='))")
    assert [line for line in kept if "nkk:uploads" in line]
    assert not any("besar" in line for line in kept)
    reporter.page.reload()
    reporter.page.unroute("**/unggahan/*")
    again: list[int] = []
    reporter.page.on(
        "request",
        lambda request: again.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None,
    )
    reporter.page.set_input_files("#berkas", big)
    arrived(reporter)
    assert again[0] == 4_000_000
    reporter.send()
    assert "besar.jpg" in reporter.read()


def tunnel(visitor: Visitor, **answer: Any) -> tuple[list[str], Callable[[], None]]:
    """Break off every PATCH after the first, or give it that answer; return what is sent, and what ends this."""
    sent: list[str] = []
    parts: list[int] = []

    def heard(request: Any) -> None:
        if request.method in ("POST", "PATCH") and "/unggahan" in request.url:
            sent.append(f"{request.method} {request.headers.get('upload-offset', '')}".strip())

    def break_off(route: Any) -> None:
        if route.request.method == "PATCH":
            parts.append(1)
            if len(parts) > 1:
                route.fulfill(**answer) if answer else route.abort()
                return
        route.continue_()

    visitor.page.on("request", heard)
    visitor.page.route("**/unggahan/*", break_off)
    return sent, lambda: visitor.page.unroute("**/unggahan/*")


def goes_on_until(visitor: Visitor, text: str) -> None:
    """Tell the page that the line is back, so that it does not wait for its next attempt, until it shows `text`."""

    def shown() -> bool:
        visitor.page.evaluate("dispatchEvent(new Event('online'))")
        return text in visitor.page.inner_text(".uploads")

    eventually(shown)


def begin_a_long_upload(visitor: Visitor, folder: Path) -> None:
    big = folder / "besar.jpg"
    big.write_bytes(picture(99, (3000, 2200)))
    assert 2_000_000 < big.stat().st_size < 4_000_000
    visitor.page.set_input_files("#berkas", big)
    eventually(lambda: "Sambungan terputus" in visitor.page.inner_text(".uploads"))


def test_an_upload_goes_on_after_the_log_in_ended_and_the_visitor_logged_in_again(
    visiting: Opening, tmp_path: Path
) -> None:
    reporter = visiting(used_up=True)
    username = reporter.register()
    reporter.write()
    sent, end = tunnel(reporter)
    begin_a_long_upload(reporter, tmp_path)
    reporter.context.clear_cookies()
    end()
    goes_on_until(reporter, "Anda perlu masuk lagi.")
    reporter.press("Kirim laporan")
    assert "Masih ada berkas yang dikirim." in reporter.page.inner_text("[data-said]")
    other = reporter.context.new_page()
    other.goto("/masuk")
    other.fill("[name=username]", username)
    other.fill("[name=password]", PASSWORD)
    other.click("main form button")
    other.wait_for_url("**/laporan")
    reporter.page.get_by_role("button", name="Lanjutkan").click()
    arrived(reporter)
    assert (sent.count("POST"), sent[-1]) == (1, "PATCH 2000000"), "it goes on where it stopped"
    reporter.send()
    assert "besar.jpg" in reporter.read()


def test_an_upload_that_rested_until_the_log_in_had_to_be_renewed_goes_on_with_the_line(
    visiting: Opening, tmp_path: Path
) -> None:
    reporter = visiting(used_up=True)
    reporter.register()
    reporter.write()
    sent, end = tunnel(reporter)
    begin_a_long_upload(reporter, tmp_path)
    reporter.forget("nkk_access")
    end()
    goes_on_until(reporter, "Sudah sampai (")
    assert (sent.count("POST"), sent[-1]) == (1, "PATCH 2000000")


def test_an_upload_whose_line_stood_still_for_too_long_goes_on(visiting: Opening, tmp_path: Path) -> None:
    reporter = visiting(used_up=True)
    reporter.register()
    reporter.write()
    sent, end = tunnel(reporter, status=408, json={"type": "urn:nkk:problem:too-slow"})
    begin_a_long_upload(reporter, tmp_path)
    end()
    goes_on_until(reporter, "Sudah sampai (")
    assert (sent.count("POST"), sent[-1]) == (1, "PATCH 2000000")


def test_many_files_are_sent_in_their_turn(visiting: Opening) -> None:
    """Ten at once on a slow line would leave no place for anybody else's."""
    reporter = visiting(used_up=True)
    reporter.register()
    reporter.write()
    begun: list[str] = []
    held: list[Any] = []
    original = base64.b64encode(b"1").decode()

    def heard(request: Any) -> None:
        if request.method == "POST":
            begun.append(request.headers["upload-metadata"])

    reporter.page.on("request", heard)
    reporter.page.route(
        "**/unggahan/*", lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_()
    )
    reporter.page.check("[name=asli]")
    reporter.page.set_input_files("#berkas", [chosen(f"nomor-{number}.jpg", picture()) for number in range(5)])
    reporter.page.uncheck("[name=asli]")
    eventually(lambda: reporter.page.title() and len(held) == 2)
    held.pop(0).continue_()
    arrived(reporter)
    assert len(begun) == 3, "the next has begun in the place of the first"
    # One of the first two has arrived, the other makes room for the fourth.
    for number in range(2):
        reporter.page.get_by_role("button", name=f"Buang nomor-{number}.jpg").click()
    eventually(lambda: reporter.page.title() and len(begun) == 4)
    reporter.page.unroute("**/unggahan/*")
    for route in held:
        with suppress(Error):
            route.continue_()
    arrived(reporter, 3)
    assert all(f"original {original}" in said for said in begun), "as it was ticked when they were chosen"


def test_an_upload_is_not_begun_anew_while_the_service_restarts(visiting: Opening, tmp_path: Path) -> None:
    reporter = visiting(used_up=True)
    reporter.register()
    reporter.write()
    sent, end = tunnel(reporter)
    begin_a_long_upload(reporter, tmp_path)
    away: list[str] = []

    def refuse(route: Any) -> None:
        away.append(route.request.method)
        route.fulfill(status=503)

    # The newest route comes first: the service is away before the line is back.
    reporter.page.route(re.compile("/unggahan"), refuse)
    end()
    goes_on_until(reporter, "Sambungan terputus")
    eventually(lambda: reporter.page.title() and "HEAD" in away)
    reporter.page.unroute(re.compile("/unggahan"))
    goes_on_until(reporter, "Sudah sampai (")
    assert (sent.count("POST"), sent[-1]) == (1, "PATCH 2000000")


def test_files_that_are_too_many_are_named(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write()
    reporter.page.set_input_files("#berkas", [chosen(f"nomor-{number}.jpg", picture()) for number in range(12)])
    eventually(lambda: "Tidak ikut: nomor-10.jpg, nomor-11.jpg" in reporter.page.inner_text("[data-said]"))


def test_uploads_are_kept_with_a_draft_and_with_a_form_that_is_shown_again(visiting: Opening) -> None:
    reporter = visiting()
    reporter.register()
    reporter.write()
    reporter.page.set_input_files("#berkas", [chosen("draf.jpg", picture())])
    arrived(reporter)
    eventually(lambda: "tersandi" in reporter.page.inner_text("[data-draft-note]"))
    reporter.open("/laporan/baru")
    arrived(reporter)
    assert "draf.jpg" in reporter.page.inner_text(".uploads")
    reporter.fill(subject_line="")
    reporter.press("Kirim laporan")
    arrived(reporter)
    assert reporter.is_wrong("subject_line")
    reporter.fill(subject_line="Loket tutup")
    reporter.send()
    assert "draf.jpg" in reporter.read()


def test_without_scripts_a_refused_file_costs_nothing_of_what_was_typed(visiting: Opening) -> None:
    reporter = visiting(java_script_enabled=False)
    reporter.register()
    reporter.write(text="Cerita yang panjang sekali.")
    reporter.page.set_input_files(
        "#berkas", [chosen("baik.jpg", picture()), chosen("buruk.exe", b"MZ" + bytes(200), "image/jpeg")]
    )
    reporter.press("Kirim laporan")
    reporter.page.wait_for_selector("#files-fault")
    assert "buruk.exe" in reporter.page.inner_text("#files-fault")
    assert reporter.value("text") == "Cerita yang panjang sekali."
    assert "baik.jpg" in reporter.page.inner_text(".uploads")
    reporter.send()
    receipt = reporter.read()
    assert "baik.jpg" in receipt
    assert "buruk.exe" not in receipt


def test_without_scripts_the_files_before_one_too_many_are_kept(visiting: Opening) -> None:
    reporter = visiting(java_script_enabled=False)
    reporter.register()
    reporter.write()
    reporter.page.set_input_files("#berkas", [chosen(f"nomor-{number}.jpg", picture()) for number in range(11)])
    reporter.press("Kirim laporan")
    reporter.page.wait_for_selector("#files-fault")
    assert "Paling banyak 10 berkas" in reporter.page.inner_text("#files-fault")
    kept = reporter.page.inner_text(".uploads")
    assert "nomor-9.jpg" in kept
    assert "nomor-10.jpg" not in kept
    reporter.send()
    assert "nomor-9.jpg" in reporter.read()


@pytest.mark.parametrize("scripts", [True, False])
def test_files_are_added_later_and_reach_the_desk(visiting: Opening, staff: Opening, scripts: bool) -> None:
    reporter = visiting(java_script_enabled=scripts)
    reporter.register()
    reporter.write()
    ticket = reporter.send()
    handed_on(partial(staff, plain=True), ticket)
    reporter.open(f"/laporan/{ticket}")
    reporter.follow("Tambah keterangan atau bukti")
    reporter.press("Tambahkan")
    assert reporter.is_wrong("text")
    reporter.fill(text="Sejak kemarin loket itu tutup lagi.")
    reporter.page.set_input_files("#berkas", [chosen("nanti.jpg", picture())])
    if scripts:
        arrived(reporter)
    reporter.press("Tambahkan")
    reporter.page.wait_for_selector(".evidence .open")
    assert re.search(r"Bukti 1 \(JPEG, \d+ kB\)", reporter.read())
    team = staff("opd_team", "dinas-sosial")
    team.take("opd", ticket)
    eventually(lambda: (team.open(f"/laporan/{ticket}"), "Bukti 1 (JPEG" in team.read())[1])
    assert "Sejak kemarin loket itu tutup lagi." in team.read()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_operator_attaches_what_somebody_brings_to_the_counter(staff: Opening, scripts: bool) -> None:
    operator = staff("operator", java_script_enabled=scripts)
    operator.open("/petugas/laporan-baru")
    operator.fill(
        identity_number="1971014107900001",
        name="Siti Rahmawati",
        subject_line="Loket tutup",
        text="Loket ditutup pukul 14.00.",
    )
    operator.choose("topic", "kode-perilaku/disiplin")
    operator.page.set_input_files("#berkas", [chosen("surat.jpg", photograph())])
    if scripts:
        arrived(operator)
    operator.press("Masukkan laporan")
    ticket = operator.text("//*[contains(@class, 'ticket-big')]")
    operator.open(f"/laporan/{ticket}")
    assert re.search(r"Bukti 1 \(JPEG, ", operator.read())
