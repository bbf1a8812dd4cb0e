"""A link from another site that chooses the category of a complaint."""

from collections.abc import Callable

import pytest

from tests.browser.visitors import NIK, Visitor
from tests.installations import eventually
from tests.people import PASSWORD

Opening = Callable[..., Visitor]

LINK = "/laporan/baru?kategori=kode-perilaku/sopan"


def chosen(visitor: Visitor) -> str:
    return visitor.value("topic")


@pytest.mark.parametrize(("language", "plain"), [("id", False), ("en", False), ("id", True)])
def test_the_choice_is_there_after_registration(visiting: Opening, language: str, plain: bool) -> None:
    visitor = visiting(language, plain=plain)
    visitor.open(LINK)
    visitor.follow("Daftar")
    username = f"warga-{language}-{'plain' if plain else 'js'}"
    visitor.fill(
        identity_number=NIK, name="Siti Contoh", email=f"{username}@example.id", username=username, password=PASSWORD
    )
    visitor.press("Daftar")
    visitor.leaves("/daftar")
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
