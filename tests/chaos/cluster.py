"""A RabbitMQ cluster of three on this machine, with a real network between its nodes.

Each node has a network namespace of its own on a private bridge, so that partitions are real: packets between two nodes
are lost silently while clients still reach both. Loopback cannot lose packets in that way, and a changed cookie or a
disconnected node gives an error, which a partition never does.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.stack.broker import PrivateNode, install_packages
from tests.chaos.nodes import tell

NAMES = ("node-1", "node-2", "node-3")
PORT = 5672
EPMD_PORT = 4369
NOBODY = "02:00:00:00:00:99"
"""A hardware address that no interface has."""

TICK_SECONDS = 5
"""A node is considered down after this much silence and a quarter more (net_ticktime)."""


def cannot() -> str | None:
    """Return why this machine cannot have such a network; None where it can."""
    name = f"nkk-{secrets.token_hex(3)}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces are not permitted: {error}"
    return None


class Network:
    """A bridge with a network namespace for each of `names`, removed on exit."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._mark = secrets.token_hex(2)
        self._subnet = f"10.{100 + secrets.randbelow(100)}.{secrets.randbelow(250)}"
        self.addresses = {name: f"{self._subnet}.{number}" for number, name in enumerate(names, 1)}
        self._bridge = f"nkk{self._mark}"

    def namespace(self, name: str) -> str:
        """Return the namespace of `name`."""
        return f"nkk-{self._mark}-{name}"

    def __enter__(self) -> "Network":
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{self._subnet}.254/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for number, name in enumerate(self.addresses):
            self._add(name, f"nkk{self._mark}v{number}")
        return self

    def __exit__(self, *_: object) -> None:
        for name in self.addresses:
            _ip("netns", "delete", self.namespace(name))
            for file in self._etc(name).iterdir():
                file.unlink()
            self._etc(name).rmdir()
        _ip("link", "delete", self._bridge)

    def lose(self, name: str) -> None:
        """Lose all packets between `name` and the others from now on."""
        for other in self._others(name):
            self._inside(
                name, "neigh", "replace", self.addresses[other], "lladdr", NOBODY, "dev", "eth0", "nud", "permanent"
            )
            self._inside(
                other, "neigh", "replace", self.addresses[name], "lladdr", NOBODY, "dev", "eth0", "nud", "permanent"
            )

    def find(self, name: str) -> None:
        """Stop losing packets."""
        for other in self._others(name):
            self._inside(name, "neigh", "delete", self.addresses[other], "dev", "eth0")
            self._inside(other, "neigh", "delete", self.addresses[name], "dev", "eth0")

    def _add(self, name: str, link: str) -> None:
        space = self.namespace(name)
        # `ip netns exec` overlays these files on /etc: the nodes know each other by name.
        etc = self._etc(name)
        etc.mkdir(parents=True)
        known = "".join(f"{address} {other}\n" for other, address in self.addresses.items())
        (etc / "hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n{known}")
        _ip("netns", "add", space)
        _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", link, "master", self._bridge, "up")
        self._inside(name, "link", "set", "lo", "up")
        self._inside(name, "address", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        self._inside(name, "link", "set", "eth0", "up")

    def _etc(self, name: str) -> Path:
        return Path("/etc/netns") / self.namespace(name)

    def _inside(self, name: str, *arguments: str) -> None:
        _ip("-netns", self.namespace(name), *arguments)

    def _others(self, name: str) -> list[str]:
        return [other for other in self.addresses if other != name]


class Member(PrivateNode):
    """One node of the cluster, in its own namespace."""

    def __init__(self, folder: Path, name: str, network: Network, secret: Mapping[str, str]) -> None:
        super().__init__(folder, management=name == NAMES[0])
        self.name, self.address, self.port = name, network.addresses[name], PORT
        self._epmd_port = EPMD_PORT
        self._peers = tuple(network.addresses)
        self._within = ["ip", "netns", "exec", network.namespace(name)]
        folder.mkdir(parents=True)
        for file, content in secret.items():
            (folder / file).write_text(content)
            (folder / file).chmod(0o400)

    def _command(self, *command: str) -> list[str]:
        return [*self._within, *command]

    def _write_cookie(self) -> None:
        """Do nothing: all nodes have the same cookie and keep it."""

    def _write_configuration(self) -> None:
        super()._write_configuration()
        lines = [
            "cluster_formation.peer_discovery_backend = classic_config",
            *(
                f"cluster_formation.classic_config.nodes.{number} = rabbit@{peer}"
                for number, peer in enumerate(self._peers, 1)
            ),
            "cluster_formation.randomized_startup_delay_range.min = 0",
            "cluster_formation.randomized_startup_delay_range.max = 1",
            "cluster_partition_handling = pause_minority",
            f"net_ticktime = {TICK_SECONDS}",
        ]
        with (self.folder / "rabbitmq.conf").open("a") as conf:
            conf.write("\n".join(lines) + "\n")

    def _environment(self) -> dict[str, str]:
        environment = super()._environment() | {
            "RABBITMQ_NODENAME": f"rabbit@{self.name}",
            "RABBITMQ_DIST_PORT": "25672",
            "ERL_AFLAGS": "",
        }
        del environment["ERL_EPMD_ADDRESS"]
        return environment


class Cluster:
    """Three nodes with quorum queues on all of them, where a minority pauses itself."""

    def __init__(self, folder: Path) -> None:
        self.network = Network(NAMES)
        secret = {".erlang.cookie": secrets.token_hex(16), "password": secrets.token_hex(16)}
        self.nodes = {name: Member(folder / name, name, self.network, secret) for name in NAMES}

    def __enter__(self) -> "Cluster":
        self.network.__enter__()
        try:
            # The first node forms the cluster, and the others join it.
            first, *others = self.nodes.values()
            first.start()
            for node in others:
                node.launch()
            for node in others:
                node.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes.values():
            node.kill()
        self.network.__exit__()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The addresses of the nodes for clients."""
        return [(node.address, node.port) for node in self.nodes.values()]

    def partition(self, name: str) -> None:
        """Cut one node off from the two others. Clients still reach it."""
        self.network.lose(name)

    def heal(self, name: str) -> None:
        """Reconnect the node to the others."""
        self.network.find(name)

    def mend(self) -> list[str]:
        """Restart the nodes that are partitioned from the others, as an operator would, and return their names.

        A node that slept, such as a virtual machine on its way to another host, may not have noticed the others'
        absence and so not pause, although they noticed its own. It stays partitioned until it is restarted, and reports
        that (`partitions`).
        """
        misses = {name: self._misses(name) for name in NAMES}
        apart = [name for name in NAMES if misses[name] and misses[name] == max(misses.values())][:1]
        for name in apart:
            self.nodes[name].stop()
            self.nodes[name].start()
        return apart

    def _misses(self, name: str) -> int:
        """Return the number of nodes that `name` is partitioned from; 0 where it pauses or is down."""
        try:
            return tell(self.nodes[name], "rabbit_node_monitor:partitions().").count("rabbit@")
        except (AssertionError, subprocess.TimeoutExpired):
            return 0

    def running(self, asked: str = NAMES[0]) -> list[str]:
        """Return the nodes that run, as reported by one of them."""
        said = tell(self.nodes[asked], "rabbit_nodes:all_running().")
        return [name for name in NAMES if f"rabbit@{name}" in said]


def _ip(*arguments: str) -> Any:
    if shutil.which("ip") is None:
        install_packages("iproute2")
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
