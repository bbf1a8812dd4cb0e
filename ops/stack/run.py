"""Starting and stopping a whole installation on one machine."""

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
from kombu import Connection

from nkk.contracts import EVENTS, STAGES
from nkk.messaging import topology
from nkk.settings import (
    DATABASE_URL,
    NKK_BROKER_API,
    NKK_FILES,
    NKK_SMTP_URL,
    NKK_TOOLS_CERTIFICATE,
    NKK_TOOLS_HOST,
    NKK_TOOLS_PORT,
    NKK_WEBHOOKS_ALLOWED,
    NKK_WEBHOOKS_CA,
    OF,
    OPERATING,
    WEBHOOKS_DATABASE_URL,
    SettingsError,
    check,
    database_of,
)
from ops import tools
from ops.broker_api import BrokerApi
from ops.stack import SERVICES
from ops.stack.broker import broker
from ops.stack.keys import NEEDED, new_keys
from ops.stack.ports import LOOPBACK, listening_socket
from ops.stack.ready import Broker
from ops.stack.supervisor import Program, Supervisor, how_it_ended, last_words
from ops.stack.tls import listener

ROOT = Path(__file__).resolve().parents[2]
PREFERRED_PORT = 8080
READY_SECONDS = 90
FAILURES = 2
"""How often a program may end by itself before the stack's start is given up."""

OWN = ("NKK_BIND", "NKK_MAIL_DIR", "NKK_PULSE_FOLDER", "DATABASE_URL")
"""The settings that a stack in a folder decides itself, whatever the environment says."""

WEBHOOKS = "webhooks"
WITH_WEBHOOKS = (NKK_WEBHOOKS_ALLOWED, NKK_WEBHOOKS_CA)
"""Settings that the commands for webhooks take from the running stack."""

# Silences only the deprecation warning of eventlet where Nameko imports it; docs/adr says why it is still used.
PYTHONWARNINGS = "ignore:::nameko.extensions"

# Argon2 takes 19 MiB for each log-in; with a fixed threshold, glibc returns them to the system each time.
MALLOC_MMAP_THRESHOLD = str(1024 * 1024)

Echo = Callable[[str], None]


class OccupiedError(Exception):
    """Another stack is running in this folder."""


class NotReadyError(Exception):
    """The stack did not become ready; the message says which part."""


