"""A bare Nameko chain: an RPC, then two event hops with Nameko's own dispatcher and handlers, no database.

What a team would write with Nameko alone. It publishes persistent events and waits for the confirm of each, which are
Nameko's defaults; an event whose handler fails is gone, and one that comes twice has its effect twice.
"""

import time
from typing import Any, ClassVar

from nameko.events import EventDispatcher, event_handler
from nameko.rpc import rpc


class First:
    """Is called, and tells."""

    name = "bench_first"
    dispatch = EventDispatcher()

    @rpc
    def answer(self, payload: dict[str, Any]) -> str:
        """The call alone."""
        return payload["ticket"]

    @rpc
    def tell(self, payload: dict[str, Any]) -> str:
        """The call, and the first event."""
        self.dispatch("told", payload)
        return payload["ticket"]


class Second:
    """Hears, and tells on."""

    name = "bench_second"
    dispatch = EventDispatcher()

    @event_handler("bench_first", "told")
    def on_told(self, payload: dict[str, Any]) -> None:
        """The first hop ends, the second begins."""
        self.dispatch("told_on", payload)


class Third:
    """Hears, and remembers how often and when last."""

    name = "bench_third"
    heard: ClassVar[dict[str, float]] = {"count": 0, "last": 0.0}

    @event_handler("bench_second", "told_on")
    def on_told_on(self, payload: dict[str, Any]) -> None:
        """The second hop ends."""
        self.heard["count"] += 1
        self.heard["last"] = time.time()

    @rpc
    def so_far(self) -> dict[str, float]:
        """What was heard."""
        return self.heard
