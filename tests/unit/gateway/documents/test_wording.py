from datetime import date

import pytest

from gateway.documents import wording
from nkk.sop.indonesian import DAYS, MONTHS, written_date, written_instant, written_month


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ("2026-03-02T02:15:00Z", "Senin, 2 Maret 2026 pukul 09.15 WIB"),
        ("2026-03-01T17:00:00Z", "Senin, 2 Maret 2026 pukul 00.00 WIB"),
        ("2025-12-31T17:00:00.123456+00:00", "Kamis, 1 Januari 2026 pukul 00.00 WIB"),
        ("2026-08-17T10:00:00+07:00", "Senin, 17 Agustus 2026 pukul 10.00 WIB"),
    ],
)
def test_an_instant_is_shown_in_wib(instant, shown):
    assert written_instant(wording.instant(instant)) == shown


def test_an_instant_without_its_offset_is_none():
    with pytest.raises(ValueError, match="must have a UTC offset"):
        wording.instant("2026-03-02T02:15:00")


def test_every_day_and_month_has_its_name():
    assert [written_date(date(2026, month, month)).split()[2] for month in range(1, 13)] == list(MONTHS)
    assert {written_date(date(2026, 3, day)).split(",")[0] for day in range(2, 9)} == set(DAYS)


def test_a_column_shows_an_instant_in_short():
    assert wording.short_instant(wording.instant("2026-05-09T20:05:00Z")) == "10 Mei 2026 03.05"


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (0, "0 menit"),
        (120, "120 menit"),
        (449, "449 menit"),
        (450, "1 hari kerja (450 menit)"),
        (900, "2 hari kerja (900 menit)"),
        (901, "901 menit"),
        (523.5, "523,5 menit"),
        (4500, "10 hari kerja (4.500 menit)"),
        (None, "-"),
    ],
)
def test_minutes_are_minutes_or_whole_working_days(minutes, shown):
    assert wording.minutes(minutes) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(1234567, "1.234.567"), (0.25, "0,2"), (12.0, "12"), (None, "-"), (float("nan"), "-"), (-3.5, "-3,5")],
)
def test_numbers_have_a_decimal_comma(number, shown):
    assert wording.number(number) == shown


@pytest.mark.parametrize(("share", "shown"), [(0.933, "93,3 %"), (1, "100 %"), (0, "0 %"), (None, "-")])
def test_shares_are_percentages(share, shown):
    assert wording.share(share) == shown


def test_a_month_has_its_name():
    assert written_month("2026-03") == "Maret 2026"
    with pytest.raises(ValueError, match="month"):
        written_month("2026-13")
