"""Exchanges and queues, all with fixed names and explicit types.

    <service>.events       topic exchange: what a service tells. Any AMQP client may bind a queue of its own.
    <service>.inbox        quorum queue: what a service hears, bound to the exchanges of others.
    <service>.calls        quorum queue: what a service is asked. A call in it expires with its caller's patience.
    <service>.retry.<ms>   quorum queues: an event whose handling failed waits here, then returns to the inbox.
    <service>.quarantine   quorum queue: an event that cannot be handled, with its reason in the headers.

The names of retry queues carry their delay: changing the delays makes new queues instead of a refused redeclaration.
"""

from collections.abc import Iterable
from typing import Any

from kombu import Exchange, Queue, binding

from nkk.exchanges import exchange_name, moves_name
from nkk.messaging.calls import EXCHANGE as CALLS
from nkk.settings import NKK_RETRY_DELAYS

QUORUM = {"x-queue-type": "quorum"}

DELIVERY_LIMIT = 5_000
"""Deliveries without an answer (the process died each time) after which the broker moves an event to quarantine.

Set explicitly, and high: RabbitMQ 4 would drop an event after 20, and when `nkk status` looks at the oldest one, that
counts as a delivery."""

NO_DELIVERY_LIMIT = 2**31 - 1
"""For a quarantine: each look into it is a delivery, and nothing there may ever be dropped by the broker."""

ATTEMPT = "x-nkk-attempt"
REASON = "x-nkk-reason"
FAILED_AT = "x-nkk-failed-at"
"""Headers of an event that failed: how often, why, and when it was given up."""


def retry_delays() -> tuple[int, ...]:
    """Delays in milliseconds before each further attempt, from NKK_RETRY_DELAYS (seconds, comma separated)."""
    return NKK_RETRY_DELAYS.get()


def exchange(service: str) -> Exchange:
    """The exchange on which `service` tells its events."""
    return Exchange(exchange_name(service), type="topic", durable=True)


def moves(service: str) -> Exchange:
    """The exchange by which `service`, and nobody else, puts an event into a queue of its own, named by the key."""
    return Exchange(moves_name(service), type="direct", durable=True)


def calls() -> Exchange:
    """The exchange by which stages are called and answer. Declared by whoever declares everything, and by nobody else:
    who may configure it could put another kind of exchange in its place, for which no keys are permitted one by one."""
    return Exchange(CALLS, type="topic", durable=True, no_declare=True)


def inbox_queue(service: str, events: Iterable[Any]) -> Queue:
    """The queue in which `service` hears `events`; the exchanges are their owners' to declare."""
    # What a service tells itself, it knows.
    bindings = [
        binding(Exchange(exchange_name(teller), type="topic", no_declare=True), routing_key=event.TYPE)
        for event in events
        for teller in event.SERVICES
        if teller != service
    ]
    bindings.append(binding(moves(service), routing_key=inbox_name(service)))
    return Queue(
        inbox_name(service),
        bindings=bindings,
        durable=True,
        queue_arguments=QUORUM
        | _dead_letters_to(service, quarantine_name(service))
        | {"x-delivery-limit": DELIVERY_LIMIT},
    )


def calls_queue(service: str) -> Queue:
    """The queue in which calls of `service` wait: where a node of a broker's cluster is lost, it is on the others."""
    return Queue(calls_name(service), calls(), routing_key=f"{service}.*", durable=True, queue_arguments=QUORUM)


def retry_queue(service: str, delay: int) -> Queue:
    """The queue in which an event waits `delay` milliseconds and then returns to the inbox."""
    name = f"{service}.retry.{delay}"
    return Queue(
        name,
        moves(service),
        routing_key=name,
        durable=True,
        queue_arguments=QUORUM | _dead_letters_to(service, inbox_name(service)) | {"x-message-ttl": delay},
    )


def inbox_name(service: str) -> str:
    """The name of the queue in which `service` hears."""
    return f"{service}.inbox"


def calls_name(service: str) -> str:
    """The name of the queue in which `service` is called."""
    return f"{service}.calls"


def quarantine_name(service: str) -> str:
    """The name of the queue that keeps what `service` could not handle."""
    return f"{service}.quarantine"


def waiting_queues(service: str) -> list[Queue]:
    """The retry queues and the quarantine of `service`."""
    return [
        *(retry_queue(service, delay) for delay in retry_delays()),
        Queue(
            quarantine_name(service),
            moves(service),
            routing_key=quarantine_name(service),
            durable=True,
            queue_arguments=QUORUM | {"x-delivery-limit": NO_DELIVERY_LIMIT},
        ),
    ]


def declare(channel: Any, services: Iterable[str], events: Iterable[Any]) -> list[str]:
    """Declare everything that `services` and their `events` need, for good; the names of what now exists."""
    services, events = list(services), list(events)
    entities: list[Any] = [Exchange(CALLS, type="topic", durable=True), *map(exchange, services)]
    for service in services:
        heard = [event for event in events if service in event.CONSUMERS]
        if heard:
            entities += [moves(service), *waiting_queues(service), inbox_queue(service, heard)]
    for entity in entities:
        entity(channel).declare()
    return [entity.name for entity in entities]


def _dead_letters_to(service: str, queue: str) -> dict[str, Any]:
    # at-least-once: the broker keeps a dead letter until the target queue confirms it.
    return {
        "x-dead-letter-exchange": moves(service).name,
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
