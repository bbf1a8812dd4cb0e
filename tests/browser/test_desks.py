"""The desks' pages: worklists, search, keyboard keys and live updates."""

import uuid
from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor, said
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
    eventually(lambda: "laporan baru" in operator.page.locator("[data-news]").inner_text())
    assert operator.page.evaluate("document.activeElement.closest('[data-ticket]')?.dataset.ticket") == ticket


@pytest.mark.usefixtures("empty_desk")
def test_new_work_is_told_of_and_disturbs_nobody(people: People, staff: Opening) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter)
    operator = staff("operator")
    page = operator.page
    page.wait_for_selector(f'[data-ticket="{ticket}"]')
    page.evaluate(
        """ticket => {
        const row = document.querySelector(`[data-ticket="${ticket}"]`);
        row.querySelector('a').focus();
        getSelection().selectAllChildren(row.querySelector('.ticket'));
    }""",
        ticket,
    )
    other = people.submit(reporter)
    # Well within the minute after which the page would poll anyway.
    page.wait_for_selector(f'[data-ticket="{other}"]')
    eventually(lambda: page.locator("[data-news]").inner_text().startswith("1 laporan baru"))
    assert page.evaluate("getSelection().toString()") == ticket
    assert page.evaluate("document.activeElement.closest('[data-ticket]')?.dataset.ticket") == ticket
    # The stream sends the change twice, but it is announced once.
    with page.expect_response("**/daftar"):
        page.evaluate("document.querySelector('[data-news]').textContent = ''")
    assert page.locator("[data-news]").inner_text() == ""
    assert operator.accessibility() == []


