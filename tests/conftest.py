"""For every test."""

import importlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test

from ops.stack.broker import SERVER, PrivateNode, install_packages
from ops.stack.postgres import PrivatePostgres
from tests.effort import LONG

TESTS = Path(__file__).parent
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30

# Compiled modules are kept, also where the environment forbids it: hundreds of processes would compile them all again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# eventlet warns once a process, at its first import. Importing it here keeps the suite clean under `-W error` on the
# command line too, which outranks the filters of pyproject.toml.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("eventlet")


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    """A RabbitMQ of the tests' own; each test takes a virtual host. Installs Debian's package where there is none."""
    if not SERVER.exists():
        install_packages("rabbitmq-server")
    with PrivateNode(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL server of the tests' own; each test takes databases. No power fails here, and its hundreds of small
    databases need no housekeeping."""
    with PrivatePostgres(_memory(), fsync="off", autovacuum="off") as server:
        yield server


def _memory() -> Path | None:
    """A folder in memory that has room for databases, where there is one."""
    return MEMORY if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM else None


# First: whoever deals the tests out reads the marks in this same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the work: what uses one running installation goes to one of them, whole. What takes
    long is left to `make proof`."""
    items[:] = [item for item in items if LONG or not item.get_closest_marker("long")]
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.proof)
        if lane := _lane(item):
            item.add_marker(pytest.mark.xdist_group(lane))


ONE_LANE = dict.fromkeys(("test_calls_and_subscriptions", "test_live"), "own node")
"""Files of tests/integration that share what takes long to start."""


def _lane(item: pytest.Item) -> str | None:
    room, *_ = parts = item.path.relative_to(TESTS).parts
    if room in ("unit", "contract"):
        return None
    if room in ("browser", "chaos", "hostile") or "faults" in parts:
        return parts[-2]
    shared = getattr(item, "callspec", None) and item.callspec.params.get("whole")
    return f"{room} {shared}" if shared else ONE_LANE.get(item.path.stem, item.path.stem)
