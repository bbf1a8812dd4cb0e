"""Complaints accepted while ten tools and ten webhooks receive every event of intake, beside an installation with none.

One of the webhooks posts to a closed port. Both installations have the broker and the database server in common and
are measured in turn. Tools run elsewhere in an agency; here they share the processors, at the lowest priority.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from bench import accepting
from bench.site import Site, running
from bench.workplace import Workplace, say
from nkk.contracts import STAGES
from ops import tools
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.stack.ports import LOOPBACK, free_port

STAGE, COUNT = "intake", 10
WITHOUT, WITH = "without", "with"

LISTENS = """
import sys, threading
from nkk.client import subscribe
def listen(uri):
    for event in subscribe("intake", uri=uri):
        pass
threads = [threading.Thread(target=listen, args=[uri]) for uri in sys.stdin.read().split()]
for thread in threads: thread.start()
"""


def measure(place: Workplace) -> dict[str, Any]:
    """Return accepted complaints per second `with` and `without` tools and webhooks, and the `ratio` of the medians."""
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
        held.enter_context(_tools(BrokerApi(node.api, uris[WITH])))
        received = held.enter_context(_webhooks(sites[WITH], node.api))
        for name, site in sites.items():
            say(f"tools: warming up {name}")
            accepting.ours(site, place.size(100, 20))
        for number in range(place.size(5, 1)):
            for name, site in sites.items():
                rounds[name].append(accepting.ours(site, place.size(400, 40)))
                say(f"tools: round {number + 1}, {name}: {rounds[name][-1]['per_second']:.0f}/s")
        accepted = sites[WITH].query(STAGE, accepting.COMPLAINTS)[0][0]
        accepting.until(lambda: received[0] >= (COUNT - 1) * accepted, "every event at every living webhook")
    per_second = {name: median(each["per_second"] for each in found) for name, found in rounds.items()}
    return {
        "tools": COUNT,
        "webhooks": COUNT,
        "posted": received[0],
        "per_second": per_second,
        "rounds": {name: [each["per_second"] for each in found] for name, found in rounds.items()},
        "ratio": per_second[WITH] / per_second[WITHOUT],
    }


@contextmanager
def _tools(api: BrokerApi) -> Iterator[None]:
    """Have ten tools listen, in one process of the lowest priority."""
    added = [tools.Tool(f"tool-{number}", STAGE) for number in range(COUNT)]
    lines = [tools.connection_line(api.uri, tool, tools.add(api, tool)) for tool in added]
    with subprocess.Popen(["nice", "-n", "19", sys.executable, "-c", LISTENS], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write("\n".join(lines).encode())
        process.stdin.close()
        try:
            accepting.until(lambda: all(row["connected"] for row in tools.rows(api)), "every tool connected")
            yield
        finally:
            process.kill()


@contextmanager
def _webhooks(site: Site, api: str) -> Iterator[list[int]]:
    """Have nine webhooks post to a receiver and one to a closed port; yield the number of requests in a list."""
    received = [0]

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            received[0] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Receiver)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    # Read by `nkk`, and by the process of the webhooks that the installation starts.
    os.environ |= {"NKK_WEBHOOKS_ALLOWED": LOOPBACK}
    for number in range(COUNT):
        port = server.server_port if number else free_port()
        _nkk(site, api, "webhooks", "add", f"http://{LOOPBACK}:{port}/", "--name", f"hook-{number}", "--stage", STAGE)
    site.stack.watch_once()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


def _nkk(site: Site, api: str, *arguments: str) -> None:
    nkk = Path(sys.executable).with_name("nkk")
    command = [str(nkk), "--var", str(site.stack.var), *arguments]
    subprocess.run(command, env=os.environ | {"NKK_BROKER_API": api}, check=True, capture_output=True)
