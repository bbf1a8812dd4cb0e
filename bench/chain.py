"""A bare Nameko chain: an RPC, then two event hops with Nameko's own dispatcher and handlers, without a database.

This is what a team would write with Nameko alone. It publishes persistent events and waits for the confirm of each,
which are Nameko's defaults. An event whose handler fails is lost, and a redelivered event takes effect twice.
"""

import time
from typing import Any, ClassVar

from nameko.events import EventDispatcher, event_handler
from nameko.rpc import rpc


class First:
    """The service that is called, and publishes the first event."""

    name = "bench_first"
    dispatch = EventDispatcher()

    @rpc
    def answer(self, payload: dict[str, Any]) -> str:
        """Return a field of the payload: the call alone, without an event."""
        return payload["ticket"]

    @rpc
    def tell(self, payload: dict[str, Any]) -> str:
        """Publish the first event, and return a field of the payload."""
        self.dispatch("told", payload)
        return payload["ticket"]


class Second:
    """The service that consumes the first event, and publishes the second."""

    name = "bench_second"
    dispatch = EventDispatcher()

    @event_handler("bench_first", "told")
    def on_told(self, payload: dict[str, Any]) -> None:
        """End the first hop, and begin the second."""
        self.dispatch("told_on", payload)


class Third:
    """The service that consumes the second event, and counts the events."""

    name = "bench_third"
    heard: ClassVar[dict[str, float]] = {"count": 0, "last": 0.0}

    @event_handler("bench_second", "told_on")
    def on_told_on(self, payload: dict[str, Any]) -> None:
        """End the second hop: count the event, and store its time."""
        self.heard["count"] += 1
        self.heard["last"] = time.time()

    @rpc
    def so_far(self) -> dict[str, float]:
        """Return the number of events consumed, and the time of the last one."""
        return self.heard
