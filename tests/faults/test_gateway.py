"""The gateway's own processes end: who talks to one that is left behind is told to connect anew, and loses nothing."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx
import pytest

from ops.stack.broker import PrivateNode
from tests.faults.trial import CALL_SECONDS
from tests.installations import Installation, eventually, installation, new_vhost

PROMPT_SECONDS = 15.0
"""Well under the time in which an orphan would be left to itself (graceful_timeout)."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode) -> Iterator[Installation]:
    settings = {"NKK_RPC_TIMEOUT": str(CALL_SECONDS)}
    with installation(tmp_path_factory.mktemp("gateway"), new_vhost(rabbit), settings=settings) as found:
        yield found


@pytest.fixture
def running(shared: Installation) -> Installation:
    """An installation whose gateway works, whatever the test before did to it."""
    shared.wait_until_ready()
    return shared


def workers(master: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def test_a_worker_whose_master_was_killed_sends_its_callers_to_the_next_and_ends(running: Installation) -> None:
    gateway = running.stack.programs["gateway"]
    (orphan,) = workers(gateway.process.pid)
    began = monotonic()
    with httpx.Client(base_url=running.url, timeout=20) as caller:
        # One connection that is never silent: it would keep an orphan in its place for as long as that may take.
        assert caller.get("/healthz").status_code == 200
        os.kill(gateway.process.pid, signal.SIGKILL)
        while Path(f"/proc/{orphan}").exists():
            assert caller.get("/healthz").status_code == 200
            assert monotonic() - began < PROMPT_SECONDS, "the orphan goes on serving"
        assert caller.get("/healthz").status_code == 200
    eventually(lambda: gateway.running and orphan not in workers(gateway.process.pid))


POST = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

_FORM = b'{"username": "nobody-at-all", "password": "no password of theirs"}'
LOG_IN = POST + b"Content-Length: %d\r\n\r\n" % len(_FORM) + _FORM


@pytest.mark.parametrize(
    "beginning", [b"", b"P", POST + b"Content-Length: 9\r\n\r\n{", POST + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"]
)
def test_whoever_begins_requests_and_does_not_end_them_holds_up_nobody(running: Installation, beginning: bytes) -> None:
    """Twice as many as there are threads, and while they are there."""
    threads = int(running.stack.settings["NKK_GATEWAY_THREADS"])
    with ExitStack() as held:
        lines = [
            held.enter_context(socket.create_connection(("127.0.0.1", running.stack.port))) for _ in range(2 * threads)
        ]
        for line in lines:
            line.sendall(beginning)
        for _ in range(3):
            assert httpx.get(f"{running.url}/healthz", timeout=5).status_code == 200
        for line in lines:
            line.setblocking(False)
            with pytest.raises(BlockingIOError):
                line.recv(1)


def test_a_gateway_that_is_to_end_answers_what_it_was_asked_and_ends_silent_connections(running: Installation) -> None:
    gateway = running.stack.programs["gateway"]
    with (
        socket.create_connection(("127.0.0.1", running.stack.port), timeout=20) as silent,
        socket.create_connection(("127.0.0.1", running.stack.port), timeout=20) as asks,
    ):
        for line in (silent, asks):
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b'"alive"' in line.recv(65_536)
        running.freeze("intake-1")
        try:
            asks.sendall(LOG_IN)
            (worker,) = workers(gateway.process.pid)
            running.end("gateway")
            said = asks.recv(65_536)
            assert said.startswith(b"HTTP/1.1 503 ")
            assert b"Connection: close" in said
            assert silent.recv(1) == b""
            assert asks.recv(1) == b""
        finally:
            running.thaw("intake-1")
    eventually(lambda: not Path(f"/proc/{worker}").exists())
    running.wait_until_ready()


@pytest.mark.parametrize("written", ["1", "0.0.0.0/0", "proxy.example.org"])
def test_a_gateway_that_is_told_to_trust_what_is_no_network_does_not_start_and_says_what_to_write(written: str) -> None:
    command = [str(Path(sys.executable).with_name("gunicorn")), "--config", "gateway/gunicorn.py", "gateway:app()"]
    ended = subprocess.run(
        command,
        env=os.environ | {"NKK_TRUSTED_PROXIES": written, "NKK_BIND": "127.0.0.1:0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "NKK_TRUSTED_PROXIES" in ended.stderr
    assert "Write" in ended.stderr
