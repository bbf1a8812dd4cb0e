"""Whole installations for tests: real processes, broker and databases, each in its own folder and virtual host."""

import atexit
import os
import shutil
import signal
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.events import ComplaintSubmitted
from nkk.messaging.origin import Origins
from nkk.messaging.publisher import Message
from nkk.messaging.topology import exchange_name, moves_name
from nkk.store.migrations import upgrade
from ops.stack import SERVICES
from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from ops.stack.run import ROOT, Stack
from services.notification.keyed import Keyed
from tests.forks import ForkedProgram

PATIENCE = 120.0
"""Seconds until what does not happen is taken for a fault; a loaded machine takes long, and success is not delayed."""

SETTINGS = {
    "NKK_LIMIT_REGISTRATION": "100000/minute",
    "NKK_LIMIT_LOGIN": "100000/minute",
    "NKK_LIMIT_RESET": "100000/minute",
    "NKK_LIMIT_SUBMISSION": "100000/minute",
    "NKK_LIMIT_DOCUMENTS": "100000/minute",
    "NKK_LIMIT_WEBSITE": "100000/minute",
    "NKK_LIMIT_UPLOADS": "100000/minute",
    "NKK_UPLOADS_MB": "100000",
    "NKK_LETTERS_AN_HOUR": "1000",
    "NKK_RETRY_DELAYS": "0.2,0.4,0.8",
    "NKK_RPC_TIMEOUT": "60",
    "NKK_GATEWAY_WORKERS": "1",
    "NKK_WEBSITE_ORIGINS": "https://kota.example.id",
    # Only a proxy that a test puts before the gateway connects from this address.
    "NKK_TRUSTED_PROXIES": "127.0.0.99/32",
    # The disks of tests are small: uploads may take all of them.
    "NKK_FILES_SPARE_MB": "0",
    "NKK_LIVE_STREAMS": "24",
    "NKK_GATEWAY_THREADS": "40",
}

T = TypeVar("T")


