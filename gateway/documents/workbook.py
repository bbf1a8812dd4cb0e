"""The monthly recapitulation as a workbook of plain numbers, without formulas.

A text that begins with = + - or @ stays text, because it may come from a stranger.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from gateway.documents import basis, recap, wording
from gateway.documents.content import KINDS, RECAP
from gateway.documents.errors import ContentError
from gateway.documents.plain import plain
from nkk.sop.clock import is_day
from nkk.sop.indonesian import written_month

CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the library writes it unchanged
"""The creation time of every workbook, so that the same content gives the same bytes."""

LONGEST = 32_000
"""The most characters of a cell; the format allows 32,767."""

Column = tuple[str, str, int]
"""A heading, the name of the cell's format, and the width in characters."""

_DURATIONS: tuple[Column, ...] = (
    ("Median (menit kerja)", "decimal", 14),
    ("P90 (menit kerja)", "decimal", 14),
    ("Tepat waktu", "share", 12),
)
_FIGURES: tuple[Column, ...] = (("Jumlah", "number", 10), *_DURATIONS)
_COUNTS = {
    "accepted": "Diterima",
    "answered": "Dijawab",
    "closed": "Selesai",
    "withdrawn": "Dicabut",
    "abandoned": "Ditutup tanpa jawaban",
    "objected": "Keberatan",
    "joined": "Digabungkan",
    "open": "Masih terbuka",
    "late": "Terlambat",
}

COLUMNS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "steps": (
        "Langkah",
        (
            ("No", "number", 6),
            ("Kegiatan", "text", 60),
            ("Pelaksana", "text", 24),
            ("Waktu baku (menit kerja)", "decimal", 14),
            *_FIGURES,
        ),
    ),
    "by_category": ("Kategori", (("Kategori", "text", 30), ("Sub kategori", "text", 50), ("Jumlah", "number", 10))),
    "by_opd": (
        "OPD",
        (
            ("OPD", "text", 50),
            ("Diteruskan", "number", 11),
            ("Bukan kewenangan", "number", 12),
            ("Ditarik kembali", "number", 11),
            ("Masih terbuka", "number", 10),
            ("Terlambat", "number", 11),
            ("Tanggapan", "number", 11),
            *_DURATIONS,
        ),
    ),
    "by_rating": ("Penilaian", (("Nilai (1 sampai 5)", "number", 18), ("Jumlah", "number", 10))),
    "open_cases": (
        "Berkas terbuka",
        (
            ("Tiket", "text", 20),
            ("Jalur", "text", 14),
            ("Langkah", "number", 10),
            ("Kegiatan", "text", 60),
            ("OPD", "text", 40),
            ("Masuk (WIB)", "instant", 18),
            ("Batas langkah (WIB)", "instant", 20),
            ("Batas layanan (WIB)", "instant", 20),
            ("Terlambat", "text", 11),
        ),
    ),
}
"""The content's list on each sheet after the first, with the sheet's name and its columns in the rows' order."""

_FORMATS = {
    "text": {"text_wrap": True, "valign": "top"},
    "number": {"num_format": "#,##0", "valign": "top"},
    "decimal": {"num_format": "#,##0.0", "valign": "top"},
    "share": {"num_format": "0.0%", "valign": "top"},
    "instant": {"num_format": "dd/mm/yyyy hh:mm", "valign": "top", "align": "left"},
    "day": {"num_format": "dd/mm/yyyy", "valign": "top", "align": "left"},
    "head": {"bold": True, "bg_color": "#E7ECF3", "bottom": 1, "text_wrap": True, "valign": "vcenter"},
    "title": {"bold": True, "font_size": 14},
}


def recap_workbook(content: dict[str, Any]) -> bytes:
    """Return the recapitulation `content` as XLSX. Raises ContentError where a value does not match the contract."""
    out = io.BytesIO()
    # All off, so that no text becomes a formula, a link or a number.
    book = Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": KINDS[RECAP], "author": basis.AGENCY, "created": CREATED})
    sheets = _Sheets(book)
    try:
        sheets.summary(content)
        for key, (name, columns) in COLUMNS.items():
            rows = [[row.get(field) for field in recap.ROWS[key]] for row in content.get(key) or []]
            sheets.table(name, columns, rows)
    except (ValueError, TypeError, AttributeError):
        raise ContentError("A figure of the recapitulation does not match the contract.") from None
    book.close()
    return out.getvalue()


class _Sheets:
    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._formats = {name: book.add_format(look) for name, look in _FORMATS.items()}

    def summary(self, content: dict[str, Any]) -> None:
        sheet = self._book.add_worksheet("Ringkasan")
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 24)
        sheet.write_string(0, 0, KINDS[RECAP], self._formats["title"])
        sheet.write_string(1, 0, basis.AGENCY)
        month = content.get("month")
        rows: list[tuple[str, str, Any]] = [("Bulan", "text", written_month(month) if month else None)]
        rows += [(label, "number", content.get(key)) for key, label in _COUNTS.items()]
        rows += [(f"Jalur {row.get('name')}", "number", row.get("count")) for row in content.get("by_path") or []]
        rows += [(f"Saluran {row.get('name')}", "number", row.get("count")) for row in content.get("by_channel") or []]
        service = content.get("service") or {}
        rows += [("Waktu baku layanan (menit kerja)", "decimal", service.get("standard_minutes"))]
        rows += [
            (f"Layanan selesai: {label.lower()}", name, service.get(key))
            for key, (label, name, _) in zip(recap.FIGURES, _FIGURES, strict=True)
        ]
        ratings = content.get("ratings") or {}
        rows += [
            ("Penilaian pelapor", "number", ratings.get("count")),
            ("Penilaian pelapor: rata-rata (1 sampai 5)", "decimal", ratings.get("average")),
        ]
        self._head(sheet, 3, ("Uraian", "Nilai"))
        for number, (label, name, value) in enumerate(rows, 4):
            self._write(sheet, number, 0, "text", label)
            self._write(sheet, number, 1, name, value)

    def table(self, name: str, columns: Sequence[Column], rows: list[list[Any]]) -> None:
        sheet = self._book.add_worksheet(name)
        for number, (_, _, width) in enumerate(columns):
            sheet.set_column(number, number, width)
        self._head(sheet, 0, [label for label, _, _ in columns])
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                self._write(sheet, number, column, columns[column][1], value)

    def _head(self, sheet: Worksheet, row: int, labels: Sequence[str]) -> None:
        for column, label in enumerate(labels):
            sheet.write_string(row, column, label, self._formats["head"])
        sheet.freeze_panes(row + 1, 0)
        sheet.repeat_rows(row)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)

    def _write(self, sheet: Worksheet, row: int, column: int, name: str, value: Any) -> None:
        look = self._formats[name]
        if value is None or value == "":
            sheet.write_string(row, column, wording.NOTHING, look)
        elif name == "instant":
            look = self._formats["day"] if is_day(value) else look
            sheet.write_datetime(row, column, wording.instant(value).replace(tzinfo=None), look)
        elif name == "text":
            sheet.write_string(row, column, _cell(value), look)
        else:
            sheet.write_number(row, column, float(value), look)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "Ya" if value else "Tidak"
    text = plain(recap.PATHS.get(value, str(value)))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
