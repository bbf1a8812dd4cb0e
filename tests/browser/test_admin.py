"""The admin's pages."""

from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]


def test_an_account_is_added_disabled_and_opened_again(staff: Opening, visiting: Opening) -> None:
    admin = staff("admin")
    admin.open("/admin/staf/baru")
    admin.fill(username="petugas-baru", name="Petugas Baru", password="pendek")
    admin.page.check("[name=role][value=opd_team]")
    admin.press("Tambah akun")
    assert "Panjangnya harus 10 sampai 128 karakter." in admin.page.inner_text("#password-fault")
    assert admin.page.input_value("#name") == "Petugas Baru"
    admin.fill(password=PASSWORD)
    admin.press("Tambah akun")
    assert "Tim NKK Pembantu harus punya" in admin.page.inner_text("#opd-fault")
    admin.page.select_option("#opd", "dinas-kesehatan")
    admin.fill(password=PASSWORD)
    admin.button("Tambah akun").dblclick()
    admin.page.wait_for_url("**/admin/staf")
    assert "Akun petugas-baru ditambahkan." in admin.read()

    worker = visiting().log_in("petugas-baru")
    assert worker.page.url.endswith("/meja/opd")

    admin.page.get_by_role("link", name="petugas-baru").click()
    assert "Petugas Baru" in admin.read()
    assert "Tim NKK Pembantu, Dinas Kesehatan" in admin.read()
    admin.press("Nonaktifkan akun")
    admin.press("Ya, nonaktifkan")
    assert "Nonaktif" in admin.page.get_by_role("row", name="petugas-baru").inner_text()
    worker.context.clear_cookies(name="nkk_access")
    worker.open("/meja/opd")
    assert "/masuk" in worker.page.url

    admin.page.get_by_role("link", name="petugas-baru").click()
    admin.fill(password="lain-sekali-4711")
    admin.press("Ganti kata sandi")
    assert "Aktif" in admin.page.get_by_role("row", name="petugas-baru").inner_text()
    visiting().log_in("petugas-baru", "lain-sekali-4711")


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", {"plain": True})], ids=["id", "en-plain"])
def test_the_last_admin_is_told_why_they_stay(
    staff: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    last = people.credentials("admin")["username"]
    admin = staff("admin", language=language, **window)
    admin.open(f"/admin/staf/{last}")
    admin.press("Nonaktifkan akun")
    admin.press("Ya, nonaktifkan")
    assert admin.sees("Admin terakhir tidak dapat dinonaktifkan")
    if not window:
        assert admin.accessibility() + admin.too_wide() == []
    admin.follow("Tambahkan admin lain dahulu.")
    admin.arrives("/admin/staf/baru")
    people.log_in(**people.credentials("admin"))


def test_teams_without_an_address_are_pointed_out_until_they_have_one(staff: Opening, people: People) -> None:
    opds = [item["key"] for item in people.anyone.get("/opds")["items"]]
    address = {"email": "tim@example.id"}
    admin = staff("admin")
    assert f"{len(opds) + 2} tim belum punya alamat surel" in admin.page.inner_text(".notice.info")
    assert admin.accessibility() + admin.too_wide() == []
    some = {"operator": address, "opd_team": dict.fromkeys(opds, address)}
    assert people.admin.ask("PUT", "/teams", some).status_code == 200
    admin.page.reload()
    assert "1 tim belum punya alamat surel" in admin.page.inner_text(".notice.info")
    assert "Tim NKK Utama" in admin.page.inner_text(".notice.info")
    assert people.admin.ask("PUT", "/teams", some | {"main_team": address}).status_code == 200
    admin.page.reload()
    assert not admin.page.locator(".notice").count()
    assert people.admin.ask("PUT", "/teams", {}).status_code == 200


def test_an_agency_is_added_renamed_and_removed(staff: Opening, people: People) -> None:
    def names() -> dict[str, str]:
        return {item["key"]: item["name"] for item in people.anyone.get("/opds")["items"]}

    admin = staff("admin")
    admin.open("/admin/perangkat-daerah")
    row = len(names())
    admin.page.fill(f"#opd-key-{row}", "Kecamatan Rangkui")
    admin.page.fill(f"#opd-name-{row}", "Kecamatan Rangkui")
    admin.press("Simpan daftar")
    assert f"Baris {row + 1}: Huruf kecil, angka" in admin.page.inner_text(".notice.bad")
    admin.page.fill(f"#opd-key-{row}", "kecamatan-rangkui")
    admin.page.fill(f"#opd-name-{row}", "")
    admin.press("Simpan daftar")
    assert "Isi kode dan namanya" in admin.page.inner_text(f"#opd-key-{row}-fault")
    admin.page.fill(f"#opd-name-{row}", "Kecamatan Rangkui")
    admin.press("Simpan daftar")
    assert names()["kecamatan-rangkui"] == "Kecamatan Rangkui"
    admin.page.fill(f"#opd-key-{row}", "")
    admin.page.fill(f"#opd-name-{row}", "")
    admin.press("Simpan daftar")
    assert "Kecamatan Rangkui (kecamatan-rangkui)" in admin.page.inner_text(".notice.bad")
    assert admin.accessibility() + admin.too_wide() == []
    assert "kecamatan-rangkui" in names()
    admin.press("Hapus dari daftar dan simpan")
    assert admin.sees("Daftar perangkat daerah disimpan.")
    assert "kecamatan-rangkui" not in names()


def test_a_category_is_added_changed_and_removed(staff: Opening, people: People) -> None:
    def names() -> dict[str, dict[str, str]]:
        return {
            item["key"]: {sub["key"]: sub["name"] for sub in item["sub_categories"]}
            for item in people.anyone.get("/categories")["items"]
        }

    admin = staff("admin")
    admin.open("/admin/kategori")
    admin.page.get_by_role("link", name="Tambah kategori").click()
    admin.fill(key="lainnya", name="Lainnya")
    admin.page.fill("#sub-key-0", "umum")
    admin.page.fill("#sub-name-0", "Umum")
    admin.press("Simpan kategori")
    assert names()["lainnya"] == {"umum": "Umum"}
    admin.page.get_by_role("link", name="Lainnya").click()
    admin.page.fill("#sub-name-0", "Umum dan lain-lain")
    admin.press("Simpan kategori")
    assert names()["lainnya"] == {"umum": "Umum dan lain-lain"}
    admin.page.get_by_role("link", name="Lainnya").click()
    admin.press("Hapus kategori")
    assert "lainnya" in names()
    assert admin.accessibility() + admin.too_wide() == []
    admin.press("Ya, hapus")
    assert "Dihapus: \u2068Lainnya\u2069" in admin.read()
    assert "lainnya" not in names()
    assert len(names()) == 4


def test_an_account_that_is_not_there_is_no_page(staff: Opening, people: People) -> None:
    reporter = people.reporter().account
    assert reporter is not None
    admin = staff("admin", plain=True)
    for username in ("tidak-ada-orangnya", reporter["username"]):
        assert admin.open(f"/admin/staf/{username}") == 404
        assert "Akun tidak ditemukan" in admin.read()


def test_the_admin_sees_no_complaint(staff: Opening, people: People) -> None:
    ticket = people.submit(people.reporter())
    admin = staff("admin", plain=True)
    for path in (f"/laporan/{ticket}", "/meja/serah-terima", "/laporan"):
        assert admin.open(path) == 403
