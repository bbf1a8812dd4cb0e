"""`python -m bench`: measures everything once and prints it. See the package."""

import json
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import accepting, processes, reaching, relaying, report, travelling
from bench.site import Site, running
from nkk.stack.broker import SERVER, PrivateNode, install_packages
from nkk.stack.postgres import PrivatePostgres

RESULT = Path("var/bench.json")


def main() -> None:
    """Measure, print, and write `RESULT`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    found: dict[str, Any] = {"machine": {"processors": os.cpu_count(), "kernel": platform.release(),
                                         "python": platform.python_version(), "load_before": os.getloadavg()[0]}}
    if not SERVER.exists():
        install_packages("rabbitmq-server")
    with tempfile.TemporaryDirectory(prefix="nkk-bench-") as name:
        folder = Path(name)
        with PrivatePostgres() as postgres, PrivateNode(folder / "rabbitmq") as node:
            found |= _measure(folder, postgres, node)
    found["seconds"] = time.monotonic() - began
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1))
    print(report.text(found))


def _measure(folder: Path, postgres: PrivatePostgres, node: PrivateNode) -> dict[str, Any]:
    reaching.keep_commit_times(postgres)
    postgres.create("relay")
    _say("relay and one-by-one publisher")
    found: dict[str, Any] = {"flush_ms": reaching.flush_ms(postgres), "relaying": relaying.measure(node.uri, {
        "PostgreSQL": postgres.url("relay"), "SQLite": f"sqlite:///{folder / 'relay.db'}"})}
    with running(folder / "site", node.uri, postgres) as site:
        return found | _measure_site(site)


def _measure_site(site: Site) -> dict[str, Any]:
    memory = {"at rest": _memory(site)}
    site.admit_people()
    memory["after logging in"] = _memory(site)
    _say("accepting")
    accepted = accepting.measure(site)
    tickets = accepted.pop("tickets")
    memory["after load"] = _memory(site)
    _say("reaching triage and notification")
    reached = reaching.measure(site, accepted["per_second"], tickets)
    _say("whole journeys")
    return {"accepting": accepted, "reaching": reached, "travelling": travelling.measure(site),
            "memory_mb": memory | {"at the end": _memory(site)}}


def _memory(site: Site) -> dict[str, float]:
    found = {}
    for name, pids in site.pids().items():
        if name == "PostgreSQL":
            found["PostgreSQL, all processes"] = processes.shared_out_mb(pids)
        elif name == "gateway":
            found |= {"gateway, master" if pid == pids[0] else f"gateway, worker {number}": processes.resident_mb(pid)
                      for number, pid in enumerate(pids)}
        else:
            found[name] = processes.resident_mb(max(pids, key=processes.resident_mb))
    return found


def _say(what: str) -> None:
    print(f"measuring: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
