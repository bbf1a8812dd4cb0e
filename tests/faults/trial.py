"""What the tests of bad days share: an installation with accidents, who uses it, and how it is looked at."""

import json
import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from kombu import Connection

from nkk.contracts import STAGES, read_envelope
from nkk.messaging.publisher import Message, publisher
from ops.stack import quarantine
from ops.stack.run import Stack
from tests.builders import complaint_form
from tests.chaos.accountant import Books
from tests.forks import run_nkk
from tests.installations import (
    SETTINGS,
    Installation,
    QuickStack,
    as_moved,
    eventually,
    installation,
    running_processes,
)
from tests.people import People, Person

CALL_SECONDS = 3
"""The gateway's time limit for one call to a stage (NKK_RPC_TIMEOUT of the installation)."""

PATIENCE = CALL_SECONDS + 17.0
"""Seconds within which a caller is answered, whatever is away: that limit, and a margin for a loaded machine."""

BREATH = 0.05
"""Seconds between two complaints of a crowd, which would else take all of the processor for as long as it is there."""

SERVICES = {stage: f"tests.faults.stages:Accidental{stage.title().replace('_', '')}" for stage in STAGES}


@dataclass
class Trial:
    """An installation that accidents can be asked of, its people and its books."""

    installation: Installation
    people: People
    books: Books
    accidents: Path

    def ask_for(self, accident: str) -> None:
        """Have `accident` happen (see stages.py)."""
        (self.accidents / accident).touch()

    def call_off(self, accident: str) -> None:
        """Have it happen no longer."""
        (self.accidents / accident).unlink()

    def happened(self, accident: str) -> None:
        """Wait until somebody died of `accident` and is there again: a start may take longer than a call waits."""
        eventually(lambda: not (self.accidents / accident).exists())
        self.installation.wait_until_ready()

    def settled(self, *accepted: str) -> None:
        """Wait until the books balance."""
        eventually(lambda: self.books.check(accepted) is None)

    def pids(self) -> dict[str, int]:
        """Everything that runs."""
        return running_processes(self.installation)

    def depth(self, queue: str) -> int:
        """How many messages wait in `queue`."""
        return self._look_at(queue).message_count

    def consumers(self, queue: str) -> int:
        """How many instances consume `queue`."""
        return self._look_at(queue).consumer_count

    def put(self, queue: str, body: str | bytes, **properties: Any) -> None:
        """Put a message into the inbox `queue` alone, as one that its owner told."""
        with publisher(self.installation.uri) as channel:
            assert channel.publish([inboxed(self.installation.uri, queue, body, **properties)])

    def quarantined(self, stage: str) -> list[quarantine.Item]:
        """What `stage` could not handle."""
        found = quarantine.items(self.installation.uri, stage)
        # What was looked at goes back a moment later.
        eventually(lambda: self.depth(f"{stage}.quarantine") >= len(found))
        return found

    def tidy(self) -> None:
        """Call off every accident and empty triage's quarantine."""
        for accident in self.accidents.iterdir():
            accident.unlink()
        self.quarantined("triage")
        with Connection(self.installation.uri) as connection:
            connection.default_channel.queue_purge("triage.quarantine")

    def nkk(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What the command line says."""
        _, *after = nkk_command(self.installation, *arguments)
        return run_nkk(*after, environment=nkk_environment())

    def _look_at(self, queue: str) -> Any:
        with Connection(self.installation.uri) as connection:
            return connection.default_channel.queue_declare(queue, passive=True)

    def logged(self, name: str, event: str, **ids: Any) -> list[dict[str, Any]]:
        """The log lines `event` of the process `name` that have these `ids`."""
        named = json.dumps(event)
        log = self.installation.log(name)
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{") and named in line]
        return [
            line
            for line in lines
            if line.get("event") == event and all(line.get(key) == value for key, value in ids.items())
        ]


@contextmanager
def trial(
    folder: Path,
    uri: str,
    databases: Mapping[str, str] | None = None,
    scale: Mapping[str, int] | None = None,
    settings: Mapping[str, str] | None = None,
    stack_cls: type[Stack] = QuickStack,
) -> Iterator[Trial]:
    """A ready Trial in `folder` on the broker at `uri`."""
    accidents = folder / "accidents"
    accidents.mkdir()
    own = {"NKK_TEST_ACCIDENTS": str(accidents), "NKK_RPC_TIMEOUT": str(CALL_SECONDS)}
    with installation(
        folder / "var", uri, databases, own | dict(settings or {}), scale, SERVICES, stack_cls
    ) as running:
        people, books = People(running), Books({stage: running.stack.database_url(stage) for stage in STAGES})
        try:
            yield Trial(running, people, books, accidents)
        finally:
            people.close()


def inboxed(uri: str, queue: str, body: str | bytes, **properties: Any) -> Message:
    """A message as the stage itself moves it into its inbox `queue`, after it had come from its owner."""
    return as_moved(
        uri, Message(**{"id": str(uuid.uuid4()), "exchange": "", "routing_key": queue, "body": body} | properties)
    )


def nkk_command(running: Installation, *arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("nkk")), "--var", str(running.stack.var), *arguments]


def nkk_environment() -> dict[str, str]:
    return os.environ | {"NKK_RETRY_DELAYS": SETTINGS["NKK_RETRY_DELAYS"]}


def answered(person: Person, method: str, path: str, *args: Any, **kwargs: Any) -> httpx.Response:
    """The answer to a request, which must come in time."""
    began = monotonic()
    response = person.ask(method, path, *args, **kwargs)
    took = monotonic() - began
    assert took < PATIENCE, f"{method} {path} took {took:.1f} s"
    return response


def assert_unavailable(response: httpx.Response) -> None:
    """A 503 that says so in a way a program and a person can read."""
    assert response.status_code == 503, response.text
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "urn:nkk:problem:unavailable"


@contextmanager
def recording(uri: str) -> Iterator[list[dict[str, Any]]]:
    """Every event told meanwhile, in the broker's order; filled on leaving."""
    told: list[dict[str, Any]] = []
    with Connection(uri) as connection:
        channel = connection.default_channel
        queue = channel.queue_declare("", exclusive=True).queue
        for stage in STAGES:
            channel.queue_bind(queue, f"{stage}.events", "#")
        yield told
        while message := channel.basic_get(queue, no_ack=True):
            told.append(read_envelope(message.body))


class Crowd:
    """Somebody who submits complaints one after another, and an operator who hands each over, from a thread.

    A 503 is taken at its word: the same request again, until it is answered. `answers` counts the statuses by request.
    """

    def __init__(self, people: People) -> None:
        self._reporter = people.reporter()
        self._operator = people.operator
        self.tickets: list[str] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self.slowest = 0.0
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crowd")

    def __enter__(self) -> "Crowd":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def goes_on(self, further: int = 5) -> None:
        """Wait until so many `further` complaints are accepted and handed over."""
        goal = len(self.tickets) + further
        eventually(lambda: len(self.tickets) >= goal)

    def is_refused(self) -> None:
        """Wait until it is answered 503."""
        before = self._refusals()
        eventually(lambda: self._refusals() > before)

    def was_served(self) -> bool:
        """Return whether each answer came in time and was that of a service that works, or is away."""
        expected = {("submit", 201), ("hand over", 200), ("hand over", 409)}
        return set(self.answers) <= expected | {("submit", 503), ("hand over", 503)} and self.slowest < PATIENCE

    def _refusals(self) -> int:
        return sum(count for (_, status), count in list(self.answers.items()) if status == 503)

    def _run(self) -> None:
        while not self._leaving.is_set():
            headers = {"Idempotency-Key": uuid.uuid4().hex}
            receipt = self._insist("submit", self._reporter, "/complaints", complaint_form(), headers=headers)
            ticket = receipt.json()["ticket"]
            self._insist("hand over", self._operator, f"/complaints/{ticket}/handover")
            self.tickets.append(ticket)
            self._leaving.wait(BREATH)

    def _insist(self, name: str, person: Person, path: str, *args: Any, **kwargs: Any) -> httpx.Response:
        while True:
            began = monotonic()
            response = person.ask("POST", path, *args, **kwargs)
            self.slowest = max(self.slowest, monotonic() - began)
            self.answers[name, response.status_code] += 1
            if response.status_code != 503:
                return response
            self._leaving.wait(0.1)