@pytest.mark.usefixtures("empty_desk")
def test_a_click_during_which_the_list_is_renewed_is_not_lost(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    operator = staff("operator")
    page = operator.page
    page.wait_for_selector(f'[data-ticket="{ticket}"]')
    page.locator(f'[data-ticket="{ticket}"] a').first.hover()
    page.mouse.down()
    page.evaluate(
        """() => new Promise((done) => {
        document.addEventListener("htmx:beforeSwap", () => { setTimeout(done); }, { once: true });
        htmx.trigger(document.getElementById("worklist"), "renew");
    })"""
    )
    page.mouse.up()
    operator.arrives(f"/laporan/{ticket}")


@pytest.mark.usefixtures("empty_desk")
def test_without_a_stream_the_list_is_asked_for_instead(people: People, staff: Opening) -> None:
    operator = staff("operator", used_up=True)
    operator.context.route("**/perubahan", lambda route: route.fulfill(status=503))
    operator.page.clock.install()
    operator.page.reload()
    ticket = people.submit(people.reporter())

    def listed() -> int:
        operator.page.clock.fast_forward(10_000)
        return operator.page.locator(f'[data-ticket="{ticket}"]').count()

    eventually(listed)


def test_a_hidden_page_holds_no_stream(staff: Opening) -> None:
    operator = staff("operator")
    with operator.page.expect_event("requestfailed", lambda request: request.url.endswith("/perubahan")):
        operator.page.evaluate("""() => {
            Object.defineProperty(document, 'hidden', {value: true, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""")
    with operator.page.expect_request("**/perubahan"):
        operator.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


def test_a_list_that_cannot_be_renewed_says_so_and_recovers(whole: Installation, staff: Opening) -> None:
    opd_team = staff("opd_team", "dinas-perhubungan", used_up=True)
    opd_team.page.clock.install()
    opd_team.page.reload()
    whole.take_down("opd_response-1")
    try:

        def told() -> bool:
            opd_team.page.clock.fast_forward(60_000)
            return opd_team.page.locator("[data-offline-note]").is_visible()

        eventually(told)
    finally:
        whole.bring_up("opd_response-1")
        whole.wait_until_ready()

    def recovered() -> bool:
        opd_team.page.clock.fast_forward(5_000)
        return not opd_team.page.locator("[data-offline-note]").is_visible()

    eventually(recovered)


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


def focused(visitor: Visitor) -> str | None:
    """Return the ticket of the focused row."""
    found: str | None = visitor.page.evaluate("document.activeElement.closest('[data-ticket]')?.dataset.ticket")
    return found


def renew(visitor: Visitor) -> None:
    """Have the list swapped, as after a change; return once htmx has finished."""
    visitor.page.evaluate("""() => new Promise(done => {
        document.addEventListener('htmx:afterSettle', () => setTimeout(done), {once: true});
        htmx.trigger('#worklist', 'renew');
    })""")


@pytest.mark.usefixtures("empty_desk")
def test_a_key_pressed_while_the_list_is_renewed_goes_on_from_where_one_was(people: People, staff: Opening) -> None:
    reporter = people.reporter()
    for _ in range(3):
        people.submit(reporter)
    operator = staff("operator")
    eventually(lambda: operator.page.reload() and operator.page.locator("[data-ticket]").count() >= 3)
    tickets = operator.page.eval_on_selector_all("[data-ticket]", "rows => rows.map(row => row.dataset.ticket)")
    operator.page.keyboard.press("j")
    assert focused(operator) == tickets[0]
    # The key is pressed after the rows were swapped and before htmx has finished, when keys used to be lost.
    operator.page.evaluate("""document.addEventListener('htmx:afterSwap', () => document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', {key: 'j', bubbles: true, cancelable: true})), {once: true})""")
    renew(operator)
    # The list may have been renewed for another change just before.
    eventually(lambda: focused(operator) == tickets[1])


@pytest.mark.usefixtures("empty_desk")
def test_where_the_row_in_hand_has_gone_the_next_takes_its_place(people: People, staff: Opening) -> None:
    reporter = people.reporter()
    for _ in range(3):
        people.submit(reporter)
    operator = staff("operator")
    eventually(lambda: operator.page.reload() and operator.page.locator("[data-ticket]").count() == 3)
    tickets = operator.page.eval_on_selector_all("[data-ticket]", "rows => rows.map(row => row.dataset.ticket)")
    for _ in range(2):
        operator.page.keyboard.press("j")
    people.operator.post(f"/complaints/{tickets[1]}/handover")
    eventually(lambda: focused(operator) == tickets[2])
    people.operator.post(f"/complaints/{tickets[2]}/handover")
    eventually(lambda: focused(operator) == tickets[0])


@pytest.fixture(scope="module")
def crowded(people: People) -> tuple[str, list[str]]:
    """Return a word and the tickets of the complaints whose subject has it, which fill more than one page."""
    reporter, word = people.reporter(), uuid.uuid4().hex[:10]
    return word, [people.submit(reporter, subject_line=f"Soal {word} nomor {number}") for number in range(27)]


def test_the_way_to_the_next_page_keeps_the_focus_too(crowded: tuple[str, list[str]], staff: Opening) -> None:
    operator = staff("operator")
    operator.open(f"/meja/serah-terima?cari={crowded[0]}")
    operator.page.locator("a[rel=next]").focus()
    renew(operator)
    assert operator.page.evaluate("document.activeElement.rel") == "next"


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


def test_a_long_list_has_pages(crowded: tuple[str, list[str]], staff: Opening) -> None:
    word, tickets = crowded
    operator = staff("operator")
    operator.open(f"/meja/serah-terima?cari={word}")
    seen: list[str] = []
    while True:
        seen += operator.page.eval_on_selector_all("[data-ticket]", "rows => rows.map(row => row.dataset.ticket)")
        if not operator.page.locator("a[rel=next]").count():
            break
        operator.page.click("a[rel=next]")
    assert sorted(seen) == sorted(tickets)
    operator.page.get_by_role("link", name="Ke awal daftar").click()
    operator.page.wait_for_url(f"**/meja/serah-terima?cari={word}")


def test_a_desk_of_another_role_is_not_there(staff: Opening, people: People) -> None:
    opd_team = staff("opd_team", "satpol-pp", plain=True)
    ticket = people.submit(people.reporter())
    for path in ("/meja/serah-terima", "/meja/tim-utama", f"/laporan/{ticket}", "/meja/tidak-ada"):
        assert opd_team.open(path) == 404
    assert opd_team.open("/admin/staf") == 403
    assert "Halaman ini bukan untuk peran Anda" in opd_team.read()


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_phone_the_bar_is_folded_until_it_is_wanted(staff: Opening, scripts: bool) -> None:
    operator = staff("operator", java_script_enabled=scripts, viewport={"width": 360, "height": 740})
    page = operator.page
    assert not page.locator("#cari").is_visible()
    # Measured by a script within the page, because the list may be swapped at any moment.
    page.wait_for_function("document.querySelector('#worklist')?.getBoundingClientRect().top < 740 * 2 / 3")
    page.click(".narrowing summary")
    assert page.locator("#cari").is_visible()
    operator.fill(cari="loket tutup")
    operator.press("Saring")
    assert page.locator("#cari").is_visible()
    assert page.input_value("#cari") == "loket tutup"
    page.get_by_role("link", name="Tampilkan semua").first.click()
    page.wait_for_url("**/meja/serah-terima")
    assert not page.locator("#cari").is_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.locator("#cari").is_visible()
    assert not page.locator(".narrowing summary").is_visible()


@pytest.mark.parametrize("plain", [False, True])
def test_a_list_is_narrowed_by_its_bar_and_stays_so(
    crowded: tuple[str, list[str]], staff: Opening, plain: bool
) -> None:
    word, wanted = crowded
    operator = staff("operator", plain=plain)
    operator.fill(cari=word.upper())
    operator.choose("kategori", "kode-perilaku")
    operator.press("Saring")
    assert operator.count("//*[@data-ticket]") == 25
    operator.follow("Berikutnya →")
    assert operator.count("//*[@data-ticket]") == len(wanted) - 25
    assert operator.count(f"//*[@data-ticket='{wanted[-1]}']") == 1
    assert operator.value("cari") == word.upper()
    operator.check("terlambat", "ya")
    operator.press("Saring")
    assert operator.sees("Tidak ada yang cocok")
    operator.fill(cari="x")
    operator.press("Saring")
    assert operator.count("//*[@id='cari-fault']") == 1
    operator.follow("Tampilkan semua")
    operator.arrives("/meja/serah-terima")


def test_a_row_says_when_it_came_is_due_and_what_is_left(people: People, staff: Opening) -> None:
    ticket = people.submit(people.reporter())
    for language, came, left in (("id", "Tiba", "Sisa 10 menit kerja"), ("en", "Came", "10 minutes of office time")):
        operator = staff("operator", language=language)
        operator.open(f"/meja/serah-terima?cari={ticket}")
        clocks = operator.page.inner_text(".row .clocks")
        assert came in clocks
        assert left in clocks or left.replace("10", "9") in clocks
        assert said("seluruh layanan", language) in clocks
