"""The time left until a due time, in words and as one of three levels.

The stages count it in office time by each clock's own calendar, because only they have the calendars.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from gateway.clock import now
from gateway.site.language import moment, passed, read_instant, working_time
from nkk.sop.clock import WIB, is_day

SOON_PART = 3
"""Due soon means that less than a third of the standard time is left."""


@dataclass(frozen=True)
class Due:
    """A due time. `level` is late, soon or fine; `words` say the same for visitors who do not see colours."""

    at: str
    level: str
    words: str

    @property
    def by_day(self) -> bool:
        """Whether only the day is given; `words` name it."""
        return is_day(self.at)


def of_step(row: Mapping[str, Any], standard: int) -> Due | None:
    """Return the due time of the step that `row` waits for; None while its desk waits for the reporter."""
    if row.get("waiting_since"):
        return None
    return due(row.get("due_at"), row.get("left_minutes"), standard)


def of_service(row: Mapping[str, Any], standard: int) -> Due | None:
    """Return the due time of the whole service."""
    return due(row.get("service_due_at"), row.get("service_left_minutes"), standard)


def due(at: str | None, left: int | None, standard: int) -> Due | None:
    """Return the time until `at`; `left` is the stage's count in office minutes, or None.

    Where `left` is None, and outside office hours, everything after `at` is late.
    """
    if not at:
        return None
    if left is not None and is_day(at):
        return _by_day(at, left, standard)
    if left is not None and left < 0:
        return Due(at, "late", gettext("Terlambat %(time)s", time=working_time(left)))
    if passed(at, now()):
        return Due(at, "late", gettext("Terlambat") if left is None else gettext("Terlambat kurang dari 1 menit kerja"))
    if left is None:
        return None
    return Due(at, _level(left, standard), gettext("Sisa %(time)s", time=working_time(left)))


def _by_day(at: str, left: int, standard: int) -> Due:
    """Return the time left where only the day is given: `left` counts from today to that day."""
    today, day = now().astimezone(WIB).date(), read_instant(at).astimezone(WIB).date()
    if today > day:
        return Due(at, "late", gettext("Terlambat %(time)s", time=working_time(left)))
    if today == day:
        return Due(at, "soon", gettext("Jatuh tempo hari ini"))
    # The day and not the time left, because days before it would seem to contradict the minutes left of a step.
    return Due(at, _level(left, standard), gettext("Jatuh tempo %(day)s", day=moment(at)))


def _level(left: int, standard: int) -> str:
    return "soon" if left * SOON_PART < standard else "fine"
