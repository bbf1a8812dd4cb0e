"""Each act has its effect once, also after double clicks, going back, or acts by two people at the same time."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.visitors import NIK, Visitor
from tests.installations import eventually
from tests.people import PASSWORD, People, travel_as_information

Opening = Callable[..., Visitor]


def happened(people: People, ticket: str) -> list[str]:
    """Return the event types in the operator's timeline of a complaint."""
    return [entry["event"] for entry in people.operator.get(f"/complaints/{ticket}/timeline")["entries"]]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_on_every_button_has_one_effect(
    people: People, visiting: Opening, staff: Opening, scripts: bool
) -> None:
    window = {"java_script_enabled": scripts}
    reporter = visiting(**window)
    reporter.open("/daftar")
    username = f"warga-{uuid.uuid4().hex[:10]}"
    reporter.fill(identity_number=NIK, name="Siti", email="siti@example.id", username=username, password=PASSWORD)
    reporter.button("Daftar").dblclick()
    reporter.page.wait_for_selector("#topic")
    reporter.write()
    reporter.button("Kirim laporan").dblclick()
    # Not the address is waited for: that fails where the second click breaks off what the first began.
    ticket = reporter.page.inner_text(".ticket-big")
    reporter.open("/laporan")
    assert reporter.page.locator(".row").count() == 1

    operator, main_team = staff("operator", **window), staff("main_team", **window)
    opd_team = staff("opd_team", "dinas-sosial", **window)
    operator.take("serah-terima", ticket)
    operator.button("Saya kerjakan").dblclick()
    operator.button("Lepaskan").dblclick()
    operator.button("Serahkan kepada Tim NKK Utama").dblclick()
    main_team.take("tim-utama", ticket)
    main_team.page.check("[name=kind][value=complaint]")
    main_team.page.select_option("#opd", "dinas-sosial")
    main_team.button("Simpan klasifikasi").dblclick()
    for decision in ("Kembalikan dengan catatan", "Teruskan kepada operator"):
        opd_team.take("opd", ticket)
        opd_team.fill(text="Petugas telah ditegur.")
        opd_team.button("Kirim tanggapan").dblclick()
        main_team.take("tim-utama", ticket)
        main_team.fill(note="Sebutkan kapan.")
        main_team.button(decision).dblclick()
    operator.take("jawaban", ticket)
    operator.fill(text="Petugas telah ditegur.")
    operator.button("Kirim jawaban").dblclick()
    eventually(lambda: "answer.sent.v1" in happened(people, ticket))
    reporter.open(f"/laporan/{ticket}")
    reporter.button("Ya, jawaban sudah saya terima").dblclick()
    reporter.page.wait_for_selector(".confirmed")
    eventually(lambda: "complaint.closed.v1" in happened(people, ticket))
    assert happened(people, ticket) == [
        "complaint.submitted.v2",
        "complaint.handed_over.v1",
        "complaint.forwarded.v1",
        "response.submitted.v1",
        "response.returned.v1",
        "response.submitted.v1",
        "response.approved.v1",
        "answer.sent.v1",
        "complaint.closed.v1",
    ]


@pytest.mark.parametrize("scripts", [True, False])
def test_back_from_the_receipt_and_sent_again_is_the_same_report(visiting: Opening, scripts: bool) -> None:
    reporter = visiting(java_script_enabled=scripts)
    reporter.register()
    reporter.write()
    ticket = reporter.send()
    reporter.page.go_back()
    # The browser restores the typed text.
    assert reporter.page.input_value("#subject_line") == "Loket tutup sebelum waktunya"
    assert reporter.send() == ticket
    reporter.page.go_back()
    reporter.fill(text="Lain lagi.")
    reporter.press("Kirim laporan")
    assert "Laporan ini sudah kami terima sebelumnya" in reporter.read()
    assert reporter.page.input_value("#text") == "Lain lagi."
    reporter.open("/laporan")
    assert reporter.page.locator(".row").count() == 1
    reporter.page.get_by_role("link", name="Tulis laporan").first.click()
    reporter.write(text="Laporan lain.")
    assert reporter.send() != ticket


