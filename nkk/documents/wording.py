"""How Indonesian documents write instants, dates, durations, numbers and shares. Pure functions.

Instants are shown in WIB (Waktu Indonesia Barat, UTC+7), which knows no summer time.
"""

import math
from datetime import date, datetime, timedelta, timezone

from nkk.sop.steps import MINUTES_PER_DAY

WIB = timezone(timedelta(hours=7), "WIB")
NOTHING = "-"

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
          "November", "Desember")
SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


def instant(text: str) -> datetime:
    """The RFC 3339 instant `text`, in WIB. Raises ValueError where it is none, or names no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("An instant names its offset.")
    return moment.astimezone(WIB)


def long_instant(moment: datetime) -> str:
    """ "Senin, 2 Maret 2026 pukul 09.15 WIB"."""
    return f"{long_date(moment)} pukul {moment:%H.%M} WIB"


def short_instant(moment: datetime) -> str:
    """ "2 Mar 2026 09.15", for the columns of a table."""
    return f"{moment.day} {SHORT_MONTHS[moment.month - 1]} {moment.year} {moment:%H.%M}"


def long_date(day: date) -> str:
    """ "Senin, 2 Maret 2026"."""
    return f"{DAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}"


def month(text: str) -> str:
    """ "Maret 2026" of "2026-03". Raises ValueError where it is no month."""
    first = date.fromisoformat(f"{text}-01")
    return f"{MONTHS[first.month - 1]} {first.year}"


def number(value: float | None) -> str:
    """ "1.234" or "523,5": dots between thousands, a decimal comma, one decimal at most."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:,.1f}".removesuffix(".0")
    return text.translate(str.maketrans(",.", ".,"))


def minutes(value: float | None) -> str:
    """Office minutes: "120 menit", and whole working days as "2 hari kerja (900 menit)"."""
    if value is None:
        return NOTHING
    plain = f"{number(value)} menit"
    if value and value % MINUTES_PER_DAY == 0:
        return f"{number(value // MINUTES_PER_DAY)} hari kerja ({plain})"
    return plain


def share(value: float | None) -> str:
    """ "93,3 %" of 0.933."""
    return NOTHING if value is None else f"{number(value * 100)} %"
