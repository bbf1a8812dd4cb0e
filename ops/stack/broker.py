"""Finding or starting a RabbitMQ broker.

In this order: the one named by AMQP_URI; one in a container, where a Docker engine answers; an installed
`rabbitmq-server`, as a private node under `var/` on a free port; Debian's package, installed where this process is
root; else an error that names the choices.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from nkk.settings import NKK_BROKER_API
from ops.stack.container import container, docker_engine
from ops.stack.ports import LOOPBACK, free_port
from ops.stack.ready import (
    STOP_SECONDS,
    Broker,
    Echo,
    NoBrokerError,
    kept_password,
    wait_until_ready,
    with_tls,
    write_new,
)
from ops.stack.supervisor import dying_with_us, how_it_ended
from ops.stack.tls import Listener

PACKAGES, POLICY = Path("/var/lib/dpkg"), Path("/usr/sbin/policy-rc.d")
"""Debian's folder of installed packages, and the file that says whether an installed service is started."""

LOCK_SECONDS = 600
"""How long an installation waits for one that others run, such as the machine's automatic upgrades."""

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"

START_AGAIN_SECONDS = 10.0


@contextmanager
def broker(folder: Path, echo: Echo, tls: Listener | None = None) -> Iterator[Broker]:
    """Yield a broker that answers, and stop it at the end where it was started here. Raises NoBrokerError.

    One that is started here also listens with `tls`, for tools on other machines.
    """
    uri = os.environ.get("AMQP_URI")
    if uri:
        wait_until_ready(uri, lambda: True)
        yield Broker(uri, os.environ.get(NKK_BROKER_API.name, ""))
        return
    engine = docker_engine()
    if engine is not None:
        with container(engine, folder, echo, tls) as found:
            yield found
        return
    if not SERVER.exists():
        _install(echo)
    echo("starting RabbitMQ as a node with its own data folder")
    with PrivateNode(folder, management=True, tls=tls) as node:
        yield Broker(node.uri, node.api, partial(node.look_after, echo))


