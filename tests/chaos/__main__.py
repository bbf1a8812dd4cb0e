"""`python -m tests.chaos --minutes 30 --seed 7`: the long run, on every kind of world in turn."""

import secrets
import sys
import tempfile
from pathlib import Path

import click

from tests.chaos.run import RATE, run

WORLDS = ((False, False), (True, True), (True, False), (False, True))
"""(on PostgreSQL, on three nodes of RabbitMQ)"""

SLICE_SECONDS = 240.0


@click.command()
@click.option("--minutes", default=30.0, help="Minutes of faults, all worlds together.")
@click.option("--seed", type=int, default=None, help="The same seed strikes the same faults; drawn where left out.")
@click.option("--rate", default=RATE, help="Journeys begun a second.")
@click.option("--on", type=click.Choice(["sqlite", "postgres"]), default=None, help="One database alone.")
@click.option("--nodes", type=click.Choice(["1", "3"]), default=None, help="One kind of broker alone.")
def main(minutes: float, seed: int | None, rate: float, on: str | None, nodes: str | None) -> None:
    """Drive journeys while faults strike, and balance the books."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    worlds = [each for each in WORLDS if on in (None, "postgres" if each[0] else "sqlite")
              and nodes in (None, "3" if each[1] else "1")]
    left, number, broken = minutes * 60, 0, False
    while left > 1:
        postgres, clustered = worlds[number % len(worlds)]
        seconds = min(SLICE_SECONDS, left, max(minutes * 60 / len(worlds), 60))
        folder = Path(tempfile.mkdtemp(prefix="nkk-chaos-"))
        outcome = run(folder, seed + number, seconds, postgres, clustered, click.echo, rate)
        for line in outcome.lines():
            click.echo(line)
        for story in outcome.histories:
            click.echo(story)
        if outcome.breaches:
            broken = True
            click.echo(f"again: {outcome.command()}; logs in {folder}")
        left, number = left - seconds, number + 1
    sys.exit(1 if broken else 0)


main()
