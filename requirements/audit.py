"""Asks whether anything in the locks has a known vulnerability: `make audit`.

A machine that reaches no vulnerability service is told so and is not stopped: building offline stays possible. Where a
service answers, a known vulnerability fails, unless `accepted.txt` has it with a reason and a day that has not passed.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LOCK = FOLDER / "dev.txt"
"""It holds all that `run.txt` does."""

ACCEPTED = FOLDER / "accepted.txt"
SERVICES = ("pypi", "osv")
"""Asked in this order, until one answers."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said, and whether the check fails."""

    says: str
    fails: bool


def judge(report: dict[str, Any] | None, accepted: Iterable[str], today: date) -> Verdict | None:
    """What follows from pip-audit's report; None where no service answered.

    A service that is away, or a stand-in for it that knows nothing, shows as a report in which everything was skipped.
    """
    dependencies = (report or {}).get("dependencies", [])
    skipped = sorted(found["name"] for found in dependencies if "skip_reason" in found)
    asked = len(dependencies) - len(skipped)
    if not asked:
        return None
    allowed = {line.split()[0] for line in accepted if _holds(line, today)}
    known = [
        _written(found, flaw)
        for found in dependencies
        for flaw in found.get("vulns", ())
        if not allowed & {flaw["id"], *flaw.get("aliases", ())}
    ]
    if known:
        return Verdict("\n".join(["Known vulnerabilities:", *sorted(set(known))]), True)
    unknown = f"; not known there: {', '.join(skipped)}" if skipped else ""
    return Verdict(f"No known vulnerability in {asked} packages{unknown}.", False)


def main() -> int:
    """Ask, say, and fail where there is one."""
    for service in SERVICES:
        verdict = judge(_ask(service), ACCEPTED.read_text().splitlines(), datetime.now(UTC).date())
        if verdict is not None:
            print(verdict.says)
            return 1 if verdict.fails else 0
    print(
        "NOT AUDITED: no vulnerability service can be reached from here "
        f"({', '.join(SERVICES)}). Run `make audit` where one can."
    )
    return 0


def _ask(service: str) -> dict[str, Any] | None:
    """pip-audit's report on the lock; None where there is none."""
    command = [
        "--requirement",
        str(LOCK),
        "--vulnerability-service",
        service,
        "--disable-pip",
        "--no-deps",
        "--require-hashes",
        "--format",
        "json",
        "--timeout",
        "10",
        "--progress-spinner",
        "off",
    ]
    done = subprocess.run([sys.executable, "-m", "pip_audit", *command], capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return None


def _holds(line: str, today: date) -> bool:
    """Whether a line of `accepted.txt` (an id, the last day it is accepted, why) is one, and counts today."""
    parts = line.split(maxsplit=2)
    return len(parts) == 3 and not line.startswith("#") and date.fromisoformat(parts[1]) >= today


def _written(found: dict[str, Any], flaw: dict[str, Any]) -> str:
    mended = f"mended in {', '.join(flaw['fix_versions'])}" if flaw.get("fix_versions") else "not mended yet"
    return f"  {found['name']} {found['version']}: {flaw['id']} ({mended})"


if __name__ == "__main__":
    sys.exit(main())
