"""The short run: a minute of bad weather on each kind of world, from a seed that is always the same."""

from pathlib import Path

import pytest

from tests.chaos.run import run

SECONDS = 55.0

RUNS = {"SQLite and one node": (17, False, False), "PostgreSQL and three nodes": (1394, True, True)}
"""(seed, on PostgreSQL, on three nodes of RabbitMQ): seeds that strike nearly every kind of fault within a minute."""


# Books that do not balance once do not balance: no second try.
@pytest.mark.flaky(reruns=0)
@pytest.mark.parametrize("where", RUNS)
def test_nothing_is_lost_or_done_twice_whatever_strikes(where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                                        ) -> None:
    outcome = run(tmp_path, RUNS[where][0], SECONDS, *RUNS[where][1:], echo=print)
    with capsys.disabled():
        print("", *outcome.lines(), sep="\n")
    assert not outcome.breaches, "\n".join([*map(str, outcome.breaches), *outcome.histories,
                                            f"again: {outcome.command()}"])
    assert outcome.accepted
    assert outcome.struck
