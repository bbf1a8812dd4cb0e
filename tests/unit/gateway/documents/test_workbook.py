import io
from datetime import datetime

import pytest
from openpyxl import load_workbook

from gateway.documents import ContentError
from gateway.documents.content import RECAP
from gateway.documents.sample import sample
from tests.unit.gateway.documents.fresh import render


def book(content=None):
    return load_workbook(io.BytesIO(render(RECAP, "xlsx", sample() if content is None else content)))


def rows(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_there_is_a_sheet_for_each_view():
    assert book().sheetnames == ["Ringkasan", "Langkah", "Kategori", "OPD", "Penilaian", "Berkas terbuka"]


def test_the_summary_holds_numbers():
    held = dict(row for row in rows(book()["Ringkasan"])[4:])
    assert held["Bulan"] == "Maret 2026"
    names = ("Diterima", "Dijawab", "Selesai", "Masih terbuka", "Terlambat")
    assert [held[name] for name in names] == [42, 36, 30, 12, 3]
    assert (held["Jalur Pengaduan"], held["Jalur Informasi"]) == (28, 14)
    assert held["Waktu baku layanan (menit kerja)"] == 900
    names = ("jumlah", "median (menit kerja)", "p90 (menit kerja)", "tepat waktu")
    assert [held[f"Layanan selesai: {name}"] for name in names] == [30, 52.5, 310, 0.933]
    names = ("Penilaian pelapor", "Penilaian pelapor: rata-rata (1 sampai 5)")
    assert [held[name] for name in names] == [32, 3.4]


def test_steps_are_numbers_with_formats():
    sheet = book()["Langkah"]
    assert rows(sheet)[4] == [
        4,
        "Menerima pengaduan dan melakukan proses tanggapan",
        "Operator/Agen",
        900,
        30,
        52.5,
        310,
        0.933,
    ]
    assert sheet["H5"].number_format == "0.0%"


def test_an_opds_row_says_what_was_forwarded_is_open_and_late_there_and_how_it_responds():
    assert rows(book()["OPD"]) == [
        [
            "OPD",
            "Diteruskan",
            "Bukan kewenangan",
            "Ditarik kembali",
            "Masih terbuka",
            "Terlambat",
            "Tanggapan",
            "Median (menit kerja)",
            "P90 (menit kerja)",
            "Tepat waktu",
        ],
        ["Dinas Perhubungan", 17, 1, 1, 5, 2, 19, 52.5, 310, 0.933],
    ]


def test_open_cases_hold_dates_in_wib():
    sheet = book()["Berkas terbuka"]
    assert sheet["F2"].value == datetime(2026, 3, 3, 9, 15)
    assert sheet["F2"].number_format == "dd/mm/yyyy hh:mm"
    assert [sheet[f"{column}2"].value for column in "ABCI"] == ["NKK-2026-000123", "Pengaduan", 4, "Ya"]


def test_heads_are_frozen_and_columns_wide_enough():
    made = book()
    assert [sheet.freeze_panes for sheet in made] == ["A5", "A2", "A2", "A2", "A2", "A2"]
    assert all(sheet.column_dimensions["A"].width >= 6 for sheet in made)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "=cmd|'/c calc'!A1",
        "http://example.id",
        "{=1}",
        "007",
        "x" * 40_000,
        "baris\ndua",
        "\x07",
        "_x0041_",
        "<b>&",
    ],
)
def test_a_text_stays_a_text(text):
    shown = text if len(text) < 32_000 else "x" * 32_000 + "…"
    shown = shown.replace("\x07", "⟨U+0007⟩")
    content = {**sample(), "by_opd": [{"name": text, "forwarded": 1}]}
    cell = book(content)["OPD"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (shown, "s", None)


def test_there_is_no_formula_anywhere():
    assert {cell.data_type for sheet in book() for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}


def test_figures_that_are_missing_are_dashes():
    content = {**sample(), "by_opd": [{"name": "A", "forwarded": 0, "median_minutes": None}]}
    assert rows(book(content)["OPD"])[1] == ["A", 0, *["-"] * 8]


def test_a_month_without_anything_still_makes_a_workbook():
    assert rows(book({})["Langkah"]) == [
        [
            "No",
            "Kegiatan",
            "Pelaksana",
            "Waktu baku (menit kerja)",
            "Jumlah",
            "Median (menit kerja)",
            "P90 (menit kerja)",
            "Tepat waktu",
        ]
    ]


@pytest.mark.parametrize(
    "content", [{"accepted": "banyak"}, {"month": "Maret"}, {"by_opd": ["x"]}, {"open_cases": [{"came_at": "kemarin"}]}]
)
@pytest.mark.parametrize("fmt", ["xlsx", "pdf"])
def test_figures_of_another_form_are_refused(content, fmt):
    with pytest.raises(ContentError):
        render(RECAP, fmt, content)
