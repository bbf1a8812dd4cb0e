"""What `nkk clock` shows: each clock counted anew, date by date."""

from datetime import datetime, timedelta

import pytest

from nkk.sop.calendar import read_calendar
from nkk.sop.clock import WIB
from nkk.sop.proof import Recorded, proof

EVE = datetime(2026, 3, 18, 15, 55, tzinfo=WIB)
HOLIDAYS = read_calendar({"days": {"2026-03-19": {"name": "Hari Suci Nyepi", "spans": []},
                                   "2026-03-20": {"name": "Cuti bersama", "spans": []}}}, 3)


def lines(*told, path="complaint", now=EVE + timedelta(days=10)):
    facts = [Recorded(type_, at, round_, 3, f"event-{number}") for number, (type_, at, round_) in enumerate(told)]
    return list(proof("NKK-2026-AAAA-0000", path, facts, {3: HOLIDAYS}, now))


SUBMITTED = ("complaint.submitted.v1", EVE, 0)


def test_a_clock_over_a_long_holiday_is_laid_open_date_by_date():
    shown = lines(SUBMITTED, ("complaint.handed_over.v1", datetime(2026, 3, 23, 7, 35, tzinfo=WIB), 0))
    begin = next(number for number, line in enumerate(shown) if line.startswith("Langkah 2"))
    block = shown[begin:shown.index("", begin)]
    assert block[0].endswith("waktu baku 10 menit · kalender versi 3")
    assert "complaint.submitted.v1 event-0" in block[1]
    assert [line.split()[1] for line in block if line.startswith("    ") and "/" in line] == [
        "18/03/2026", "19/03/2026", "20/03/2026", "21/03/2026", "22/03/2026", "23/03/2026"]
    assert any("tidak ada jam kerja (Hari Suci Nyepi)" in line for line in block)
    assert any("= 0:05:00, jumlah 0:10:00" in line for line in block)
    assert "  jatuh tempo  Senin 23/03/2026 07.35.00 WIB" in block
    assert "complaint.handed_over.v1 event-1" in block[-2]
    assert block[-1] == "  terpakai 10 menit kerja: tepat waktu"


def test_a_late_step_says_by_how_much_and_counts_that_too():
    shown = lines(SUBMITTED, ("complaint.handed_over.v1", datetime(2026, 3, 23, 8, 35, tzinfo=WIB), 0))
    at = shown.index("  terpakai 70 menit kerja: terlambat 60 menit kerja")
    assert "07.35.00–08.35.00" in shown[at + 1]


def test_a_clock_that_runs_is_counted_to_now_and_the_reporters_step_is_not_judged():
    running = lines(SUBMITTED, now=EVE + timedelta(minutes=3))
    assert "  belum selesai pada Rabu 18/03/2026 15.58.00 WIB" in running
    assert "  belum dijawab pada Rabu 18/03/2026 15.58.00 WIB" in running
    answered = lines(SUBMITTED, ("answer.sent.v1", EVE + timedelta(minutes=1), 0))
    assert any("langkah pelapor, tidak dinilai" in line for line in answered)


@pytest.mark.parametrize(("path", "said"), [("complaint", "pengaduan"), ("information", "informasi"),
                                            (None, "belum diklasifikasi")])
def test_the_first_line_names_ticket_and_path(path, said):
    assert lines(SUBMITTED, path=path)[0] == f"NKK-2026-AAAA-0000 · {said}"