class PrivateNode:
    """A private RabbitMQ node on a free loopback port, with its data, cookie and log in `folder`.

    Its data is kept between runs: queues and their messages survive. Port and password stay the same on a restart.
    With `management` it has the management API too, which takes it a second longer to start; with `tls` it also listens
    for tools on other machines.
    """

    address = LOOPBACK

    def __init__(self, folder: Path, management: bool = False, tls: Listener | None = None) -> None:
        self.folder = folder.absolute()
        self.port = 0
        self._has_management = management
        self._api_port = 0
        self._tls = tls
        self._epmd_port = 0
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._start_again_at = 0.0

    @property
    def uri(self) -> str:
        return f"amqp://nkk:{self._password()}@{self.address}:{self.port}//"

    @property
    def api(self) -> str:
        """The address of the management API, or nothing where it has none."""
        return f"http://nkk:{self._password()}@{self.address}:{self._api_port}" if self._has_management else ""

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
        """Start the node without waiting for it."""
        # The ports are chosen at the first start and kept, so that clients can reconnect after a restart.
        self.port = self.port or free_port()
        self._epmd_port = self._epmd_port or free_port()
        self._api_port = self._api_port or free_port()
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
            # Without a running port mapper, the node would start one as a daemon and leave it behind.
            epmd = self._command("epmd", "-port", str(self._epmd_port))
            self._epmd = subprocess.Popen(dying_with_us(epmd), **options)
            self._node = subprocess.Popen(dying_with_us(self._command(str(SERVER))), **options)

    def look_after(self, echo: Echo) -> None:
        """Restart the node where it has died, at most once in START_AGAIN_SECONDS."""
        if self._node is None or self._node.poll() is None or time.monotonic() < self._start_again_at:
            return
        echo(f"RabbitMQ ended ({how_it_ended(self._node.returncode)}), starts again; see {self.folder}/server.log")
        self._start_again_at = time.monotonic() + START_AGAIN_SECONDS
        self.stop()
        self.launch()

    def wait_until_ready(self) -> None:
        """Wait until the node answers. Raises NoBrokerError."""
        try:
            wait_until_ready(self.uri, lambda: self._node is not None and self._node.poll() is None)
        except NoBrokerError as error:
            self.stop()
            log = self.folder / "server.log"
            raise NoBrokerError(
                f"RabbitMQ did not start: {error}; see {log} and {self.folder}/log\n{_last_lines(log)}"
            ) from None

    def stop(self) -> None:
        """Shut the node down gracefully, then its port mapper."""
        for process in (self._node, self._epmd):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    _kill(process)

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` with `arguments`, and return its output."""
        command = self._command(str(SERVER.with_name("rabbitmqctl")), "--quiet", *arguments)
        done = subprocess.run(
            command, env=self._environment(), capture_output=True, text=True, check=True, cwd=self.folder
        )
        return done.stdout

    def _command(self, *command: str) -> list[str]:
        """Return `command`; a subclass can change it to run where the node is."""
        return list(command)

    def new_vhosts(self, *names: str) -> list[str]:
        """Create virtual hosts on this node, and return their AMQP URIs."""
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
        """Kill the node, to simulate a power failure."""
        if self._node is not None:
            _kill(self._node)
        self.stop()

    def _password(self) -> str:
        return kept_password(self.folder)

    def _write_cookie(self) -> None:
        """Write a new cookie for each start. It gives full control of the node, and one from Erlang can be guessed."""
        (self.folder / ".erlang.cookie").unlink(missing_ok=True)
        write_new(self.folder / ".erlang.cookie", secrets.token_hex(32))

    def _write_configuration(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        conf = self.folder / "rabbitmq.conf"
        conf.touch(mode=0o600)
        conf.write_text(
            f"listeners.tcp.1 = {self.address}:{self.port}\n"
            f"default_user = nkk\ndefault_pass = {self._password()}\n"
            "log.file.level = warning\n"
        )
        with conf.open("a") as file:
            if self._has_management:
                file.write(f"management.tcp.ip = {self.address}\nmanagement.tcp.port = {self._api_port}\n")
            if self._tls:
                # The node's own user may not log in from another machine.
                file.write("loopback_users.nkk = true\n")
                file.write(with_tls(f"{self._tls.address}:{self._tls.port}", self._tls.certificate, self._tls.key))
        (self.folder / "plugins").write_text("[rabbitmq_management].\n" if self._has_management else "[].\n")

    def _environment(self) -> dict[str, str]:
        # The path of the node's data contains its name, which therefore must not depend on the port.
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
            # With this the script execs the node, so that the process watched here is the node itself. Otherwise it is
            # the script, which returns 0 however the node ends.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # Otherwise the node, each rabbitmqctl, and a process that the node starts once a minute would listen for
            # other nodes on all addresses.
            "ERL_AFLAGS": LOOPBACK_ONLY,
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }


def _install(echo: Echo) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrokerError(
            "A RabbitMQ is needed. Either set AMQP_URI to one that runs, or start a Docker engine, or install the "
            "package (on Debian and Ubuntu: sudo apt-get install rabbitmq-server)."
        )
    echo("installing Debian's rabbitmq-server (once)")
    install_packages("rabbitmq-server")
    if not SERVER.exists():
        raise NoBrokerError(f"The package did not install {SERVER}. Set AMQP_URI to a RabbitMQ that runs.")


def install_packages(*names: str) -> None:
    """Install Debian packages without starting their system services, one process at a time. Raises NoBrokerError."""
    with _packages_locked(), _no_services():
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *names)


@contextmanager
def _packages_locked() -> Iterator[None]:
    """Wait until no other process installs packages by this module: apt-get fails while another one runs."""
    folder = os.open(PACKAGES, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def _no_services() -> Iterator[None]:
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()


def _apt(*command: str) -> None:
    done = subprocess.run(
        ["apt-get", "-qq", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}", *command],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        raise NoBrokerError(f"apt-get {' '.join(command)} failed; its output is above")


def _last_lines(log: Path, number: int = 15) -> str:
    """Return the last lines of `log` that are not empty."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([line for line in lines if line.strip()][-number:])


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The server may be a child of its start script, in the same process group.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
