"""The gateway's own processes end: who talks to one that is left behind is told to connect anew, and loses nothing."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx
import pytest

from nkk.stack.broker import PrivateNode
from tests.installations import Installation, eventually, installation, new_vhost

PROMPT_SECONDS = 15.0
"""Well under the time in which an orphan would be left to itself (graceful_timeout)."""


@pytest.fixture
def running(tmp_path: Path, rabbit: PrivateNode) -> Iterator[Installation]:
    with installation(tmp_path, new_vhost(rabbit)) as found:
        yield found


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


@pytest.mark.parametrize("beginning", [
    b"P", b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"])
def test_whoever_begins_requests_and_does_not_end_them_holds_up_nobody_for_long(running: Installation, beginning: bytes
                                                                               ) -> None:
    threads = int(running.stack.settings.get("NKK_GATEWAY_THREADS", 16))

    def answers() -> bool:
        return httpx.get(f"{running.url}/healthz", timeout=1).status_code == 200

    with ExitStack() as held:
        for _ in range(threads):
            stalling = held.enter_context(socket.create_connection(("127.0.0.1", running.stack.port)))
            stalling.sendall(beginning)
        with pytest.raises(httpx.TimeoutException):
            answers()
        eventually(lambda: _or_not_yet(answers))


def _or_not_yet(ask) -> bool:
    try:
        return ask()
    except httpx.TransportError as error:
        raise AssertionError(repr(error)) from error
