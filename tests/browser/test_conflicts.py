"""A conflict of interest, clicked through: what a reporter says of the accused, what Tim Utama is offered, and NIPs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_acts import is_well
from tests.installations import eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Any]

NIP = "198503122010011003"
OWN, INSPECTORATE = "dinas-sosial", "inspektorat"
WHY = "Pemimpin tim itu sudah pindah."

WINDOWS = pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", {"plain": True})], ids=["id", "en-plain"])


@WINDOWS
def test_the_inspectorate_is_offered_first_and_the_own_agency_needs_a_reason(
    visiting: Opening, staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    reporter = visiting(language, **window)
    reporter.register()
    reporter.write(accused_name="Kepala bidang", accused_nip="1985")
    reporter.choose("accused_opd", OWN)
    reporter.check("conflict", "yes")
    reporter.press("Kirim laporan")
    assert reporter.is_wrong("accused_nip")
    assert reporter.is_checked("conflict", "yes")
    if not window:
        is_well(reporter)
    reporter.fill(accused_nip=NIP)
    ticket = reporter.send()
    people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))

    main = staff("main_team", language=language, **window)
    main.open(f"/laporan/{ticket}")
    assert main.sees("Orang yang dilaporkan mungkin menangani pengaduan di perangkat daerahnya")
    assert NIP not in main.read()
    assert main.value("opd") == INSPECTORATE
    assert main.count("//select[@id='opd']/option[2][@value='inspektorat']") == 1
    if not window:
        is_well(main)
    main.check("kind", "complaint")
    main.choose("opd", OWN)
    main.press("Simpan klasifikasi")
    assert main.is_wrong("reason")
    main.fill(reason=WHY)
    main.press("Simpan klasifikasi")
    eventually(lambda: people.main_team.get(f"/complaints/{ticket}")["opd"] == OWN)
    main.open(f"/laporan/{ticket}")
    assert WHY in main.read()
    team = people.opd_team(OWN)
    assert WHY not in str(eventually(lambda: team.get(f"/complaints/{ticket}")))


@WINDOWS
def test_an_admin_enters_a_nip_which_is_not_shown_again(
    visiting: Opening, staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    username = f"terlapor-{language}"
    account = {"username": username, "password": PASSWORD, "name": "Petugas", "role": "operator"}
    people.admin.post("/staff", account, expect=201)
    admin = staff("admin", language=language, **window)
    admin.open(f"/admin/staf/{username}")
    assert admin.sees("belum dicatat")
    admin.fill(nip="19850312 201001 1 00")
    admin.press("Simpan NIP")
    assert admin.is_wrong("nip")
    admin.fill(nip="19850312 201001 1 003")
    admin.press("Simpan NIP")
    assert admin.sees("sudah dicatat, tidak ditampilkan")
    assert NIP not in admin.read()
    if not window:
        is_well(admin)
    ticket = people.submit(people.reporter(), accused_nip=NIP)
    worker = visiting(language, **window).log_in(username)
    assert worker.open(f"/laporan/{ticket}") == 404
    worker.open(f"/meja/serah-terima?q={ticket}")
    assert worker.count(f"//*[@data-ticket='{ticket}']") == 0
