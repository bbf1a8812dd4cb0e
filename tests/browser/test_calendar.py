"""The admin's calendar pages, and the addresses of the teams."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import pytest

from nkk.sop.clock import WIB
from tests.browser.visitors import Visitor, said
from tests.people import People

Opening = Callable[..., Visitor]

DAY, OPEN_DAY = "2099-12-30", "2099-12-27"
PLAIN = {"plain": True}


def calendar(people: People) -> dict[str, Any]:
    return people.admin.get("/calendar")


@pytest.fixture(autouse=True)
def _as_it_was(people: People) -> Iterator[None]:
    """Restore the calendar after each test."""
    before = calendar(people)["calendar"]
    yield
    now = calendar(people)
    assert people.admin.ask("PUT", "/calendar", {"version": now["version"], "calendar": before}).status_code == 200


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", PLAIN)], ids=["id", "en-plain"])
def test_a_day_is_added_and_removed(staff: Opening, people: People, language: str, window: dict[str, bool]) -> None:
    admin = staff("admin", language=language, **window)
    admin.open("/admin/kalender")
    admin.press("Tambah hari")
    assert admin.count("//*[@aria-invalid='true']") >= 1
    admin.fill(day=DAY, name="Penutupan akhir tahun")
    admin.press("Tambah hari")
    assert calendar(people)["calendar"]["days"][DAY] == {"name": "Penutupan akhir tahun", "spans": []}
    admin.fill(day=OPEN_DAY, name="Hari kerja darurat", hours="8 sampai 12")
    admin.check("kind", "open")
    admin.press("Tambah hari")
    assert admin.is_wrong("hours")
    admin.fill(hours="8.00-12.00, 13:00 – 15.30")
    admin.press("Tambah hari")
    assert calendar(people)["calendar"]["days"][OPEN_DAY]["spans"] == [["08:00", "12:00"], ["13:00", "15:30"]]
    admin.press_in(f"//*[@data-day='{DAY}']")
    admin.press("Ya, hapus")
    assert not admin.count(f"//*[@data-day='{DAY}']")
    assert DAY not in calendar(people)["calendar"]["days"]


def test_a_season_is_added_and_removed(staff: Opening, people: People) -> None:
    admin = staff("admin")
    admin.open("/admin/kalender")
    admin.fill(
        season_name="Ramadan",
        first="2099-03-01",
        last="2099-12-30",
        weekdays="08.00-12.00, 12.30-15.00",
        friday="08.00-11.30",
    )
    admin.press("Tambah musim")
    assert "paling lama 92 hari" in admin.page.inner_text(".notice.bad")
    admin.fill(last="2099-03-30")
    admin.press("Tambah musim")
    season = calendar(people)["calendar"]["seasons"][-1]
    assert (season["name"], season["first"], season["last"]) == ("Ramadan", "2099-03-01", "2099-03-30")
    assert season["week"] == [*[[["08:00", "12:00"], ["12:30", "15:00"]]] * 4, [["08:00", "11:30"]], [], []]
    assert admin.accessibility() == []
    admin.page.get_by_role("button", name="Hapus Ramadan").click()
    admin.press("Ya, hapus")
    assert calendar(people)["calendar"]["seasons"] == []


def test_no_day_and_no_hours_of_the_week_are_broken_on_a_narrow_phone(staff: Opening) -> None:
    admin = staff("admin", language="en", viewport={"width": 320, "height": 640})
    admin.open("/admin/kalender")
    for part in (".week dt", ".week .unbroken"):
        boxes = [one.bounding_box() for one in admin.page.locator(part).all()]
        assert len({round(box["height"]) for box in boxes if box}) == 1
    assert admin.too_wide() == []


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", PLAIN)], ids=["id", "en-plain"])
def test_the_ordinary_week_is_changed(staff: Opening, people: People, language: str, window: dict[str, bool]) -> None:
    before = calendar(people)
    admin = staff("admin", language=language, **window)
    admin.open("/admin/kalender")
    admin.follow("Ubah pekan biasa")
    admin.arrives("/admin/kalender/pekan")
    # The form's hours, as the calendar formats them, can be sent back unchanged.
    admin.press("Simpan pekan")
    admin.arrives("/admin/kalender")
    assert calendar(people)["calendar"] == before["calendar"]
    admin.open("/admin/kalender/pekan")
    admin.fill(
        **{
            "day-1": "8 sampai 12",
            "day-2": "12.00-08.00",
            "day-3": "08.00-12.00, 11.00-15.00",
            "day-5": "08.00 – 11.30",
        }
    )
    admin.press("Simpan pekan")
    assert [day for day in range(7) if admin.is_wrong(f"day-{day}")] == [1, 2, 3]
    assert admin.value("day-1") == "8 sampai 12"
    if not window:
        assert admin.accessibility() + admin.too_wide() == []
    admin.fill(**{f"day-{day}": "" for day in range(1, 5)} | {"day-0": "08.00-12.00"})
    admin.press("Simpan pekan")
    too_few = said("Jam buka sepekan berjumlah %(hours)s jam; harus paling sedikit %(least)s jam.", language)
    hours = "7.5" if language == "en" else "7,5"
    assert too_few % {"hours": hours, "least": 10} in admin.text("//*[@id='week-fault']")
    assert calendar(people)["calendar"] == before["calendar"]
    admin.fill(**{f"day-{day}": "8.00-12.00, 13:00-15:00" for day in range(5)})
    admin.press("Simpan pekan")
    admin.arrives("/admin/kalender")
    assert calendar(people)["calendar"]["week"] == [
        *[[["08:00", "12:00"], ["13:00", "15:00"]]] * 5,
        [["08:00", "11:30"]],
        [],
    ]
    assert "11" in admin.text("//*[contains(@class, 'week')]/div[6]")


def test_a_week_that_somebody_changed_meanwhile_is_not_overwritten(staff: Opening, people: People) -> None:
    admin = staff("admin")
    admin.open("/admin/kalender/pekan")
    assert people.admin.ask("PUT", f"/calendar/days/{OPEN_DAY}", {"name": "Libur daerah"}).status_code == 200
    admin.page.fill("#day-5", "08.00-11.00")
    admin.press("Simpan pekan")
    assert "Kalender baru saja diubah orang lain" in admin.read()
    assert calendar(people)["calendar"]["week"][5] == []
    assert admin.page.input_value("#day-5") == "08.00-11.00"
    admin.press("Simpan pekan")
    admin.page.wait_for_url("**/admin/kalender")
    assert calendar(people)["calendar"]["week"][5] == [["08:00", "11:00"]]
    assert OPEN_DAY in calendar(people)["calendar"]["days"]


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", PLAIN)], ids=["id", "en-plain"])
def test_an_old_version_is_shown_with_what_it_changed(
    staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    old = calendar(people)
    content = old["calendar"]
    changed = content | {
        "week": [*content["week"][:5], [["08:00", "11:00"]], []],
        "days": content["days"] | {DAY: {"name": "Penutupan <b>akhir</b>", "spans": []}},
    }
    assert people.admin.ask("PUT", "/calendar", {"version": old["version"], "calendar": changed}).status_code == 200
    assert people.admin.ask("DELETE", f"/calendar/days/{DAY}").status_code == 200
    admin = staff("admin", language=language, **window)
    admin.open("/admin/kalender/versi")
    admin.follow_at(f"//main//a[@href='/admin/kalender/versi/{old['version'] + 1}']")
    admin.arrives(f"/admin/kalender/versi/{old['version'] + 1}")
    added = said("Ditambahkan: %(what)s", language).split("%")[0]
    changes = admin.text("//*[@aria-labelledby='perubahan']")
    assert added in changes
    assert "Penutupan <b>akhir</b>" in changes
    assert {"id": "Sabtu", "en": "Saturday"}[language] in changes
    assert admin.sees("tidak berlaku lagi bagi langkah yang mulai sekarang")
    if not window:
        assert admin.accessibility() + admin.too_wide() == []
    admin.follow_at("//a[@rel='next']")
    admin.arrives(f"/admin/kalender/versi/{old['version'] + 2}")
    assert said("Dihapus: %(what)s", language).split("%")[0] in admin.text("//*[@aria-labelledby='perubahan']")
    assert admin.sees("berlaku bagi langkah yang mulai sekarang")
    assert not admin.count("//a[@rel='next']")
    assert admin.open("/admin/kalender/versi/999999") == 404
    assert admin.sees("Versi kalender ini tidak ada")
    admin.open("/admin/kalender/versi/1")
    assert not admin.count("//*[@id='perubahan' or @rel='prev']")


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", PLAIN)], ids=["id", "en-plain"])
def test_national_days_are_shown_and_taken_in(
    staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    year = datetime.now(WIB).year + 2
    known = people.admin.get("/calendar/national-days", params={"year": year})["days"]
    first, second, third, *others = known
    assert people.admin.ask("PUT", f"/calendar/days/{first}", {"name": "Nama sendiri"}).status_code == 200
    admin = staff("admin", language=language, **window)
    admin.open("/admin/kalender")
    admin.follow("Hari libur nasional dan cuti bersama tiap tahun")
    admin.choose("tahun", str(year))
    admin.press("Tampilkan")
    admin.arrives(f"/admin/kalender/hari-nasional?tahun={year}")
    assert admin.count("//*[@class='days']/li") == len(known)
    assert "Nama sendiri" in admin.text("//*[@class='days']/li[1]")
    assert chosen(admin, known) == {*known} - {first}
    if not window:
        assert admin.accessibility() + admin.too_wide() == []
    for day in (second, third, *others):
        admin.check(f"hari-{day}", "ya", on=False)
    admin.press("Masukkan ke kalender")
    assert admin.sees("Pilih paling sedikit satu hari.")
    assert chosen(admin, known) == set()
    admin.check(f"hari-{third}", "ya")
    admin.press("Masukkan ke kalender")
    admin.arrives("/admin/kalender")
    days = calendar(people)["calendar"]["days"]
    assert {day for day in known if day in days} == {first, third}
    assert days[first]["name"] == "Nama sendiri"
    assert days[third] == known[third]


def chosen(admin: Visitor, known: Iterable[str]) -> set[str]:
    """Return which of these days' boxes are there and checked."""
    return {day for day in known if admin.count(f"//*[@name='hari-{day}']") and admin.is_checked(f"hari-{day}", "ya")}


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
        "opd_team": {"disdukcapil": {"email": "tim@example.id", "superior_email": "kadis@example.id"}},
    }
    assert people.admin.ask("PUT", "/teams", {}).status_code == 200
