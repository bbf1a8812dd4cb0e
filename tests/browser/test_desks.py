"""The desks: what waits, how it is found, and that it comes by itself."""

from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor
from tests.installations import Installation, eventually
from tests.people import People

Opening = Callable[..., Visitor]


@pytest.mark.usefixtures("empty_desk")
def test_new_work_appears_without_reloading_and_keeps_the_place(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    operator = staff("operator")
    operator.page.wait_for_selector(f'[data-ticket="{ticket}"]')
    operator.page.locator(f'[data-ticket="{ticket}"] a').focus()
    other = people.submit(people.reporter())
    operator.page.wait_for_selector(f'[data-ticket="{other}"]')
    operator.page.wait_for_function("document.querySelector('[data-news]').textContent.includes('laporan baru')")
    assert operator.page.evaluate("document.activeElement.closest('[data-ticket]')?.dataset.ticket") == ticket


def test_a_list_that_cannot_be_renewed_says_so_and_recovers(whole: Installation, staff: Opening) -> None:
    opd_team = staff("opd_team", "dinas-perhubungan")
    whole.take_down("opd_response-1")
    try:
        opd_team.page.wait_for_selector("[data-offline-note]:not([hidden])", timeout=30_000)
    finally:
        whole.bring_up("opd_response-1")
        whole.wait_until_ready()
    opd_team.page.wait_for_selector("[data-offline-note]", state="hidden", timeout=30_000)


@pytest.mark.usefixtures("empty_desk")
def test_the_keys_move_open_search_and_explain_themselves(people: People, staff: Opening) -> None:
    tickets = {people.submit(people.reporter()) for _ in range(2)}
    operator = staff("operator")
    keys, page = operator.page.keyboard, operator.page
    eventually(lambda: page.reload() and page.locator("[data-ticket]").count() >= len(tickets))

    def at() -> int:
        return page.evaluate("[...document.querySelectorAll('[data-row]')].indexOf(document.activeElement)")

    keys.press("j")
    keys.press("j")
    assert at() == 1
    keys.press("k")
    assert at() == 0
    keys.press("k")
    assert at() == 0
    keys.press("?")
    assert page.locator("dialog").is_visible()
    page.check("[data-keys-off]")
    page.click("dialog button")
    keys.press("j")
    assert at() <= 0
    page.click("[data-keys]")
    page.uncheck("[data-keys-off]")
    page.click("dialog button")
    keys.press("/")
    assert page.evaluate("document.activeElement.id") == "tiket-atas"
    keys.type("jjk")
    assert page.input_value("#tiket-atas") == "jjk"
    page.evaluate("document.activeElement.blur()")
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url("**/laporan/NKK-*")
    keys.press("u")
    page.wait_for_url("**/meja/*")


def test_a_ticket_is_found_however_it_was_typed(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    operator = staff("operator")
    for typed in (ticket, ticket.lower(), ticket.replace("-", " ")):
        operator.open("/meja/serah-terima")
        operator.page.fill("#tiket-atas", typed)
        operator.page.keyboard.press("Enter")
        operator.page.wait_for_url(f"**/laporan/{ticket}")
    operator.page.fill("#tiket-atas", "NKK-2026-0000-0001")
    operator.page.keyboard.press("Enter")
    assert "Ini bukan nomor tiket." in operator.page.inner_text("#tiket-fault")


@pytest.mark.usefixtures("empty_desk")
def test_a_long_list_has_pages(people: People, staff: Opening) -> None:
    reporter = people.reporter()
    tickets = [people.submit(reporter, subject_line=f"Laporan nomor {number}") for number in range(27)]
    operator = staff("operator")
    seen: list[str] = []
    while True:
        seen += operator.page.eval_on_selector_all("[data-ticket]", "rows => rows.map(row => row.dataset.ticket)")
        if not operator.page.locator("a[rel=next]").count():
            break
        operator.page.click("a[rel=next]")
    assert set(tickets) <= set(seen)
    assert len(seen) == len(set(seen))
    operator.page.get_by_role("link", name="Ke awal daftar").click()
    operator.page.wait_for_url("**/meja/serah-terima")


def test_a_desk_of_another_role_is_not_there(staff: Opening, people: People) -> None:
    opd_team = staff("opd_team", "satpol-pp")
    ticket = people.submit(people.reporter())
    for path in ("/meja/serah-terima", "/meja/tim-utama", f"/laporan/{ticket}", "/meja/tidak-ada"):
        response = opd_team.page.goto(path)
        assert response is not None
        assert response.status == 404
    response = opd_team.page.goto("/admin/staf")
    assert response is not None
    assert response.status == 403
    assert "Halaman ini bukan untuk peran Anda" in opd_team.read()
