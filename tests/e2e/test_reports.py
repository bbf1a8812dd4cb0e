"""The monthly recapitulation, counted from recorded events."""

import uuid
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from tests.installations import eventually
from tests.papers import pdf_words
from tests.people import REGISTRATION, People, month_of, travel_as_complaint
from tests.problems import at_fault


def test_the_months_figures_count_what_happened(people: People) -> None:
    def figures() -> dict[str, Any]:
        return people.admin.get("/reports/monthly", params={"month": month, "format": "json"})

    owner = people.reporter()
    ticket = people.submit(owner, confidential=True)
    month = eventually(lambda: month_of(owner, ticket))
    before = figures()
    travelled = travel_as_complaint(people, owner, opd="satpol-pp", category="kode-etik", sub_category="bernegara")
    eventually(lambda: owner.get(f"/complaints/{travelled}/timeline")["stands"]["step"] == 7)
    after = figures()
    assert {name: after[name] - before[name] for name in ("accepted", "answered", "closed", "open", "late")} == {
        "accepted": 1,
        "answered": 1,
        "closed": 0,
        "open": 0,
        "late": 0,
    }
    for number in (1, 2, 3, 4, 5, 6):
        assert after["steps"][number - 1]["count"] - before["steps"][number - 1]["count"] == 1
    assert ticket in {case["ticket"] for case in after["open_cases"]}
    was, opd = (
        next((row for row in told["by_opd"] if row["name"] == "Satuan Polisi Pamong Praja"), {})
        for told in (before, after)
    )
    assert (opd["on_time_share"], opd["median_minutes"]) == (1.0, 0)
    assert {name: opd[name] - was.get(name, 0) for name in ("forwarded", "open", "late", "responses")} == {
        "forwarded": 1,
        "open": 0,
        "late": 0,
        "responses": 1,
    }
    assert {"name": "Kode etik", "sub_category": "Etika bernegara"}.items() <= next(
        row for row in after["by_category"] if row["sub_category"] == "Etika bernegara"
    ).items()


def test_the_recapitulation_is_a_workbook_and_a_pdf_that_name_what_is_open_and_nobody(people: People) -> None:
    owner = people.reporter()
    ticket = people.submit(owner)
    month = eventually(lambda: month_of(owner, ticket))
    answers = {
        format_: people.operator.ask("GET", "/reports/monthly", params={"month": month, "format": format_})
        for format_ in ("xlsx", "pdf")
    }
    assert {answer.status_code for answer in answers.values()} == {200}
    book = openpyxl.load_workbook(BytesIO(answers["xlsx"].content))
    cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    said = pdf_words(answers["pdf"].content)
    assert ticket in cells
    assert ticket in said
    assert REGISTRATION["name"] not in said + " ".join(cells)


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-3", "maret", "2099-01", "2026-03-01", "x" * 500])
def test_a_month_that_cannot_be_counted_is_refused(people: People, month: str) -> None:
    assert at_fault(people.admin.ask("GET", "/reports/monthly", params={"month": month})) == {"month"}


def test_a_format_that_is_none_is_refused(people: People) -> None:
    answer = people.admin.ask("GET", "/reports/monthly", params={"month": "2026-03", "format": uuid.uuid4().hex})
    assert at_fault(answer) == {"format"}
