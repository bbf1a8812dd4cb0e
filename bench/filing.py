"""Memory of the gateway's processes for an upload and a download, and worklists beside twenty uploads at once.

Files are texts of the greatest size, sent by tus in one PATCH each. A gateway that has no place sends the client away;
it comes again, and asks whether its file is checked, as often as the site's own page does (`upload.js`).

The memory is the highest that a worker's resident set reached, above what it was before; it includes the check of what
came.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from statistics import median
from typing import Any

import httpx

from bench import accepting, processes
from bench.crowding import WITH, WITHOUT, asked
from bench.figures import percentiles
from bench.site import FORM, Site
from bench.workplace import Workplace, say
from nkk.priority import give_way

MB = 1_000_000
AT_ONCE = PROCESSES = 20
ROUNDS = 3
TUS = {"Tus-Resumable": "1.0.0"}
WAITS_SECONDS = 300
RETRY_SECONDS = (0, 1, 2, 4, 8, 15)
"""The pauses before each try of an upload after one that brought nothing; the last one is repeated."""

LOOK_SECONDS = 0.7
"""The pause before each question whether an upload is checked."""

SLOW_SECONDS = 0.002
"""A pause of the reader of a download after each piece, so that it is not faster than the gateway can draw."""


def measure(place: Workplace) -> dict[str, Any]:
    """Return MB for one upload and download and beside twenty, and the worklists `with` and `without` those."""
    site = place.site()
    accepting.ours(site, place.size(100, 10))
    sender = Sender(site.stack.url, tuple(site.reporters), place.size(25, 2) * MB)
    attached = submitted(site, sender.uploaded(0))
    downloaded(site, attached)
    uploads, downloads = [], []
    for number in range(1, ROUNDS + 1):
        uploads.append(cost(site, partial(sender.uploaded, number)))
        downloads.append(cost(site, partial(downloaded, site, attached)))
        say(f"files: an upload {uploads[-1]:.1f} MB, a download {downloads[-1]:.1f} MB")
    took: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    together, seconds = [], []
    spawning = get_context("spawn")
    ready = spawning.Barrier(PROCESSES + 1)
    with spawning.Pool(PROCESSES, _give_way, (ready,)) as clients:
        ready.wait(WAITS_SECONDS)

        def beside() -> None:
            sent = clients.map_async(sender.uploaded, range(AT_ONCE), chunksize=1)
            while not sent.ready():
                took[WITH] += asyncio.run(asked(site, 5))
            sent.get()

        for turn in range(place.size(4, 1)):
            took[WITHOUT] += asyncio.run(asked(site, place.size(250, 5)))
            began = time.monotonic()
            together.append(cost(site, beside))
            seconds.append(time.monotonic() - began)
            say(f"files: turn {turn + 1}")
    found = {name: percentiles(each) for name, each in took.items()}
    return {
        "mb": sender.length / MB,
        "upload_mb": max(uploads),
        "download_mb": max(downloads),
        "at_once": AT_ONCE,
        "at_once_mb": max(together),
        "at_once_s": median(seconds),
        "asked": len(took[WITH]),
        "ratio": found[WITH]["p99_ms"] / found[WITHOUT]["p99_ms"],
        "usual_ratio": found[WITH]["p50_ms"] / found[WITHOUT]["p50_ms"],
    } | found


def _give_way(ready: Barrier) -> None:
    """Give way to everything else: these are other people's devices, which share no processor with the server.

    Wait at `ready` for the others, whose start would take the processors from what is measured.
    """
    os.setsid()
    give_way(19)
    ready.wait(WAITS_SECONDS)


def text(length: int) -> bytes:
    """Return a text of `length` bytes."""
    line = b"Loket pelayanan ditutup pukul 14.00 padahal antrean masih panjang.\n"
    return (line * (length // len(line) + 1))[:length]


def cost(site: Site, act: Any) -> float:
    """Return the most MB that a worker of the gateway held above what it held before `act`."""
    workers = site.pids()["gateway"][1:]
    before = {pid: processes.resident_mb(pid) for pid in workers}
    for pid in workers:
        processes.forget_peak(pid)
    act()
    return max(processes.peak_mb(pid) - before[pid] for pid in workers)


@dataclass(frozen=True)
class Sender:
    """Who sends files of `length` bytes to the installation at `url`, as the reporters with these tokens."""

    url: str
    tokens: tuple[str, ...]
    length: int

    def uploaded(self, number: int) -> str:
        """Upload a file as the reporter of this number, and return its id once it is ready."""
        plain = text(self.length)
        headers = TUS | {"Authorization": f"Bearer {self.tokens[number % len(self.tokens)]}"}
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=120, headers=headers) as http:
            begun = http.post("/uploads", headers={"Upload-Length": str(len(plain))})
            at = begun.raise_for_status().headers["Location"].removeprefix("/api/v1")
            until, tries, reached = time.monotonic() + WAITS_SECONDS, 0, 0
            while time.monotonic() < until:
                offset = int(http.head(at).raise_for_status().headers["Upload-Offset"])
                tries, reached = (tries if offset == reached else 0), offset
                if _sent(http, at, offset, plain) == 204:
                    break
                time.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
            while time.monotonic() < until:
                told = http.get(at).raise_for_status().json()
                if told["state"] == "ready":
                    return str(told["id"])
                time.sleep(LOOK_SECONDS)
        raise RuntimeError("an upload was not ready in time")


def _sent(http: httpx.Client, at: str, offset: int, plain: bytes) -> int:
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    headers["Content-Length"] = str(len(plain) - offset)
    try:
        return http.patch(at, headers=headers, content=_pieces(plain, offset)).status_code
    except httpx.TransportError:
        # It was sent away before it had sent everything.
        return 503


def _pieces(plain: bytes, offset: int) -> Iterator[bytes]:
    for start in range(offset, len(plain), 65_536):
        yield plain[start : start + 65_536]


def submitted(site: Site, id: str) -> str:
    """Submit a report with an upload of the first reporter, and return its ticket."""
    headers = {"Authorization": f"Bearer {site.reporters[0]}", "Content-Type": "application/json"}
    answer = httpx.post(
        f"{site.stack.url}/api/v1/complaints", headers=headers, content=json.dumps(FORM | {"files": [id]}), timeout=30
    )
    return str(answer.raise_for_status().json()["ticket"])


def downloaded(site: Site, ticket: str) -> int:
    """Read the file of a report, somewhat slowly, and return its length."""
    headers = {"Authorization": f"Bearer {site.reporters[0]}"}
    url = f"{site.stack.url}/api/v1/complaints/{ticket}/files/1"
    length = 0
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw(65_536):
            length += len(piece)
            time.sleep(SLOW_SECONDS)
    return length
