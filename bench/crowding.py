"""Latency of the worklists while two hundred slow connections are open, in turn with the latency without them.

The connections come from ten addresses. A third sends nothing, a third sends a head and a third a body, one byte every
five seconds. A connection that the gateway closes is opened again at once. The worklists are requested in turn over one
connection.
"""

import asyncio
import gc
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
    """One slow connection."""

    def __init__(self, port: int, number: int) -> None:
        self._port, self._source = port, SOURCES[number % len(SOURCES)]
        self._beginning = BEGINNINGS[number % len(BEGINNINGS)]
        # Spread the connections' bytes over time.
        self._next = time.monotonic() + BYTE_SECONDS * number / COUNT
        self._connect()

    def look(self) -> bool:
        """Send the next byte if it is due. Return False where the closed connection had to be reopened."""
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
        """Close the connection."""
        self._line.close()

    def _connect(self) -> None:
        self._line = socket.create_connection((HOST, self._port), timeout=20, source_address=(self._source, 0))
        self._line.sendall(self._beginning)
        self._line.setblocking(False)


@contextmanager
def crowd(port: int, count: int = COUNT) -> Iterator[list[int]]:
    """Keep `count` slow connections to `port` open from a thread. Yield a list with the number of reopened ones."""
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
    """Return p50_ms and p99_ms of the worklists `with` and `without` the slow connections, the `ratio` of the p99, and
    how often the gateway closed a slow connection."""
    site = place.site()
    accepting.ours(site, place.size(100, 10))
    took: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    hung_up_on = 0
    for turn in range(place.size(4, 1)):
        took[WITHOUT] += asyncio.run(asked(site, place.size(250, 5)))
        with crowd(site.stack.port) as again:
            took[WITH] += asyncio.run(asked(site, place.size(250, 5)))
        hung_up_on += again[0]
        say(f"crowd: turn {turn + 1}")
    found = {name: percentiles(seconds) for name, seconds in took.items()}
    return (
        {"count": COUNT, "addresses": len(SOURCES), "hung_up_on": hung_up_on, "asked": len(took[WITH])}
        | found
        | {"ratio": ratio(found)}
    )


def ratio(found: Mapping[str, Mapping[str, float]]) -> float:
    """Return the ratio of the 99th percentile with the slow connections to that without them."""
    return found[WITH]["p99_ms"] / found[WITHOUT]["p99_ms"]


async def asked(site: Site, count: int) -> list[float]:
    """Request worklists one after the other, and return how long each took."""
    # Looking through all objects of this process for garbage would take longer than a worklist.
    gc.freeze()
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
