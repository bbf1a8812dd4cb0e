"""Plots as SVG: bars beside one another, and lines over sizes."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

WIDTH = 720
LABEL, ROW, BAR, TOP = 230, 30, 18, 46
_COLOURS = ("#1f5f8b", "#b5651d", "#4f7942", "#7b4b94", "#8b1e3f", "#3d8b8b", "#6b6b00", "#505050")


def bars(title: str, rows: Sequence[tuple[str, float]], unit: str, aim: float | None = None) -> str:
    """Return `rows` (name, value) as horizontal bars, with `aim` as a line across them."""
    longest = max([value for _, value in rows] + ([aim] if aim else [])) or 1.0
    room = WIDTH - LABEL - 110
    parts = []
    for number, (name, value) in enumerate(rows):
        y = TOP + number * ROW
        length = room * value / longest
        parts += [
            _text(LABEL - 8, y + BAR - 4, name, "end"),
            f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{_COLOURS[number and 1]}"/>',
            _text(LABEL + length + 6, y + BAR - 4, f"{written(value)} {unit}"),
        ]
    bottom = TOP + len(rows) * ROW
    if aim:
        x = LABEL + room * aim / longest
        parts += [
            f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="#c00" stroke-dasharray="4 3"/>',
            _text(x, bottom + 14, f"aim {written(aim)}", "middle"),
        ]
    return _drawing(title, bottom + 26, parts)


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], unit: str, across: str) -> str:
    """Return each of `series` {name: [(x, y)]} as a line, with a logarithmic x axis and a linear y axis from 0."""
    points = [point for line in series.values() for point in line]
    left, right = floor(log10(min(x for x, _ in points))), ceil(log10(max(x for x, _ in points)))
    most, height, x0 = max(y for _, y in points) * 1.1 or 1.0, 260, 60
    width = WIDTH - x0 - 240

    def place(x: float, y: float) -> tuple[float, float]:
        return x0 + width * (log10(x) - left) / max(right - left, 1), TOP + height * (1 - y / most)

    parts = []
    for power in range(left, right + 1):
        x, _ = place(10.0**power, 0)
        parts.append(_text(x, TOP + height + 18, f"{10**power:,}", "middle"))
    for part in range(5):
        y = most * part / 4
        _, down = place(10.0**left, y)
        parts += [
            f'<line x1="{x0}" y1="{down:.1f}" x2="{x0 + width}" y2="{down:.1f}" stroke="#ddd"/>',
            _text(x0 - 6, down + 4, written(y), "end"),
        ]
    parts += [_text(x0, TOP - 10, unit), _text(x0 + width / 2, TOP + height + 36, across, "middle")]
    for number, (name, line) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts += [
            f'<polyline points="{placed}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<rect x="{x0 + width + 16}" y="{TOP + number * 20}" width="12" height="12" fill="{colour}"/>',
            _text(x0 + width + 34, TOP + number * 20 + 10, name),
        ]
    return _drawing(title, TOP + max(height, len(series) * 20) + 46, parts)


def written(value: float) -> str:
    """Return a figure with three significant digits, or all digits of the integer part."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _drawing(title: str, height: float, parts: Sequence[str]) -> str:
    # A white background, since the page may be shown in dark mode.
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} '
            f'{height:.0f}" font-family="sans-serif" font-size="12" role="img" aria-label="{escape(title)}">',
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>',
            f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
            *parts,
            "</svg>",
            "",
        ]
    )
