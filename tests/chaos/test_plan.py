"""The plan of faults depends only on the seed and the duration."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.plan import Strike, plan
from tests.chaos.strikes import BY_NAME, KINDS
from tests.chaos.strikes.kinds import Kind

TARGETS = {place: ["one", "another"] for place in dict.fromkeys(kind.place for kind in KINDS)}

seeds = st.integers(0, 2**32)
durations = st.floats(0, 600)


def planned(seed: int, seconds: float) -> list[Strike]:
    return plan(seed, seconds, KINDS, TARGETS)


@given(seeds, durations)
def test_the_same_seed_and_duration_plan_the_same_faults(seed: int, seconds: float) -> None:
    assert planned(seed, seconds) == planned(seed, seconds)


@given(seeds, durations)
def test_every_fault_is_of_a_known_kind_at_its_place_and_is_healed_before_the_end(seed: int, seconds: float) -> None:
    for strike in planned(seed, seconds):
        kind = BY_NAME[strike.kind]
        assert strike.place == kind.place
        assert strike.target in TARGETS[kind.place]
        assert kind.lasts[0] - 0.01 <= strike.lasts <= kind.lasts[1] + 0.01
        assert strike.at > 0
        assert strike.at + strike.lasts + kind.recovers <= seconds


@given(seeds, durations)
def test_at_one_place_a_fault_begins_only_when_the_last_has_been_recovered_from(seed: int, seconds: float) -> None:
    strikes = planned(seed, seconds)
    for place in TARGETS:
        for earlier, later in pairwise(strike for strike in strikes if strike.place == place):
            assert later.at >= earlier.at + earlier.lasts + BY_NAME[earlier.kind].recovers - 0.02


@given(seeds)
def test_every_kind_comes_before_any_comes_a_second_time(seed: int) -> None:
    kinds = [strike.kind for strike in planned(seed, 1200)]
    assert len(kinds) > len(KINDS)
    assert sorted(kinds[: len(KINDS)]) == sorted(kind.name for kind in KINDS)


@given(seeds)
def test_a_longer_run_begins_as_the_shorter_one_does(seed: int) -> None:
    shorter, longer = planned(seed, 120), planned(seed, 240)
    assert longer[: len(shorter)] == shorter


@given(seeds)
def test_what_is_not_there_is_not_struck(seed: int) -> None:
    there = {"stages": ["triage-1"], "nodes": []}
    assert {strike.place for strike in plan(seed, 120, KINDS, there)} == {"stages"}


def test_different_seeds_plan_different_faults() -> None:
    assert len({tuple(planned(seed, 120)) for seed in range(50)}) == 50


def test_no_two_kinds_have_the_same_name() -> None:
    assert len(BY_NAME) == len(KINDS)
    assert all(isinstance(kind, Kind) for kind in KINDS)
