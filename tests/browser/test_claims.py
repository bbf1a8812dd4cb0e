"""Claims, with two operators at one desk: both see the claim, and it does not block an act."""

import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor, said
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
@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("id", False)])
def test_two_operators_see_who_is_on_a_complaint(
    people: People, staff: Opening, rina: Opening, language: str, scripts: bool
) -> None:
    ticket = people.submit(people.reporter())
    first, second = (
        rina(language, java_script_enabled=scripts),
        staff("operator", language=language, java_script_enabled=scripts),
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
    second.page.get_by_role("link", name=said("Muat ulang laporan", language)).click()
    second.page.wait_for_url(f"**/laporan/{ticket}")
    assert on_it in second.read()
    if scripts:
        assert second.accessibility() == []
    second.open("/meja/serah-terima")
    mark = second.page.locator(f'[data-ticket="{ticket}"] .on-it')
    assert said("Dikerjakan %(name)s", language) % {"name": "Rina Contoh"} in mark.inner_text()

    second.take("serah-terima", ticket)
    second.press("Ambil alih")
    assert second.sees("Anda sedang mengerjakan laporan ini, sejak")
    first.press("Lepaskan")
    assert first.sees("Rekan Anda sedang mengerjakan laporan ini")
    second.press("Lepaskan")
    assert second.button("Saya kerjakan").is_visible()

    # A claim does not block an act; the colleague who is too late is told who did it.
    second.press("Saya kerjakan")
    first.take("serah-terima", ticket)
    first.press("Serahkan kepada Tim NKK Utama")
    first.page.wait_for_url("**/meja/serah-terima")
    second.press("Serahkan kepada Tim NKK Utama")
    assert said("%(name)s sudah mengerjakannya.", language) % {"name": "Rina Contoh"} in second.read()
