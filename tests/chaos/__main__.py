"""The long run, on every kind of world in turn: `python -m tests.chaos --minutes 30 --seed 7`."""

import secrets
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from tests.chaos.run import RATE, Outcome, counted, run

WORLDS = ((False, False), (True, True), (True, False), (False, True))
"""Each world as (on PostgreSQL, on three nodes of RabbitMQ)."""

SLICE_SECONDS = 240.0


@click.command()
@click.option("--minutes", default=30.0, help="Minutes of faults, all worlds together.")
@click.option("--seed", type=int, default=None, help="The same seed strikes the same faults; drawn where left out.")
@click.option("--rate", default=RATE, help="Journeys begun a second.")
@click.option("--on", type=click.Choice(["sqlite", "postgres"]), default=None, help="One database alone.")
@click.option("--nodes", type=click.Choice(["1", "3"]), default=None, help="One kind of broker alone.")
def main(minutes: float, seed: int | None, rate: float, on: str | None, nodes: str | None) -> None:
    """Run journeys while faults strike, and check the books."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    worlds = [
        each
        for each in WORLDS
        if on in (None, "postgres" if each[0] else "sqlite") and nodes in (None, "3" if each[1] else "1")
    ]
    left, outcomes = minutes * 60, list[Outcome]()
    while left > 1:
        # The worlds alternate, a few minutes each.
        seconds = min(SLICE_SECONDS, left, max(minutes * 60 / len(worlds), 60))
        outcomes.append(_one(seed + len(outcomes), seconds, worlds[len(outcomes) % len(worlds)], rate))
        left -= seconds
    click.echo(_together(outcomes))
    sys.exit(1 if any(outcome.breaches for outcome in outcomes) else 0)


def _one(seed: int, seconds: float, kind: tuple[bool, bool], rate: float) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix="nkk-chaos-"))
    outcome = run(folder, seed, seconds, *kind, click.echo, rate)
    for line in (*outcome.lines(), *outcome.histories):
        click.echo(line)
    if outcome.breaches:
        click.echo(f"again: {outcome.command()}; logs in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _together(outcomes: list[Outcome]) -> str:
    struck = sum((outcome.struck for outcome in outcomes), Counter[str]())
    balanced = sum(not outcome.breaches for outcome in outcomes)
    return (
        f"{len(outcomes)} runs, {sum(outcome.seconds for outcome in outcomes):.0f} s, {struck.total()} faults, "
        f"{sum(outcome.accepted for outcome in outcomes)} complaints accepted, "
        f"{sum(outcome.lapsed for outcome in outcomes)} questions lapsed, "
        f"{sum(outcome.closed for outcome in outcomes)} complaints closed for it, books balanced in {balanced} of "
        f"{len(outcomes)} runs\n{counted(struck)}"
    )


main()
