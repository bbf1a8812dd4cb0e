"""The programs in examples/tools, against a broker that speaks TLS: what happens, and the past before it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode, install_packages
from ops.tools import remove
from tests.certificates import Authority
from tests.installations import eventually
from tests.tools import FakeStage, add_tools

EXAMPLES = Path(__file__).parents[2] / "examples" / "tools"
PROGRAMS = ["with_nkk_client.py", "with_kombu.py", "with_amqplib.mjs"]


NAMES = map("example-{}".format, count())


@pytest.fixture(scope="module")
def authority(own_authority: Authority) -> Authority:
    return own_authority


@pytest.fixture(scope="module")
def node(own_node: PrivateNode) -> PrivateNode:
    """A broker with a listener whose certificate the authority has signed."""
    return own_node


@pytest.fixture
def environment(node: PrivateNode, authority: Authority) -> dict[str, str]:
    return settings(node, authority)


def settings(node: PrivateNode, authority: Authority) -> dict[str, str]:
    """Return the settings of a new tool, which has received nothing, on another machine."""
    parts = urlsplit(add_tools(node, node.uri, "triage", next(NAMES))[0])
    at = parts.netloc.replace(f":{node.port}", f":{node._tls.port}")
    # The virtual host is "/", which is percent-encoded in the URI's form that all clients understand.
    uri = parts._replace(scheme="amqps", netloc=at, path="/%2F").geturl()
    return {"NKK_TOOL_URI": uri, "NKK_TOOL_CA": str(authority.file)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, with the packages that theirs need."""
    if not shutil.which("npm"):
        install_packages("nodejs", "npm")
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        timeout=120,
    )
    return folder


@contextmanager
def running(program: Path, *arguments: str, **environment: str) -> Iterator[tuple[list[str], subprocess.Popen[str]]]:
    """Run an example until leaving; yield the lines that it has printed so far, and the process."""
    command = ["node" if program.suffix == ".mjs" else sys.executable, str(program), *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | environment
    )
    printed: list[str] = []
    reading = Thread(target=lambda: printed.extend(iter(process.stdout.readline, "")))
    reading.start()
    try:
        yield printed, process
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
def test_an_example_prints_what_happens(node, folder, environment, program):
    stage = FakeStage(node.uri)
    told = [stage.tell("ticket") for _ in range(3)]
    with running(folder / program, "triage", **environment) as (printed, _):
        eventually(lambda: ids(printed, told))
        told.append(stage.tell("ticket"))
        eventually(lambda: ids(printed, told))
    assert ids(printed, told) == told


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_prints_the_past_before_it(node, folder, environment, program):
    stage = FakeStage(node.uri)
    told = [stage.tell("ticket", live=False) for _ in range(120)] + [stage.tell("ticket") for _ in range(3)]
    with stage.answering(), running(folder / program, "triage", "first", **environment) as (printed, _):
        eventually(lambda: ids(printed, told))
        told.append(stage.tell("ticket"))
        eventually(lambda: ids(printed, told))
    assert ids(printed, told) == told


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_ends_with_an_error_when_its_tool_is_removed(node, folder, environment, program):
    told = [FakeStage(node.uri).tell("ticket")]
    with running(folder / program, "triage", **environment) as (printed, process):
        eventually(lambda: ids(printed, told))
        remove(BrokerApi(node.api, node.uri), environment["NKK_TOOL_URI"].split("tool.")[1].split(":")[0])
        assert process.wait(30)


@pytest.mark.long
def test_the_examples_go_on_after_the_broker_restarts(node, folder, authority):
    stage = FakeStage(node.uri, slice=2)
    told = [stage.tell("ticket", live=False) for _ in range(40)]
    with stage.answering(), ExitStack() as stack:
        examples = [
            stack.enter_context(running(folder / program, "triage", "first", **settings(node, authority)))[0]
            for program in PROGRAMS
        ]
        # The first restart is amid past events; the second, when they have all arrived.
        for before in (told[:1], told):
            for printed in examples:
                eventually(lambda printed=printed, before=before: ids(printed, before))
            node.stop()
            node.start()
            told.append(stage.tell("ticket"))
        for printed in examples:
            eventually(lambda printed=printed: set(told) <= set(ids(printed, told)))
            # What was not acknowledged before a restart may come again.
            assert list(dict.fromkeys(ids(printed, told))) == told
