"""The cost of a hop: from an event in the stage that publishes it to its effect in the stage that consumes it.

A bare Nameko hop is half of what two event hops add to a call: the time per call of a chain of a call and two hops,
with enough callers to keep the machine busy, minus that of the call alone. This service's hop is the time per event of
many events that wait in an outbox: read, published, confirmed and marked by the relay, carried by a quorum queue,
checked against the inbox, and committed to disk as a row, while notification consumes all of them too on the same
processors. It is measured from the first row's commit to the last one's, so that waking up is not included.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import processes
from bench.accepting import until
from bench.site import Site
from bench.telling import forwarded, handed_over, tell
from bench.workplace import Workplace
from nkk.messaging.calls import StageUnavailableError
from nkk.messaging.rpc_client import RpcClient
from ops.stack.run import ROOT
from ops.stack.supervisor import Program, Supervisor

CALLERS = 16
ASKING_SECONDS = 0.5
"""A long pause, because polling uses the same processors, and the commit time of each row is in the database anyway."""
HOPS = (
    ("handed over -> triage", "intake", handed_over, "triage"),
    ("forwarded -> opd_response", "triage", forwarded, "opd_response"),
)
COMMITTED = """SELECT count(*), extract(epoch FROM max(at) - min(at))::float FROM (
    SELECT pg_xact_commit_timestamp(xmin) AS at FROM cases WHERE ticket = ANY(%s)) AS committed"""
HEARD = "SELECT count(DISTINCT ticket) FROM entries WHERE ticket = ANY(%s)"


def measure(place: Workplace) -> dict[str, Any]:
    """Return the milliseconds per hop, elapsed and of all processors, of the bare chain and of this service in turn."""
    site, rounds = place.site(), []
    with bare_chain(place) as chain:
        chain.chained(place.size(200, 20))
        for _ in range(place.size(3, 1)):
            calls, events = place.size(1_500, 50), place.size(3_000, 100)
            rounds.append(
                {"answer": chain.answered(calls), "chain": chain.chained(calls)}
                | {name: _ours(site, stage, make(events), to) for name, stage, make, to in HOPS}
            )
    middle = {
        name: {figure: median(each[name][figure] for each in rounds) for figure in ("ms", "cpu_ms")}
        for name in rounds[0]
    }
    ours = {name: middle[name] for name, *_ in HOPS}
    return {
        "bare_hop_ms": (middle["chain"]["ms"] - middle["answer"]["ms"]) / 2,
        "bare_hop_cpu_ms": (middle["chain"]["cpu_ms"] - middle["answer"]["cpu_ms"]) / 2,
        "our_hop_ms": max(each["ms"] for each in ours.values()),
        "our_hop_cpu_ms": max(each["cpu_ms"] for each in ours.values()),
        "bare_chain_ms": middle["chain"]["ms"],
        "bare_call_ms": middle["answer"]["ms"],
        "ours": ours,
        "callers": CALLERS,
        "rounds": rounds,
    }


def _ours(site: Site, stage: str, events: list[Any], to: str) -> dict[str, float]:
    """Return the elapsed and processor ms per event from `stage` to its row in the stage `to`, at full speed."""
    tickets, families = [event.ticket for event in events], site.pids()
    cpu = processes.cpu_seconds(families)
    tell(site, stage, events)

    def all_there() -> bool:
        return site.query(to, COMMITTED, tickets)[0][0] == len(tickets) and site.query("notification", HEARD, tickets)[
            0
        ][0] == len(tickets)

    until(all_there, f"events of {stage} at {to} and notification", ASKING_SECONDS)
    used = sum(seconds - cpu[name] for name, seconds in processes.cpu_seconds(families).items())
    seconds = site.query(to, COMMITTED, tickets)[0][1]
    return {"ms": seconds * 1000 / (len(tickets) - 1), "cpu_ms": used * 1000 / len(tickets)}


class Chain:
    """A running bare chain."""

    def __init__(self, uri: str, programs: dict[str, Program]) -> None:
        self._client = RpcClient(uri, timeout=30)
        self._programs = programs
        until(self._is_ready, "the bare chain to be ready")

    def answered(self, count: int) -> dict[str, float]:
        """Return the ms per call without events."""
        return self._timed(count, "answer", lambda began: time.time() - began)

    def chained(self, count: int) -> dict[str, float]:
        """Return the ms per call with the two hops that follow it."""
        before = self._heard()["count"]

        def all_heard(began: float) -> float:
            until(lambda: self._heard()["count"] == before + count, "the bare chain's events")
            return self._heard()["last"] - began

        return self._timed(count, "tell", all_heard)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _timed(self, count: int, method: str, took: Callable[[float], float]) -> dict[str, float]:
        families = processes.ours({name: program.process.pid for name, program in self._programs.items()})
        families = {name: pids for name, pids in families.items() if name in {*self._programs, "broker"}}
        payloads = [
            json.loads(event.to_json(str(uuid.uuid4()), datetime.now(UTC))) | {"ticket": event.ticket}
            for event in handed_over(count)
        ]
        cpu, began = processes.cpu_seconds(families), time.time()
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda payload: self._client.call("bench_first", method, payload), payloads))
        seconds = took(began)
        used = sum(after - cpu[name] for name, after in processes.cpu_seconds(families).items())
        return {"ms": seconds * 1000 / count, "cpu_ms": used * 1000 / count}

    def _heard(self) -> dict[str, float]:
        return self._client.call("bench_third", "so_far")

    def _is_ready(self) -> bool:
        try:
            self._client.call("bench_first", "answer", {"ticket": ""}, timeout=2)
            before = self._heard()["count"]
            self._client.call("bench_first", "tell", {"ticket": ""}, timeout=2)
            time.sleep(0.5)
            return self._heard()["count"] == before + 1
        except StageUnavailableError:
            return False


@contextmanager
def bare_chain(place: Workplace) -> Iterator[Chain]:
    """Run the three services on a virtual host of their own, one process each, with the product's worker settings."""
    [uri], supervisor = place.node.new_vhosts("chain"), Supervisor(lambda line: print(line, file=sys.stderr))
    try:
        programs = {name: _started(place, uri, supervisor, name) for name in ("First", "Second", "Third")}
        chain = Chain(uri, programs)
        yield chain
        chain.close()
    finally:
        supervisor.stop()


def _started(place: Workplace, uri: str, supervisor: Supervisor, name: str) -> Program:
    program = Program(
        f"bench {name}",
        [
            str(Path(sys.executable).parent / "nameko"),
            "run",
            "--config",
            str(ROOT / "services" / "nameko.yaml"),
            f"bench.chain:{name}",
        ],
        dict(os.environ) | {"AMQP_URI": uri, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        place.folder / "chain" / f"{name}.log",
    )
    supervisor.start(program)
    return program
