"""A link from another site that chooses the category of a complaint."""

from collections.abc import Callable

import pytest

from tests.browser.visitors import NIK, Visitor
from tests.installations import eventually
from tests.people import PASSWORD

Opening = Callable[..., Visitor]

LINK = "/laporan/baru?kategori=kode-perilaku/sopan"


def chosen(visitor: Visitor) -> str:
    return visitor.page.input_value("#topic")


@pytest.mark.parametrize(("language", "java_script_enabled"), [("id", True), ("en", True), ("id", False)])
def test_the_choice_is_there_after_registration(visiting: Opening, language: str, java_script_enabled: bool) -> None:
    visitor = visiting(language, java_script_enabled=java_script_enabled)
    visitor.open(LINK)
    visitor.page.locator("main").get_by_role("link", name="Register" if language == "en" else "Daftar").click()
    username = f"warga-{language}-{'js' if java_script_enabled else 'plain'}"
    visitor.fill(
        identity_number=NIK, name="Siti Contoh", email=f"{username}@example.id", username=username, password=PASSWORD
    )
    visitor.press("Daftar")
    visitor.page.wait_for_url(lambda address: "kunci=" in address)
    assert chosen(visitor) == "kode-perilaku/sopan"
    visitor.fill(subject_line="Petugas membentak", text="Senin pagi di loket 3.")
    visitor.send()


def test_a_link_chooses_beside_a_draft_and_then_the_visitor_does(visiting: Opening) -> None:
    visitor = visiting()
    visitor.register()
    visitor.write(text="Yang sudah ditulis.")
    eventually(lambda: "Draf tersimpan di perangkat ini" in visitor.read())
    visitor.open(LINK)
    eventually(lambda: visitor.page.input_value("#text") == "Yang sudah ditulis.")
    assert chosen(visitor) == "kode-perilaku/sopan"
    # What the visitor chooses afterwards stays, also when the page of the link is loaded again.
    visitor.page.select_option("#topic-main", "")
    visitor.page.select_option("#topic", "kode-perilaku/disiplin")
    eventually(lambda: "Draf tersimpan di perangkat ini" in visitor.read())
    visitor.page.reload()
    eventually(lambda: chosen(visitor) == "kode-perilaku/disiplin")
    visitor.open(LINK)
    eventually(lambda: visitor.page.input_value("#text") == "Yang sudah ditulis.")
    assert chosen(visitor) == "kode-perilaku/sopan"
    assert visitor.accessibility() == []


def test_a_category_that_is_on_no_list_is_said_at_its_field(visiting: Opening) -> None:
    visitor = visiting()
    visitor.register()
    visitor.open("/laporan/baru?kategori=tidak/ada")
    assert "tidak ada dalam daftar" in visitor.page.inner_text("#topic-fault")
    assert chosen(visitor) == ""
    assert visitor.accessibility() == []
