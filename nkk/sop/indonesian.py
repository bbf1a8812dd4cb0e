"""Dates, instants and durations in Indonesian, as the procedure's documents write them, in WIB."""

from datetime import date, datetime

from nkk.sop.clock import WIB
from nkk.sop.steps import MINUTES_PER_DAY, Role

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)

ROLES = {
    Role.REPORTER: "Pelapor",
    Role.OPERATOR: "Operator/Agen",
    Role.MAIN_TEAM: "Tim NKK Utama",
    Role.OPD_TEAM: "Tim NKK Pembantu OPD",
    Role.ADMIN: "Admin",
    Role.WEBSITE: "Situs lain",
}


def written_date(day: date) -> str:
    """Return `day` as `Senin, 2 Maret 2026`."""
    return f"{DAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}"


def written_instant(instant: datetime) -> str:
    """Return `instant` in WIB as `Senin, 2 Maret 2026 pukul 09.15 WIB`."""
    local = instant.astimezone(WIB)
    return f"{written_date(local.date())} pukul {local:%H.%M} WIB"


def written_month(month: str) -> str:
    """Return a month such as `2026-03` as `Maret 2026`. Raises ValueError where it is not a month."""
    first = date.fromisoformat(f"{month}-01")
    return f"{MONTHS[first.month - 1]} {first.year}"


def written_minutes(minutes: int) -> str:
    """Return office minutes as the SOP writes them: `120 menit`, and whole working days as `2 hari kerja`."""
    if minutes and minutes % MINUTES_PER_DAY == 0:
        return f"{minutes // MINUTES_PER_DAY} hari kerja"
    return f"{minutes} menit"
