"""The admin's calendar, and the addresses of the teams."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.visitors import Visitor
from tests.people import People

Opening = Callable[..., Visitor]

DAY, OPEN_DAY = "2099-12-30", "2099-12-27"
WITHOUT_SCRIPTS = {"java_script_enabled": False}


def calendar(people: People) -> dict[str, Any]:
    return people.admin.get("/calendar")


@pytest.fixture(autouse=True)
def _as_it_was(people: People) -> Iterator[None]:
    """Whatever a test writes into the calendar is gone after it."""
    before = calendar(people)["calendar"]
    yield
    now = calendar(people)
    assert people.admin.ask("PUT", "/calendar", {"version": now["version"], "calendar": before}).status_code == 200


@pytest.mark.parametrize("window", [{}, WITHOUT_SCRIPTS], ids=["scripts", "bare"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_a_day_is_added_and_removed(staff: Opening, people: People, language: str, window: dict[str, bool]) -> None:
    admin = staff("admin", language=language, **window)
    admin.open("/admin/kalender")
    admin.press("Tambah hari")
    assert admin.page.locator("[aria-invalid=true]").count() >= 1
    admin.fill(day=DAY, name="Penutupan akhir tahun")
    admin.press("Tambah hari")
    assert calendar(people)["calendar"]["days"][DAY] == {"name": "Penutupan akhir tahun", "spans": []}
    admin.fill(day=OPEN_DAY, name="Hari kerja darurat", hours="8 sampai 12")
    admin.page.check("[name=kind][value=open]")
    admin.press("Tambah hari")
    assert admin.page.get_attribute("#hours", "aria-invalid") == "true"
    admin.fill(hours="8.00-12.00, 13:00 – 15.30")
    admin.press("Tambah hari")
    assert calendar(people)["calendar"]["days"][OPEN_DAY]["spans"] == [["08:00", "12:00"], ["13:00", "15:30"]]
    admin.page.click(f"[data-day='{DAY}'] button")
    admin.page.wait_for_load_state()
    assert not admin.page.locator(f"[data-day='{DAY}']").count()
    assert DAY not in calendar(people)["calendar"]["days"]


def test_a_season_is_added_and_removed(staff: Opening, people: People) -> None:
    admin = staff("admin")
    admin.open("/admin/kalender")
    admin.fill(season_name="Ramadan", first="2099-03-01", last="2099-12-30", weekdays="08.00-12.00, 12.30-15.00",
               friday="08.00-11.30")
    admin.press("Tambah musim")
    assert "paling lama 92 hari" in admin.page.inner_text(".notice.bad")
    admin.fill(last="2099-03-30")
    admin.press("Tambah musim")
    season = calendar(people)["calendar"]["seasons"][-1]
    assert (season["name"], season["first"], season["last"]) == ("Ramadan", "2099-03-01", "2099-03-30")
    assert season["week"] == [*[[["08:00", "12:00"], ["12:30", "15:00"]]] * 4, [["08:00", "11:30"]], [], []]
    assert admin.accessibility() == []
    admin.page.get_by_role("button", name="Hapus Ramadan").click()
    admin.page.wait_for_load_state()
    assert calendar(people)["calendar"]["seasons"] == []


def test_who_was_overtaken_is_told_and_loses_nothing(staff: Opening, people: People) -> None:
    admin = staff("admin")
    admin.open("/admin/kalender")
    assert people.admin.ask("PUT", f"/calendar/days/{OPEN_DAY}", {"name": "Libur daerah"}).status_code == 200
    admin.fill(day=DAY, name="Penutupan")
    admin.press("Tambah hari")
    assert "Kalender baru saja diubah orang lain" in admin.read()
    assert admin.page.locator(f"[data-day='{OPEN_DAY}']").count() == 1
    assert DAY not in calendar(people)["calendar"]["days"]
    assert admin.accessibility() + admin.too_wide() == []
    admin.press("Tambah hari")
    assert {DAY, OPEN_DAY} <= set(calendar(people)["calendar"]["days"])
    newest = calendar(people)["version"]
    admin.page.click("main a[href='/admin/kalender/versi']")
    first = admin.page.locator("tbody tr").first.inner_text()
    assert str(newest) in first
    assert "otomatis" not in first


def test_the_teams_addresses_are_written_and_checked(staff: Opening, people: People) -> None:
    admin = staff("admin")
    admin.open("/admin/alamat-tim")
    admin.page.fill("#operator-email", "bukan alamat")
    admin.page.fill("#opd-disdukcapil-superior_email", "kadis@example.id")
    admin.press("Simpan alamat")
    assert admin.page.get_attribute("#operator-email", "aria-invalid") == "true"
    admin.page.fill("#operator-email", "operator@example.id")
    admin.press("Simpan alamat")
    assert admin.page.get_attribute("#opd-disdukcapil-email", "aria-invalid") == "true"
    admin.page.fill("#opd-disdukcapil-email", "tim@example.id")
    admin.press("Simpan alamat")
    assert "Alamat tim disimpan." in admin.read()
    assert people.admin.get("/teams") == {
        "operator": {"email": "operator@example.id", "superior_email": None},
        "opd_team": {"disdukcapil": {"email": "tim@example.id", "superior_email": "kadis@example.id"}}}
    assert people.admin.ask("PUT", "/teams", {}).status_code == 200


@pytest.mark.parametrize("path", ["/admin/kalender", "/admin/kalender/versi", "/admin/alamat-tim"])
def test_they_are_the_admins_alone(staff: Opening, path: str) -> None:
    response = staff("main_team").page.goto(path)
    assert response is not None
    assert response.status == 403
