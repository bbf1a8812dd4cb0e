"""The compact list of a desk, for somebody who works in it all day."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.visitors import OF_THE_LOOK, Visitor
from tests.e2e.test_desks import colleague
from tests.installations import eventually
from tests.people import People

Opening = Callable[..., Any]
SCREEN = {"width": 1280, "height": 800}

SEEN = """() => [...document.querySelectorAll('.compact tbody tr')].filter(row => {
    const box = row.getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight;
}).length"""

CUT = """() => [...document.querySelectorAll('.compact .line')].filter(at => at.scrollWidth > at.clientWidth).length"""


@pytest.fixture(scope="module")
def full(people: People) -> tuple[str, list[str]]:
    """Return a word, and the tickets of thirty reports with it in their long subject lines."""
    word, reporter = f"ringkas{uuid.uuid4().hex[:8]}", people.reporter()
    subject = (
        f"{word} Loket pelayanan di lantai dua ditutup sebelum waktunya padahal antrean masih sangat panjang sekali"
    )
    return word, [people.submit(reporter, subject_line=subject) for _ in range(30)]


@pytest.fixture
def operator(staff: Opening, full: tuple[str, list[str]]) -> Visitor:
    """Return an operator with the compact list of these reports."""
    visitor: Visitor = staff("operator", viewport=SCREEN)
    return compact(visitor, full[0])


def compact(visitor: Any, word: str) -> Any:
    """Choose the compact list, of the reports with `word`."""
    visitor.open(f"/meja/serah-terima?cari={word}")
    visitor.press("Daftar ringkas")
    return visitor


def test_twenty_cases_are_on_a_screen_and_nothing_of_them_is_lost(
    operator: Visitor, full: tuple[str, list[str]]
) -> None:
    page = operator.page
    page.wait_for_selector(".compact")
    seen = page.evaluate(SEEN)
    print(f"cases on a screen of 1280 x 800: {seen}")
    assert seen >= 20
    assert page.locator(".compact tbody tr").count() == len(full[1])
    line = page.locator(".compact th.line a").first
    assert "antrean masih sangat panjang sekali" in line.inner_text()
    assert operator.accessibility() == []
    page.emulate_media(color_scheme="dark")
    assert operator.accessibility(runOnly=OF_THE_LOOK) == []


@pytest.mark.parametrize("size", [(360, 740), (640, 400), (1000, 700)], ids=["a phone", "zoomed to 200 %", "a tablet"])
def test_it_is_read_on_a_small_screen_without_scrolling_sideways(operator: Visitor, size: tuple[int, int]) -> None:
    page = operator.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = page.evaluate(CUT)
    assert cut == 0
    assert operator.accessibility() == []


def test_the_choice_is_kept_with_the_filter_and_taken_back(operator: Visitor, full: tuple[str, list[str]]) -> None:
    page, word = operator.page, full[0]
    assert page.url.endswith(f"/meja/serah-terima?cari={word}")
    operator.open("/meja/jawaban")
    assert page.get_by_role("button", name="Daftar lengkap").is_visible()
    operator.open(f"/meja/serah-terima?cari={word}")
    operator.press("Daftar lengkap")
    assert page.locator(".row").count() == 25
    assert page.locator(".compact").count() == 0


def test_what_is_chosen_stays_chosen_when_the_list_is_renewed(operator: Visitor, full: tuple[str, list[str]]) -> None:
    page, ticket = operator.page, full[1][3]
    box = f"[data-ticket='{ticket}'] [name=tiket]"
    page.check(box)
    page.focus(box)
    page.evaluate("""() => new Promise(done => {
        document.addEventListener('htmx:afterSettle', () => setTimeout(done), {once: true});
        htmx.trigger('#worklist', 'renew');
    })""")
    assert page.eval_on_selector_all("[name=tiket]:checked", "all => all.map(box => box.value)") == [ticket]
    assert page.evaluate("document.activeElement.value") == ticket
    assert page.evaluate("document.activeElement.type") == "checkbox"


@pytest.mark.parametrize("plain", [False, True], ids=["browser", "plain"])
def test_several_are_claimed_and_handed_over_and_each_is_told_of(people: People, staff: Opening, plain: bool) -> None:
    word, reporter = f"bersama{uuid.uuid4().hex[:8]}", people.reporter()
    free, theirs, gone, left = (people.submit(reporter, subject_line=f"Soal {word}") for _ in range(4))
    colleague(people, "operator").post(f"/complaints/{theirs}/claim")
    visitor = compact(staff("operator", plain=plain), word)
    visitor.press("Kerjakan yang dipilih")
    assert visitor.sees("Tidak ada laporan yang dipilih")
    pick(visitor, free, theirs)
    visitor.press("Kerjakan yang dipilih")
    assert visitor.sees(f"Kini Anda kerjakan: {free}.")
    assert visitor.sees(f"Tidak Anda ambil. Rekan Anda sedang mengerjakan laporan ini: {theirs}.")
    pick(visitor, free, gone)
    people.operator.post(f"/complaints/{gone}/handover")
    visitor.press("Serahkan yang dipilih kepada Tim NKK Utama")
    assert visitor.sees(f"Diserahkan kepada Tim NKK Utama: {free}.")
    assert visitor.sees(f"{gone}.")
    eventually(lambda: visitor.open(f"/meja/serah-terima?cari={word}") and visitor.count("//*[@data-ticket]") == 2)
    assert {theirs, left} <= set(people.operator.desk("intake"))
    visitor.press("Daftar lengkap")


def pick(visitor: Any, *tickets: str) -> None:
    """Choose cases of the list."""
    for ticket in tickets:
        visitor.check("tiket", ticket)