def eventually(ask: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return the result of `ask` once it is true, and poll until then; an AssertionError counts as "not yet"."""
    deadline, pause = monotonic() + patience, 0.02
    while True:
        try:
            found = ask()
            if found:
                return found
            complaint: AssertionError | None = None
        except AssertionError as error:
            complaint = error
        if monotonic() > deadline:
            raise complaint or AssertionError(f"not within {patience} s: {found!r}")
        sleep(pause)
        # Polled less and less often, because each call takes processor time.
        pause = min(1.3 * pause, 0.2)


class Installation:
    """A running stack, supervised by a thread, with the operations that tests perform on it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = stack.url
        self.uri = stack.amqp_uri
        self._leaving = threading.Event()
        # Children die with the thread that started them, so one thread starts all of them.
        self._watcher = threading.Thread(target=self._watch, name="watcher")
        self._lock = threading.Lock()
        self._watcher.start()

    def kill(self, name: str) -> None:
        """Send SIGKILL to `name` (such as `triage-1`); the supervisor restarts it."""
        os.kill(self._pid(name), signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Send SIGSTOP to `name`, which then hangs."""
        os.kill(self._pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Send SIGCONT to `name`."""
        os.kill(self._pid(name), signal.SIGCONT)

    def end(self, name: str) -> None:
        """Send SIGTERM to `name`, as a deployment does; the supervisor restarts it."""
        os.kill(self._pid(name), signal.SIGTERM)

    def take_down(self, name: str) -> None:
        """Send SIGTERM to `name`, without a restart."""
        with self._lock:
            self.stack.supervisor.end(self.stack.programs[name])

    def bring_up(self, name: str) -> None:
        """Start a program that was taken down."""
        with self._lock:
            self.stack.supervisor.start(self.stack.programs[name])

    def wait_until_ready(self) -> None:
        """Wait until every stage answers."""
        with self._lock:
            self.stack.wait_until_ready()

    def log(self, name: str) -> str:
        """Return the log of `name`."""
        return self.stack.programs[name].log.read_text()

    def logs(self) -> str:
        """Return the logs of all processes."""
        return "".join(self.log(name) for name in self.stack.programs)

    @cached_property
    def keyed(self) -> Keyed:
        """The keys from which its notification service derives the pseudonyms it stores instead of ids."""
        return Keyed(self.stack.keys["NKK_NOTIFICATION_PRIVATE_KEY"])

    def submitted(self, ticket: str, reporter_id: str = "nobody") -> ComplaintSubmitted:
        """Return the event that `ticket` was submitted, as its intake publishes it."""
        now = datetime.now(UTC)
        return ComplaintSubmitted(
            ticket=ticket,
            sealed_reporter=self.keyed.seal_reporter(ticket, reporter_id),
            reporter_kind="public",
            category="kode-perilaku",
            sub_category="disiplin",
            confidential=False,
            submitted_at=now,
            service_due_at=now + timedelta(days=2),
        )

    def leave(self) -> None:
        self._leaving.set()
        self._watcher.join()

    def _pid(self, name: str) -> int:
        process = self.stack.programs[name].process
        assert process is not None
        return process.pid

    def _watch(self) -> None:
        while not self._leaving.wait(0.1):
            with self._lock:
                self.stack.watch_once()


class QuickStack(Stack):
    """A stack that starts in a quarter of the time: its processes are forks, its databases copies of migrated ones."""

    program_cls = ForkedProgram

    def migrate(self) -> None:
        (self.var / "db").mkdir(exist_ok=True)
        for stage in STAGES:
            url = self.database_url(stage)
            name, _, path = url.partition(":///")
            if name == "sqlite" and not Path(path).exists():
                shutil.copyfile(_migrated() / f"{stage}.db", path)
            elif url not in _COPIES:
                upgrade(ROOT / "services" / stage / "migrations", url)


@cache
def _migrated() -> Path:
    """Return the folder with an empty, migrated SQLite database for every stage."""
    folder = Path(tempfile.mkdtemp(prefix="nkk-migrated-"))
    atexit.register(shutil.rmtree, folder)
    for stage in STAGES:
        upgrade(ROOT / "services" / stage / "migrations", f"sqlite:///{folder / stage}.db")
    return folder


@contextmanager
def installation(
    folder: Path,
    uri: str,
    databases: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    scale: Mapping[str, int] | None = None,
    services: Mapping[str, str] | None = None,
    stack_cls: type[Stack] = QuickStack,
) -> Iterator[Installation]:
    """Run an installation in `folder` on the broker at `uri`, and yield it when ready.

    `services` can replace a stage's class. By default passwords are hashed cheaply; with the default `stack_cls`,
    processes are forks and databases are copies.
    """
    services = SERVICES | {"intake": "tests.quick:QuickIntake"} | dict(services or {})
    stack = stack_cls(
        folder,
        echo=lambda _: None,
        scale=scale or {},
        settings=SETTINGS | dict(settings or {}),
        databases=databases or {},
        services=services,
    )
    with stack.up(uri):
        running = Installation(stack)
        try:
            yield running
        finally:
            running.leave()


def as_moved(uri: str, message: Message) -> Message:
    """Return `message` with the exchange and headers of an owner's event that a stage has moved to its inbox."""
    stage = message.routing_key.partition(".")[0]
    owner = next((event.SERVICES[0] for event in EVENTS if message.type == event.TYPE), "intake")
    told = SimpleNamespace(
        body=message.body,
        properties={"type": message.type},
        headers={},
        delivery_info={"exchange": exchange_name(owner), "routing_key": message.type},
    )
    return replace(message, exchange=moves_name(stage), headers=message.headers | Origins(stage, uri).headers(told))


_VHOSTS: WeakKeyDictionary[PrivateNode, list[str]] = WeakKeyDictionary()


def new_vhost(rabbit: PrivateNode) -> str:
    """Return the URI of an unused virtual host.

    Many are created at once, because each rabbitmqctl call takes a second of processor time.
    """
    unused = _VHOSTS.setdefault(rabbit, [])
    if not unused:
        unused += rabbit.new_vhosts(*(f"test-{uuid.uuid4().hex[:8]}" for _ in range(20)))
    return unused.pop()


_TEMPLATES: WeakSet[PrivatePostgres] = WeakSet()
"""The servers that have a migrated template database for every stage."""

_COPIES: set[str] = set()
"""The URLs of databases copied from such templates."""


def new_databases(postgres: PrivatePostgres) -> dict[str, str]:
    """Create a migrated PostgreSQL database for every stage; return the URLs by stage."""
    if postgres not in _TEMPLATES:
        postgres.create(*(f"migrated_{stage}" for stage in STAGES))
        for stage in STAGES:
            upgrade(ROOT / "services" / stage / "migrations", postgres.url(f"migrated_{stage}"))
        _TEMPLATES.add(postgres)
    prefix = f"test_{uuid.uuid4().hex[:8]}"
    names = {stage: f"{prefix}_{stage}" for stage in STAGES}
    for stage, name in names.items():
        postgres.create(name, template=f"migrated_{stage}")
    urls = {stage: postgres.url(name) for stage, name in names.items()}
    _COPIES.update(urls.values())
    return urls


def running_processes(installation: Installation) -> dict[str, Any]:
    """Return the pids of the installation's running processes, by name."""
    return {
        name: program.process.pid
        for name, program in installation.stack.programs.items()
        if program.process is not None and program.running
    }
