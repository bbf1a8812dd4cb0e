"""How a stage consumes events: the `handles` entrypoint.

An event is acknowledged when its handler returns. When the handler raises, the event is retried: it waits in a retry
queue and returns to the inbox, with growing delay, its attempts counted in a header. An event goes to the stage's
quarantine, with the reason, when its attempts are used up, it cannot be parsed, it did not come from its owner
(nkk.messaging.origin), or it is dated in the future. No event is lost, and none blocks the others. While the stage's
database is unavailable, no attempt is counted and events wait in the inbox.
"""

import traceback
import uuid
from functools import partial
from typing import Any

from nkk.clock import utc_now
from nkk.log import begin_context, get_logger
from nkk.messaging import pulse, topology
from nkk.messaging.batches import BATCH_SIZE, Delivery, Gathering
from nkk.messaging.draining import DrainingConsumer
from nkk.messaging.host import ContainerBeingKilled, Entrypoint, ProviderCollector, SharedExtension, config, sleep
from nkk.messaging.origin import ForgedError, Origins, check_origin
from nkk.messaging.plain import take_as_they_are
from nkk.messaging.publisher import BROKER_ERRORS, Message, publisher
from nkk.messaging.topology import ATTEMPT, FAILED_AT, REASON
from nkk.sop.clock import write_instant
from nkk.store.database import is_away
from nkk.store.work import AlreadyHandledError

PAUSE_SECONDS = 2
LONGEST_PAUSE_SECONDS = 8

log = get_logger()


class FutureError(Exception):
    """An event is dated in the future."""


class UnknownTypeError(Exception):
    """No handler of this instance takes events of this type."""


_KINDS: dict[type[Exception], str] = {ForgedError: "forged", FutureError: "from the future"}


