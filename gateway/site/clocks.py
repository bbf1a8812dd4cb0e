"""The clocks of what stands at a desk, as its stage counts them: by that clock's own calendar, in office time."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from gateway.site import due
from gateway.site.due import SOON_PART, Due
from gateway.site.language import passed, read_instant, working_time
from gateway.site.words import now
from nkk.sop.clock import WIB, is_day


def of_step(row: Mapping[str, Any], standard: int) -> Due | None:
    """The clock of the step at which `row` stands."""
    return _clock(row.get("due_at"), row.get("left_minutes"), bool(row.get("late")), standard)


def of_service(row: Mapping[str, Any], standard: int) -> Due | None:
    """The clock of the whole service."""
    at = row.get("service_due_at")
    return _clock(at, row.get("service_left_minutes"), bool(at) and passed(str(at), now()), standard)


def _clock(at: str | None, left: int | None, late: bool, standard: int) -> Due | None:
    if not at or left is None:
        return due.due(at, left, standard)
    if is_day(at):
        return _by_day(at, left, standard)
    if left < 0:
        return Due(at, "late", gettext("Terlambat %(time)s", time=working_time(left)))
    if late:
        # Since closing time, or within this minute: none of the minutes that count has passed.
        return Due(at, "late", gettext("Terlambat kurang dari 1 menit kerja"))
    level = "soon" if left * SOON_PART < standard else "fine"
    return Due(at, level, gettext("Sisa %(time)s", time=working_time(left)))


def _by_day(at: str, left: int, standard: int) -> Due:
    """What is left where the day alone is told: `left` counts from today to that day."""
    today, day = now().astimezone(WIB).date(), read_instant(at).astimezone(WIB).date()
    if today > day:
        return Due(at, "late", gettext("Terlambat %(time)s", time=working_time(left)))
    if today == day:
        return Due(at, "soon", gettext("Jatuh tempo hari ini"))
    level = "soon" if left * SOON_PART < standard else "fine"
    # Whole days up to the one it is due on: the operator, who is told the minute, has that one counted in as well.
    # Over a weekend or a holiday none may lie between.
    return Due(
        at,
        level,
        gettext("%(time)s sebelum hari jatuh tempo", time=working_time(left))
        if left
        else gettext("Kurang dari 1 hari kerja sebelum hari jatuh tempo"),
    )
