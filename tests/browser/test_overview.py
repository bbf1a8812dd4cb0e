"""The monthly overview, with its charts, figures and access rules."""

from collections.abc import Callable

import pytest

from tests.browser.visitors import Visitor, said
from tests.installations import eventually
from tests.people import People, travel_as_complaint

Opening = Callable[..., Visitor]


@pytest.fixture(scope="module")
def happened(people: People) -> None:
    """Carry one complaint up to its answer, and another to its OPD."""
    reporter = people.reporter()
    answered = travel_as_complaint(people, reporter, "satpol-pp")
    eventually(lambda: reporter.get(f"/complaints/{answered}/timeline")["stands"]["step"] == 7)
    waiting = people.submit(reporter)
    people.operator.act(f"/complaints/{waiting}/handover")
    people.main_team.act(f"/complaints/{waiting}/classification", {"kind": "complaint", "opd": "satpol-pp"})
    eventually(lambda: reporter.get(f"/complaints/{waiting}/timeline")["stands"]["step"] == 4)


@pytest.mark.usefixtures("happened")
@pytest.mark.parametrize(
    ("role", "language", "scripts"), [("operator", "id", True), ("main_team", "en", True), ("admin", "id", False)]
)
def test_the_month_is_told_in_charts_and_in_the_same_numbers(
    staff: Opening, role: str, language: str, scripts: bool
) -> None:
    visitor = staff(role, language=language, java_script_enabled=scripts)
    visitor.page.get_by_role("link", name=said("Ikhtisar", language), exact=True).click()
    visitor.page.wait_for_url("**/ikhtisar")
    assert visitor.page.locator("svg[role=img] > title").count() == 3
    rows = visitor.page.locator("table").first.locator("tbody tr")
    assert rows.count() == 7
    flow = visitor.page.locator("#arus-desc").text_content() or ""
    for number in range(7):
        name, done = rows.nth(number).locator("th").inner_text(), rows.nth(number).locator("td").first.inner_text()
        assert f"\u2068{name}\u2069: {done}" in flow
    opd = visitor.page.locator("table").nth(2).get_by_role("row", name="Satuan Polisi Pamong Praja")
    forwarded, _, _, waits, _, responses = opd.locator("td").all_inner_texts()[:6]
    assert (int(forwarded) >= 2, int(waits) >= 1, int(responses) >= 1) == (True, True, True)
    if scripts:
        assert visitor.accessibility() == []
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    assert visitor.too_wide() == []


@pytest.mark.usefixtures("happened")
def test_another_month_is_chosen_and_taken_away(staff: Opening) -> None:
    visitor = staff("main_team")
    visitor.open("/ikhtisar")
    visitor.page.select_option("#bulan", index=3)
    month = visitor.page.input_value("#bulan")
    visitor.press("Tampilkan")
    visitor.page.wait_for_url(f"**/ikhtisar?bulan={month}")
    assert visitor.page.input_value("#bulan") == month
    for format_, begins in (("xlsx", b"PK"), ("pdf", b"%PDF")):
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("link", name=f"Unduh {format_.upper()}").click()
        assert download.value.suggested_filename == f"rekap-bulanan-{month}.{format_}"
        assert download.value.path().read_bytes().startswith(begins)


@pytest.mark.usefixtures("happened")
def test_the_overview_is_not_for_everybody(staff: Opening) -> None:
    opd_team = staff("opd_team", "satpol-pp", plain=True)
    for path, status in (("/ikhtisar", 403), ("/ikhtisar/2026-01.pdf", 403)):
        assert opd_team.open(path) == status
    assert staff("main_team", plain=True).open("/ikhtisar?bulan=kapan") == 422
