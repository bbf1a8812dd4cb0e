"""The two files of the recapitulation show the same figures, for a month whose figures are all different."""

import io
from datetime import datetime, timedelta
from itertools import count

import pytest
from openpyxl import load_workbook

from gateway.documents import recap, wording
from gateway.documents.content import RECAP
from gateway.documents.sample import sample
from nkk.sop.clock import WIB
from tests.unit.gateway.documents.fresh import render
from tests.unit.gateway.documents.reading import pdf_text, squeezed

SHOWN = {
    "#,##0": wording.number,
    "#,##0.0": wording.minutes,
    "0.0%": wording.share,
    "dd/mm/yyyy hh:mm": wording.short_instant,
    "General": str,
}
"""The format on paper for each number format of a cell."""


def told_apart(value, numbers, name=""):
    """Return `value` with a different number or instant in each place."""
    if isinstance(value, dict):
        return {key: told_apart(each, numbers, key) for key, each in value.items()}
    if isinstance(value, list):
        return [told_apart(each, numbers) for each in value]
    if name.endswith("_at"):
        return (datetime(2026, 3, 2, tzinfo=WIB) + timedelta(minutes=next(numbers))).isoformat()
    if isinstance(value, bool | str):
        return value
    return next(numbers) / 1000 if name == "on_time_share" else next(numbers)


def figures(value):
    """Return every number in `value`."""
    if isinstance(value, dict | list):
        return {number for each in (value.values() if isinstance(value, dict) else value) for number in figures(each)}
    return set() if isinstance(value, bool | str) else {value}


def month():
    content = {key: sample()[key] for key in recap.KEYS}
    rows = {key: [{name: row.get(name) for name in names} for row in content[key]] for key, names in recap.ROWS.items()}
    rows["open_cases"] += [row | {"late": False} for row in rows["open_cases"]]
    return told_apart(content | rows, count(101))


@pytest.fixture(scope="module")
def book():
    return load_workbook(io.BytesIO(render(RECAP, "xlsx", month())))


@pytest.fixture(scope="module")
def paper():
    return squeezed(pdf_text(render(RECAP, "pdf", month())))


def written(cells):
    """Return a row as it is written on paper."""
    return squeezed("".join(SHOWN[cell.number_format](cell.value) for cell in cells)).replace("(menitkerja)", "")


def test_no_figure_of_the_month_is_missing_from_the_workbook(book):
    held = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert len(figures(month())) > 60
    assert figures(month()) - held == set()


@pytest.mark.parametrize("sheet", ["Langkah", "Kategori", "OPD", "Penilaian", "Berkas terbuka"])
def test_each_row_of_the_workbook_stands_on_paper_with_the_same_heads(book, paper, sheet):
    rows = [written(row) for row in book[sheet].iter_rows()]
    assert len(rows) > 1
    assert [row for row in rows if row not in paper] == []


def test_the_workbooks_summary_stands_on_paper(book, paper):
    (_, month_), *rows = book["Ringkasan"].iter_rows(min_row=5)
    assert f"Bulan{squeezed(month_.value)}" in paper
    labels, values = zip(*rows, strict=True)
    assert written(labels[:9]) + written(values[:9]) in paper
    assert [label.value for label in labels[9:11]] == [f"Jalur {path}" for path in ("Pengaduan", "Informasi")]
    assert [row for row in map(written, rows[9:11]) if row.removeprefix("Jalur") not in paper] == []
    assert [label.value for label in labels[11:13]] == [f"Saluran {channel}" for channel in ("Situs web", "Loket")]
    assert [row for row in map(written, rows[11:13]) if row.removeprefix("Saluran") not in paper] == []
    assert "WaktubakuJumlahMedianP90Tepatwaktu" + written(values[13:-2]) in paper
    number, average = (cell.value for cell in values[-2:])
    assert f"Jumlahpenilaian:{number}.Rata-rata:{average}." in paper
