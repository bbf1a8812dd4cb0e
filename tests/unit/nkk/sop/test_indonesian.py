from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.indonesian import ROLES, written_date, written_instant, written_minutes, written_month
from nkk.sop.steps import STEPS, Role


def test_an_instant_is_written_in_jakarta_wherever_it_comes_from():
    assert written_instant(datetime(2026, 3, 1, 17, 5, tzinfo=UTC)) == "Senin, 2 Maret 2026 pukul 00.05 WIB"


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 8, 17), "Senin, 17 Agustus 2026"),
        (date(2026, 3, 20), "Jumat, 20 Maret 2026"),
        (date(2027, 1, 3), "Minggu, 3 Januari 2027"),
    ],
)
def test_a_date_is_written_in_indonesian(day, written):
    assert written_date(day) == written


def test_a_month_is_written_in_indonesian():
    assert written_month("2026-05") == "Mei 2026"


@pytest.mark.parametrize(
    ("minutes", "written"),
    [
        (0, "0 menit"),
        (5, "5 menit"),
        (120, "120 menit"),
        (449, "449 menit"),
        (450, "1 hari kerja"),
        (455, "455 menit"),
        (900, "2 hari kerja"),
        (4500, "10 hari kerja"),
    ],
)
def test_office_minutes_are_written_as_the_sop_writes_them(minutes, written):
    assert written_minutes(minutes) == written


@given(st.integers(0, 100_000))
def test_what_is_written_of_office_minutes_is_exactly_them(minutes):
    count, _, unit = written_minutes(minutes).partition(" ")
    assert int(count) * {"hari kerja": 450, "menit": 1}[unit] == minutes


def test_every_role_and_every_step_has_its_words():
    assert set(ROLES) == set(Role)
    assert all(written_minutes(step.minutes) for step in STEPS)
