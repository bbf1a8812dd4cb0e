"""Handling of waiting events as a batch: one transaction and one acknowledgement for all that have arrived.

For handlers that only write to the stage's database and say so (`@handles(Event, batched=True)`). Where any handler
fails, the transaction is rolled back and each event is handled alone. A redelivered or retried event is handled alone
from the start, so that a poison event only hurts itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from nkk.log import begin_context
from nkk.messaging.host import ContainerBeingKilled
from nkk.store.work import AlreadyHandledError

BATCH_SIZE = 32
"""The largest number of events in one batch."""


@dataclass(frozen=True, eq=False)
class Delivery:
    """An event, the name of its handler (`call`), and the message that carried it."""

    call: str
    event: Any
    message: Any

    def begin_context(self, service: str) -> None:
        """Set the ids that the handler's log lines carry."""
        begin_context(service=service, call=self.call, correlation_id=self.event.correlation_id, event_id=self.event.id)


class Gathering:
    """A queue of arriving events, handled batch by batch in order of arrival; an entrypoint to Nameko.

    `settle(batch, known, error)` is called after each batch: `error` is None where it is committed, `known` is the
    result of `consume_batch`.
    """

    method_name = "consume_batch"
    expected_exceptions = ()
    sensitive_arguments = ()

    def __init__(self, container: Any, settle: Callable[[list[Delivery], Any, Any], None]) -> None:
        self._container = container
        self._settle = settle
        self._waiting: deque[Delivery] = deque()
        self._under_way = False

    def add(self, delivery: Delivery) -> None:
        """Add `delivery` to the next batch, which starts at once where none is running."""
        self._waiting.append(delivery)
        if not self._under_way:
            self._under_way = True
            self._container.spawn_managed_thread(self._begin, identifier="events")

    def _begin(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting)))]
        try:
            self._container.spawn_worker(self, (batch,), {}, context_data={}, handle_result=partial(self._end, batch))
        except ContainerBeingKilled:
            # The process and its connection end, and the broker redelivers the events.
            return

    def _end(self, batch: list[Delivery], _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        self._settle(batch, result, exc_info[1] if exc_info else None)
        self._under_way = bool(self._waiting)
        if self._under_way:
            self._container.spawn_managed_thread(self._begin, identifier="events")
        return result, None


class ConsumesBatches:
    """Mixin of a stage's class that handles a batch of events."""

    name: str
    uow: Any

    def consume_batch(self, batch: list[Delivery]) -> list[Delivery]:
        """Handle the events of `batch` in one transaction and return the deliveries that were handled before."""
        known = []
        with self.uow.batch(delivery.event for delivery in batch) as self.uow:
            # Sorted by subject, so that two instances lock the same rows in the same order; stable within a subject.
            for delivery in sorted(batch, key=lambda each: each.event.subject):
                delivery.begin_context(self.name)
                try:
                    getattr(self, delivery.call)(delivery.event)
                except AlreadyHandledError:
                    known.append(delivery)
        return known
