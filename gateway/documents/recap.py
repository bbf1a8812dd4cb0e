"""The texts of the monthly recapitulation's figures. A missing figure is "-", never 0."""

from collections.abc import Callable
from typing import Any

from gateway.documents import wording
from gateway.documents.errors import ContentError
from nkk.sop.indonesian import written_month

DURATIONS = ("median_minutes", "p90_minutes", "on_time_share")
FIGURES = ("count", *DURATIONS)
COUNTS = ("accepted", "answered", "closed", "withdrawn", "abandoned", "objected", "joined", "open", "late")

ROWS: dict[str, tuple[str, ...]] = {
    "by_path": ("name", "count"),
    "by_channel": ("name", "count"),
    "by_category": ("name", "sub_category", "count"),
    "by_opd": ("name", "forwarded", "declined", "recalled", "open", "late", "responses", *DURATIONS),
    "steps": ("number", "activity", "role", "standard_minutes", *FIGURES),
    "by_rating": ("rating", "count"),
    "open_cases": ("ticket", "path", "step", "activity", "opd", "came_at", "due_at", "service_due_at", "late"),
}
"""The lists of the content, with the keys of their rows."""

SERVICE = ("standard_minutes", *FIGURES)
RATINGS = ("count", "average")
KEYS = ("month", *COUNTS, *ROWS, "service", "ratings")

PATHS = {"complaint": "Pengaduan", "information": "Informasi"}


def shown(content: dict[str, Any]) -> dict[str, Any]:
    """Return `content` with every figure as text. Raises ContentError where a value does not match the contract."""
    return {
        "month": _shown("month", content.get("month")),
        **{key: _shown(key, content.get(key)) for key in COUNTS},
        **{key: [_row(row, names) for row in content.get(key) or []] for key, names in ROWS.items()},
        "service": _row(content.get("service") or {}, SERVICE),
        "ratings": _row(content.get("ratings") or {}, RATINGS),
    }


def _row(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(row, dict):
        raise ContentError("A row of the recapitulation must be an object.")
    return {name: _shown(name, row.get(name)) for name in names}


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return wording.NOTHING
    try:
        return _HOW.get(name, str)(value)
    except (ValueError, TypeError, AttributeError):
        raise ContentError(f"{name} does not match the contract.") from None


def _instant(value: Any) -> str:
    return wording.short(value)


def _late(value: Any) -> str:
    """Return a case's `late` as yes or no, or a count of late cases as a number."""
    if isinstance(value, bool):
        return "Ya" if value else "Tidak"
    return wording.number(value)


_HOW: dict[str, Callable[[Any], str]] = {
    "month": written_month,
    **dict.fromkeys((*COUNTS, "count", "forwarded", "declined", "recalled", "responses"), wording.number),
    **dict.fromkeys(("median_minutes", "p90_minutes", "standard_minutes"), wording.minutes),
    "on_time_share": wording.share,
    "average": wording.number,
    **dict.fromkeys(("came_at", "due_at", "service_due_at"), _instant),
    "path": lambda path: PATHS.get(path, path),
    "late": _late,
}
