"""Start, memory and disk of an installation.

Measured are the time until it is ready, the memory of its processes at rest and after repeated load, and the bytes that
a closed complaint leaves behind. Leaks show as growth between rounds of the same load, each an hour's worth for a busy
office, after the first rounds have filled pools and caches.
"""

import time
from pathlib import Path
from statistics import linear_regression
from typing import Any

import psycopg2

from bench import processes
from bench.accepting import until
from bench.site import Site
from bench.travelling import travelled
from bench.workplace import Workplace, say
from nkk.contracts import STAGES
from nkk.messaging.topology import inbox_name

AN_HOUR = 120
"""The complaints of a busy office in an hour: one every half minute, each carried through every step."""


def measure(place: Workplace) -> dict[str, Any]:
    """Return the seconds of the first and the second start, MB by process and moment, and bytes per complaint."""
    first = _start_seconds(place)
    began = time.monotonic()
    with place.installation("memory") as site:
        again = time.monotonic() - began
        found = _loaded(place, site)
    return {"first_start_s": first, "start_s": again, "an_hour": AN_HOUR} | found


def _start_seconds(place: Workplace) -> float:
    began = time.monotonic()
    with place.installation("memory"):
        return time.monotonic() - began


def _loaded(place: Workplace, site: Site) -> dict[str, Any]:
    hours, carried = place.size(10, 4), 0
    at_rest = memory_mb(site)
    site.admit_people()
    travelled(site, place.size(AN_HOUR, 12))
    databases, broker = database_bytes(site), broker_bytes(place)
    rounds = [memory_mb(site)]
    for _ in range(hours):
        carried += travelled(site, place.size(AN_HOUR, 12))["closed"]
        rounds.append(memory_mb(site))
        say(f"memory: {carried} journeys; {sum(rounds[-1].values()):.0f} MB")
    until(lambda: _waiting(place) == 0, "the stages to have heard everything")
    return {
        "memory_mb": {"at rest": at_rest, "after an hour": rounds[0], f"after {hours + 1} hours": rounds[-1]},
        "mb_by_hour": rounds,
        "growth_mb_an_hour": growth(rounds),
        "hours": hours + 1,
        "journeys": carried,
        "bytes_each": {stage: (size - databases[stage]) / carried for stage, size in database_bytes(site).items()},
        "broker_bytes_each": (broker_bytes(place) - broker) / carried,
    }


def memory_mb(site: Site) -> dict[str, float]:
    """Return MB by process; PostgreSQL's processes together, with each shared page counted once."""
    found = {}
    for name, pids in site.pids().items():
        if name == "PostgreSQL":
            found["PostgreSQL, all processes"] = processes.shared_out_mb(pids)
        elif name == "gateway":
            found |= {
                "gateway, master" if pid == pids[0] else f"gateway, worker {number}": processes.resident_mb(pid)
                for number, pid in enumerate(pids)
            }
        else:
            found[name] = processes.resident_mb(max(pids, key=processes.resident_mb))
    return found


def growth(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return the MB per round by process: the slope over the later half of `rounds`, when pools and caches are full."""
    later = rounds[len(rounds) // 2 :]
    return {name: linear_regression(range(len(later)), [each[name] for each in later]).slope for name in later[0]}


def database_bytes(site: Site) -> dict[str, int]:
    """Return the bytes of each stage's tables and indexes, including free space for later rows."""
    found = {}
    for stage in STAGES:
        with psycopg2.connect(site.stack.database_url(stage)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'public'::regnamespace"
            )
            found[stage] = int(cursor.fetchone()[0])
    return found


def broker_bytes(place: Workplace) -> int:
    """Return the bytes in the broker's folder."""
    return sum(path.stat().st_size for path in Path(place.folder / "rabbitmq" / "data").rglob("*") if path.is_file())


def _waiting(place: Workplace) -> int:
    listed = place.node.ctl("list_queues", "--vhost", "memory", "name", "messages").splitlines()
    inboxes = {inbox_name(stage) for stage in STAGES}
    return sum(int(line.split("\t")[1]) for line in listed if line.split("\t")[0] in inboxes)
