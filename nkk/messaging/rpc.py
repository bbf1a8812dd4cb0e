"""The server side of RPC: Nameko's protocol with six changes.

Calls wait in a quorum queue. Only messages published to the RPC exchange are carried out. The consumer drains on stop,
like the event consumer. Replies share one connection, instead of a connection and a confirm each. A call is carried out
at most once. An error is answered with a refusal's name, code and details, or only with "something failed": no
exception message and no argument reaches a log or a caller.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from kombu import Connection
from sqlalchemy.exc import OperationalError as DatabaseError

from nkk.log import get_logger
from nkk.messaging import pulse, topology
from nkk.messaging.calls import (
    BUSY,
    EXCHANGE,
    FAILED,
    REPLY_ADDRESS,
    UNAVAILABLE,
    BusyError,
    NotCarriedOutError,
)
from nkk.messaging.draining import DrainingConsumer
from nkk.messaging.host import Rpc, RpcConsumer, Semaphore, sleep
from nkk.messaging.origin import Origin
from nkk.messaging.plain import take_as_they_are
from nkk.messaging.publisher import BROKER_ERRORS, abandon, connect, keep_alive, trouble
from nkk.sop.refusals import Refused
from nkk.store.database import is_away

HEARTBEAT_SECONDS = 15

log = get_logger()


class DeliveredBeforeError(NotCarriedOutError):
    """The broker redelivered this call; it may or may not have been carried out the first time."""

    def __init__(self) -> None:
        super().__init__("The call was delivered before: whether it was carried out then is not known.")


class Replies:
    """A publisher of replies on one connection, one at a time."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = Semaphore()
        self._connection: Connection | None = None
        self._channel: Any = None

    def send(self, request: Any, payload: dict[str, Any]) -> None:
        """Send `payload` to the sender of `request`. Drops a reply that cannot be sent; the caller then times out."""
        reply_to = request.properties.get("reply_to") or ""
        if not REPLY_ADDRESS.fullmatch(reply_to):
            # The broker would close the channel over it, and drop the replies to others that were published meanwhile.
            log.warning("call without an address to reply to")
            return
        with self._lock:
            for attempt in (1, 2):
                try:
                    self._publish(reply_to, request.properties.get("correlation_id"), payload)
                    return
                except BROKER_ERRORS as error:
                    self.close(abandon)
                    log.warning("reply not sent", attempt=attempt, **trouble(error))

    def close(self, drop: Callable[[Connection], None] = Connection.release) -> None:
        """Close the connection; the next reply opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            drop(connection)

    def look_after(self) -> None:
        """Keep the connection alive, in a thread of its own; drop it when it is dead, so that few replies are lost."""
        while True:
            sleep(HEARTBEAT_SECONDS / 3)
            pulse.beat("replies")
            with self._lock:
                if self._connection is not None:
                    try:
                        keep_alive(self._connection)
                    except BROKER_ERRORS as error:
                        log.warning("connection for replies lost", **trouble(error))
                        self.close(abandon)

    def _publish(self, reply_to: str, correlation_id: str | None, payload: dict[str, Any]) -> None:
        if self._connection is None:
            self._connection = connect(self._uri, HEARTBEAT_SECONDS)
            self._channel = self._connection.Producer(serializer="json")
        self._channel.publish(
            payload,
            exchange=EXCHANGE,
            routing_key=reply_to,
            correlation_id=correlation_id,
            delivery_mode=1,
            retry=False,
        )


class StageRpcConsumer(RpcConsumer):
    """Nameko's consumer of a stage's calls, changed to drain on stop and to answer through `Replies`."""

    consumer_cls = DrainingConsumer

    def setup(self) -> None:
        super().setup()
        take_as_they_are()
        self.queue = topology.calls_queue(self.container.service_name)
        self.consumer.queues = [self.queue]
        self.consumer.loop = "calls"
        self._replies = Replies(self.amqp_uri)

    def start(self) -> None:
        pulse.expect(self.consumer.loop)
        super().start()
        pulse.expect("replies")
        self.container.spawn_managed_thread(self._replies.look_after, identifier="replies")

    def unregister_provider(self, provider: Any) -> None:
        super().unregister_provider(provider)
        if not self._providers:
            self._replies.close()

    def handle_message(self, body: Any, message: Any) -> None:
        if not self._was_called(message):
            # The sender is not allowed to call, so it gets no answer either.
            log.error(
                "message refused: not published as a call",
                exchange=message.delivery_info["exchange"],
                routing_key=message.delivery_info["routing_key"],
            )
            self.consumer.ack_message(message)
            return
        if not isinstance(body, dict):
            log.error("call without arguments dropped")
            self.consumer.ack_message(message)
            return
        if message.delivery_info["redelivered"]:
            # The first instance may have carried it out and died before it replied.
            unknown = (DeliveredBeforeError, DeliveredBeforeError(), None)
            self.container.spawn_managed_thread(partial(self.handle_result, message, None, unknown), identifier="reply")
            return
        message.headers = context_of(message)
        super().handle_message(body, message)

    def _was_called(self, message: Any) -> bool:
        """Return whether `message` was published as a call of this stage, by a sender with permission to call it.

        Threat: a stage may publish replies on the same exchange. The broker checks its permission for the routing key,
        but before RabbitMQ 4.0 not for the keys in CC and BCC headers, and in no release for the key of a dead letter
        or for the first exchange of a message that another exchange forwarded.
        """
        origin = Origin.of(message)
        is_dead_letter = any(str(name).startswith(("x-death", "x-first-death")) for name in message.headers)
        ours = origin.exchange == EXCHANGE and origin.routing_key.startswith(f"{self.container.service_name}.")
        return ours and not is_dead_letter

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        error = _describe(exc_info[1]) if exc_info else None
        try:
            self._replies.send(message, {"result": None if error else result, "error": error})
        except Exception:
            log.exception("reply failed")
        self.consumer.ack_message(message)
        return result, None


class StageRpc(Rpc):
    """The entrypoint `@rpc`: makes the method callable by name over the broker."""

    rpc_consumer = StageRpcConsumer()


rpc = StageRpc.decorator


def context_of(message: Any) -> dict[str, str]:
    """Return the headers of a call that form its context, strings only; others could crash Nameko."""
    return {
        name: value
        for name, value in message.headers.items()
        if isinstance(name, str) and isinstance(value, str) and name.startswith("nameko.")
    }


def _describe(error: BaseException) -> dict[str, Any]:
    if isinstance(error, Refused):
        log.info("refused", refusal=type(error).__name__)
        return {
            "exc_type": type(error).__name__,
            "exc_path": "",
            "value": error.code,
            "exc_args": [error.code, error.details],
        }
    if isinstance(error, NotCarriedOutError):
        log.warning("call not carried out", error=type(error).__name__, why=error.why)
        busy = [BUSY] if isinstance(error, BusyError) else []
        return {"exc_type": UNAVAILABLE, "exc_path": "", "value": "", "exc_args": [error.why, *busy]}
    if isinstance(error, DatabaseError) or is_away(error):
        log.error("database unavailable", error=type(error).__name__)
        return {"exc_type": UNAVAILABLE, "exc_path": "", "value": "", "exc_args": []}
    log.error("call failed", exc_info=error)
    return {"exc_type": FAILED, "exc_path": "", "value": "", "exc_args": []}
