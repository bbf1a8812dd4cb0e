"""The page with a month's overview: the flow through the seven steps, what waits, and how fast it went."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, render_template, request
from flask_babel import format_date

from gateway import recap, schemas
from gateway.clock import now
from gateway.limits import by_account, limit
from gateway.site import acts, words
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop.clock import WIB
from nkk.sop.recap import MOST_LISTED
from nkk.validation import load

MONTHS = 24
"""How many months can be chosen; the address also takes earlier ones."""

LONGEST_PERCENT = 82
"""The longest bar, in percent, which leaves room for its number."""
LABEL_LENGTH = 40
"""The longest label that fits on a small phone; the table has the whole name."""

pages = new_pages("overview")


@dataclass(frozen=True)
class Part:
    """A part of a bar: its start and width, in percent."""

    kind: str
    at: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: its label, its number, how many of them are late, and its parts."""

    label: str
    count: int
    late: int
    parts: list[Part]

    @property
    def end(self) -> float:
        """The end of the bar, in percent."""
        return sum(part.width for part in self.parts)


@pages.get("/ikhtisar")
@needs(*recap.COUNTERS)
@limit("DOCUMENTS", by_account)
def month() -> str:
    """Show the chosen month, or the current one."""
    chosen = _read(request.args.get("bulan") or _written(_today()))
    figures = recap.of_month(chosen)
    waiting, late = _open(figures["open_cases"])
    by_step = [
        step
        | {"name": words.STEP_NAMES[step["number"]], "waiting": waiting[step["number"]], "late": late[step["number"]]}
        for step in figures["steps"]
    ]
    return render_template(
        "overview.html",
        month=chosen,
        title=_called(chosen),
        months=_choosable(chosen),
        figures=figures,
        ratings=acts.RATINGS,
        steps=by_step,
        most_listed=MOST_LISTED,
        flow=_bars((f"{step['number']}. {step['name']}", step["count"], 0) for step in by_step),
        load=_bars((f"{step['number']}. {step['name']}", step["waiting"], step["late"]) for step in by_step[1:6]),
        opd_load=_bars((opd["name"], opd["open"], opd["late"]) for opd in figures["by_opd"] if opd["open"]),
    )


@pages.get("/ikhtisar/<month>.<any(xlsx, pdf):format>")
@needs(*recap.COUNTERS)
@limit("DOCUMENTS", by_account)
def exported(month: str, format: str) -> Response:
    """Return the month's recapitulation as a file."""
    return recap.as_file(_read(month), format)


def _read(text: str) -> str:
    return load(schemas.Recapitulation, {"month": text})["month"]


def _open(cases: Sequence[Mapping[str, Any]]) -> tuple[Counter[int], Counter[int]]:
    """Return how many open cases there are, and how many of them are late, by step."""
    return Counter(case["step"] for case in cases), Counter(case["step"] for case in cases if case["late"])


def _bars(rows: Iterable[tuple[str, int, int]]) -> list[Bar]:
    rows = list(rows)
    scale = LONGEST_PERCENT / max([1, *(count for _, count, _ in rows)])
    bars = []
    for label, count, late in rows:
        shown = label if len(label) <= LABEL_LENGTH else f"{label[: LABEL_LENGTH - 1].rstrip()}…"
        late_width, width = round(late * scale, 2), round((count - late) * scale, 2)
        bars.append(Bar(shown, count, late, [Part("late", 0, late_width), Part("fine", late_width, width)]))
    return bars


def _today() -> date:
    return now().astimezone(WIB).date()


def _written(day: date) -> str:
    return f"{day:%Y-%m}"


def _called(month: str) -> str:
    return format_date(date.fromisoformat(f"{month}-01"), "LLLL y")


def _choosable(chosen: str) -> dict[str, str]:
    """Return the months to choose from with their names, newest first."""
    today = _today()
    last = today.year * 12 + today.month - 1
    months = {f"{number // 12}-{number % 12 + 1:02}" for number in range(last - MONTHS + 1, last + 1)} | {chosen}
    return {month: _called(month) for month in sorted(months, reverse=True)}
