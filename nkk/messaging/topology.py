"""Exchanges and queues, all with fixed names and explicit types.

    <service>.events       topic exchange: the events that a service publishes, with their type as routing key. One that
                           concerns an OPD has a second key, opd.<opd>.<type>.
    <service>.inbox        quorum queue: the events that a service consumes, bound to the exchanges of others.
    <service>.calls        quorum queue: the RPC calls of a service. A call expires at its caller's timeout.
    <service>.retry.<ms>   quorum queues: an event whose handler failed waits here, then returns to the inbox.
    <service>.quarantine   quorum queue: the dead letters, events that cannot be handled, the reason in the headers.
    <service>.replay-requests   direct exchange and quorum queue: tools' requests for past events of the service.
    <service>.replay            quorum queue: what is left of these requests, put there by the service alone.
    <service>.replay       topic exchange: the past events, with the requesting tool's name before the routing key.

The names of retry queues contain their delay: changed delays create new queues instead of a refused redeclaration.
"""

from collections.abc import Iterable
from typing import Any

from kombu import Exchange, Queue, binding

from nkk.exchanges import REPLAY_REST, exchange_name, moves_name, replay_name, replay_requests_name
from nkk.messaging.calls import EXCHANGE as CALLS
from nkk.settings import NKK_RETRY_DELAYS

QUORUM = {"x-queue-type": "quorum"}

DELIVERY_LIMIT = 5_000
"""The number of unacknowledged deliveries (the process died each time) after which the broker quarantines an event.

Set explicitly, and high: RabbitMQ 4's default is 20, and each look of `nkk status` at the oldest event counts as a
delivery."""

NO_DELIVERY_LIMIT = 2**31 - 1
"""The delivery limit of a quarantine: each look is a delivery, and the broker must never drop an event there."""

ATTEMPT = "x-nkk-attempt"
REASON = "x-nkk-reason"
FAILED_AT = "x-nkk-failed-at"
"""Headers of a failed event: the number of attempts, the reason, and the time of its quarantine."""


def retry_delays() -> tuple[int, ...]:
    """Return the delays before each retry, in milliseconds, from NKK_RETRY_DELAYS (seconds, comma separated)."""
    return NKK_RETRY_DELAYS.get()


def exchange(service: str) -> Exchange:
    """Return the exchange to which `service` publishes its events."""
    return Exchange(exchange_name(service), type="topic", durable=True)


def moves(service: str) -> Exchange:
    """Return the exchange through which only `service` moves events; the routing key is the name of its queue."""
    return Exchange(moves_name(service), type="direct", durable=True)


def calls() -> Exchange:
    """Return the exchange of calls and replies, which only `declare` declares.

    Threat: an account with the permission to configure it could replace it by an exchange of another type, for which
    the broker does not check permissions per routing key.
    """
    return Exchange(CALLS, type="topic", durable=True, no_declare=True)


def inbox_queue(service: str, events: Iterable[Any]) -> Queue:
    """Return the queue from which `service` consumes `events`; the owners declare the exchanges."""
    # A service does not consume its own events.
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
    """Return the queue in which calls of `service` wait, replicated to the other nodes of a broker cluster."""
    return Queue(calls_name(service), calls(), routing_key=f"{service}.*", durable=True, queue_arguments=QUORUM)


def retry_queue(service: str, delay: int) -> Queue:
    """Return the queue in which an event waits `delay` milliseconds and then returns to the inbox."""
    name = f"{service}.retry.{delay}"
    return Queue(
        name,
        moves(service),
        routing_key=name,
        durable=True,
        queue_arguments=QUORUM | _dead_letters_to(service, inbox_name(service)) | {"x-message-ttl": delay},
    )


def inbox_name(service: str) -> str:
    """Return the name of the queue from which `service` consumes events."""
    return f"{service}.inbox"


def calls_name(service: str) -> str:
    """Return the name of the queue in which calls of `service` wait."""
    return f"{service}.calls"


def quarantine_name(service: str) -> str:
    """Return the name of the queue that keeps the events that `service` could not handle."""
    return f"{service}.quarantine"


def replay(service: str) -> Exchange:
    """Return the exchange to which `service` publishes past events for the tool that requested them."""
    return Exchange(replay_name(service), type="topic", durable=True)


def replay_requests(service: str) -> Queue:
    """Return the queue of tools' requests for past events of `service`."""
    name = replay_requests_name(service)
    requests = Exchange(name, type="direct", durable=True)
    arguments = QUORUM | {"x-delivery-limit": NO_DELIVERY_LIMIT}
    return Queue(name, requests, routing_key=name, durable=True, queue_arguments=arguments)


def replay_rest(service: str) -> Queue:
    """Return the queue of requests that `service` took in: no tool can publish to it, so it needs no limit."""
    arguments = QUORUM | {"x-delivery-limit": NO_DELIVERY_LIMIT}
    return Queue(
        replay_name(service), replay(service), routing_key=REPLAY_REST, durable=True, queue_arguments=arguments
    )


def waiting_queues(service: str) -> list[Queue]:
    """Return the retry queues and the quarantine of `service`."""
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
    """Declare the exchanges and queues that `services` and their `events` need, and return their names."""
    services, events = list(services), list(events)
    entities: list[Any] = [Exchange(CALLS, type="topic", durable=True), *map(exchange, services)]
    for service in services:
        entities += [replay(service), replay_requests(service), replay_rest(service)]
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
