"""The ratios by which the benchmarks tell whether reads grow with the data."""

import pytest

from bench.growing import DESKS, FULL, ratios


def size(per_second, **reads):
    pages = {f"{desk}: worklist (page)": 10.0 for desk in DESKS}
    return {
        "reads": {name: {"p50_ms": ms} for name, ms in (pages | reads).items()},
        "accept": {"per_second": per_second},
    }


def test_the_worst_read_counts():
    found = ratios(
        {"1000": size(300.0, timeline=5.0), "1000000": size(150.0, timeline=20.0), FULL: size(150.0, timeline=5.0)},
        "1000",
        "1000000",
    )

    assert found["flat_ratio"] == 4
    assert found["ratios"]["timeline"] == 4
    assert found["accept_ratio"] == 2


def test_pages_are_compared_with_full_desks_and_other_reads_are_not():
    full = size(300.0, timeline=50.0)
    full["reads"]["opd: worklist (page)"]["p50_ms"] = 15.0
    found = ratios(
        {"1000": size(300.0, timeline=5.0), "1000000": size(300.0, timeline=5.0), FULL: full}, "1000", "1000000"
    )

    assert found["worklist_ratio"] == pytest.approx(1.5)
    assert found["flat_ratio"] == 1
