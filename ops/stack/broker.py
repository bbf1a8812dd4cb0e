"""Finds or starts a RabbitMQ.

In this order: the one AMQP_URI names; one in a container, where a Docker engine answers; an installed
`rabbitmq-server`, as a private node under `var/` on a free port; Debian's package, installed where we may; else one
clear sentence with the choices.
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kombu import Connection

from ops.stack.ports import LOOPBACK, free_port
from ops.stack.supervisor import dying_with_us, how_it_ended

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
IMAGE = "rabbitmq:4"
START_SECONDS = 120
LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"

WITH_COOKIE = (
    'umask 077 && rm -f "$HOME/.erlang.cookie" && printf %s "$ERLANG_COOKIE" > "$HOME/.erlang.cookie" && '
    "exec rabbitmq-server"
)
"""For a shell in the image, as its user: Erlang would make up a cookie that can be guessed from when it did."""

STOP_SECONDS = 30

Echo = Callable[[str], None]


START_AGAIN_SECONDS = 10.0
LOOK_SECONDS = 5.0


class NoBrokerError(Exception):
    """No RabbitMQ can be had here; the message says what to do."""


@dataclass(frozen=True)
class Broker:
    """A broker at `uri`. One that we started may die: `look_after` is to be called now and then, and starts it again or
    raises NoBrokerError."""

    uri: str
    look_after: Callable[[], None] = lambda: None


@contextmanager
def broker(folder: Path, echo: Echo) -> Iterator[Broker]:
    """A broker that answers; one that we started ends on leaving. Raises NoBrokerError."""
    uri = os.environ.get("AMQP_URI")
    if uri:
        _wait_until_ready(uri, lambda: True)
        yield Broker(uri)
        return
    engine = docker_engine()
    if engine is not None:
        with container(engine, folder, echo) as found:
            yield found
        return
    if not SERVER.exists():
        _install(echo)
    echo("starting RabbitMQ, as a node of this folder's own")
    with PrivateNode(folder) as node:
        yield Broker(node.uri, partial(node.look_after, echo))


class PrivateNode:
    """A RabbitMQ node of our own: its data, cookie and log in `folder`, on loopback only, on a free port.

    Kept between runs: queues and what is in them survive. The port and the password do not change while it runs.
    """

    address = LOOPBACK

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.port = 0
        self._epmd_port = 0
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._start_again_at = 0.0

    @property
    def uri(self) -> str:
        return f"amqp://nkk:{self._password()}@{self.address}:{self.port}//"

    def __enter__(self) -> "PrivateNode":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the node and wait until it answers. Raises NoBrokerError."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the node."""
        # Chosen at the first start and kept: whoever was connected finds the node again after a restart.
        self.port = self.port or free_port()
        self._epmd_port = self._epmd_port or free_port()
        self._write_configuration()
        self._write_cookie()
        with (self.folder / "server.log").open("ab") as log:
            options: dict[str, Any] = {
                "env": self._environment(),
                "stdin": subprocess.DEVNULL,
                "stdout": log,
                "stderr": log,
                "start_new_session": True,
                "cwd": self.folder,
            }
            # Without a port mapper already there, the node would leave a daemon of its own behind.
            epmd = self._command("epmd", "-port", str(self._epmd_port))
            self._epmd = subprocess.Popen(dying_with_us(epmd), **options)
            self._node = subprocess.Popen(dying_with_us(self._command(str(SERVER))), **options)

    def look_after(self, echo: Echo) -> None:
        """Start the node again where it has died; not twice within some seconds."""
        if self._node is None or self._node.poll() is None or time.monotonic() < self._start_again_at:
            return
        echo(f"RabbitMQ ended ({how_it_ended(self._node.returncode)}), starts again; see {self.folder}/server.log")
        self._start_again_at = time.monotonic() + START_AGAIN_SECONDS
        self.stop()
        self.launch()

    def wait_until_ready(self) -> None:
        """Return once the node answers. Raises NoBrokerError."""
        try:
            _wait_until_ready(self.uri, lambda: self._node is not None and self._node.poll() is None)
        except NoBrokerError:
            self.stop()
            raise NoBrokerError(f"RabbitMQ did not start; see {self.folder}/server.log and {self.folder}/log") from None

    def stop(self) -> None:
        """End the node in good order, then its port mapper."""
        for process in (self._node, self._epmd):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    _kill(process)

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl` says to `arguments`."""
        command = self._command(str(SERVER.with_name("rabbitmqctl")), "--quiet", *arguments)
        done = subprocess.run(
            command, env=self._environment(), capture_output=True, text=True, check=True, cwd=self.folder
        )
        return done.stdout

    def _command(self, *command: str) -> list[str]:
        """`command`, run where the node is."""
        return list(command)

    def new_vhosts(self, *names: str) -> list[str]:
        """The AMQP URIs of fresh virtual hosts, apart from all others of this node."""
        everything = {"user": "nkk", "configure": ".*", "write": ".*", "read": ".*"}
        definitions = self.folder / "vhosts.json"
        definitions.write_text(
            json.dumps(
                {
                    "vhosts": [{"name": name} for name in names],
                    "permissions": [everything | {"vhost": name} for name in names],
                }
            )
        )
        self.ctl("import_definitions", str(definitions))
        return [f"{self.uri[:-1]}{name}" for name in names]

    def kill(self) -> None:
        """End the node as a power cut would."""
        if self._node is not None:
            _kill(self._node)
        self.stop()

    def _password(self) -> str:
        return _kept_password(self.folder)

    def _write_cookie(self) -> None:
        """A fresh one for each start: who has it is the node's master, and one that Erlang made can be guessed."""
        (self.folder / ".erlang.cookie").unlink(missing_ok=True)
        _write_new(self.folder / ".erlang.cookie", secrets.token_hex(32))

    def _write_configuration(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        conf = self.folder / "rabbitmq.conf"
        conf.touch(mode=0o600)
        conf.write_text(
            f"listeners.tcp.1 = {self.address}:{self.port}\n"
            f"default_user = nkk\ndefault_pass = {self._password()}\n"
            "log.file.level = warning\n"
        )
        (self.folder / "plugins").write_text("[].\n")

    def _environment(self) -> dict[str, str]:
        # The node's name decides where its data is: it must not depend on the port.
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"nkk-{name}@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            # The script becomes the node, which is then the process that is watched and ended: the script's own code is
            # 0 however the node ends.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # The node, and each command that speaks to it, would listen for other nodes on every address.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK_ONLY,
            "RABBITMQ_CTL_ERL_ARGS": LOOPBACK_ONLY,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }


def docker_engine() -> Any | None:
    """A client of the Docker engine on this machine, or None where none answers."""
    # Read here, and in what follows: no other command than `run` is to wait for it.
    import docker

    try:
        engine = docker.from_env(timeout=5)
        engine.ping()
    except Exception:  # noqa: BLE001
        # No socket, no permission, no answer: all mean that there is no engine for us.
        return None
    return engine


@contextmanager
def container(engine: Any, folder: Path, echo: Echo) -> Iterator[Broker]:
    """A RabbitMQ in a container, its data in a volume of its own; removed on leaving."""
    from docker.errors import NotFound

    name = "nkk-" + hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:8]
    password = _kept_password(folder)
    echo(f"starting {IMAGE} in a container")
    # The folder is ours alone: a container of this name was left by a run that was killed, and must not share the data.
    with suppress(NotFound):
        engine.containers.get(name).remove(force=True)
    started = engine.containers.run(
        IMAGE,
        detach=True,
        auto_remove=True,
        name=name,
        hostname=name,
        user="rabbitmq",
        command=["sh", "-c", WITH_COOKIE],
        environment={
            "RABBITMQ_DEFAULT_USER": "nkk",
            "RABBITMQ_DEFAULT_PASS": password,
            "ERLANG_COOKIE": secrets.token_hex(32),
        },
        ports={"5672/tcp": (LOOPBACK, None)},
        volumes={name: {"bind": "/var/lib/rabbitmq", "mode": "rw"}},
    )
    try:
        started.reload()
        port = started.ports["5672/tcp"][0]["HostPort"]
        # The volume may hold the user of an earlier run: give it the password of this folder once the node is up.
        deadline = time.monotonic() + START_SECONDS
        while started.exec_run(["rabbitmqctl", "change_password", "nkk", password]).exit_code:
            if time.monotonic() > deadline:
                raise NoBrokerError(f"RabbitMQ did not start in its container {started.name}")
            time.sleep(0.5)
        uri = f"amqp://nkk:{password}@{LOOPBACK}:{port}//"
        _wait_until_ready(uri, lambda: True)
        yield Broker(uri, _Watch(started))
    finally:
        # It takes itself away where it ends.
        with suppress(NotFound):
            started.stop(timeout=STOP_SECONDS)


class _Watch:
    """Looks at a container every few seconds."""

    def __init__(self, started: Any) -> None:
        self._started = started
        self._next = 0.0

    def __call__(self) -> None:
        from docker.errors import NotFound

        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        try:
            self._started.reload()
        except NotFound:
            raise NoBrokerError(
                f"RabbitMQ's container {self._started.name} has ended, and everything ends with it; start it all again."
            ) from None


def _install(echo: Echo) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrokerError(
            "A RabbitMQ is needed. Either set AMQP_URI to one that runs, or start a Docker engine, or install the "
            "package (on Debian and Ubuntu: sudo apt-get install rabbitmq-server)."
        )
    echo("installing Debian's rabbitmq-server (once)")
    install_packages("rabbitmq-server")
    if not SERVER.exists():
        raise NoBrokerError(f"The package brought no {SERVER}. Set AMQP_URI to a RabbitMQ that runs.")


def install_packages(*names: str) -> None:
    """Install Debian packages without starting the system services they bring. Raises NoBrokerError."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
            done = subprocess.run(
                ["apt-get", "-qq", *command],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode:
                sys.stderr.buffer.write(done.stdout)
                raise NoBrokerError(f"apt-get {' '.join(command)} failed; its words stand above")
    finally:
        if ours:
            policy.unlink()


def _kept_password(folder: Path) -> str:
    """The password of the broker in `folder`. It stays: stages seal with theirs what waits in a queue to be retried."""
    if not (folder / "password").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_new(folder / "password", secrets.token_hex(16))
    return (folder / "password").read_text()


def _write_new(path: Path, content: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The server runs below a script, in the session that began with it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _must_be_recent(version: str) -> None:
    """Quorum queues have known a time to live and dead letters at least once since 3.10."""
    if [int(part) for part in version.split(".")[:2] if part.isdigit()] < [3, 10]:
        raise NoBrokerError(f"RabbitMQ 3.10 or newer is needed; this is {version or 'something else'}.")


def _wait_until_ready(uri: str, alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with Connection(uri, connect_timeout=2) as connection:
                connection.connect()
                _must_be_recent(connection.connection.server_properties.get("version", ""))
                return
        except NoBrokerError:
            raise
        except Exception as error:
            if time.monotonic() > deadline or not alive():
                raise NoBrokerError(f"The broker does not answer: {type(error).__name__}") from error
            time.sleep(0.2)
