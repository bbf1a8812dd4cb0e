"""An operator enters a report at the counter by the keyboard alone."""

import re

import pytest

from tests.browser.conftest import Visiting
from tests.browser.test_acts import is_well
from tests.browser.visitors import Visitor
from tests.people import People

TICKET = "//*[contains(@class, 'ticket-big')]"
MOST_STEPS = 40
"""How often the Tab key is pressed at most to reach a field: a trap would need more."""


class Keyboard:
    """The keys that a visitor presses, counted; a click of the mouse is noted by the page."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        self.pressed = 0
        self.page.evaluate(
            "['mousedown', 'pointerdown', 'touchstart'].forEach(kind =>"
            " addEventListener(kind, () => { document.documentElement.dataset.pointed = kind }, true))"
        )

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.pressed += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.pressed += len(text)

    def on(self) -> str:
        """Return the name of the element that has the focus, or its text."""
        return str(self.page.evaluate("document.activeElement.name || document.activeElement.innerText || ''"))

    def to(self, name: str) -> None:
        """Press Tab until the focus is on `name`."""
        for _ in range(MOST_STEPS):
            if self.on() == name:
                return
            self.press("Tab")
        raise AssertionError(f"{name} is not reached with the Tab key")

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.to(name)
            self.type(text)

    def was_pointed(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.dataset.pointed || ''"))


def test_a_report_is_entered_by_the_keyboard_alone(visiting: Visiting, people: People) -> None:
    operator = visiting()
    operator.log_in(**people.credentials("operator"))
    operator.open("/petugas/laporan-baru")
    keyboard = Keyboard(operator)
    assert keyboard.on() == "channel"
    keyboard.press("ArrowDown")
    keyboard.fill(identity_number="1971014107900001", name="Siti Rahmawati")
    keyboard.to("topic")
    keyboard.type("Cermat")
    keyboard.fill(subject_line="Loket tutup sebelum waktunya", text="Loket ditutup pukul 14.00.")
    keyboard.to("Masukkan laporan")
    assert not keyboard.was_pointed()
    keyboard.press("Enter")
    operator.page.wait_for_selector(".ticket-big")
    assert keyboard.on() == "Cetak tanda terima"
    print(f"keystrokes: {keyboard.pressed}, of them to type {16 + 14 + 6 + 28 + 26}")
    ticket = operator.text(TICKET)
    with operator.page.expect_download() as download:
        keyboard.press("Enter")
    assert download.value.suggested_filename == f"tanda-terima-loket-{ticket}.pdf"
    case = people.operator.get(f"/complaints/{ticket}")
    assert (case["channel"], case["subject_line"]) == ("telephone", "Loket tutup sebelum waktunya")
    keyboard.to("Laporan berikutnya")
    keyboard.press("Enter")
    operator.page.wait_for_selector("#identity_number")
    assert [operator.page.input_value(f"#{name}") for name in ("identity_number", "name", "text", "paper")] == [""] * 4
    assert re.search(r"kunci=[0-9a-f]{32}", operator.page.url)


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_the_pages_of_the_counter_are_well_and_a_lost_code_is_replaced(
    visiting: Visiting, people: People, language: str, scripts: bool
) -> None:
    operator = visiting(language, plain=not scripts)
    operator.log_in(**people.credentials("operator"))
    operator.open("/petugas/laporan-baru")
    operator.press("Masukkan laporan")
    assert operator.is_wrong("identity_number")
    if scripts:
        is_well(operator)
    operator.check("channel", "letter")
    operator.fill(
        identity_number="1971014107900001",
        name="Siti Rahmawati",
        subject_line="Loket tutup",
        text="Loket ditutup pukul 14.00.",
    )
    operator.choose("topic", "kode-perilaku/disiplin")
    operator.press("Masukkan laporan")
    ticket, first = operator.text(TICKET), code_on(operator)
    if scripts:
        is_well(operator)
    operator.open(f"/laporan/{ticket}")
    operator.follow("Ganti kode akses")
    if scripts:
        is_well(operator)
    operator.press("Ganti kode akses")
    assert operator.text(TICKET) == ticket
    assert code_on(operator) != first
    if scripts:
        is_well(operator)


def code_on(operator: Visitor) -> str:
    """Return the access code that the page shows."""
    found = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", operator.read())
    assert found is not None
    return found[0]
