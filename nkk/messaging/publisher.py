"""Publishing with publisher confirms, a batch at a time.

A publisher has one channel on its own connection: it writes the messages one after another and waits once for the
broker's confirms of the batch. `mandatory` messages that reach no queue are returned and not counted as published.
"""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ssl import CERT_REQUIRED
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from amqp import spec
from amqp.basic_message import Message as AmqpMessage
from amqp.exceptions import AMQPError
from kombu import Connection
from kombu.exceptions import OperationalError

BROKER_ERRORS: tuple[type[Exception], ...] = (OSError, OperationalError, AMQPError)
"""The exceptions that any call raises where the broker is, or becomes, unavailable."""

CONFIRM_TIMEOUT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 5

PERSISTENT = 2


class NotConfirmedError(ConnectionError):
    """The broker did not confirm in time; it may or may not have the messages."""


@dataclass(frozen=True)
class Message:
    """One message to publish: `body` to `exchange` with `routing_key`.

    The broker refuses a `user_id` that is not the publisher's own user.
    """

    id: str
    exchange: str
    routing_key: str
    body: str | bytes
    type: str = ""
    content_type: str = "application/json"
    mandatory: bool = True
    correlation_id: str | None = None
    user_id: str | None = None
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
        if self.user_id:
            properties["user_id"] = self.user_id
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return AmqpMessage(body, **properties)


class BatchPublisher:
    """A publisher on one channel with confirms. Not for use by two threads or greenlets at once."""

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
        """Publish `messages` in order, wait for the confirms, and return the ids of the confirmed messages.

        A confirmed message is persisted in a queue. Raises NotConfirmedError or a connection error where the broker
        does not answer; use a new publisher then.
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


def connect(
    uri: str, heartbeat: int = 15, timeout: float = CONNECT_TIMEOUT_SECONDS, ca: str | None = None
) -> Connection:
    """Return a connected kombu Connection to the broker at `uri`.

    Tries once, for at most `timeout` seconds. The certificate of an `amqps` broker must name the host, and be signed by
    an authority in the file `ca`, or by one that this machine trusts. Raises one of BROKER_ERRORS where the broker
    cannot be reached, or its certificate is not accepted.
    """
    connection = Connection(uri, heartbeat=heartbeat, connect_timeout=timeout)
    if urlsplit(uri).scheme == "amqps":
        # By default the host is not compared. Set afterwards, because a query in the URI would replace an argument.
        connection.ssl = {"server_hostname": None, "ca_certs": ca, "cert_reqs": CERT_REQUIRED}
    # Connection.connect() would try twice, two seconds apart; retries are the caller's decision.
    connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
    return connection


def trouble(error: BaseException) -> dict[str, str | None]:
    """Return the class of `error` and its errno name (such as ECONNREFUSED) or None, for a log line."""
    number = getattr(error, "errno", None)
    return {"error": type(error).__name__, "errno": errno.errorcode.get(number) if number else None}


def address(uri: str) -> str:
    """Return the host and port of the broker at `uri`, without the credentials, for a log line."""
    parts = urlsplit(uri)
    return f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"


def abandon(connection: Connection) -> None:
    """Close a failed connection without the closing handshake, which would block where the broker does not answer."""
    if connection._connection is not None:
        connection._connection.collect()
    connection.release()


@contextmanager
def connected(uri: str, heartbeat: int = 15, ca: str | None = None) -> Iterator[Connection]:
    """Connect as `connect` does; release the connection on leaving, or abandon it after one of BROKER_ERRORS."""
    connection = connect(uri, heartbeat, ca=ca)
    try:
        yield connection
    except BROKER_ERRORS:
        abandon(connection)
        raise
    finally:
        connection.release()


def keep_alive(connection: Connection) -> None:
    """Read what the broker sent and answer its heartbeat, on a connection that only publishes.

    Raises one of BROKER_ERRORS where the connection is dead.
    """
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.001)
    connection.heartbeat_check()


@contextmanager
def publisher(uri: str) -> Iterator[BatchPublisher]:
    """Open a publisher on its own connection, closed on leaving."""
    with connected(uri, heartbeat=0) as connection:
        yield BatchPublisher(connection)
