"""The output of `nkk clock`: each clock computed again, date by date."""

from datetime import datetime, timedelta

import pytest

from nkk.sop.calendar import read_calendar
from nkk.sop.clock import WIB
from nkk.sop.journey import Question
from nkk.sop.proof import Recorded, proof
from tests.calendars import wib

EVE = datetime(2026, 3, 18, 15, 55, tzinfo=WIB)
HOLIDAYS = read_calendar(
    {
        "days": {
            "2026-03-19": {"name": "Hari Suci Nyepi", "spans": []},
            "2026-03-20": {"name": "Cuti bersama", "spans": []},
        }
    },
    3,
)
HALF_A_MONDAY = read_calendar(
    {"days": {"2026-03-23": {"name": "Halalbihalal", "spans": [["09:00", "10:00"], ["10:30", "11:30"]]}}}, 5
)


def lines(*told, path="complaint", now=EVE + timedelta(days=10)):
    facts = [
        Recorded(type_, at, round_, version[0] if version else 3, event_id=f"event-{number}")
        for number, (type_, at, round_, *version) in enumerate(told)
    ]
    return list(proof("NKK-2026-AAAA-0000", path, facts, {3: HOLIDAYS, 5: HALF_A_MONDAY}, now))


def block(shown, begins):
    """Return the lines of one clock."""
    begin = next(number for number, line in enumerate(shown) if line.startswith(begins))
    return shown[begin : shown.index("", begin) if "" in shown[begin:] else None]


SUBMITTED = ("complaint.submitted.v2", EVE, 0)


def test_a_clock_over_a_long_holiday_is_laid_open_date_by_date():
    shown = lines(SUBMITTED, ("complaint.handed_over.v1", datetime(2026, 3, 23, 7, 35, tzinfo=WIB), 0))
    step = block(shown, "Langkah 2")
    assert step[0].endswith("waktu baku 10 menit · kalender versi 3")
    assert "complaint.submitted.v2 event-0" in step[1]
    assert [line.split()[1] for line in step if line.startswith("    ") and "/" in line] == [
        "18/03/2026",
        "19/03/2026",
        "20/03/2026",
        "21/03/2026",
        "22/03/2026",
        "23/03/2026",
    ]
    assert any("tidak ada jam kerja (Hari Suci Nyepi)" in line for line in step)
    assert any("= 0:05:00, jumlah 0:10:00" in line for line in step)
    assert "  jatuh tempo  Senin 23/03/2026 07.35.00 WIB" in step
    assert "complaint.handed_over.v1 event-1" in step[-2]
    assert step[-1] == "  terpakai 10 menit kerja: tepat waktu"


def test_a_late_step_says_by_how_much_and_counts_that_too():
    shown = lines(SUBMITTED, ("complaint.handed_over.v1", datetime(2026, 3, 23, 8, 35, tzinfo=WIB), 0))
    at = shown.index("  terpakai 70 menit kerja: terlambat 60 menit kerja")
    assert "07.35.00–08.35.00" in shown[at + 1]


@pytest.mark.parametrize("done", ["2026-03-18T16:00:20", "2026-03-18T18:00", "2026-03-23T07:30:59"])
def test_what_is_late_by_no_whole_minute_is_late_by_less_than_one_and_never_by_0(done):
    done, at_closing = wib(done), EVE.replace(minute=50)
    step = block(lines(("complaint.submitted.v2", at_closing, 0), ("complaint.handed_over.v1", done, 0)), "Langkah 2")
    assert "  jatuh tempo  Rabu 18/03/2026 16.00.00 WIB" in step
    assert "  terpakai 10 menit kerja: terlambat kurang dari 1 menit kerja" in step
    running = block(lines(("complaint.submitted.v2", at_closing, 0), now=done), "Langkah 2")
    assert "  terpakai 10 menit kerja: terlambat kurang dari 1 menit kerja" in running


def test_a_clock_that_runs_is_counted_to_now_and_the_reporters_step_is_not_judged():
    running = lines(SUBMITTED, now=EVE + timedelta(minutes=3))
    assert "  belum selesai pada Rabu 18/03/2026 15.58.00 WIB" in running
    assert "  belum dijawab pada Rabu 18/03/2026 15.58.00 WIB" in running
    answered = lines(SUBMITTED, ("answer.sent.v1", EVE + timedelta(minutes=1), 0))
    assert any("langkah pelapor, tidak dinilai" in line for line in answered)


