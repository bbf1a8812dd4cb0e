"""Publishing with confirms, a batch at a time.

One channel, on a connection of its own: messages are written one after another and the broker's confirms awaited once
for the batch. `mandatory` messages that no queue takes come back as returned and are not counted as published.
"""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from amqp import spec
from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import AMQPError
from kombu import Connection
from kombu.exceptions import OperationalError

BROKER_ERRORS: tuple[type[Exception], ...] = (OSError, OperationalError, AMQPError)
"""What a broker that is away, or goes away, makes of any call."""

CONFIRM_TIMEOUT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 5

PERSISTENT = 2


class NotConfirmedError(ConnectionError):
    """The broker did not confirm in time; whether it has the messages is not known."""


@dataclass(frozen=True)
class Message:
    """One message to publish: `body` to `exchange` under `routing_key`."""

    id: str
    exchange: str
    routing_key: str
    body: str | bytes
    type: str = ""
    content_type: str = "application/json"
    mandatory: bool = True
    correlation_id: str | None = None
    headers: dict[str, Any] = field(default_factory=dict)

    def amqp(self) -> AmqpMessage:
        properties = {
            "content_type": self.content_type,
            "content_encoding": "utf-8",
            "delivery_mode": PERSISTENT,
            "message_id": self.id,
            "application_headers": self.headers,
        }
        if self.type:
            properties["type"] = self.type
        if self.correlation_id:
            properties["correlation_id"] = self.correlation_id
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return AmqpMessage(body, **properties)


class BatchPublisher:
    """Publishes on one confirming channel. Not for use by two threads or greenlets at once."""

    def __init__(self, connection: Connection) -> None:
        self._amqp = connection.connection
        self._channel = self._amqp.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._tag = 0
        self._pending: dict[int, str] = {}
        self._failed: set[str] = set()

    def publish(self, messages: Iterable[Message]) -> set[str]:
        """Publish `messages` in order and wait for the broker; the ids of those it has on disk and in a queue.

        Raises NotConfirmedError or a connection error where the broker does not answer; use a new publisher then.
        """
        self._failed.clear()
        published = []
        for message in messages:
            self._tag += 1
            self._pending[self._tag] = message.id
            published.append(message.id)
            # Channel.basic_publish polls the socket before each message; confirms are awaited below instead.
            self._channel.send_method(
                spec.Basic.Publish,
                "Bssbb",
                (0, message.exchange, message.routing_key, message.mandatory, False),
                message.amqp(),
            )
        deadline = monotonic() + CONFIRM_TIMEOUT_SECONDS
        while self._pending:
            left = deadline - monotonic()
            if left <= 0:
                raise NotConfirmedError(f"{len(self._pending)} messages not confirmed")
            try:
                self._amqp.drain_events(timeout=left)
            except TimeoutError:
                continue
        return {message_id for message_id in published if message_id not in self._failed}

    def _settle(self, tag: int, multiple: bool) -> Iterator[str]:
        tags = [pending for pending in self._pending if pending <= tag] if multiple else [tag]
        for pending in tags:
            message_id = self._pending.pop(pending, None)
            if message_id is not None:
                yield message_id

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for _ in self._settle(tag, multiple):
            pass

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._failed.update(self._settle(tag, multiple))

    def _on_return(self, _error: Exception, _exchange: str, _routing_key: str, message: Any) -> None:
        self._failed.add(message.properties.get("message_id", ""))


def connect(uri: str, heartbeat: int = 15, timeout: float = CONNECT_TIMEOUT_SECONDS) -> Connection:
    """A connected kombu Connection to the broker at `uri`; raises at once, or after `timeout` seconds, where it cannot
    be reached."""
    connection = Connection(uri, heartbeat=heartbeat, connect_timeout=timeout)
    # Connection.connect() would try twice, two seconds apart: when to try again is the caller's to say.
    connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
    return connection


def trouble(error: BaseException) -> dict[str, str | None]:
    """For a log: what kind of error it was and, where the system said so, which (ECONNREFUSED)."""
    number = getattr(error, "errno", None)
    return {"error": type(error).__name__, "errno": errno.errorcode.get(number) if number else None}


def address(uri: str) -> str:
    """For a log: the host and port of the broker at `uri`, without who logs in there."""
    parts = urlsplit(uri)
    return f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"


def abandon(connection: Connection) -> None:
    """Close a connection that failed, without the goodbye that a broker which does not answer would leave us waiting
    for."""
    if connection._connection is not None:
        connection._connection.collect()
    connection.release()


@contextmanager
def connected(uri: str, heartbeat: int = 15) -> Iterator[Connection]:
    """`connect`, closed on leaving; abandoned where it failed."""
    connection = connect(uri, heartbeat)
    try:
        yield connection
    except BROKER_ERRORS:
        abandon(connection)
        raise
    finally:
        connection.release()


def keep_alive(connection: Connection) -> None:
    """For a connection that only publishes: read what the broker sent and answer its heartbeat.

    Raises one of BROKER_ERRORS where the connection is dead.
    """
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.001)
    connection.heartbeat_check()


@contextmanager
def publisher(uri: str) -> Iterator[BatchPublisher]:
    """A publisher on a connection of its own, closed on leaving."""
    with connected(uri, heartbeat=0) as connection:
        yield BatchPublisher(connection)
