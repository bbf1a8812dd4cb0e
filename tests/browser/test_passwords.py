"""Forgotten and changed passwords."""

import re
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor
from tests.installations import eventually
from tests.letters import posted
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]

NEW = "sandi-baru-4711"
OWN_EMAIL = "lupa-{}@example.id"


def letter_link(people: People, email: str) -> str:
    """Return the link in the letter to `email`, once it has been sent."""

    def link() -> str | None:
        for letter in posted(people.installation.stack.var / "mail"):
            if letter["To"] == email and (found := re.search(r"http\S+#\S+", str(letter.get_content()))):
                return found.group()
        return None

    found = eventually(link)
    assert found is not None
    return found


@pytest.mark.parametrize(("language", "window"), [("id", {"plain": True}), ("en", {})], ids=["id-plain", "en"])
def test_a_forgotten_password_becomes_a_new_one_by_letter(
    visiting: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    email = OWN_EMAIL.format(f"{language}-{len(window)}")
    account = people.reporter(email=email).account
    assert account is not None
    visitor = visiting(language, **window)
    visitor.open("/masuk")
    visitor.follow("Lupa kata sandi atau nama pengguna?")
    visitor.fill(username=str(account["username"]))
    visitor.press("Kirim surat")
    visitor.arrives("/atur-ulang-sandi")
    assert visitor.count("//*[@class='notice good']") == 1

    page, _, code = letter_link(people, email).partition("#")
    assert page.endswith("/atur-ulang-sandi")
    if window:
        visitor.fill(token=f" {code[:20]} {code[20:]} ")
    else:
        visitor.open("/")
        visitor.open(f"/atur-ulang-sandi#{code}")
        visitor.page.wait_for_function("document.querySelector('#token').value !== ''")
        assert visitor.page.input_value("#token") == code
        assert "#" not in visitor.page.url
    visitor.fill(password="pendek")
    visitor.press("Simpan kata sandi baru")
    assert visitor.is_wrong("password")
    visitor.fill(password=NEW)
    visitor.press("Simpan kata sandi baru")
    visitor.arrives("/masuk")
    visitor.fill(username=str(account["username"]), password=NEW)
    visitor.press("Masuk")
    visitor.arrives("/laporan")


def test_asking_says_the_same_of_everybody_and_a_wrong_code_is_explained(visiting: Opening, people: People) -> None:
    account = people.reporter(email=OWN_EMAIL.format("sama")).account
    assert account is not None
    said = set()
    for username in (str(account["username"]), "tidak-ada-orangnya", people.credentials("operator")["username"]):
        visitor = visiting()
        visitor.open("/lupa-sandi")
        visitor.fill(username=username)
        visitor.press("Kirim surat")
        visitor.page.wait_for_url("**/atur-ulang-sandi")
        said.add(visitor.read())
    assert len(said) == 1
    visitor.fill(token="ab" * 20, password=NEW)
    visitor.press("Simpan kata sandi baru")
    assert "Kode ini tidak berlaku lagi" in visitor.page.inner_text("#token-fault")


@pytest.mark.parametrize(("language", "window"), [("id", {}), ("en", {"plain": True})], ids=["id", "en-plain"])
def test_a_password_is_changed_and_this_browser_stays_logged_in(
    visiting: Opening, people: People, language: str, window: dict[str, bool]
) -> None:
    account = people.reporter().account
    assert account is not None
    username = str(account["username"])
    here, elsewhere = visiting(language, **window).log_in(username), visiting(plain=True).log_in(username)
    here.open("/laporan")
    assert here.count("//header//a[@href='/akun']") == 1
    here.open("/akun")
    here.fill(password="bukan-kata-sandinya-1", new_password=NEW)
    here.press("Ganti kata sandi")
    assert here.is_wrong("password")
    here.fill(password=PASSWORD, new_password="pendek")
    here.press("Ganti kata sandi")
    assert here.is_wrong("new_password")
    here.fill(password=PASSWORD, new_password=NEW)
    here.press("Ganti kata sandi")
    assert here.sees("Kata sandi Anda sudah diganti. Di perangkat lain Anda harus masuk lagi.")
    for window_ in (here, elsewhere):
        window_.forget("nkk_access")
        window_.open("/laporan")
    here.arrives("/laporan")
    elsewhere.leaves("/laporan")
    visiting(plain=True).log_in(username, NEW)
