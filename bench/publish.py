"""Writes docs/benchmarks from the results of a run: `python -m bench.publish`, or `make bench PUBLISH=yes`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import report
from bench.drawing import bars, lines
from bench.figures import markdown
from bench.growing import FULL
from bench.headline import AIMS
from bench.sections import SECTIONS

FOLDER = Path("docs/benchmarks")
FOUND = Path("var/bench.json")

INTRODUCTION = """# Benchmarks

Written by `make bench PUBLISH=yes` ([bench/](../../bench)); the docstring of each module explains the figures that
it measures. [ADR 13](../adr/0013-what-is-measured.md) gives the reasons for these peers and definitions, and for the
aims that are missed.
"""


class IncompleteError(Exception):
    """The run lacks results that the page shows; the message names them."""


def publish(found: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """Write the page, its plots and the query plans. Raise IncompleteError where a part of the run is missing."""
    missing = sorted(set(SECTIONS) - set(found["sections"]))
    if missing or found["quick"]:
        raise IncompleteError(
            f"Nothing is published of a run without {', '.join(missing)}."
            if missing
            else "Nothing is published of a run in a small size."
        )
    folder.mkdir(parents=True, exist_ok=True)
    drawn = plots(found)
    for name, drawing in drawn.items():
        (folder / f"{name}.svg").write_text(drawing)
    (folder / "README.md").write_text(page(found, list(drawn)))
    (folder / "plans.md").write_text(plans_page(found))


def page(found: Mapping[str, Any], drawn: list[str]) -> str:
    """Return the page: the aims met and missed, then every table."""
    parts = [INTRODUCTION.rstrip(), report.head(found), missed(found)]
    parts += [f"## {title}\n\n{markdown(rows)}" for title, rows in report.tables(found)]
    parts += [f"![{name}]({name}.svg)" for name in drawn]
    parts.append("The statements of the reads and their plans in PostgreSQL: [plans.md](plans.md).")
    return "\n\n".join(parts) + "\n"


def missed(found: Mapping[str, Any]) -> str:
    """Return a sentence that names the aims that are not met."""
    names = [
        f"{aim.meaning}: {found[aim.figure]:.3g}, {aim.words(found)} is the aim"
        for aim in AIMS
        if aim.is_met(found) is False
    ]
    if not names:
        return "Every aim that was measured is met."
    return "**Missed:**\n\n" + "\n".join(f"- {name}" for name in names)


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the plots as SVG by name."""
    sections = found["sections"]
    relay, hop = sections["relay"], sections["hop"]
    return {
        "accepted": bars(
            "Accepted per second",
            [(report.door_name(name), door["per_second"]) for name, door in sections["accept"]["doors"].items()],
            "/s",
        ),
        "relayed": bars(
            "Events published per second, to a quorum queue",
            [
                *((f"the relay, {name}", rate) for name, rate in relay["relay"].items()),
                ("one by one, each confirmed", relay["one_by_one"]),
                (f"raw, {relay['batch']} at a time", relay["in_batches"]),
            ],
            "/s",
            relay["one_by_one"] * 5,
        ),
        "hop": bars(
            "A hop at full speed",
            [
                *((f"ours, {name}", each["ms"]) for name, each in hop["ours"].items()),
                ("bare Nameko", hop["bare_hop_ms"]),
            ],
            "ms",
        ),
        "scaled": bars(
            "Events per second, by instances of a slow stage",
            [(str(number), rate) for number, rate in sections["scale"]["per_second"].items()],
            "/s",
        ),
        "reads": _reads(sections["flat"]),
    }


def plans_page(found: Mapping[str, Any]) -> str:
    """Return the page of query plans, with the most complaints in the tables."""
    flat = found["sections"]["flat"]
    most = max(int(name) for name in flat["sizes"] if name != FULL)
    parts = [
        f"# Query plans\n\n{report.head(found)}\n\nTaken last, with {most:,} complaints and full desks: "
        "`EXPLAIN (ANALYZE, BUFFERS, TIMING OFF)` of the statements of the stages' repositories."
    ]
    parts += [
        f"## {each['what']} ({each['stage']})\n\n```sql\n{each['statement']}\n```\n\n```\n{each['plan']}\n```"
        for each in flat["plans"]
    ]
    return "\n\n".join(parts) + "\n"


def _reads(flat: Mapping[str, Any]) -> str:
    sizes = {int(name): size for name, size in flat["sizes"].items() if name != FULL}
    names = next(iter(sizes.values()))["reads"]
    return lines(
        "Reads by how many complaints there are, median",
        {name: [(size, at["reads"][name]["p50_ms"]) for size, at in sizes.items()] for name in names},
        "ms",
        "complaints in the databases",
    )


if __name__ == "__main__":
    if not FOUND.exists():
        sys.exit(f"{FOUND} is not there: make bench first")
    try:
        publish(json.loads(FOUND.read_text()))
    except IncompleteError as error:
        sys.exit(str(error))
