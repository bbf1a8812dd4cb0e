"""Closings that the other stages were not told of, by a version before: they are published once more, under their ids.

That version published them for tooling alone, and so its rows are not `mandatory`: no queue had to be there.
"""

from typing import Any

from nkk.messaging.host import sleep, timer

REPUBLISH_SECONDS = 600
"""So long after the start: until then instances of the version before, which know no such event, may serve as well."""

BATCH = 100


class RepublishesClosings:
    """The part of notification that has the other stages prune what was closed before they heard of closings."""

    uow: Any

    @timer(interval=REPUBLISH_SECONDS)
    def republish_closings(self) -> None:
        """Publish what the other stages were not told of; a batch is one transaction."""
        while self._republish_batch() == BATCH:
            sleep(0)

    def _republish_batch(self) -> int:
        with self.uow.begin() as work:
            closings = work.republish_closings(BATCH)
            for ticket, closed_at in closings:
                work.close(ticket, closed_at)
        return len(closings)
