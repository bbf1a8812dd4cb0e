"""Statistics of measured times, and their formatting."""

from collections.abc import Iterable, Sequence
from statistics import quantiles
from typing import Any

Rows = list[tuple[Any, ...]]
"""The rows of a table, of which the first is the header."""


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile of durations, in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {"p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000}


def table(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as a text table, with the first column aligned to the left and the others to the right."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells if column < len(row)) for column in range(max(map(len, cells)))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
        for row in cells
    )


def markdown(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as a Markdown table, of which the first row is the header."""
    width = max(map(len, rows))
    cells = [[cell(value).replace("|", "\\|") for value in row] + [""] * (width - len(row)) for row in rows]
    rule = ["---"] + ["---:"] * (width - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])


def cell(value: Any) -> str:
    """Return one value as text."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
