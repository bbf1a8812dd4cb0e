"""Claims, with two operators at one desk: both see the claim, and it does not block an act."""

import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor, said
from tests.installations import eventually
from tests.people import PASSWORD, People

Opening = Callable[..., Visitor]


@pytest.fixture
def rina(people: People, visiting: Opening) -> Callable[..., Visitor]:
    """Return a function that opens a window for a second operator, Rina Contoh."""
    username = f"rekan-{uuid.uuid4().hex[:8]}"
    people.admin.post(
        "/staff",
        {"username": username, "password": PASSWORD, "name": "Rina Contoh", "role": "operator", "opd": None},
        expect=201,
    )
    return lambda *args, **window: visiting(*args, **window).log_in(username)


@pytest.mark.usefixtures("empty_desk")
@pytest.mark.parametrize(("language", "plain"), [("en", False), ("id", True)])
def test_two_operators_see_who_is_on_a_complaint(
    people: People, staff: Opening, rina: Opening, language: str, plain: bool
) -> None:
    ticket = people.submit(people.reporter())
    first, second = (
        rina(language, plain=plain),
        staff("operator", language=language, plain=plain),
    )
    for operator in (first, second):
        operator.take("serah-terima", ticket)
    first.press("Saya kerjakan")
    assert first.sees("Anda sedang mengerjakan laporan ini, sejak")

    # The page was opened before the claim: the click is refused, and says who made the claim.
    second.press("Saya kerjakan")
    assert second.sees("Rekan Anda sedang mengerjakan laporan ini")
    on_it = said("Sedang dikerjakan %(name)s, sejak", language) % {"name": "Rina Contoh"}
    assert on_it in second.read()
    second.follow("Muat ulang laporan")
    second.arrives(f"/laporan/{ticket}")
    assert on_it in second.read()
    if not plain:
        assert second.accessibility() == []
    second.open("/meja/serah-terima")
    mark = second.text(f"//*[@data-ticket='{ticket}']//*[contains(@class, 'on-it')]")
    assert said("Dikerjakan %(name)s", language) % {"name": "Rina Contoh"} in mark

    second.take("serah-terima", ticket)
    second.press("Ambil alih")
    assert second.sees("Anda sedang mengerjakan laporan ini, sejak")
    first.press("Lepaskan")
    assert first.sees("Rekan Anda sedang mengerjakan laporan ini")
    second.press("Lepaskan")
    assert second.offers("Saya kerjakan")

    # A claim does not block an act; the colleague who is too late is told who did it.
    second.press("Saya kerjakan")
    first.take("serah-terima", ticket)
    first.press("Serahkan kepada Tim NKK Utama")
    first.arrives("/meja/serah-terima")
    # The page takes the name from the journey.
    eventually(lambda: len(people.operator.get(f"/complaints/{ticket}/timeline")["entries"]) == 2)
    second.press("Serahkan kepada Tim NKK Utama")
    assert said("%(name)s sudah mengerjakannya.", language) % {"name": "Rina Contoh"} in second.read()
