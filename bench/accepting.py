"""Complaints accepted per second, and public tickets accepted by django-helpdesk, by the same clients in turn.

Both write to one database server, so that a commit costs the same. A ticket counts as accepted when it is answered with
a redirect to its page, a complaint when it is answered with 201; afterwards each database must hold exactly as many new
rows. What follows from a complaint (its events, the journey, the letter written to a file) is waited for before the
next round, and counted in its processor time.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import processes
from bench.figures import percentiles
from bench.helpdesk import load as helpdesk_load
from bench.helpdesk import running as helpdesk
from bench.helpdesk.running import DOCUMENTED, TUNED, Helpdesk
from bench.site import CONNECTIONS, FORM, INFORMATION, Site
from bench.workplace import Workplace, say

CATCH_UP_SECONDS = 300
SUBMIT = (INFORMATION[0],)
OURS = "ours"

COMPLAINTS = "SELECT count(*) FROM complaints"
JOURNEYS = "SELECT count(*) FROM journeys WHERE submitted_at IS NOT NULL"
LETTERS = "SELECT count(*) FROM messages WHERE sent_at IS NULL AND given_up_at IS NULL"


def measure(place: Workplace) -> dict[str, Any]:
    """Return the figures of this service and of django-helpdesk in two configurations, by name; see `summed_up`."""
    site, rounds = place.site(), place.size(3, 1)
    with helpdesk.running(place.folder / "helpdesk", place.postgres, DOCUMENTED, TUNED) as desks:
        doors: dict[str, Callable[[int], dict[str, Any]]] = {
            OURS: lambda count: ours(site, count * 3),
            **{desk.way.name: _tickets_of(desk) for desk in desks},
        }
        for name, door in doors.items():
            say(f"accept: warming up {name}")
            door(place.size(100, 20))
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in doors}
        for number in range(rounds):
            for name, door in doors.items():
                found[name].append(door(place.size(400, 40)))
                say(f"accept: round {number + 1}, {name}: {found[name][-1]['per_second']:.0f}/s")
    return {"durability": place.durability(), "connections": CONNECTIONS} | {
        "doors": {name: summed_up(each) for name, each in found.items()}
    }


def summed_up(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median over `rounds` of every figure, and the rounds themselves."""
    figures = {
        name: median(each[name] for each in rounds)
        for name in ("per_second", "p50_ms", "p99_ms", "cpu_ms_each", "load_cpu_ms_each", "caught_up_s")
    }
    return figures | {
        "cpu_ms_by_process": cpu_of(rounds),
        "refused": sum(sum(each["refused"].values()) for each in rounds),
        "rounds": rounds,
    }


def cpu_of(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median over `rounds` of each process's milliseconds for one accepted."""
    names = rounds[0]["cpu_ms_by_process"]
    return {name: median(each["cpu_ms_by_process"].get(name, 0.0) for each in rounds) for name in names}


def ours(site: Site, count: int, arrive: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Submit `count` complaints to this service's gateway, and return the figures of the round.

    `arrive` waits for what follows from a complaint outside the stages.
    """
    before, families = site.query("intake", COMPLAINTS)[0][0], site.pids()
    cpu = processes.cpu_seconds(families)
    done = site.walk(site.scripts(count, SUBMIT), CONNECTIONS)
    spans = [each["times"][0] for each in done["walked"]]
    after = site.query("intake", COMPLAINTS)[0][0]
    if after - before != len(spans):
        raise RuntimeError(f"{len(spans)} complaints answered with 201, {after - before} in the database")
    began = time.monotonic()
    settle(site, after)
    arrive()
    caught_up = time.monotonic() - began
    return _round(spans, done, families, cpu) | {"caught_up_s": caught_up}


def _tickets_of(desk: Helpdesk) -> Callable[[int], dict[str, Any]]:
    form = {
        "queue": str(desk.queue),
        "title": FORM["subject_line"],
        "body": FORM["text"],
        "priority": "3",
        "submitter_email": "siti.rahmawati@example.id",
    }

    def tickets(count: int) -> dict[str, Any]:
        everything = processes.ours({"django-helpdesk": desk.pid})
        families = {name: everything[name] for name in ("django-helpdesk", "PostgreSQL")}
        before, cpu = desk.tickets(), processes.cpu_seconds(families)
        done = helpdesk_load.run(desk.port, form, CONNECTIONS, count)
        grown = desk.tickets() - before
        if grown != len(done["times"]):
            raise RuntimeError(f"{len(done['times'])} tickets accepted, {grown} in the database")
        return _round(done["times"], done, families, cpu) | {"caught_up_s": 0.0}

    return tickets


def _round(
    spans: list[Any], done: dict[str, Any], families: dict[str, list[int]], cpu: dict[str, float]
) -> dict[str, Any]:
    seconds = max(answered for _, answered in spans) - min(asked for asked, _ in spans)
    used = {name: (now - cpu[name]) * 1000 / len(spans) for name, now in processes.cpu_seconds(families).items()}
    return {
        "per_second": len(spans) / seconds,
        "count": len(spans),
        "refused": done["refused"],
        "cpu_ms_each": sum(used.values()),
        "cpu_ms_by_process": used,
        "load_cpu_ms_each": done["cpu"] * 1000 / len(spans),
        **percentiles([answered - asked for asked, answered in spans]),
    }


def settle(site: Site, accepted: int) -> None:
    """Wait until every accepted complaint is in a journey and every letter written."""
    until(lambda: site.query("notification", JOURNEYS)[0][0] >= accepted, "the journey of every complaint")
    until(lambda: site.query("notification", LETTERS)[0][0] == 0, "the letter of every complaint")


def until(done: Callable[[], bool], what: str, pause: float = 0.05) -> None:
    """Wait until `done()` is true, checking every `pause` seconds. Raise RuntimeError after CATCH_UP_SECONDS."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {CATCH_UP_SECONDS} s: {what}")
        time.sleep(pause)
