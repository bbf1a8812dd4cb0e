"""Benchmarks: measure sections, write the results, and print them beside the aims."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import headline, publish, report
from bench.sections import SECTIONS
from bench.workplace import Workplace, say

RESULT = Path("var/bench.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write `RESULT`. Return 1 where a section failed."""
    asked = _asked(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": _command(asked),
        "quick": asked.quick,
        "machine": {
            "processors": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "load_before": os.getloadavg()[0],
        },
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nkk-bench-") as name:
        # PostgreSQL's own user must be able to reach its files.
        Path(name).chmod(0o755)
        with Workplace(Path(name), asked.quick) as place:
            sections, failed = measured(place, asked.only or list(SECTIONS))
    found |= {"seconds": time.monotonic() - began, **headline.figures(sections), "sections": sections, "failed": failed}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1))
    print(report.text(found))
    if asked.publish:
        try:
            publish.publish(found)
        except publish.IncompleteError as error:
            print(error, file=sys.stderr)
            return 1
    return 1 if failed else 0


def measured(place: Workplace, names: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the results of the sections, and the errors of those that failed. A failure does not stop the others."""
    found, failed = {}, {}
    for name in names:
        began = time.monotonic()
        say(f"{name}: {SECTIONS[name].title}")
        try:
            if SECTIONS[name].alone:
                place.clear()
            found[name] = SECTIONS[name].measure(place) | {"section_seconds": time.monotonic() - began}
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
            place.clear()
    return found, failed


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(SECTIONS),
        metavar="SECTION",
        help=f"of {', '.join(SECTIONS)}; all of them otherwise",
    )
    parser.add_argument("--quick", action="store_true", help="try the bench itself: its figures mean nothing")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks from what was found")
    return parser.parse_args(arguments)


def _command(asked: argparse.Namespace) -> str:
    return f'make bench ONLY="{" ".join(asked.only)}"' if asked.only else "make bench"


if __name__ == "__main__":
    sys.exit(main())
