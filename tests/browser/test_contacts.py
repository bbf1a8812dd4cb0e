"""A reporter's contact, shown and changed on their own pages."""

import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor
from tests.installations import eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]


@pytest.mark.parametrize(("language", "window"), [("id", {"plain": True}), ("en", {})], ids=["id-plain", "en"])
def test_an_address_and_a_number_are_changed_with_the_password(
    visiting: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    old, new = (f"{uuid.uuid4().hex}@example.id" for _ in range(2))
    person = people.reporter(email=old)
    assert person.account is not None
    reporter = visiting(language, **window).log_in(str(person.account["username"]))
    reporter.open("/akun")
    assert old in reporter.read()
    reporter.follow("Ubah surel atau telepon")
    reporter.arrives("/akun/kontak")
    assert (reporter.value("email"), reporter.value("phone")) == (old, person.account["phone"])
    reporter.fill(email="bukan alamat", phone="nol delapan", password="bukan-kata-sandinya-1")
    reporter.press("Simpan kontak")
    assert reporter.is_wrong("email")
    assert reporter.value("email") == "bukan alamat"
    reporter.fill(email=new, phone="nol delapan", password=PASSWORD)
    reporter.press("Simpan kontak")
    assert reporter.is_wrong("phone")
    reporter.fill(email=new, phone="", password="bukan-kata-sandinya-1")
    reporter.press("Simpan kontak")
    assert reporter.is_wrong("password")
    if not window:
        assert reporter.accessibility() + reporter.too_wide() == []
    assert person.get("/reporters/me/contact")["email"] == old
    reporter.fill(password=PASSWORD)
    reporter.press("Simpan kontak")
    reporter.arrives("/akun")
    assert new in reporter.text("//*[@class='notice good']")
    assert person.get("/reporters/me/contact") == {"email": new, "phone": None}
    if window:
        return
    reporter.open("/akun/kontak")
    assert (reporter.value("email"), reporter.value("phone")) == (new, "")
    # The second click may reach the next page, so the stored contact is checked, and not the page.
    reporter.fill(phone="+62 812 1111 1111", password=PASSWORD)
    reporter.button("Simpan kontak").dblclick()
    eventually(lambda: person.get("/reporters/me/contact")["phone"] == "+62 812 1111 1111")
    assert person.get("/reporters/me/contact")["email"] == new


def test_staff_have_no_such_page(staff: Opening) -> None:
    operator = staff("operator", plain=True)
    operator.open("/akun")
    assert not operator.count("//main//a[@href='/akun/kontak']")
    assert operator.open("/akun/kontak") == 403