STEPS = {
    "hand over": ("operator", "Serahkan kepada Tim NKK Utama", {}, "complaint.handed_over.v1"),
    "classify": ("main_team", "Simpan klasifikasi", {"note": "Mohon diperiksa."}, "complaint.forwarded.v1"),
    "respond": ("opd_team", "Kirim tanggapan", {"text": "Petugas telah ditegur."}, "response.submitted.v1"),
    "return": ("main_team", "Kembalikan dengan catatan", {"note": "Sebutkan kapan."}, "response.returned.v1"),
    "approve": ("main_team", "Teruskan kepada operator", {"note": "Baik."}, "response.approved.v1"),
    "answer": ("operator", "Kirim jawaban", {"text": "Petugas telah ditegur."}, "answer.sent.v1"),
}
BEFORE = {"hand over": 0, "classify": 1, "respond": 2, "return": 3, "approve": 3, "answer": 4}
DESKS = {"operator": "intake", "main_team": "triage", "opd_team": "opd"}


@pytest.fixture(params=STEPS)
def at_step(request: pytest.FixtureRequest, people: People) -> tuple[str, str]:
    """Return a step, and the ticket of a complaint that waits for it."""
    ticket, opd_team = people.submit(people.reporter()), people.opd_team("dinas-sosial")
    acts = [
        (people.operator, "handover", None),
        (people.main_team, "classification", {"kind": "complaint", "opd": "dinas-sosial"}),
        (opd_team, "response", {"text": "Sudah."}),
        (people.main_team, "approval", {"approved": True}),
    ]
    for person, act, form in acts[: BEFORE[request.param]]:
        person.act(f"/complaints/{ticket}/{act}", form)
    person = {"operator": people.operator, "main_team": people.main_team, "opd_team": opd_team}[STEPS[request.param][0]]
    desk = "answers" if request.param == "answer" else DESKS[STEPS[request.param][0]]
    eventually(lambda: ticket in person.desk(desk))
    return request.param, ticket


def filled_in(worker: Any, step: str, ticket: str) -> None:
    """Open a complaint and fill in the form of a step."""
    worker.open(f"/laporan/{ticket}")
    worker.fill(**STEPS[step][2])
    if step == "classify":
        worker.check("kind", "complaint")
        worker.choose("opd", "dinas-sosial")


def test_a_form_that_was_left_open_and_is_sent_after_its_step_was_done_changes_nothing(
    people: People, staff: Opening, at_step: tuple[str, str]
) -> None:
    step, ticket = at_step
    role, button, fields, event = STEPS[step]
    opd = "dinas-sosial" if role == "opd_team" else None
    worker, stale = staff(role, opd, plain=True), staff(role, opd, plain=True)
    for window in (stale, worker):
        filled_in(window, step, ticket)
    worker.press(button)
    worker.leaves(f"/laporan/{ticket}")
    eventually(lambda: event in happened(people, ticket))
    stale.press(button)
    words = stale.read()
    if step in ("return", "approve"):
        assert "Tidak ada yang berubah." in words
    else:
        assert "Langkah ini sudah dikerjakan" in words
        assert "Anda sendiri sudah mengerjakannya." in words
    assert stale.kept() == list(fields.values())
    assert happened(people, ticket).count(event) == 1


@pytest.mark.parametrize("at_step", ["classify", "respond"], indirect=True)
def test_going_back_after_a_step_shows_that_it_was_done(
    people: People, staff: Opening, at_step: tuple[str, str]
) -> None:
    """The browser keeps no page, so that going back asks for it anew."""
    step, ticket = at_step
    role, button, _, event = STEPS[step]
    worker = staff(role, "dinas-sosial" if role == "opd_team" else None)
    filled_in(worker, step, ticket)
    worker.press(button)
    worker.page.wait_for_url("**/meja/*")
    eventually(lambda: event in happened(people, ticket))
    worker.page.go_back()
    worker.page.wait_for_load_state()
    assert worker.sees("Tidak ada yang perlu Anda kerjakan")


