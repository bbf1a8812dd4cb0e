"""The texts of short instants, durations, numbers and shares in documents; `nkk.sop.indonesian` has the others."""

import math
from datetime import datetime

from nkk.sop.clock import WIB, is_day
from nkk.sop.indonesian import MONTHS
from nkk.sop.steps import MINUTES_PER_DAY

NOTHING = "-"


def instant(text: str) -> datetime:
    """Return the RFC 3339 instant `text` in WIB. Raises ValueError where it is invalid or has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("An instant must have a UTC offset.")
    return moment.astimezone(WIB)


def short_instant(moment: datetime) -> str:
    """Return an instant for a table's column, such as "2 Mar 2026 09.15"."""
    return f"{moment.day} {MONTHS[moment.month - 1][:3]} {moment.year} {moment:%H.%M}"


def short(text: str) -> str:
    """Return the instant `text` in that form, or as "2 Mar 2026" where it is a day."""
    moment = instant(text)
    return short_instant(moment).removesuffix(" 00.00") if is_day(text) else short_instant(moment)


def number(value: float | None) -> str:
    """Return a number such as "1.234" or "523,5": thousands with dots, a decimal comma, at most one decimal."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:,.1f}".removesuffix(".0")
    return text.translate(str.maketrans(",.", ".,"))


def minutes(value: float | None) -> str:
    """Return office minutes as "120 menit", or whole working days as "2 hari kerja (900 menit)"."""
    if value is None:
        return NOTHING
    plain = f"{number(value)} menit"
    if value and value % MINUTES_PER_DAY == 0:
        return f"{number(value // MINUTES_PER_DAY)} hari kerja ({plain})"
    return plain


def share(value: float | None) -> str:
    """Return a share such as 0.933 as "93,3 %"."""
    return NOTHING if value is None else f"{number(value * 100)} %"


def size(count: int) -> str:
    """Return a number of bytes for people, such as `1,2 MB`."""
    if count < 1_000_000:
        return f"{max(1, round(count / 1_000))} kB"
    return f"{count / 1_000_000:.1f} MB".replace(".", ",")
