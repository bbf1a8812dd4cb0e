"""Desks' worklists while two hundred connections take all the time in the world, in turns with the same without them.

The connections come from ten addresses. A third says nothing, a third sends a head and a third a body, a byte every
five seconds; one that is hung up on comes again at once. Every worklist is asked for in turn, over one connection.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Any

from bench import accepting
from bench.figures import percentiles
from bench.growing import DESKS
from bench.line import HOST, Line
from bench.site import Site
from bench.workplace import Workplace, say

COUNT, BYTE_SECONDS, LOOKS_SECONDS = 200, 5.0, 0.1
SOURCES = [f"127.0.0.{number}" for number in range(2, 12)]
BEGINNINGS = (b"", b"G", b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
WITHOUT, WITH = "without", "with"


class Slow:
    """One connection that takes its time."""

    def __init__(self, port: int, number: int) -> None:
        self._port, self._source = port, SOURCES[number % len(SOURCES)]
        self._beginning = BEGINNINGS[number % len(BEGINNINGS)]
        # Not all in the same moment.
        self._next = time.monotonic() + BYTE_SECONDS * number / COUNT
        self._connect()

    def look(self) -> bool:
        """Send the next byte where it is due; False where it had been hung up on, and came again."""
        try:
            if self._beginning and time.monotonic() >= self._next:
                self._next += BYTE_SECONDS
                self._line.send(b"x")
            if self._line.recv(4_096):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        self.close()
        self._connect()
        return False

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _connect(self) -> None:
        self._line = socket.create_connection((HOST, self._port), timeout=20, source_address=(self._source, 0))
        self._line.sendall(self._beginning)
        self._line.setblocking(False)


@contextmanager
def crowd(port: int, count: int = COUNT) -> Iterator[list[int]]:
    """`count` of them at `port`, kept up by a thread; how often one came again, as the only item."""
    slow, ends, again = [Slow(port, number) for number in range(count)], threading.Event(), [0]

    def keep_up() -> None:
        while not ends.wait(LOOKS_SECONDS):
            with suppress(OSError):
                again[0] += sum(not each.look() for each in slow)

    thread = threading.Thread(target=keep_up, name="crowd")
    thread.start()
    try:
        yield again
    finally:
        ends.set()
        thread.join()
        for each in slow:
            each.close()


def measure(place: Workplace) -> dict[str, Any]:
    """p50_ms and p99_ms of the worklists `with` and `without` the crowd, `ratio` of the p99, and how often one of the
    crowd was hung up on."""
    site = place.site()
    accepting.ours(site, place.size(100, 10))
    took: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    hung_up_on = 0
    for turn in range(place.size(4, 1)):
        took[WITHOUT] += asyncio.run(_asked(site, place.size(250, 5)))
        with crowd(site.stack.port) as again:
            took[WITH] += asyncio.run(_asked(site, place.size(250, 5)))
        hung_up_on += again[0]
        say(f"crowd: turn {turn + 1}")
    found = {name: percentiles(seconds) for name, seconds in took.items()}
    return (
        {"count": COUNT, "addresses": len(SOURCES), "hung_up_on": hung_up_on, "asked": len(took[WITH])}
        | found
        | {"ratio": ratio(found)}
    )


def ratio(found: Mapping[str, Mapping[str, float]]) -> float:
    """The 99th percentile with the crowd to that without."""
    return found[WITH]["p99_ms"] / found[WITHOUT]["p99_ms"]


async def _asked(site: Site, count: int) -> list[float]:
    """How long each worklist took, one after the other."""
    line, took = Line(site.stack.port), []
    lists = cycle((f"/api/v1/desks/{desk}", role) for desk, (_, role) in DESKS.items())
    for _ in range(count):
        path, role = next(lists)
        began = time.perf_counter()
        answer = await line.ask("GET", path, {"Authorization": f"Bearer {site.tokens[role]}"})
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        took.append(time.perf_counter() - began)
    line.close()
    return took
