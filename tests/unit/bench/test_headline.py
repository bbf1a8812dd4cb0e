"""The headline figures of a run and their aims."""

import pytest

from bench.crowding import ratio
from bench.headline import AIMS, Aim, figures


def door(per_second, p50_ms, p99_ms, cpu_ms_each):
    return {"per_second": per_second, "p50_ms": p50_ms, "p99_ms": p99_ms, "cpu_ms_each": cpu_ms_each}


ACCEPT = {
    "doors": {
        "ours": door(400.0, 18.0, 60.0, 5.0),
        "as documented": door(80.0, 100.0, 150.0, 20.0),
        "tuned": door(100.0, 80.0, 120.0, 16.0),
    }
}
RELAY = {"relay": {"PostgreSQL": 9_000.0, "SQLite": 8_000.0}, "one_by_one": 1_500.0, "in_batches": 15_000.0}


def test_the_ratio_is_to_django_helpdesk_as_it_is_documented_and_the_other_stands_beside_it():
    found = figures({"accept": ACCEPT})

    assert found["accept_ratio"] == 5
    assert found["accept_ratio_tuned"] == 4
    assert (found["accept_p99_ms"], found["helpdesk_p50_ms"]) == (60, 100)


def test_the_relay_is_held_to_both_ways_of_publishing():
    found = figures({"relay": RELAY})

    assert found["relay_ratio"] == 6
    assert found["relay_raw_ratio"] == pytest.approx(0.6)


def test_a_hop_that_costs_less_than_the_bare_one_has_a_ratio_above_one():
    assert figures({"hop": {"bare_hop_ms": 2.0, "our_hop_ms": 1.0}})["hop_ratio"] == 2


def test_a_crowd_is_held_to_what_it_does_to_the_slowest_worklists():
    assert figures({"crowd": {"ratio": 1.5}})["crowd_ratio"] == 1.5
    assert ratio({"with": {"p50_ms": 9.0, "p99_ms": 30.0}, "without": {"p50_ms": 1.0, "p99_ms": 20.0}}) == 1.5


def test_what_was_not_measured_has_no_figure():
    assert figures({}) == {}


@pytest.mark.parametrize(("value", "met"), [(5.0, True), (4.99, False)])
def test_at_least_is_met_by_as_much(value, met):
    assert Aim("it", "it", least=5).is_met({"it": value}) is met


@pytest.mark.parametrize(("value", "met"), [(24.9, True), (25.0, False)])
def test_below_is_not_met_by_as_much(value, met):
    assert Aim("it", "it", below=25).is_met({"it": value}) is met


def test_an_aim_may_be_another_figure():
    aim = Aim("accept_p99_ms", "it", below="helpdesk_p50_ms")

    assert aim.is_met({"accept_p99_ms": 90.0, "helpdesk_p50_ms": 100.0}) is True
    assert aim.is_met({"accept_p99_ms": 110.0, "helpdesk_p50_ms": 100.0}) is False
    assert aim.is_met({"accept_p99_ms": 90.0}) is None
    assert aim.words({"helpdesk_p50_ms": 100.0}) == "below 100"
    assert aim.words({}) == "below helpdesk_p50_ms"


def test_every_aim_is_of_a_figure_of_its_own():
    assert len({aim.figure for aim in AIMS}) == len(AIMS)