def test_back_after_the_confirmation_and_confirmed_again_is_as_it_was(people: People, visiting: Opening) -> None:
    owner = people.reporter()
    ticket = travel_as_information(people, owner)
    assert owner.account is not None
    reporter = visiting().log_in(str(owner.account["username"]))
    stale = reporter.context.new_page()
    for page in (stale, reporter.page):
        page.goto(f"/laporan/{ticket}")
    for page in (reporter.page, stale):
        page.get_by_role("button", name="Ya, jawaban sudah saya terima").click()
        page.wait_for_selector(".confirmed")
    reporter.page.go_back()
    reporter.page.wait_for_selector(".confirmed")
    assert happened(people, ticket).count("complaint.closed.v1") == 1


def test_what_an_admin_does_twice_is_done_once(people: People, staff: Opening) -> None:
    admin, username = staff("admin"), f"petugas-{uuid.uuid4().hex[:8]}"
    admin.open("/admin/staf/baru")
    admin.fill(username=username, name="Petugas", password=PASSWORD)
    admin.page.check("[name=role][value=operator]")
    admin.button("Tambah akun").dblclick()
    admin.page.wait_for_url("**/admin/staf")
    admin.page.go_back()
    admin.fill(username=username, name="Petugas", password=PASSWORD)
    admin.page.check("[name=role][value=operator]")
    admin.press("Tambah akun")
    assert "Nama pengguna ini sudah dipakai." in admin.page.inner_text("#username-fault")
    admin.open(f"/admin/staf/{username}")
    admin.press("Nonaktifkan akun")
    admin.button("Ya, nonaktifkan").dblclick()
    admin.page.wait_for_url("**/admin/staf")
    admin.open(f"/admin/staf/{username}")
    assert "Nonaktif" in admin.read()
    assert not admin.button("Nonaktifkan akun").count()
    admin.fill(password="lain-sekali-4711")
    admin.button("Ganti kata sandi").dblclick()
    admin.page.wait_for_url("**/admin/staf")
    people.log_in(username, "lain-sekali-4711")
    for path, button, fields in (
        ("/admin/kalender", "Tambah hari", {"day": "2097-12-30", "name": "Penutupan"}),
        (
            "/admin/kalender",
            "Tambah musim",
            {
                "season_name": "Ramadan",
                "first": "2097-03-01",
                "last": "2097-03-20",
                "weekdays": "08.00-12.00",
                "friday": "08.00-11.00",
            },
        ),
        ("/admin/kalender/pekan", "Simpan pekan", {"day-5": "08.00-11.00"}),
        ("/admin/alamat-tim", "Simpan alamat", {"operator-email": "operator@example.id"}),
    ):
        before = people.admin.get("/calendar")
        admin.open(path)
        admin.fill(**fields)
        admin.button(button).dblclick()
        admin.page.wait_for_selector(".notice.good")
        made = people.admin.get("/calendar")["version"] - before["version"]
        assert made == (0 if path.endswith("tim") else 1), path
        if made:
            after = people.admin.get("/calendar")["version"]
            assert people.admin.ask("PUT", "/calendar", {"version": after, "calendar": before["calendar"]}).is_success
    assert people.admin.ask("PUT", "/teams", {}).status_code == 200


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
    people.admin.ask(
        "POST", "/staff", {"username": "operator-dua", "name": "Operator Dua", "role": "operator", "password": PASSWORD}
    )
    operator = staff("operator")
    operator.take("serah-terima", ticket)
    people.log_in("operator-dua", PASSWORD).act(f"/complaints/{ticket}/handover")
    # The page takes the name from the journey.
    eventually(lambda: "complaint.handed_over.v1" in happened(people, ticket))
    operator.press("Serahkan kepada Tim NKK Utama")
    assert "Operator Dua sudah mengerjakannya." in operator.read()
    assert "Sudah diserahkan kepada Tim NKK Utama" in operator.read()
