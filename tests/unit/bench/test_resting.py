"""The benchmarks' measure of leaks."""

import pytest

from bench.resting import growth


def test_what_fills_pools_at_first_is_no_leak():
    rounds = [{"intake-1": mb} for mb in (60.0, 70.0, 79.0, 80.0, 80.0, 80.0, 80.0)]

    assert growth(rounds)["intake-1"] == pytest.approx(0)


def test_what_grows_to_the_end_is_one():
    rounds = [{"intake-1": 60.0 + 2 * hour, "broker": 100.0} for hour in range(8)]

    assert growth(rounds) == pytest.approx({"intake-1": 2, "broker": 0})
