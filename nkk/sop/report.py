"""What a report says: its reporter writes it once, and it is the same at every desk it comes to."""

from dataclasses import dataclass, fields
from typing import Any

KEY_LENGTH = 64
SUBJECT_LENGTH = 200
NAME_LENGTH = 150
TEXT_LENGTH = 20_000


@dataclass(kw_only=True)
class Report:
    """The fields of Form Pengaduan that every desk works from. `category`, `sub_category` and `accused_opd` are keys
    of the catalogue and the roster; `happened_on` is in the reporter's words."""

    category: str
    sub_category: str
    subject_line: str
    text: str
    place: str | None
    happened_on: str | None
    accused_name: str | None
    accused_position: str | None
    accused_opd: str | None


WRITTEN = tuple(field.name for field in fields(Report))
"""The names of these fields."""


def written(told: Any) -> dict[str, Any]:
    """The report in `told`, which has a field of each name: an event, or what stands at a desk."""
    return {name: getattr(told, name) for name in WRITTEN}