@dataclass
class Stack:
    """A whole installation in the folder `var`.

    `scale` is the number of instances of each stage, `settings` are environment variables for every process, and
    `databases` are the URLs of the stages' databases, by default SQLite under `var`.
    """

    var: Path
    echo: Echo
    scale: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=lambda: SERVICES)

    program_cls: ClassVar[type[Program]] = Program

    def __post_init__(self) -> None:
        self.var = self.var.absolute()
        self.supervisor = Supervisor(self.echo)
        self.port = 0
        self.amqp_uri = ""
        self.programs: dict[str, Program] = {}

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def site_url(self) -> str:
        """The site's URL in letters and documents: NKK_SITE_URL of the environment, else this stack's own URL."""
        return os.environ.get("NKK_SITE_URL") or self.url

    @contextmanager
    def up(self, amqp_uri: str | None = None, broker_api: str = "") -> Iterator["Stack"]:
        """Start the stack and yield it ready; stop everything it started at the end. Without a URI, find a broker."""
        # Letters and databases hold personal data: no other user of this machine may read them.
        self.var.mkdir(parents=True, exist_ok=True)
        self.var.chmod(0o700)
        # Held open and inherited by the gateway, so that no other process can take the port.
        last = self._last_port()
        with occupied(self.var), listening_socket(last or PREFERRED_PORT) as self._door, ExitStack() as held:
            self._keep_port(last)
            self.keys = _kept_keys(self.var / "keys.json")
            self.check_settings()
            for line in self.left_aside():
                self.echo(line)
            self._broker = held.enter_context(
                broker(self.var / "rabbitmq", self.echo, listener())
                if amqp_uri is None
                else nullcontext(Broker(amqp_uri, broker_api))
            )
            self.amqp_uri = self._broker.uri
            self.echo("migrating the databases")
            self.migrate()
            declare_topology(self.amqp_uri, self._broker.api)
            self._write_environment()
            try:
                self.echo("starting the four stages and the gateway")
                self._start_programs()
                self.wait_until_ready(is_first=True)
                yield self
            finally:
                self.supervisor.stop()
                self.environment_file.unlink(missing_ok=True)

    def _keep_port(self, last: int | None) -> None:
        """Keep the port of this run for the next one, and say where it is another than the `last`."""
        self.port = self._door.getsockname()[1]
        if last not in (None, self.port) and self.site_url == self.url:
            self.echo(
                f"port {last} is in use by another program: the site is now at {self.url}; letters sent before "
                "contain the old address"
            )
        (self.var / "port").write_text(str(self.port))

    def check_settings(self) -> None:
        """Raise SettingsError, naming every setting that some process would refuse, before anything is started."""
        faults: list[str] = []
        for process, settings in OF.items():
            database = database_of(process)
            # Where AMQP_URI is not set, a broker is found later.
            told = self.environment(process) | {
                "AMQP_URI": os.environ.get("AMQP_URI") or "amqp://localhost",
                database.name: self.database_url(process),
            }
            try:
                check([database if setting is DATABASE_URL else setting for setting in settings], told)
            except SettingsError as error:
                faults += error.faults
        try:
            if not os.environ.get("AMQP_URI") and (tls := listener()):
                tls.check_free()
        except SettingsError as error:
            faults += error.faults
        if faults:
            raise SettingsError(faults)

    def left_aside(self) -> list[str]:
        """Return sentences about settings in the environment, or in a `.env` file, that this stack does not use."""
        known = {setting.name for settings in (*OF.values(), OPERATING) for setting in settings}
        known |= {*self.keys, "NKK_VAR"}
        said = []
        if own := [name for name in OWN if os.environ.get(name)]:
            said.append(
                f"not used: {', '.join(own)}. The site is at {self.url}, and all data is in {self.var}; to use "
                f"other databases, set {', '.join(database_of(stage).name for stage in STAGES)}"
            )
        if strange := sorted(name for name in os.environ if name.startswith("NKK_") and name not in {*known, *OWN}):
            said.append(f"not used: {', '.join(strange)}. No process of this stack has such a setting")
        if os.environ.get("AMQP_URI") and os.environ.get(NKK_TOOLS_CERTIFICATE.name):
            said.append("not used: NKK_TOOLS_CERTIFICATE. The broker of AMQP_URI has its own listeners")
        if Path(".env").exists():
            said.append("not read: .env, which only docker compose reads. Set variables in the environment instead")
        return said

    def _last_port(self) -> int | None:
        """Return the port of the last run, which letters already sent contain; None where it is not known."""
        try:
            return int((self.var / "port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def environment_file(self) -> Path:
        """The file by which other commands with this folder find the running stack."""
        return self.var / "running.json"

    @property
    def pulse_folder(self) -> Path:
        """The folder in which each process of the stack shows that it is alive."""
        return self.var / "pulse"

    def database_url(self, service: str) -> str:
        """Return the URL of the database of `service`: from `databases`, the environment, or SQLite under `var`."""
        default = f"sqlite:///{self.var / 'db' / f'{service}.db'}"
        return self.databases.get(service) or os.environ.get(database_of(service).name) or default

    def migrate(self) -> None:
        """Migrate every stage's database, and that of the webhooks where there is one, to its newest version."""
        # Imported only here, because Alembic is slow to load.
        from nkk.store.migrations import upgrade

        (self.var / "db").mkdir(exist_ok=True)
        for service in STAGES:
            upgrade(ROOT / "services" / service / "migrations", self.database_url(service))
        if has_webhooks(self.database_url(WEBHOOKS)):
            upgrade(ROOT / WEBHOOKS / "migrations", self.database_url(WEBHOOKS))

    def environment(self, process: str) -> dict[str, str]:
        """Return the entire environment of `process`: common variables, and only those keys that it needs."""
        common = {name: value for name, value in os.environ.items() if not name.startswith("NKK_")}
        kept = {*self.keys, NKK_BROKER_API.name}
        public = {name: value for name, value in os.environ.items() if name.startswith("NKK_") and name not in kept}
        # The defaults, in this stack's own folder, unless the environment names others.
        store = {
            "NKK_LIMIT_STORAGE": f"sqlite:///{self.var / 'limits' / 'counts.db'}",
            NKK_FILES.name: str(self.var / "files"),
        }
        return (
            common
            | store
            | public
            | {
                "AMQP_URI": self.amqp_uri,
                "NKK_MAIL_DIR": str(self.var / "mail"),
                "NKK_PULSE_FOLDER": str(self.pulse_folder),
                "NKK_SITE_URL": self.site_url,
                "NKK_BIND": f"fd://{self._door.fileno()}",
                "PYTHONWARNINGS": PYTHONWARNINGS,
                "MALLOC_MMAP_THRESHOLD_": MALLOC_MMAP_THRESHOLD,
                "PYTHONPATH": str(ROOT),
            }
            | dict(self.settings)
            | {name: self.keys[name] for name in NEEDED[process]}
        )

    def watch_once(self) -> None:
        """Restart the stack's own broker and programs where they have ended. Raises NoBrokerError."""
        self._broker.look_after()
        if self.programs and WEBHOOKS not in self.programs and has_webhooks(self.database_url(WEBHOOKS)):
            self._start_webhooks()
        self.supervisor.watch_once()

    def wait_until_ready(self, is_first: bool = False) -> None:
        """Wait until the gateway reports that the broker and every stage answer. Raises NotReadyError.

        At the first start it is raised as soon as a program keeps ending by itself.
        """
        deadline = time.monotonic() + READY_SECONDS
        answer: Any = "nothing listens"
        with httpx.Client(timeout=5) as http:
            while time.monotonic() < deadline:
                self.watch_once()
                if is_first:
                    self._must_all_start()
                # Not asked while a program is down: this process holds the port, so that a request would hang.
                if all(program.running for program in self.programs.values()):
                    try:
                        response = http.get(f"{self.url}/readyz")
                        if response.status_code == 200:
                            return
                        answer = response.text
                    except httpx.TransportError as error:
                        answer = type(error).__name__
                time.sleep(0.1)
        raise NotReadyError(f"not ready after {READY_SECONDS} s: {answer}; see {self.var / 'log'}")

    def _must_all_start(self) -> None:
        for name, program in self.programs.items():
            code = program.process.returncode if program.process else None
            if program.failures >= FAILURES and code is not None and code > 0:
                words = last_words(program.log)
                raise NotReadyError(f"{name} ends again and again ({how_it_ended(code)}): {words}; see {program.log}")

    def _start_programs(self) -> None:
        scripts = Path(sys.executable).parent
        for service, target in self.services.items():
            for number in range(1, self.scale.get(service, 1) + 1):
                self._start(
                    f"{service}-{number}",
                    self.environment(service) | {"DATABASE_URL": self.database_url(service)},
                    [str(scripts / "nameko"), "run", "--config", str(ROOT / "services" / "nameko.yaml"), target],
                )
        self._start(
            "gateway",
            self.environment("gateway"),
            [str(scripts / "gunicorn"), "--config", str(ROOT / "gateway" / "gunicorn.py"), "gateway:create_app()"],
            self._door,
        )

    def _start_webhooks(self) -> None:
        # Each webhook has a broker user of its own: this process needs the broker's address alone.
        given = {"AMQP_URI": without_account(self.amqp_uri), WEBHOOKS_DATABASE_URL.name: self.database_url(WEBHOOKS)}
        self._start(WEBHOOKS, self.environment(WEBHOOKS) | given, [sys.executable, "-m", WEBHOOKS])

    def _start(self, name: str, environment: dict[str, str], command: list[str], *sockets: socket.socket) -> None:
        program = self.program_cls(name, command, environment, self.var / "log" / f"{name}.log", sockets)
        self.programs[name] = program
        self.supervisor.start(program)

    def _write_environment(self) -> None:
        tls = None if os.environ.get("AMQP_URI") else listener()
        operating = {
            NKK_BROKER_API.name: self._broker.api,
            NKK_TOOLS_HOST.name: tls.host if tls else "",
            NKK_TOOLS_PORT.name: str(tls.port) if tls else "",
        }
        content = {
            "url": self.url,
            "mails": bool((os.environ | dict(self.settings)).get(NKK_SMTP_URL.name)),
            "environment": self.keys
            | {name: value for name, value in operating.items() if value}
            | {"AMQP_URI": self.amqp_uri, "NKK_PULSE_FOLDER": str(self.pulse_folder)}
            | {f"{service.upper()}_DATABASE_URL": self.database_url(service) for service in (*STAGES, WEBHOOKS)}
            | {NKK_FILES.name: os.environ.get(NKK_FILES.name) or str(self.var / "files")}
            | {setting.name: value for setting in WITH_WEBHOOKS if (value := os.environ.get(setting.name))},
        }
        write_secret(self.environment_file, json.dumps(content, indent=1))


def declare_topology(amqp_uri: str, api: str | None = None) -> list[str]:
    """Declare every exchange and queue, and return their names, and what was done by the management API at `api`."""
    with Connection(amqp_uri, connect_timeout=5) as connection:
        names = topology.declare(connection.default_channel, STAGES, EVENTS)
    return names + (tools.bring_up_to_date(BrokerApi(api, amqp_uri)) if api else [])


def without_account(uri: str) -> str:
    """Return `uri` without user and password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def has_webhooks(url: str) -> bool:
    """Return whether the database of webhooks at `url` was created: that of a file is, by the first webhook."""
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


def running(var: Path) -> dict[str, Any] | None:
    """Return the url and environment of the stack running in `var`, as written by `Stack`; None where none is."""
    try:
        with occupied(var):
            return None
    except OccupiedError:
        path = var / "running.json"
        return read_kept(path) if path.exists() else None
    except FileNotFoundError:
        return None


@contextmanager
def occupied(var: Path) -> Iterator[None]:
    """Lock `var` for one stack. The lock ends with the process, however it ends. Raises OccupiedError."""
    with (var / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OccupiedError(f"a stack is running in {var} already; Ctrl-C ends it where it was started") from None
        yield


def write_secret(path: Path, content: str) -> None:
    """Write a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)


def read_kept(path: Path) -> dict[str, Any]:
    """Return the JSON object that nkk stored at `path`. Raises ValueError, naming the file, for any other content."""
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        kept = None
    if not isinstance(kept, dict):
        raise ValueError(f"{path} cannot be read as the JSON that nkk wrote there: put it back from a backup.")
    return kept


def _kept_keys(path: Path) -> dict[str, str]:
    """Return the installation's keys: those of the environment, else those at `path`, generating what is missing."""
    kept = read_kept(path) if path.exists() else {}
    keys = new_keys() | kept
    if keys != kept:
        write_secret(path, json.dumps(keys, indent=1))
    return {name: os.environ.get(name) or value for name, value in keys.items()}
