"""A consumer that stops gracefully: it settles every message in flight first.

Nameko's own consumer closes its channel about a second after stop() while workers still run; their acknowledgements
then fail and the messages are redelivered. This one cancels its subscription, waits until no message is in flight, and
only then disconnects.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from amqp.exceptions import AccessRefused, PreconditionFailed

from nkk.log import get_logger
from nkk.messaging import pulse
from nkk.messaging.host import Consumer, sleep
from nkk.messaging.publisher import BROKER_ERRORS, abandon, address, trouble

DRAIN_SECONDS = 30
POLL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5

log = get_logger()


class WrongTopologyError(Exception):
    """The broker refuses a queue's arguments or the user's permissions; reconnecting would not help."""


class DrainingConsumer(Consumer):
    """A consumer of `queues`; `on_raw`, where given, receives the messages undecoded.

    Each message must be settled once, by `ack_message`, `ack_messages` or `requeue_message`. `declare` names further
    queues to declare at each connection. `loop` is the name of its loop in nkk.messaging.pulse.
    """

    loop = "events"

    def __init__(
        self, *args: Any, on_raw: Callable[[Any], None] | None = None, declare: tuple[Any, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._on_raw = on_raw
        self._declare = declare
        self._in_flight: dict[int, Any] = {}
        self._stopping = False
        self._consuming: list[Any] = []

    def stop(self) -> None:
        """Cancel, wait at most DRAIN_SECONDS until no message is in flight, and end `run`. Idempotent."""
        self._stopping = True
        deadline = monotonic() + DRAIN_SECONDS
        while (self._in_flight or self._consuming) and monotonic() < deadline:
            sleep(0.02)
        self.should_stop = True
        self.ready.set()
        if self._in_flight:
            log.warning("stopped with messages in flight", count=len(self._in_flight))

    def run(self, **kwargs: Any) -> None:
        """Consume until stopped. Raises WrongTopologyError where the broker refuses the queue."""
        try:
            super().run(safety_interval=POLL_SECONDS, **kwargs)
        except (PreconditionFailed, AccessRefused) as error:
            raise WrongTopologyError(str(error)) from error
        finally:
            # Otherwise wait_until_consumer_ready() would block for ever.
            self.ready.set()

    def consume(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from super().consume(*args, **kwargs)
        except (PreconditionFailed, AccessRefused) as error:
            log.critical(
                "the broker refuses this queue: its arguments or this user's permissions differ from what is "
                "declared; correct the permissions, or empty the queue, delete it, run `nkk topology` and "
                "`nkk republish` for each stage it consumes from",
                reply=error.reply_text,
            )
            raise WrongTopologyError(error.reply_text) from error
        finally:
            self._consuming = []

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        with self.create_connection() as connection:
            connection.ensure_connection(
                self.on_connection_error, interval_start=1, interval_step=1, interval_max=LONGEST_PAUSE_SECONDS
            )
            try:
                yield connection
            except BROKER_ERRORS:
                abandon(connection)
                raise

    def get_consumers(self, consumer_cls: Any, channel: Any) -> list[Any]:
        for queue in self._declare:
            queue(channel).declare()
        receive = {"on_message": self._receive_raw} if self._on_raw else {"callbacks": [self.on_message]}
        consumer = consumer_cls(queues=self.queues, accept=self.accept, **receive)
        consumer.qos(prefetch_count=self.prefetch_count)
        return [consumer]

    def on_consume_ready(self, connection: Any, channel: Any, consumers: list[Any], **kwargs: Any) -> None:
        self._consuming = list(consumers)
        super().on_consume_ready(connection, channel, consumers, **kwargs)

    def on_iteration(self) -> None:
        pulse.beat(self.loop)
        if not self._stopping:
            return
        for consumer in self._consuming:
            consumer.cancel()
        self._consuming = []
        if not self._in_flight:
            self.should_stop = True

    def on_message(self, body: Any, message: Any) -> None:
        self._in_flight[id(message)] = message
        if self.should_stop:
            self.requeue_message(message)
            return
        for callback in self.callbacks:
            callback(body, message)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        if self._on_raw:
            # Its headers say that it is compressed; a raw consumer does not decode it anyway.
            self._receive_raw(message)
            return
        log.error("undecodable message dropped", error=type(exc).__name__, length=len(message.body))
        message.reject()

    def on_connection_error(self, exc: Exception, interval: float) -> None:
        log.warning("waiting for the broker", **trouble(exc), address=address(self.amqp_uri), next_try_seconds=interval)

    def ack_message(self, message: Any) -> None:
        try:
            super().ack_message(message)
        except BROKER_ERRORS:
            log.warning("acknowledgement lost with the connection; the message will be redelivered")
        finally:
            self._in_flight.pop(id(message), None)

    def ack_messages(self, messages: list[Any]) -> None:
        """Acknowledge `messages`, in one frame where no other message delivered before the last is in flight."""
        last = max(messages, key=lambda message: message.delivery_tag)
        ours = {id(message) for message in messages}
        before = (message for message in self._in_flight.values() if message.delivery_tag < last.delivery_tag)
        if any(message.channel is not last.channel for message in messages) or any(
            id(message) not in ours and message.channel is last.channel for message in before
        ):
            for message in messages:
                self.ack_message(message)
            return
        for message in messages:
            self._in_flight.pop(id(message), None)
        try:
            if last.channel.connection:
                last.ack(multiple=True)
        except BROKER_ERRORS:
            log.warning(
                "acknowledgements lost with the connection; the messages will be redelivered", count=len(messages)
            )

    def requeue_message(self, message: Any) -> None:
        try:
            super().requeue_message(message)
        except BROKER_ERRORS:
            log.warning("requeue lost with the connection; the message will be redelivered")
        finally:
            self._in_flight.pop(id(message), None)

    def _receive_raw(self, message: Any) -> None:
        self._in_flight[id(message)] = message
        if self.should_stop:
            self.requeue_message(message)
        else:
            self._on_raw(message)  # type: ignore[misc]
