"""Slow-downs after wrong passwords, as a stranger, the account's owner and the admin see them."""

import re
import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]

WAIT = "Tunggu sebentar sebelum mencoba lagi"


def new_staff(people: People) -> str:
    """Add an operator's account; return its user name."""
    username = f"petugas-{uuid.uuid4().hex[:8]}"
    people.admin.post(
        "/staff", {"username": username, "name": "Petugas Contoh", "role": "operator", "password": PASSWORD}, expect=201
    )
    return username


def guess(people: People, username: str) -> None:
    """Send wrong passwords until the next log-in is slowed down, from the address that all clients here share."""
    for _ in range(5):
        people.anyone.post("/sessions", {"username": username, "password": "kata-sandi-salah"}, expect=401)


def try_to_log_in(visitor: Visitor, username: str) -> Visitor:
    visitor.open("/masuk")
    visitor.fill(username=username, password=PASSWORD)
    visitor.press("Masuk")
    return visitor


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", {"plain": True})], ids=["id", "en-plain"])
def test_a_stranger_is_told_when_to_try_again_and_a_device_that_was_here_before_gets_in(
    visiting: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    username = new_staff(people)
    owner = visiting(language, **window).log_in(username)
    owner.forget("nkk_access", "nkk_refresh", "nkk_session")
    guess(people, username)

    stranger = try_to_log_in(visiting(language, **window), username)
    assert stranger.sees(WAIT)
    at = r"\d\d\.\d\d WIB" if language == "id" else r"\d\d:\d\d WIB"
    assert re.search(at, stranger.text("//*[@class='notice bad']"))
    assert stranger.value("username") == username
    assert stranger.value("password") == ""
    if not window:
        assert stranger.accessibility() + stranger.too_wide() == []

    try_to_log_in(owner, username).leaves("/masuk")


def test_an_admin_sees_a_slow_down_and_ends_it(staff: Opening, visiting: Opening, people: People) -> None:
    username = new_staff(people)
    guess(people, username)
    assert try_to_log_in(visiting(), username).sees(WAIT)
    admin = staff("admin")
    admin.open(f"/admin/staf/{username}")
    assert "Diperlambat" in admin.read()
    assert "1 tempat atau perangkat" in admin.page.inner_text("[aria-labelledby=perlambatan]")
    assert admin.accessibility() + admin.too_wide() == []
    admin.press("Akhiri perlambatan")
    admin.page.wait_for_selector(".notice.good")
    assert admin.page.locator("#perlambatan").count() == 0
    visiting().log_in(username)


def test_wrong_passwords_for_ones_own_slow_down_this_page_alone(visiting: Opening, people: People) -> None:
    username = new_staff(people)
    here, there = visiting().log_in(username), visiting().log_in(username)
    here.open("/akun")
    for _ in range(6):
        here.fill(password="kata-sandi-salah", new_password="sandi-baru-4711")
        here.press("Ganti kata sandi")
        here.page.wait_for_selector("#password-fault")
    assert "Coba lagi sesudah pukul" in here.page.inner_text("#password-fault")
    there.open("/akun")
    there.fill(password=PASSWORD, new_password="sandi-baru-4711")
    there.press("Ganti kata sandi")
    there.page.wait_for_selector(".notice.good")
