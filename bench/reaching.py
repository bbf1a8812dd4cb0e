"""How soon a stage knows: from the answer at the website's door to the row in another stage's database.

Rows are timed by PostgreSQL's commit timestamps, so that nobody asks while the measurement runs: the moment at which
their transaction is written, before it is flushed to disk. What a flush takes is measured beside it.
"""

from statistics import median
from time import perf_counter
from typing import Any

import psycopg2

from bench import load
from bench.accepting import CONNECTIONS, settle, until
from bench.figures import percentiles
from bench.site import Site
from nkk.stack.postgres import PrivatePostgres

SLOW_PER_SECOND = 20
SECONDS = 10

WRITTEN = "SELECT ticket, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float FROM {table} WHERE ticket = ANY(%s)"


def keep_commit_times(postgres: PrivatePostgres) -> None:
    """Have the server remember when each transaction was committed."""
    connection = psycopg2.connect(postgres.url("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    connection.close()
    postgres.stop()
    postgres.start()


def flush_ms(postgres: PrivatePostgres) -> float:
    """Milliseconds a small transaction takes to commit, its flush to disk included (median)."""
    connection = psycopg2.connect(postgres.url("postgres"))
    took = []
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE flushed (at timestamptz)")
        for _ in range(200):
            cursor.execute("INSERT INTO flushed VALUES (now())")
            began = perf_counter()
            connection.commit()
            took.append(perf_counter() - began)
    connection.close()
    return median(took) * 1000


def measure(site: Site, per_second: float, tickets: list[str]) -> dict[str, Any]:
    """p50 and p99 in ms at a slow pace and at half of `per_second`, for both ways; `tickets` wait for hand-over."""
    found: dict[str, Any] = {"slow_per_second": SLOW_PER_SECOND, "half_per_second": per_second / 2}
    accepted, known = len(tickets), iter(tickets)
    for pace, rate in (("slow", float(SLOW_PER_SECOND)), ("half", per_second / 2)):
        submits = site.scripts(int(rate * SECONDS), ("submit",))
        found[f"journey_{pace}"] = _reached(site, submits, rate, "notification", "journeys")
        accepted += found[f"journey_{pace}"]["count"]
        settle(site, accepted)
        handovers = site.scripts(int(rate * SECONDS), ("hand_over",))
        handed = [script | {"ticket": ticket} for script, ticket in zip(handovers, known, strict=False)]
        found[f"triage_{pace}"] = _reached(site, handed, rate, "triage", "cases")
    return found


def _reached(site: Site, scripts: list[load.Script], rate: float, stage: str, table: str) -> dict[str, Any]:
    done = site.walk(scripts, CONNECTIONS, rate)
    answered = {each["ticket"]: each["times"][-1][1] for each in done["walked"]}
    written = _written(site, stage, table, list(answered))
    took = [written[ticket] - answered[ticket] for ticket in answered]
    spans = [each["times"][-1] for each in done["walked"]]
    pace = len(spans) / (max(answer for _, answer in spans) - min(asked for asked, _ in spans))
    return {**percentiles(took), "count": len(took), "per_second": pace, "refused": done["refused"],
            "answer": percentiles([answer - asked for asked, answer in spans])}


def _written(site: Site, stage: str, table: str, tickets: list[str]) -> dict[str, float]:
    """When the row of each ticket was committed, in seconds since the epoch, once all are there."""
    def all_there() -> bool:
        return site.query(stage, f"SELECT count(*) FROM {table} WHERE ticket = ANY(%s)", tickets)[0][0] == len(tickets)

    until(all_there, f"{table} of every ticket")
    return dict(site.query(stage, WRITTEN.format(table=table), tickets))
