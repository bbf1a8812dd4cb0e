"""The programs in examples/tools, against a broker that speaks TLS: what happens, and the past before it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from ops.stack.broker import PrivateNode, install_packages
from ops.stack.ports import LOOPBACK, free_port
from tests.certificates import own_certificate
from tests.installations import eventually
from tests.tools import FakeStage, declare, permit

EXAMPLES = Path(__file__).parents[2] / "examples" / "tools"
PROGRAMS = ["with_nkk_client.py", "with_kombu.py", "with_amqplib.mjs"]


class TlsNode(PrivateNode):
    """A node that speaks TLS at another port."""

    tls_port = 0

    def _write_configuration(self) -> None:
        super()._write_configuration()
        self.tls_port = self.tls_port or free_port()
        self.certificate, key = own_certificate(self.folder)
        with (self.folder / "rabbitmq.conf").open("a") as conf:
            conf.write(
                f"listeners.ssl.1 = {self.address}:{self.tls_port}\n"
                f"ssl_options.certfile = {self.certificate}\n"
                f"ssl_options.keyfile = {key}\n"
                "ssl_options.verify = verify_none\n"
            )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsNode]:
    """A broker that speaks TLS."""
    with TlsNode(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def names(node: TlsNode) -> Iterator[str]:
    """The names of tools whose users exist."""
    names = [f"example-{number}" for number in range(2 * len(PROGRAMS))]
    permit(node, "triage", {node.uri: names})
    return iter(names)


@pytest.fixture
def credential(node: TlsNode, names: Iterator[str]) -> str:
    """The credential of a tool that has received nothing, by TLS."""
    parts = urlsplit(declare(node.uri, "triage", next(names))[0])
    at = parts.netloc.replace(f"{LOOPBACK}:{node.port}", f"{LOOPBACK}:{node.tls_port}")
    # The virtual host is "/", which the URI's form has percent-encoded.
    return parts._replace(scheme="amqps", netloc=at, path="/%2F").geturl()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, with the packages that theirs need."""
    if not shutil.which("npm"):
        install_packages("nodejs", "npm")
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=120)
    return folder


@contextmanager
def running(program: Path, *arguments: str, **environment: str) -> Iterator[list[str]]:
    """Run an example until leaving, and yield the lines that it has printed so far."""
    command = ["node" if program.suffix == ".mjs" else sys.executable, str(program), *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | environment
    )
    printed: list[str] = []
    reading = Thread(target=lambda: printed.extend(iter(process.stdout.readline, "")))
    reading.start()
    try:
        yield printed
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stdout.close()


def ids(printed: list[str], told: list[str]) -> list[str]:
    """Return the ids of events in what an example printed; an AssertionError shows the rest, where it has failed."""
    found = [line.split()[0] for line in printed if "response.returned.v1" in line]
    assert len(found) >= len(told), "".join(printed)
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_prints_what_happens(node, folder, credential, program):
    stage = FakeStage(node.uri)
    told = [stage.tell("ticket") for _ in range(3)]
    with running(folder / program, "triage", NKK_TOOL_URI=credential, NKK_TOOL_CA=str(node.certificate)) as printed:
        eventually(lambda: ids(printed, told))
        told.append(stage.tell("ticket"))
        eventually(lambda: ids(printed, told))
    assert ids(printed, told) == told


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_prints_the_past_before_it(node, folder, credential, program):
    stage = FakeStage(node.uri)
    told = [stage.tell("ticket", live=False) for _ in range(120)] + [stage.tell("ticket") for _ in range(3)]
    environment = {"NKK_TOOL_URI": credential, "NKK_TOOL_CA": str(node.certificate)}
    with stage.answering(), running(folder / program, "triage", "first", **environment) as printed:
        eventually(lambda: ids(printed, told))
        told.append(stage.tell("ticket"))
        eventually(lambda: ids(printed, told))
    assert ids(printed, told) == told
