"""A stack's port is reserved once it is chosen; a private broker reports how it ended and listens on loopback."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from nkk.settings import SettingsError
from ops.stack.broker import PrivateNode
from ops.stack.ports import free_port, listening_socket
from ops.stack.ready import NoBrokerError
from ops.stack.run import Stack
from tests.installations import eventually


def test_a_port_that_is_held_is_given_to_nobody_else():
    port = free_port()
    with listening_socket(port) as first, listening_socket(port) as second:
        assert first.getsockname()[1] == port
        assert second.getsockname()[1] != port
        assert free_port(port) != port


def test_a_port_for_a_server_that_starts_slowly_is_none_that_a_connection_may_get_in_the_meantime():
    first, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(1024 < free_port() < first for _ in range(50))


@pytest.mark.long
def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    node = PrivateNode(tmp_path)
    with listening_socket() as taken:
        node.port = taken.getsockname()[1]
        with pytest.raises(NoBrokerError, match=f"did not start(?s:.*)server.log(?s:.*){node.port}"):
            node.start()


def test_who_comes_back_and_finds_their_port_taken_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack whose port is taken when it returns says so, because letters name the port.

    A setting is invalid, so that nothing more is started.
    """
    monkeypatch.setenv("NKK_RPC_TIMEOUT", "x")
    said: list[str] = []
    with listening_socket() as somebodys:
        port = somebodys.getsockname()[1]
        (tmp_path / "port").write_text(str(port))
        with pytest.raises(SettingsError), Stack(tmp_path, said.append).up():
            pass
    another = (tmp_path / "port").read_text()
    assert said == [
        f"port {port} is in use by another program: the site is now at http://127.0.0.1:{another}; "
        "letters sent before contain the old address"
    ]
    with pytest.raises(SettingsError), Stack(tmp_path, said.append).up():
        pass
    assert len(said) == 1


@pytest.mark.long
def test_of_a_node_that_was_killed_it_is_said_that_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with PrivateNode(tmp_path) as node:
        monkeypatch.setattr(node, "launch", lambda: None)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        eventually(lambda: node.look_after(said.append) or said)
    assert said == [f"RabbitMQ ended (killed by SIGKILL), starts again; see {tmp_path}/server.log"]


LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
"""The addresses 127.0.0.1 and ::1, in the kernel's notation."""


MINUTELY = "[begin rabbit_nodes_common:ensure_epmd(), timer:sleep(300) end || _ <- lists:seq(1, 6)]."
"""What a node does once a minute: it starts a process that starts its port mapper if there is none."""


def strangers(folder: Path) -> set[str]:
    """Return the ids of the processes that are none of the node in `folder`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"HOME={folder}\0".encode() not in (process / "environ").read_bytes():
                found.add(process.name)
    return found


def listening(folder: Path, but: set[str]) -> dict[str, set[str]]:
    """Return the addresses on which processes of the node in `folder` listen, by command line.

    Those with an id in `but` are not looked at, because to look at all processes of a whole run takes long.
    """
    by_inode = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A":
                by_inode[f"socket:[{rest[5]}]"] = local.partition(":")[0]
    found: dict[str, set[str]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        if process.name in but:
            continue
        with suppress(OSError):
            if f"HOME={folder}\0".encode() in (process / "environ").read_bytes():
                held = {os.readlink(descriptor) for descriptor in (process / "fd").iterdir()}
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                found.setdefault(command, set()).update(by_inode[each] for each in held & set(by_inode))
    return {command: addresses for command, addresses in found.items() if addresses}


def test_a_node_of_our_own_and_what_speaks_to_it_listen_on_loopback_alone(managed_rabbit: PrivateNode) -> None:
    before = strangers(managed_rabbit.folder)
    asked = threading.Thread(target=managed_rabbit.ctl, args=("eval", MINUTELY))
    asked.start()
    everybody: dict[str, set[str]] = {}
    while asked.is_alive():
        everybody |= listening(managed_rabbit.folder, before)
        asked.join(0.1)
    # These are the node itself, its port mapper, and the command while it ran.
    assert len(everybody) >= 3
    assert set().union(*everybody.values()) <= LOOPBACK, everybody
