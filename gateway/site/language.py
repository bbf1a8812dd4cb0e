"""Languages and formats: Indonesian unless the visitor chooses English; times in WIB, the city's time zone."""

from datetime import UTC, date, datetime, timedelta

from flask import Flask, request
from flask_babel import (
    Babel,
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    get_locale,
    gettext,
    lazy_gettext,
    ngettext,
)

from nkk.sop.clock import is_day
from nkk.sop.steps import MINUTES_PER_DAY

LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}
COOKIE = "nkk_language"
A_YEAR = 31_536_000
"""How many seconds a browser keeps a choice."""

_ = lazy_gettext


def chosen() -> str:
    """Return the language that the visitor chose, regardless of the browser's, as phones are often sold in English."""
    wanted = request.cookies.get(COOKIE, "")
    return wanted if wanted in LANGUAGES else "id"


def register(app: Flask) -> None:
    """Set up the translation of `app`'s pages."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "site/translations"
    app.config["BABEL_DEFAULT_LOCALE"] = "id"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Jakarta"
    Babel(app, locale_selector=chosen)
    app.jinja_env.globals["languages"] = LANGUAGES
    app.add_template_global(lambda: str(get_locale()), "language")
    app.add_template_filter(moment)
    app.add_template_filter(office_time)
    app.add_template_filter(working_time)
    app.add_template_filter(format_decimal, "number")
    app.add_template_filter(percent)
    app.add_template_filter(full_day)
    app.add_template_filter(weekday)
    app.add_template_filter(open_hours)
    app.add_template_filter(size)


def size(count: int) -> str:
    """Return a number of bytes for people, such as `1,2 MB`."""
    if count < 1_000_000:
        return f"{format_decimal(max(1, round(count / 1_000)))} kB"
    return f"{format_decimal(round(count / 1_000_000, 1))} MB"


def read_instant(text: str) -> datetime:
    """Return an instant from the stages' notation."""
    return datetime.fromisoformat(text).astimezone(UTC)


def passed(text: str, at: datetime) -> bool:
    """Return whether `at` is after the instant, or after the day, in `text`."""
    end = read_instant(text)
    return at >= end + timedelta(days=1) if is_day(text) else at > end


def moment(text: str | None) -> str:
    """Return an instant such as `Sen, 2 Mar 2026, 08.30 WIB`, or without the time where only a day is given."""
    if not text:
        return ""
    if is_day(text):
        return format_datetime(read_instant(text), "EEE, d MMM y")
    pattern = "EEE, d MMM y, HH:mm" if str(get_locale()) == "en" else "EEE, d MMM y, HH.mm"
    return f"{format_datetime(read_instant(text), pattern)} WIB"


def full_day(text: str) -> str:
    """Return a date such as `Kamis, 31 Desember 2026`."""
    return format_date(date.fromisoformat(text), "EEEE, d MMMM y")


def weekday(number: int) -> str:
    """Return the name of a weekday, 0 for Monday."""
    return format_date(date(2024, 1, 1 + number), "EEEE")


def open_hours(spans: list[list[str]]) -> str:
    """Return a day's office hours, such as `07.30–12.00, 13.00–16.00`."""
    if not spans:
        return gettext("tutup")
    written = ", ".join("–".join(span) for span in spans)
    return written if str(get_locale()) == "en" else written.replace(":", ".")


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal, so that 99.9 % is not shown as 100 %."""
    return format_percent(share, "#,##0.#%")


def office_time(minutes: int) -> str:
    """Return office minutes in days of 450 minutes and hours, or in hours and minutes, no finer than needed."""
    days, rest = divmod(abs(minutes), MINUTES_PER_DAY)
    hours, rest = divmod(rest, 60)
    parts = [
        ngettext("%(num)d hari kerja", "%(num)d hari kerja", days) if days else "",
        ngettext("%(num)d jam", "%(num)d jam", hours) if hours else "",
        ngettext("%(num)d menit", "%(num)d menit", rest) if (rest and not days) or abs(minutes) == 0 else "",
    ]
    return " ".join(part for part in parts if part)


def working_time(minutes: int) -> str:
    """Return the same with its unit, for use outside a sentence, where "hour" could mean one of the clock."""
    time = office_time(minutes)
    return time if abs(minutes) >= MINUTES_PER_DAY else gettext("%(time)s kerja", time=time)
