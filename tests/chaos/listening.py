"""Tools that listen while faults strike: they die at events, and one asks for the past in the middle."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Literal

from nkk.client import subscribe
from ops import tools
from ops.broker_api import BrokerApi
from tests.chaos.accountant.tools import Received

DIES_AT_MOST_AFTER = 60
"""The number of events after which a tool has died at one, before it acknowledged it."""

PATIENCE_SECONDS = 60.0


class Listener:
    """A program with a tool's credential that listens to what the tool receives, and dies and begins again.

    With `asks_after`, in seconds, it begins only then, asks for all past events, dies once, and asks again.
    """

    def __init__(self, tool: tools.Tool, uri: str, seed: int, asks_after: float | None = None) -> None:
        self.tool = tool
        self._uri = uri
        self._chance = Random(f"{tool.name} {seed}")
        self._asks_after = asks_after
        self._stopping = threading.Event()
        self._ids: list[str] = []
        self._troubles: list[str] = []
        self._thread = threading.Thread(target=self._listen, name=tool.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> Received:
        """Stop listening, and return what it received."""
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)
        return self.received()

    def received(self) -> Received:
        """Return what it received until now."""
        return Received(self.tool.name, self.tool.stage, self.tool.opd, list(self._ids), list(self._troubles))

    def _listen(self) -> None:
        if self._asks_after is not None:
            self._stopping.wait(self._asks_after)
        try:
            dies = True
            while not self._stopping.is_set():
                self._live(dies)
                dies = self._asks_after is None
        except Exception as error:  # noqa: BLE001
            self._troubles.append(f"it ended: {type(error).__name__}: {error}")

    def _live(self, dies: bool) -> None:
        left = self._chance.randint(1, DIES_AT_MOST_AFTER)
        since: Literal["first"] | None = None if self._asks_after is None else "first"
        for event in subscribe(self.tool.stage, uri=self._uri, until=self._stopping.is_set, since=since):
            self._ids.append(event["id"])
            left -= 1
            if dies and left <= 0:
                return


@contextmanager
def listening(api: BrokerApi, uri: str, seed: int, opd: str, seconds: float) -> Iterator[list[Listener]]:
    """Listen as three tools of triage, through the broker at `uri`, while faults strike for `seconds`."""
    found = []
    for tool, asks_after in (
        (tools.Tool("listens", "triage"), None),
        (tools.Tool("listens-for-opd", "triage", opd), None),
        (tools.Tool("asks", "triage"), seconds / 2),
    ):
        line = tools.connection_line(uri, tool, tools.add(api, tool))
        found.append(Listener(tool, line, seed, asks_after))
    for listener in found:
        listener.start()
    try:
        yield found
    finally:
        for listener in found:
            listener.stop()
