"""The world that faults strike: an installation, its broker, its database and the connections between them."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import psycopg2
from aiosmtpd.controller import Controller

from nkk.contracts import STAGES
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode, install_packages
from ops.stack.ports import LOOPBACK, free_port
from ops.stack.postgres import PrivatePostgres
from ops.stack.run import Stack
from tests.chaos.accountant import Books
from tests.chaos.accountant.letters import Letter
from tests.chaos.cluster import Cluster
from tests.chaos.disks import small_disk
from tests.chaos.promises import CALL_SECONDS
from tests.chaos.proxy import Proxy, through
from tests.installations import Installation, installation

SCALE = {"intake": 2, "triage": 2, "notification": 2}
SHIFTS = ("+90s", "-90s", "+3h", "-3h", "+2d")

SETTINGS = {
    "NKK_RPC_TIMEOUT": f"{CALL_SECONDS:g}",
    "NKK_RETRY_DELAYS": "0.2,0.4,0.8",
    # The limit is off, because few reporters write many reports, and the check does not wait for postponed letters.
    "NKK_LETTERS_AN_HOUR": "0",
    "NKK_GATEWAY_WORKERS": "2",
    "NKK_GATEWAY_THREADS": "32",
    "NKK_LIVE_STREAMS": "4",
}

LIBFAKETIME = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")


def fake_clock(file: Path) -> dict[str, str]:
    """Return the environment in which a process's clock has the shift in `file`, read every second."""
    return {
        "LD_PRELOAD": str(LIBFAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


class ClockedStack(Stack):
    """A stack in which the clock of each stage can be set."""

    def clock(self, stage: str) -> Path:
        """Return the file with the shift of the clock of `stage`."""
        return self.var / f"clock-{stage}"

    def environment(self, process: str) -> dict[str, str]:
        common = super().environment(process)
        if process not in STAGES:
            return common
        if not self.clock(process).exists():
            self.clock(process).write_text("+0")
        return common | fake_clock(self.clock(process))


class Postbox:
    """A mail server that stores all letters."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        message_id = str(letter["Message-ID"]).strip("<>").partition("@")[0]
        self.letters.append(Letter(time.time(), message_id, str(letter["To"]), str(letter["Subject"])))
        return "250 OK"


@contextmanager
def open_postbox() -> Iterator[tuple[Postbox, str]]:
    """Yield a mail server that accepts letters, and its URL."""
    postbox = Postbox()
    server = Controller(postbox, hostname=LOOPBACK, port=free_port())
    server.start()
    try:
        yield postbox, f"smtp://{LOOPBACK}:{server.port}"
    finally:
        server.stop()


@dataclass
class World:
    """`nodes` are RabbitMQ's by name, `proxies` the connections by their target; `server` is None on SQLite."""

    installation: Installation
    nodes: Mapping[str, PrivateNode]
    proxies: Mapping[str, Proxy]
    postbox: Postbox
    books: Books
    disk: Path | None
    server: PrivatePostgres | None = None
    cluster: Cluster | None = None
    newer: dict[str, Sequence[str]] = field(default_factory=dict)
    struck: list[int] = field(default_factory=list)
    """The gateway's processes that the last fault struck, the signalled one first."""
    locks: dict[str, Any] = field(default_factory=dict)
    strikers: dict[str, ThreadPoolExecutor] = field(default_factory=dict)

    def striker(self, place: str) -> ThreadPoolExecutor:
        """Return the executor that strikes at `place`: one lasting thread, because its child processes die with it."""
        return self.strikers.setdefault(place, ThreadPoolExecutor(1, f"striker at {place}"))

    @property
    def uri(self) -> str:
        """The broker's URI, not through a proxy."""
        return next(iter(self.nodes.values())).uri

    @property
    def api(self) -> BrokerApi:
        """The management API of the broker, not through a proxy."""
        return BrokerApi(next(iter(self.nodes.values())).api, self.uri)

    @property
    def line(self) -> str:
        """The broker through the proxy, as the installation reaches it."""
        return through(self.uri, self.proxies["broker"])

    @property
    def instances(self) -> list[str]:
        """The names of all instances of all stages."""
        return [name for name in self.installation.stack.programs if name != "gateway"]

    @property
    def targets(self) -> dict[str, list[str]]:
        """Return the possible targets by place."""
        node = "nodes" if self.cluster else "broker"
        found = {
            "stages": self.instances,
            "gateway": ["0", "1"],
            node: list(self.nodes),
            "lines": list(self.proxies),
            "clocks": [f"{stage} {shift}" for stage in STAGES for shift in SHIFTS],
        }
        if self.disk is not None:
            found["disk"] = [self.disk.name]
        return found | ({"postgres": ["server"]} if self.server else {"files": list(STAGES)})

    def set_clock(self, stage: str, shift: str) -> None:
        """Shift the clock of `stage` by `shift`."""
        stack = self.installation.stack
        assert isinstance(stack, ClockedStack)
        stack.clock(stage).write_text(shift)


@contextmanager
def world(folder: Path, postgres: bool, clustered: bool) -> Iterator[World]:
    """Yield a ready world in `folder`, on PostgreSQL or SQLite, with one RabbitMQ node or three."""
    if not LIBFAKETIME.exists():
        install_packages("libfaketime")
    folder.mkdir(parents=True, exist_ok=True)
    strikers: dict[str, ThreadPoolExecutor] = {}
    with ExitStack() as stack:
        stack.callback(lambda: [striker.shutdown() for striker in strikers.values()])
        nodes, found, addresses = _brokers(stack, folder, clustered)
        proxies = {"broker": stack.enter_context(Proxy(addresses))}
        var = folder / "var"
        server, urls, behind = None, {}, {}
        if postgres:
            server = stack.enter_context(PrivatePostgres())
            disk = stack.enter_context(small_disk(server._folder / "disk", owner=server._as))
            urls = databases_on(server, disk)
            proxies["database"] = stack.enter_context(Proxy([(LOOPBACK, server.port)]))
            behind = {stage: through(url, proxies["database"]) for stage, url in urls.items()}
        else:
            disk = stack.enter_context(small_disk(var / "db"))
            urls = {stage: f"sqlite:///{var / 'db' / f'{stage}.db'}" for stage in STAGES}
        postbox, smtp = stack.enter_context(open_postbox())
        settings = SETTINGS | {"NKK_SMTP_URL": smtp}
        uri = through(next(iter(nodes.values())).uri, proxies["broker"])
        running = stack.enter_context(installation(var, uri, behind, settings, SCALE, stack_cls=ClockedStack))
        yield World(running, nodes, proxies, postbox, Books(urls), disk, server, found, strikers=strikers)


def _brokers(
    stack: ExitStack, folder: Path, clustered: bool
) -> tuple[Mapping[str, PrivateNode], Cluster | None, list[tuple[str, int]]]:
    if clustered:
        found = stack.enter_context(Cluster(folder / "rabbitmq"))
        return found.nodes, found, found.addresses
    node = stack.enter_context(PrivateNode(folder / "rabbitmq", management=True))
    return {"node": node}, None, [(LOOPBACK, node.port)]


def databases_on(server: PrivatePostgres, disk: Path | None) -> dict[str, str]:
    """Create a database for every stage, on the small disk where there is one, and return their URLs."""
    where = " TABLESPACE small" if disk else ""
    connection = psycopg2.connect(server.url("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        if disk:
            cursor.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        for stage in STAGES:
            cursor.execute(f'CREATE DATABASE "{stage}"{where}')
    connection.close()
    return {stage: server.url(stage) for stage in STAGES}
