"""Complaints accepted: how many a second, how fast, and what each costs every process in processor time."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import processes
from bench.figures import percentiles
from bench.site import INFORMATION, Site

CONNECTIONS = 16
WARM_UP = 300
ROUNDS = 3
PER_ROUND = 1_500
CATCH_UP_SECONDS = 60
SUBMIT = (INFORMATION[0],)

JOURNEYS = "SELECT count(*) FROM journeys WHERE submitted_at IS NOT NULL"
LETTERS = "SELECT count(*) FROM messages WHERE sent_at IS NULL"


def measure(site: Site) -> dict[str, Any]:
    """Per second, latency in ms and processor ms a complaint; `tickets` are the complaints accepted.

    The processor time covers the rounds and what follows from them (events, letters) until nothing is left to do.
    """
    walked = site.walk(site.scripts(WARM_UP, SUBMIT), CONNECTIONS)["walked"]
    tickets = [each["ticket"] for each in walked]
    settle(site, len(tickets))
    families = site.pids()
    before, machine, began = processes.cpu_seconds(families), processes.machine_cpu_seconds(), time.monotonic()
    rounds, load_cpu = [], 0.0
    for _ in range(ROUNDS):
        done = site.walk(site.scripts(PER_ROUND, SUBMIT), CONNECTIONS)
        tickets += [each["ticket"] for each in done["walked"]]
        load_cpu += done["cpu"]
        rounds.append(_round(done) | {"caught_up_s": settle(site, len(tickets))})
    used = {name: seconds - before[name] for name, seconds in processes.cpu_seconds(families).items()}
    used["load generator"] = load_cpu
    used["all of the machine"] = processes.machine_cpu_seconds() - machine
    return {
        "per_second": median(each["per_second"] for each in rounds),
        "p50_ms": median(each["p50_ms"] for each in rounds),
        "p99_ms": median(each["p99_ms"] for each in rounds),
        "caught_up_s": median(each["caught_up_s"] for each in rounds),
        "refused": sum(sum(each["refused"].values()) for each in rounds),
        "cpu_ms_each": {name: seconds * 1000 / (ROUNDS * PER_ROUND) for name, seconds in used.items()},
        "seconds": time.monotonic() - began,
        "connections": CONNECTIONS, "per_round": PER_ROUND, "rounds": rounds, "tickets": tickets,
    }


def settle(site: Site, accepted: int) -> float:
    """Wait until every accepted complaint is in the journey and every letter written; seconds that took."""
    began = time.monotonic()
    until(lambda: site.query("notification", JOURNEYS)[0][0] >= accepted, "the journey of every complaint")
    until(lambda: site.query("notification", LETTERS)[0][0] == 0, "the letter of every complaint")
    return time.monotonic() - began


def _round(done: dict[str, Any]) -> dict[str, Any]:
    spans = [each["times"][0] for each in done["walked"]]
    seconds = max(answered for _, answered in spans) - min(asked for asked, _ in spans)
    return {"per_second": len(spans) / seconds, "refused": done["refused"],
            **percentiles([answered - asked for asked, answered in spans])}


def until(done: Callable[[], bool], what: str) -> None:
    """Return once `done`. Raises RuntimeError where it takes too long."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {CATCH_UP_SECONDS} s: {what}")
        time.sleep(0.05)
