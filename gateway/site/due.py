"""How much time is left, in words and in one of three levels. The stages count it: only they know the calendar."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from gateway.site.language import passed, working_time
from gateway.site.words import now

SOON_PART = 3
"""Due soon: less than a third of the standard time is left."""


@dataclass(frozen=True)
class Due:
    """A due time. `level` is late, soon or fine; `words` say the same for who sees no colour."""

    at: str
    level: str
    words: str


def due(at: str | None, left: int | None, standard: int) -> Due | None:
    """What is left until `at`: `left` office minutes as the stage counts them, None where it was not asked. Then, and
    outside office hours, late is what is past `at`."""
    if not at:
        return None
    if left is not None and left < 0:
        return Due(at, "late", gettext("Terlambat %(time)s", time=working_time(left)))
    if passed(at, now()):
        return Due(at, "late", gettext("Terlambat") if left is None else gettext("Terlambat kurang dari 1 menit kerja"))
    if left is None:
        return None
    words = gettext("Sisa %(time)s", time=working_time(left))
    return Due(at, "soon" if left * SOON_PART < standard else "fine", words)


def of_step(row: dict[str, Any], standard: int) -> Due | None:
    """The clock of the step at which `row` stands."""
    return due(row.get("due_at"), row.get("left_minutes"), standard)


def of_service(row: dict[str, Any], standard: int) -> Due | None:
    """The clock of the whole service."""
    return due(row.get("service_due_at"), row.get("service_left_minutes"), standard)
