"""Republishing of closings that an earlier version published before the other stages consumed them, under their ids.

That version published closings for tooling only. Its outbox rows are recognised by not being `mandatory`.
"""

from typing import Any

from nkk.messaging.host import sleep, timer

REPUBLISH_SECONDS = 600
"""How long after the start closings are republished: until then, instances that do not consume them may still run."""

BATCH = 100


class RepublishesClosings:
    """The part of notification by which the other stages can prune complaints closed before they consumed closings."""

    uow: Any

    @timer(interval=REPUBLISH_SECONDS)
    def republish_closings(self) -> None:
        """Republish the closings that the other stages did not consume, a transaction for each batch."""
        while self._republish_batch() == BATCH:
            sleep(0)

    def _republish_batch(self) -> int:
        with self.uow.begin() as work:
            closings = work.republish_closings(BATCH)
            for ticket, closed_at in closings:
                work.close(ticket, closed_at)
        return len(closings)