def test_each_clock_is_laid_open_by_the_calendar_version_its_own_event_names():
    handed_over = datetime(2026, 3, 23, 8, 0, tzinfo=WIB)
    shown = lines(
        SUBMITTED,
        ("complaint.handed_over.v1", handed_over, 0, 5),
        ("complaint.forwarded.v1", datetime(2026, 3, 24, 8, 0, tzinfo=WIB), 0, 5),
    )
    # Monday the 23rd has two hours in version 5, and a whole day in version 3.
    assert block(shown, "Langkah 3") == [
        "Langkah 3 · Mengklasifikasi pengaduan atau informasi · Tim NKK Utama · "
        "waktu baku 120 menit · kalender versi 5",
        "  mulai        Senin 23/03/2026 08.00.00 WIB  complaint.handed_over.v1 event-1",
        "    Sen 23/03/2026  09.00.00–10.00.00 + 10.30.00–11.30.00 (Halalbihalal)",
        "                    = 2:00:00, jumlah 2:00:00",
        "  jatuh tempo  Senin 23/03/2026 11.30.00 WIB",
        "  selesai      Selasa 24/03/2026 08.00.00 WIB  complaint.forwarded.v1 event-2",
        "  terpakai 150 menit kerja: terlambat 30 menit kerja",
        "    Sen 23/03/2026  tidak ada jam kerja (Halalbihalal)",
        "    Sel 24/03/2026  07.30.00–08.00.00",
        "                    = 0:30:00, jumlah 0:30:00",
    ]
    before = block(shown, "Langkah 2")
    assert before[0].endswith("kalender versi 3")
    assert "    Sen 23/03/2026  07.30.00–07.35.00" in before
    assert before[-3] == "  terpakai 35 menit kerja: terlambat 25 menit kerja"


@pytest.mark.parametrize(
    ("version", "others", "due", "sums", "judged"),
    [
        (
            3,
            5,
            "Selasa 24/03/2026 15.55.00",
            ["0:05:00", "7:35:00", "15:00:00", "0:05:00", "1:35:00"],
            "terpakai 995 menit kerja: terlambat 95 menit kerja",
        ),
        (
            5,
            3,
            "Jumat 20/03/2026 16.25.00",
            ["0:05:00", "7:35:00", "15:00:00", "0:05:00", "2:05:00", "9:35:00", "11:05:00"],
            "terpakai 1565 menit kerja: terlambat 665 menit kerja",
        ),
    ],
)
def test_the_whole_service_is_laid_open_by_the_version_its_submission_names(version, others, due, sums, judged):
    whole = block(
        lines(
            (*SUBMITTED, version),
            ("complaint.handed_over.v1", EVE + timedelta(minutes=2), 0, others),
            ("complaint.classified_as_information.v1", EVE + timedelta(minutes=4), 0, others),
            ("answer.sent.v1", datetime(2026, 3, 25, 9, 0, tzinfo=WIB), 0, others),
        ),
        "Seluruh layanan",
    )
    assert whole[0] == f"Seluruh layanan · waktu baku 2 hari kerja · kalender versi {version}"
    assert f"  jatuh tempo  {due} WIB" in whole
    assert [line.rpartition(" ")[2] for line in whole if "jumlah" in line] == sums
    assert f"  {judged}" in whole


@pytest.mark.parametrize(
    ("path", "said"), [("complaint", "pengaduan"), ("information", "informasi"), (None, "belum diklasifikasi")]
)
def test_the_first_line_names_ticket_and_path(path, said):
    assert lines(SUBMITTED, path=path)[0] == f"NKK-2026-AAAA-0000 · {said}"


def test_a_clock_that_rested_says_so_and_its_time_in_all_agrees_with_itself():
    asked_at = EVE - timedelta(hours=2)
    facts = [
        Recorded("complaint.submitted.v2", asked_at - timedelta(minutes=4), calendar=3, event_id="event-0"),
        Recorded("complaint.handed_over.v1", datetime(2026, 3, 24, 8, 0, tzinfo=WIB), event_id="event-1", calendar=3),
    ]
    asked = [Question(2, 1, 0, asked_at, datetime(2026, 3, 24, 7, 55, tzinfo=WIB))]
    shown = list(proof("NKK-2026-AAAA-0000", None, facts, {3: HOLIDAYS}, EVE + timedelta(days=10), asked))
    step = block(shown, "Langkah 2")
    assert step[-1] == "  terpakai 9 menit kerja: tepat waktu"
    assert any(line.startswith("  menunggu jawaban pelapor") for line in step)


def test_a_step_that_ended_late_in_a_rest_is_late_by_what_had_passed_before_it():
    asked_at = EVE - timedelta(hours=2)
    facts = [
        Recorded("complaint.submitted.v2", asked_at - timedelta(minutes=14), calendar=3, event_id="event-0"),
        Recorded("complaint.handed_over.v1", datetime(2026, 3, 24, 8, 0, tzinfo=WIB), event_id="event-1", calendar=3),
    ]
    asked = [Question(2, 1, 0, asked_at)]
    shown = list(proof("NKK-2026-AAAA-0000", None, facts, {3: HOLIDAYS}, EVE + timedelta(days=10), asked))
    assert "  terpakai 14 menit kerja: terlambat 4 menit kerja" in block(shown, "Langkah 2")


def test_a_report_that_a_desk_closed_says_so_and_its_step_is_not_judged():
    shown = lines(SUBMITTED, ("complaint.abandoned.v1", EVE + timedelta(minutes=3), 0))
    step = block(shown, "Langkah 2")
    assert step[-2].startswith("  berhenti")
    assert step[-1] == "  terpakai 3 menit kerja sampai laporan ditutup: tidak dinilai"
    assert any(line.startswith("  ditutup") for line in block(shown, "Seluruh layanan"))
    assert not any("terlambat" in line for line in shown)
