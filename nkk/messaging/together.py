"""Events that wait are handled together: one transaction, one acknowledgement for as many as have come.

For handlers that do nothing but write to the stage's database and say so (`@handles(Event, together=True)`): each is
given its part of one transaction. Where any fails, nothing is kept, and each event is handled alone, as one that
was delivered or tried before is from the start: what fails, or kills the process, does so to itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from nkk.log import begin_context
from nkk.messaging.host import ContainerBeingKilled
from nkk.store.work import AlreadyHandledError

TOGETHER = 32
"""At most so many events in one transaction."""


@dataclass(frozen=True, eq=False)
class Delivery:
    """An event, its handler's name, and the message it came in."""

    call: str
    event: Any
    message: Any

    def begin_context(self, service: str) -> None:
        """Give the log lines of a worker its ids."""
        begin_context(service=service, call=self.call, correlation_id=self.event.correlation_id, event_id=self.event.id)


class Gathering:
    """Hands over what has come, one batch after another in the order it came; to Nameko, the entrypoint that does so.

    `settle(batch, known, error)` is called with each batch when it is done: `error` None where it is committed, `known`
    what `hear_together` gave back.
    """

    method_name = "hear_together"
    expected_exceptions = ()
    sensitive_arguments = ()

    def __init__(self, container: Any, settle: Callable[[list[Delivery], Any, Any], None]) -> None:
        self._container = container
        self._settle = settle
        self._waiting: deque[Delivery] = deque()
        self._under_way = False

    def add(self, delivery: Delivery) -> None:
        """Have it handled with the next batch: at once where none is under way."""
        self._waiting.append(delivery)
        if not self._under_way:
            self._under_way = True
            self._container.spawn_managed_thread(self._begin, identifier="events")

    def _begin(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        try:
            self._container.spawn_worker(self, (batch,), {}, context_data={}, handle_result=partial(self._end, batch))
        except ContainerBeingKilled:
            # The connection goes with the process, and the broker delivers them again.
            return

    def _end(self, batch: list[Delivery], _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        self._settle(batch, result, exc_info[1] if exc_info else None)
        self._under_way = bool(self._waiting)
        if self._under_way:
            self._container.spawn_managed_thread(self._begin, identifier="events")
        return result, None


class HearsTogether:
    """What a stage's class is given to be heard together."""

    name: str
    uow: Any

    def hear_together(self, batch: list[Delivery]) -> list[Delivery]:
        """The effects of the events of `batch` in one transaction; those that had theirs before."""
        known = []
        with self.uow.together(delivery.event for delivery in batch) as self.uow:
            # By subject, so that two instances come to the same rows in the same order; each subject's as they came.
            for delivery in sorted(batch, key=lambda each: each.event.subject):
                delivery.begin_context(self.name)
                try:
                    getattr(self, delivery.call)(delivery.event)
                except AlreadyHandledError:
                    known.append(delivery)
        return known
