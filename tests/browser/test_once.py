"""Every act has its effect once: clicked twice, gone back to, or done by two at the same time."""

import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import NIK, Visitor
from tests.installations import eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]


def happened(people: People, ticket: str) -> list[str]:
    """What the operator's timeline tells of a complaint."""
    return [entry["event"] for entry in people.operator.get(f"/complaints/{ticket}/timeline")["entries"]]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_on_every_button_has_one_effect(people: People, visiting: Opening, staff: Opening,
                                                        scripts: bool) -> None:
    window = {"java_script_enabled": scripts}
    reporter = visiting(**window)
    reporter.open("/daftar")
    username = f"warga-{uuid.uuid4().hex[:10]}"
    reporter.fill(identity_number=NIK, name="Siti", email="siti@example.id", username=username, password=PASSWORD)
    reporter.button("Daftar").dblclick()
    reporter.page.wait_for_url("**/laporan/baru")
    reporter.write()
    reporter.button("Kirim laporan").dblclick()
    reporter.page.wait_for_url("**/tanda-terima")
    ticket = reporter.page.inner_text(".ticket-big")
    reporter.open("/laporan")
    assert reporter.page.locator(".row").count() == 1

    operator, main_team = staff("operator", **window), staff("main_team", **window)
    opd_team = staff("opd_team", "dinas-sosial", **window)
    operator.take("serah-terima", ticket)
    operator.button("Serahkan kepada Tim NKK Utama").dblclick()
    main_team.take("tim-utama", ticket)
    main_team.page.check("[name=kind][value=complaint]")
    main_team.page.select_option("#opd", "dinas-sosial")
    main_team.button("Simpan klasifikasi").dblclick()
    opd_team.take("opd", ticket)
    opd_team.fill(text="Petugas telah ditegur.")
    opd_team.button("Kirim tanggapan").dblclick()
    main_team.take("tim-utama", ticket)
    main_team.button("Teruskan kepada operator").dblclick()
    operator.take("jawaban", ticket)
    operator.fill(text="Petugas telah ditegur.")
    operator.button("Kirim jawaban").dblclick()
    eventually(lambda: "answer.sent.v1" in happened(people, ticket))
    reporter.open(f"/laporan/{ticket}")
    reporter.button("Ya, jawaban sudah saya terima").dblclick()
    reporter.page.wait_for_selector(".confirmed")
    eventually(lambda: "complaint.closed.v1" in happened(people, ticket))
    assert happened(people, ticket) == [
        "complaint.submitted.v1", "complaint.handed_over.v1", "complaint.forwarded.v1", "response.submitted.v1",
        "response.approved.v1", "answer.sent.v1", "complaint.closed.v1"]


def test_going_back_and_doing_it_again_is_told_that_it_is_done(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    operator = staff("operator")
    operator.take("serah-terima", ticket)
    operator.press("Serahkan kepada Tim NKK Utama")
    operator.page.wait_for_url("**/meja/serah-terima")
    operator.page.go_back()
    if operator.button("Serahkan kepada Tim NKK Utama").count():
        operator.press("Serahkan kepada Tim NKK Utama")
        assert "Langkah ini sudah dikerjakan" in operator.read()
        assert "Anda sendiri sudah mengerjakannya." in operator.read()
        operator.page.get_by_role("link", name="Muat ulang laporan").click()
    assert "Tidak ada yang perlu Anda kerjakan" in operator.read()
    assert happened(people, ticket).count("complaint.handed_over.v1") == 1


def test_two_at_one_case_are_told_who_was_first_and_the_seconds_text_is_kept(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information"})
    first, second = staff("operator"), staff("operator")
    first.take("jawaban", ticket)
    second.take("jawaban", ticket)
    first.fill(text="Loket buka pukul 07.30.")
    second.fill(text="Loket buka setiap hari kerja.")
    first.press("Kirim jawaban")
    first.page.wait_for_url("**/meja/jawaban")
    second.press("Kirim jawaban")
    assert "Langkah ini sudah dikerjakan" in second.read()
    assert "Jawaban sudah dikirim" in second.read()
    assert second.page.input_value("textarea") == "Loket buka setiap hari kerja."
    second.page.get_by_role("link", name="Muat ulang laporan").click()
    assert "Loket buka pukul 07.30." in second.read()
    assert happened(people, ticket).count("answer.sent.v1") == 1


def test_a_colleague_who_was_first_is_named(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    people.admin.ask("POST", "/staff", {"username": "operator-dua", "name": "Operator Dua", "role": "operator",
                                        "password": PASSWORD})
    operator = staff("operator")
    operator.take("serah-terima", ticket)
    people.log_in("operator-dua", PASSWORD).act(f"/complaints/{ticket}/handover")
    operator.press("Serahkan kepada Tim NKK Utama")
    assert "Operator Dua sudah mengerjakannya." in operator.read()
    assert "Sudah diserahkan kepada Tim NKK Utama" in operator.read()
