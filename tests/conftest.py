"""Fixtures and hooks of all tests."""

import gc
import importlib
import os
import shutil
import ssl
import sys
import warnings
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import httpx._transports.default as httpx_transports
import pytest
import structlog
from hypothesis import is_hypothesis_test

from ops.stack.broker import SERVER, PrivateNode, install_packages
from ops.stack.postgres import PrivatePostgres
from tests.compiled import share_compiled_templates
from tests.effort import LONG
from tests.programs import have

TESTS = Path(__file__).parent
VARIANTS = {"language", "scripts", "plain", "window", "width"}
"""The parameters in which a page's variants differ: its language, whether scripts run, and the screen."""
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
IN_MEMORY = (
    os.access(MEMORY, os.W_OK)
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    and shutil.disk_usage(MEMORY).free > ROOM
)

# Compiled modules are kept even where the environment forbids it; hundreds of processes would compile them again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# eventlet warns once per process, at its first import. Importing it here keeps the suite clean under `-W error` on the
# command line too, which overrides the filters of pyproject.toml.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("eventlet")

# Brokers and databases wait for the disk at each commit, which proves nothing here.
if IN_MEMORY:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

_configure = structlog.configure


def _configure_without_caching(**settings: Any) -> None:
    _configure(**settings | {"cache_logger_on_first_use": False})


# A command that a test runs in this process sets up logging. Loggers that are cached from then on would keep that for
# the tests that follow, and could not be captured by them.
structlog.configure = _configure_without_caching

_create_ssl_context = httpx.create_ssl_context


@cache
def _public_authorities() -> ssl.SSLContext:
    return _create_ssl_context()


def _kept_ssl_context(**asked: Any) -> ssl.SSLContext:
    is_usual = (
        asked["verify"] is True and not asked["cert"] and not os.environ.keys() & {"SSL_CERT_FILE", "SSL_CERT_DIR"}
    )
    return _public_authorities() if is_usual else _create_ssl_context(**asked)


# Each client of httpx reads the certificates of all public authorities, which takes longer than most requests of tests,
# though nearly all of these go without TLS.
httpx_transports.create_ssl_context = _kept_ssl_context  # type: ignore[attr-defined]

share_compiled_templates()


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    """Yield a private RabbitMQ; each test uses a virtual host. Debian's package is installed where it is missing."""
    if not SERVER.exists():
        install_packages("rabbitmq-server")
    with PrivateNode(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node
        node.kill()  # Nobody waits for a broker that nobody needs any more.


@pytest.fixture(scope="session")
def managed_rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    """Yield a private RabbitMQ with the management API, by which tools get their users."""
    if not SERVER.exists():
        install_packages("rabbitmq-server")
    with PrivateNode(tmp_path_factory.mktemp("managed"), management=True) as node:
        yield node
        node.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """Yield a private PostgreSQL server; each test uses its own databases.

    It runs without fsync and autovacuum, because test data need not survive and the databases are small.
    """
    with PrivatePostgres(MEMORY if IN_MEMORY else None, fsync="off", autovacuum="off") as server:
        yield server


@pytest.fixture(scope="session")
def media_tools() -> None:
    """Have Debian's ffmpeg, exiftool and poppler, which make files and read what comes out of ours."""
    have(ffmpeg="ffmpeg", exiftool="libimage-exiftool-perl", pdftotext="poppler-utils")


@pytest.fixture(scope="session")
def curl() -> None:
    """Have Debian's curl, with which the documents' commands are run."""
    have(curl="curl")


@pytest.fixture(scope="session")
def clamd() -> str:
    """Return the path of Debian's clamd."""
    if not shutil.which("clamd"):
        install_packages("clamav-daemon")
    return shutil.which("clamd") or ""


# First, because pytest-xdist reads the marks in this same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests of one running installation in one process, and leave long tests to `make proof`."""
    for item in left_to_proof(items):
        item.add_marker(pytest.mark.long)
    items[:] = [item for item in items if LONG or not item.get_closest_marker("long")]
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)) or item.get_closest_marker("long"):
            item.add_marker(pytest.mark.proof)
        if lane := _lane(item):
            item.add_marker(pytest.mark.xdist_group(lane))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without looking for garbage, and never look at them and their modules afterwards.

    All that is made here stays. To look at it again and again took longer than to make it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def left_to_proof(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the tests of a browser that differ from another only in what VARIANTS names.

    One of each test stays in `make test`, not always the first, so that every variant is tried by many of them.
    """
    tests: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        if item.path.parent.name == "browser" and hasattr(item, "callspec"):
            others = {name: value for name, value in item.callspec.params.items() if name not in VARIANTS}
            tests.setdefault((item.nodeid.partition("[")[0], repr(others)), []).append(item)
    for (name, _), variants in tests.items():
        kept = crc32(name.encode()) % len(variants)
        yield from variants[:kept] + variants[kept + 1 :]


def _lane(item: pytest.Item) -> str | None:
    room, *_ = parts = item.path.relative_to(TESTS).parts
    if room in ("unit", "contract"):
        # Tests of the same document share its bytes.
        return "documents" if "documents" in parts else None
    if room in ("browser", "chaos", "faults", "hostile"):
        return room
    if "own_node" in getattr(item, "fixturenames", ()):
        return f"{room} own node"
    shared = getattr(item, "callspec", None) and item.callspec.params.get("whole")
    return f"{room} {shared}" if shared else item.path.stem
