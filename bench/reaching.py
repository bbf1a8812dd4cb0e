"""The delay from the response of the website to the row in another stage's database.

Rows are timed by PostgreSQL's commit timestamps, so that no polling disturbs the measurement: the time at which the
transaction is written, before it is flushed to disk. The duration of a flush is measured separately.
"""

from statistics import median
from time import perf_counter
from typing import Any

import psycopg2

from bench import accepting, load
from bench.figures import percentiles
from bench.site import CONNECTIONS, Site
from bench.workplace import Workplace
from ops.stack.postgres import PrivatePostgres

SLOW_PER_SECOND = 20

WAITING = "SELECT ticket FROM complaints WHERE done_at IS NULL ORDER BY due_at"
WRITTEN = "SELECT ticket, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float FROM {table} WHERE ticket = ANY(%s)"


def flush_ms(postgres: PrivatePostgres) -> float:
    """Return the median milliseconds that a small transaction takes to commit, including the flush to disk."""
    connection = psycopg2.connect(postgres.url("postgres"))
    took = []
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS flushed (at timestamptz)")
        for _ in range(200):
            cursor.execute("INSERT INTO flushed VALUES (now())")
            began = perf_counter()
            connection.commit()
            took.append(perf_counter() - began)
    connection.close()
    return median(took) * 1000


def measure(place: Workplace) -> dict[str, Any]:
    """Return p50 and p99 in ms, at a slow pace and at half of the maximum rate, from a submission (201) to
    notification's journey and from a hand-over (200) to triage's worklist."""
    site, seconds = place.site(), place.size(10, 2)
    full = [accepting.ours(site, place.size(600, 60)) for _ in range(3)]
    rate = median(each["per_second"] for each in full) / 2
    known = iter([row[0] for row in site.query("intake", WAITING)])
    found: dict[str, Any] = {"flush_ms": flush_ms(place.postgres), "half_per_second": rate}
    for pace, per_second in (("slow", float(SLOW_PER_SECOND)), ("half", rate)):
        count = int(per_second * seconds)
        submits = site.scripts(count, ("submit",))
        found[f"journey_{pace}"] = _reached(site, submits, per_second, "notification", "journeys")
        accepting.settle(site, site.query("intake", accepting.COMPLAINTS)[0][0])
        handovers = site.scripts(count, ("hand_over",))
        handed = [script | {"ticket": ticket} for script, ticket in zip(handovers, known, strict=False)]
        found[f"triage_{pace}"] = _reached(site, handed, per_second, "triage", "cases")
    return found


def _reached(site: Site, scripts: list[load.Script], rate: float, stage: str, table: str) -> dict[str, Any]:
    done = site.walk(scripts, CONNECTIONS, rate)
    answered = {each["ticket"]: each["times"][-1][1] for each in done["walked"]}
    written = _written(site, stage, table, list(answered))
    took = [written[ticket] - answered[ticket] for ticket in answered]
    spans = [each["times"][-1] for each in done["walked"]]
    pace = len(spans) / (max(answer for _, answer in spans) - min(asked for asked, _ in spans))
    return {
        **percentiles(took),
        "count": len(took),
        "per_second": pace,
        "refused": done["refused"],
        "answer": percentiles([answer - asked for asked, answer in spans]),
    }


def _written(site: Site, stage: str, table: str, tickets: list[str]) -> dict[str, float]:
    """Return the commit time of each ticket's row in seconds since the epoch, once all rows exist."""

    def all_there() -> bool:
        return site.query(stage, f"SELECT count(*) FROM {table} WHERE ticket = ANY(%s)", tickets)[0][0] == len(tickets)

    accepting.until(all_there, f"{table} of every ticket")
    return dict(site.query(stage, WRITTEN.format(table=table), tickets))
