"""The short run: a minute of bad weather on each kind of world, from a seed that is always the same."""

from pathlib import Path

import pytest

from tests.chaos.run import run

SECONDS = 55.0

RUNS = {"SQLite and one node": (20, False, False), "PostgreSQL and three nodes": (21, True, True)}
"""(seed, on PostgreSQL, on three nodes of RabbitMQ)"""


@pytest.mark.parametrize("where", RUNS)
def test_nothing_is_lost_or_done_twice_whatever_strikes(where: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, RUNS[where][0], SECONDS, *RUNS[where][1:], echo=print)
    print("\n".join(outcome.lines()))
    assert not outcome.breaches, "\n".join([*map(str, outcome.breaches), *outcome.histories,
                                            f"again: {outcome.command()}"])
    assert outcome.accepted
    assert outcome.struck
