"""Complaints accepted while ten tools and ten webhooks receive every event of intake, beside an installation with none.

One of the webhooks posts to a closed port. Both installations have the broker and the database server in common and
are measured in turn; a round ends when every event has arrived at every tool and every living webhook. Tools and the
receiver of the webhooks run elsewhere in an agency: here they share the processors, and give way to everything else.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import accepting, elsewhere
from bench.elsewhere import Elsewhere
from bench.site import Site, running
from bench.workplace import Workplace, say
from nkk.contracts import STAGES
from ops import tools
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.stack.ports import LOOPBACK, free_port

STAGE, COUNT = "intake", 10
WITHOUT, WITH = "without", "with"


def measure(place: Workplace) -> dict[str, Any]:
    """Return accepted complaints per second `with` and `without` tools and webhooks, the `ratio` of the medians, and
    the processor time in ms of each process for each complaint, with everything that follows from it."""
    rounds: dict[str, list[dict[str, Any]]] = {WITHOUT: [], WITH: []}
    with ExitStack() as held:
        node = held.enter_context(PrivateNode(place.folder / "tools-broker", management=True))
        uris = dict(zip(rounds, node.new_vhosts(*rounds), strict=True))
        place.postgres.create(*(f"tools_{name}_{stage}" for name in rounds for stage in STAGES))
        sites = {}
        for name, uri in uris.items():
            urls = {stage: place.postgres.url(f"tools_{name}_{stage}") for stage in STAGES}
            sites[name] = held.enter_context(running(place.folder / f"tools-{name}", uri, urls))
            sites[name].admit_people()
        listeners = held.enter_context(_tools(BrokerApi(node.api, uris[WITH])))
        receiver = held.enter_context(_webhooks(sites[WITH], node.api))
        sites[WITH].beside = {"the tools' programs": listeners.pid, "the webhooks' receiver": receiver.pid}

        def arrive() -> None:
            accepted = sites[WITH].query(STAGE, accepting.COMPLAINTS)[0][0]
            accepting.until(lambda: listeners.count()["heard"] >= COUNT * accepted, "every event at every tool", 0.5)
            living = COUNT - 1
            accepting.until(
                lambda: receiver.count()["posted"] >= living * accepted, "every event at every living webhook", 0.5
            )

        ways = {WITHOUT: lambda count: accepting.ours(sites[WITHOUT], count)}
        ways[WITH] = lambda count: accepting.ours(sites[WITH], count, arrive)
        for name, way in ways.items():
            say(f"tools: warming up {name}")
            way(place.size(100, 20))
        for number in range(place.size(5, 1)):
            for name, way in ways.items():
                rounds[name].append(way(place.size(400, 40)))
                say(f"tools: round {number + 1}, {name}: {rounds[name][-1]['per_second']:.0f}/s")
        counted = listeners.count()["heard"], receiver.count()["posted"]
    per_second = {name: median(each["per_second"] for each in found) for name, found in rounds.items()}
    return {
        "tools": COUNT,
        "webhooks": COUNT,
        "heard": counted[0],
        "posted": counted[1],
        "per_second": per_second,
        "rounds": {name: [each["per_second"] for each in found] for name, found in rounds.items()},
        "ratio": per_second[WITH] / per_second[WITHOUT],
        "arrived_s": median(each["caught_up_s"] for each in rounds[WITH]),
        "cpu_ms_by_process": {name: accepting.cpu_of(found) for name, found in rounds.items()},
        "load_cpu_ms_each": {name: median(e["load_cpu_ms_each"] for e in found) for name, found in rounds.items()},
    }


@contextmanager
def _tools(api: BrokerApi) -> Iterator[Elsewhere]:
    """Have ten tools listen."""
    added = [tools.Tool(f"tool-{number}", STAGE) for number in range(COUNT)]
    lines = [tools.connection_line(api.uri, tool, tools.add(api, tool)) for tool in added]
    with elsewhere.running(STAGE, lines) as listeners:
        accepting.until(lambda: all(row["connected"] for row in tools.rows(api)), "every tool connected")
        yield listeners


@contextmanager
def _webhooks(site: Site, api: str) -> Iterator[Elsewhere]:
    """Have nine webhooks post to a receiver and one to a closed port."""
    # Read by `nkk`, and by the process of the webhooks that the installation starts.
    os.environ |= {"NKK_WEBHOOKS_ALLOWED": LOOPBACK}
    with elsewhere.running(STAGE) as receiver:
        for number in range(COUNT):
            url = f"http://{LOOPBACK}:{receiver.port if number else free_port()}/"
            _nkk(site, api, "webhooks", "add", url, "--name", f"hook-{number}", "--stage", STAGE)
        site.stack.watch_once()
        yield receiver


def _nkk(site: Site, api: str, *arguments: str) -> None:
    nkk = Path(sys.executable).with_name("nkk")
    command = [str(nkk), "--var", str(site.stack.var), *arguments]
    subprocess.run(command, env=os.environ | {"NKK_BROKER_API": api}, check=True, capture_output=True)