class EventConsumer(SharedExtension, ProviderCollector):
    """The consumer of the stage's inbox queue, which gives each event to the handler of its type."""

    def setup(self) -> None:
        take_as_they_are()
        self.service = self.container.service_name
        self.uri = config["AMQP_URI"]
        self._origins = Origins(self.service, self.uri)
        self.consumer: DrainingConsumer | None = None
        self._gathering = Gathering(self.container, self._settle_batch)

    def start(self) -> None:
        events = [provider.event_cls for provider in self._providers]
        self.consumer = DrainingConsumer(
            self.uri,
            queues=[topology.inbox_queue(self.service, events)],
            declare=tuple(topology.waiting_queues(self.service)),
            on_raw=self._receive,
            heartbeat=config.get("HEARTBEAT", 15),
            # One batch more than the one that is being handled.
            prefetch_count=max(self.container.max_workers, 2 * BATCH_SIZE),
        )
        pulse.expect(self.consumer.loop)
        self.container.spawn_managed_thread(self.consumer.run, identifier="events")
        self.consumer.wait_until_consumer_ready()

    def stop(self) -> None:
        if self.consumer is not None:
            self.consumer.stop()

    def _receive(self, message: Any) -> None:
        handler = self._handler_of(message)
        if handler is None and message.properties.get("type"):
            # A newer version of this stage, being deployed right now, may have a handler for this type.
            unknown = UnknownTypeError()
            self.container.spawn_managed_thread(partial(self._retry, message, unknown), identifier="unknown event")
            return
        try:
            event = self._read(handler, message)
        except Exception as error:  # noqa: BLE001
            # The message itself is invalid: a retry would fail again.
            kind = _KINDS.get(type(error), "unreadable")
            reason = f"{kind}: {str(error) or type(error).__name__}"
            self.container.spawn_managed_thread(partial(self._quarantine, message, reason), identifier="quarantine")
            return
        if handler.batched and not message.delivery_info["redelivered"] and not _attempt(message):
            self._gathering.add(Delivery(handler.method_name, event, message))
        else:
            self._spawn_work(handler, event, message)

    def _read(self, handler: "Handles | None", message: Any) -> Any:
        if handler is None:
            raise UnknownTypeError("no handler for this type")
        event = handler.event_cls.read(message.body)
        tellers = handler.event_cls.tellers(vars(event.data))
        check_origin(event.type, tellers, self._origins.of(message), event.source)
        now = utc_now()
        if event.is_from_the_future(now):
            raise FutureError(f"{event.type}; the clock here says {write_instant(now)}")
        return event

    def _handler_of(self, message: Any) -> Any:
        type_ = message.properties.get("type")
        return next((provider for provider in self._providers if type_ == provider.event_cls.TYPE), None)

    def _spawn_work(self, handler: "Handles", event: Any, message: Any) -> None:
        self.container.spawn_managed_thread(partial(self._work, handler, event, message), identifier="event")

    def _settle_batch(self, batch: list[Delivery], known: list[Delivery], error: Exception | None) -> None:
        if error is None:
            for delivery in batch:
                delivery.begin_context(self.service)
                log.info(
                    "event already handled" if delivery in known else "event handled",
                    type=delivery.event.type,
                    batch=len(batch),
                )
            self.consumer.ack_messages([delivery.message for delivery in batch])  # type: ignore[union-attr]
            return
        log.warning("batch rolled back, each event is handled alone", count=len(batch), error=type(error).__name__)
        for delivery in batch:
            self._spawn_work(self._handler_of(delivery.message), delivery.event, delivery.message)

    def _work(self, handler: "Handles", event: Any, message: Any) -> None:
        try:
            self.container.spawn_worker(
                handler,
                (event,),
                {},
                context_data={"correlation_id": event.correlation_id, "event_id": event.id},
                handle_result=partial(self._settle, message),
            )
        except ContainerBeingKilled:
            self.consumer.requeue_message(message)  # type: ignore[union-attr]

    def _settle(self, message: Any, _context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        error = exc_info[1] if exc_info else None
        if error is None:
            log.info("event handled", type=message.properties.get("type"))
            self.consumer.ack_message(message)  # type: ignore[union-attr]
        elif isinstance(error, AlreadyHandledError):
            log.info("event already handled", type=message.properties.get("type"))
            self.consumer.ack_message(message)  # type: ignore[union-attr]
        elif is_away(error):
            # Not the event's fault, so not counted as an attempt: it stays at the head of the inbox.
            log.warning("database unavailable, event will be requeued", error=type(error).__name__)
            self.container.spawn_managed_thread(partial(self._give_back, message), identifier="waiting event")
        else:
            self._retry(message, error)
        return result, None

    def _give_back(self, message: Any) -> None:
        """Requeue the message, after a pause that grows with its deliveries."""
        deliveries = (message.headers or {}).get("x-delivery-count", 0)
        sleep(min(2 ** (deliveries - 1), LONGEST_PAUSE_SECONDS))
        self.consumer.requeue_message(message)  # type: ignore[union-attr]

    def _retry(self, message: Any, error: Exception) -> None:
        attempt = _attempt(message) + 1
        delays = topology.retry_delays()
        reason = _reason(error)
        if attempt > len(delays):
            self._quarantine(message, f"gave up after {attempt} attempts: {reason}")
            return
        log.warning("event failed, will be retried", attempt=attempt, delay_ms=delays[attempt - 1], exc_info=error)
        queue = topology.retry_queue(self.service, delays[attempt - 1]).name
        self._move(message, queue, {ATTEMPT: attempt, REASON: reason})

    def _quarantine(self, message: Any, reason: str) -> None:
        log.error("event quarantined", reason=reason, event_id=message.properties.get("message_id"))
        self._move(
            message,
            topology.quarantine_name(self.service),
            {ATTEMPT: _attempt(message), REASON: reason, FAILED_AT: utc_now().isoformat()},
        )

    def _move(self, message: Any, queue: str, headers: dict[str, Any]) -> None:
        """Publish a copy to `queue`, and acknowledge the message once confirmed; requeue it where that fails."""
        headers |= self._origins.headers(message)
        try:
            with publisher(self.uri) as channel:
                moved = channel.publish([_copy(message, topology.moves(self.service).name, queue, headers)])
        except BROKER_ERRORS:
            moved = set()
        except Exception:
            log.exception("moving an event failed")
            moved = set()
        if moved:
            self.consumer.ack_message(message)  # type: ignore[union-attr]
        else:
            sleep(PAUSE_SECONDS)
            self.consumer.requeue_message(message)  # type: ignore[union-attr]


class Handles(Entrypoint):
    """The entrypoint `@handles(EventClass)`: calls the method with each parsed event of that type, at least once.

    `EventClass` is one of the contracts (nkk.contracts.events). With `batched=True`, waiting events are handled as a
    batch in one transaction (nkk.messaging.batches).
    """

    consumer = EventConsumer()

    def __init__(self, event_cls: Any, batched: bool = False, **kwargs: Any) -> None:
        self.event_cls = event_cls
        self.batched = batched
        super().__init__(**kwargs)

    def setup(self) -> None:
        if self.container.service_name not in self.event_cls.CONSUMERS:
            raise TypeError(f"{self.event_cls.TYPE} does not name {self.container.service_name} as a consumer")
        self.consumer.register_provider(self)

    def stop(self) -> None:
        self.consumer.stop()


handles = Handles.decorator


def begin_worker_context(service: str, context: dict[str, Any], call: str) -> None:
    """Set the ids that a worker's log lines carry: never those of a ticket or a reporter."""
    begin_context(
        service=service, call=call, correlation_id=context.get("correlation_id"), event_id=context.get("event_id")
    )


def _attempt(message: Any) -> int:
    """Return the number of attempts in the header; 0 where the header is missing or invalid."""
    attempt = (message.headers or {}).get(ATTEMPT, 0)
    return max(attempt, 0) if isinstance(attempt, int) else 0


def _copy(message: Any, exchange: str, queue: str, headers: dict[str, Any]) -> Message:
    body = message.body
    return Message(
        id=message.properties.get("message_id") or str(uuid.uuid4()),
        exchange=exchange,
        routing_key=queue,
        body=body if isinstance(body, (str, bytes)) else bytes(body),
        type=message.properties.get("type") or "",
        content_type=message.content_type or "application/octet-stream",
        correlation_id=message.properties.get("correlation_id"),
        headers=headers,
    )


def _reason(error: Exception) -> str:
    """Return the error's class and place; its message may hold a person's words."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 2)[-1]}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
