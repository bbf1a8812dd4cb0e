"""The client side of RPC, for a threaded process: one client per process, created after the fork.

A background thread consumes the replies; callers publish on one connection, under a lock, and wait on a future. Calls
are transient and expire at the caller's timeout, so that a restarted stage does no work that no caller waits for.
"""

import json
import os
import select
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from kombu import Connection, Consumer, Queue

from nkk.log import get_logger
from nkk.messaging import pulse
from nkk.messaging.calls import (
    BUSY,
    EXCHANGE,
    FAILED,
    UNAVAILABLE,
    RefusedRemotelyError,
    StageBusyError,
    StageFailedError,
    StageUnavailableError,
)
from nkk.messaging.plain import read_any_properties
from nkk.messaging.publisher import BROKER_ERRORS, abandon, address, connect, connected, keep_alive, trouble
from nkk.messaging.topology import calls

RECONNECT_SECONDS = 0.5
HEARTBEAT_SECONDS = 10
LOOK_SECONDS = 1.0
"""How often the listener looks after its connections, also where no reply arrives."""

LOOP = "answers"

TRY_SECONDS = 1.0
HELD_SECONDS = 0.2
"""How often a silent stage, one that left a call unanswered, is tried again, and how long other callers wait for the
outcome before they fail: waiting longer, they would occupy the threads that calls of other stages need."""

SUSPECTED_SECONDS = 15.0
"""How long after the last try a stage counts as silent; it may have come back without being called since."""

NO_ANSWER: tuple[type[Exception], ...] = (FutureTimeout, *BROKER_ERRORS)

log = get_logger()


class RpcClient:
    """A thread-safe client that calls stages over the broker at `uri`; `timeout` is in seconds."""

    def __init__(self, uri: str, timeout: float = 5.0) -> None:
        read_any_properties()
        self._uri = uri
        self._timeout = timeout
        self._reply_to = str(uuid.uuid4())
        self._waiting: dict[str, Future[dict[str, Any]]] = {}
        self._answered: dict[str, float] = {}
        self._silent: dict[str, float] = {}
        """The silent stages, which left a call unanswered and answered none since, with the time of the last try."""
        self._heard = threading.Condition()
        self._lock = threading.Lock()
        self._sender: Connection | None = None
        self._producer: Any = None
        self._listening = threading.Event()
        self._closed = threading.Event()
        self._woken, self._waker = os.pipe()
        self._start = threading.Lock()
        self._listener: threading.Thread | None = None

    def call(
        self,
        service: str,
        method: str,
        *args: Any,
        context: Mapping[str, str | None] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the result of `service.method(*args, **kwargs)`.

        `context` travels in the headers (actor, correlation_id). Raises StageUnavailableError after `timeout` seconds,
        or sooner where the stage is silent and another caller is trying it. Raises RefusedRemotelyError where the stage
        refused, StageFailedError where it failed.
        """
        timeout = timeout or self._timeout
        began = monotonic()
        deadline = began + timeout
        self._wait_for_turn(service)
        self._ensure_listening(timeout)
        call_id = str(uuid.uuid4())
        future: Future[dict[str, Any]] = Future()
        self._waiting[call_id] = future
        try:
            self._send(service, method, {"args": args, "kwargs": kwargs}, call_id, context or {}, deadline)
            reply = self._reply(service, future, began, deadline)
        except NO_ANSWER as error:
            raise StageUnavailableError(service) from error
        finally:
            self._waiting.pop(call_id, None)
        return _result(service, reply)

    def is_connected(self) -> bool:
        """Return whether replies are being consumed; connects, within the timeout, where no call was made yet."""
        try:
            self._ensure_listening(self._timeout)
        except StageUnavailableError:
            return False
        return True

    def close(self) -> None:
        """End the listener thread and close the connections. Idempotent."""
        if self._closed.is_set():
            return
        self._closed.set()
        # Now the pipe's other end is readable, for which the listener waits too.
        os.close(self._waker)
        if self._listener is not None:
            self._listener.join(2 + RECONNECT_SECONDS)
        if self._listener is None or not self._listener.is_alive():
            os.close(self._woken)
        with self._lock:
            self._drop_sender(Connection.release)

    def _wait_for_turn(self, service: str) -> None:
        """Raise StageUnavailableError where `service` is silent and another caller has just tried it."""
        with self._heard:
            tried, now = self._silent.get(service), monotonic()
            if tried is None or now - tried > SUSPECTED_SECONDS:
                # The last try is too old to tell whether the stage is still silent.
                self._silent.pop(service, None)
                return
            if now - tried >= TRY_SECONDS:
                self._silent[service] = now
            elif not self._heard.wait_for(lambda: service not in self._silent, HELD_SECONDS):
                raise StageUnavailableError(service)

    def _reply(self, service: str, future: Future[dict[str, Any]], began: float, deadline: float) -> dict[str, Any]:
        """Return the stage's reply. A timeout at full patience marks the stage silent, unless it answered another call.

        Raises FutureTimeout at the deadline.
        """
        try:
            reply = future.result(max(0.0, deadline - monotonic()))
        except FutureTimeout:
            with self._heard:
                if deadline - began >= self._timeout and self._answered.get(service, 0.0) < began:
                    # The next caller tries it at once: one reply that was lost is no silence.
                    self._silent.setdefault(service, monotonic() - TRY_SECONDS)
            raise
        self._answered[service] = monotonic()
        if service in self._silent:
            with self._heard:
                self._silent.pop(service, None)
                self._heard.notify_all()
        return reply

    def _ensure_listening(self, timeout: float) -> None:
        if self._listener is None:
            with self._start:
                if self._listener is None:
                    self._listener = threading.Thread(target=self._listen, name="rpc-replies", daemon=True)
                    self._listener.start()
        if not self._listening.wait(timeout):
            raise StageUnavailableError("broker")

    def _send(
        self,
        service: str,
        method: str,
        payload: dict[str, Any],
        call_id: str,
        context: Mapping[str, str | None],
        deadline: float,
    ) -> None:
        headers = {f"nameko.{name}": value for name, value in context.items() if value}
        with self._sending(deadline):
            for attempt in (1, 2):
                try:
                    left = _left(deadline)
                    if self._sender is None:
                        self._sender = connect(self._uri, HEARTBEAT_SECONDS, left)
                        self._producer = self._sender.Producer(serializer="json")
                    self._producer.publish(
                        payload,
                        exchange=EXCHANGE,
                        routing_key=f"{service}.{method}",
                        reply_to=self._reply_to,
                        correlation_id=call_id,
                        headers=headers,
                        delivery_mode=1,
                        expiration=left,
                        retry=False,
                    )
                    return
                except BROKER_ERRORS:
                    self._drop_sender()
                    if attempt == 2:
                        raise

    @contextmanager
    def _sending(self, deadline: float) -> Iterator[None]:
        """Lock the sender for this thread. Raises TimeoutError at the deadline."""
        if not self._lock.acquire(timeout=_left(deadline)):
            raise TimeoutError
        try:
            yield
        finally:
            self._lock.release()

    def _drop_sender(self, drop: Callable[[Connection], None] = abandon) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            drop(sender)

    def _listen(self) -> None:
        pulse.expect(LOOP, 2 * pulse.TURN_SECONDS)
        while not self._closed.is_set():
            # An unavailable broker does not make this process unhealthy: each attempt counts as a turn.
            pulse.beat(LOOP)
            try:
                with connected(self._uri, HEARTBEAT_SECONDS) as connection:
                    self._consume(connection)
            except BROKER_ERRORS as error:
                log.warning("rpc replies interrupted", **trouble(error), address=address(self._uri))
            except Exception:
                log.exception("rpc replies failed")
            self._listening.clear()
            self._give_up_waiting()
            self._closed.wait(RECONNECT_SECONDS)

    def _consume(self, connection: Connection) -> None:
        queue = Queue(
            f"rpc.reply-gateway-{self._reply_to}",
            calls(),
            routing_key=self._reply_to,
            exclusive=True,
            auto_delete=True,
            durable=False,
        )
        with Consumer(
            connection.default_channel,
            [queue],
            on_message=self._receive,
            on_decode_error=lambda message, _: self._receive(message),
            no_ack=True,
        ):
            self._listening.set()
            looked_after = monotonic()
            sock, arrivals = connection.connection.sock, select.poll()
            arrivals.register(sock, select.POLLIN)
            arrivals.register(self._woken, select.POLLIN)
            while True:
                # What TLS has decrypted already does not arrive any more.
                has_arrived = getattr(sock, "pending", int)() or arrivals.poll(LOOK_SECONDS * 1000)
                if self._closed.is_set():
                    return
                if has_arrived:
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=LOOK_SECONDS)
                # Even when busy: replies are not acknowledged, and the broker closes a connection that sends nothing.
                if monotonic() - looked_after >= LOOK_SECONDS:
                    looked_after = monotonic()
                    pulse.beat(LOOP)
                    connection.heartbeat_check()
                    self._keep_sender_alive()

    def _keep_sender_alive(self) -> None:
        with self._lock:
            if self._sender is None:
                return
            try:
                keep_alive(self._sender)
            except BROKER_ERRORS:
                self._drop_sender()

    def _receive(self, message: Any) -> None:
        future = self._waiting.pop(message.properties.get("correlation_id"), None)
        if future is None:
            return
        try:
            future.set_result(_read_reply(message.body))
        except StageFailedError as error:
            # Only the caller of this reply gets the error.
            log.error("unreadable reply", length=len(message.body or b""))
            future.set_exception(error)

    def _give_up_waiting(self) -> None:
        for call_id in list(self._waiting):
            future = self._waiting.pop(call_id, None)
            if future is not None:
                future.set_exception(ConnectionError("connection to the broker lost"))


def _read_reply(body: Any) -> dict[str, Any]:
    """Parse a reply: `result`, and `error` or None. Raises StageFailedError where it is malformed."""
    try:
        reply = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        raise StageFailedError("unreadable reply") from None
    if not isinstance(reply, dict) or "result" not in reply or not isinstance(reply.get("error") or {}, dict):
        raise StageFailedError("unreadable reply")
    return reply


def _left(deadline: float) -> float:
    """Return the seconds left until `deadline`. Raises TimeoutError where there are none."""
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _result(service: str, reply: dict[str, Any]) -> Any:
    error = reply.get("error")
    if not error:
        return reply.get("result")
    name, args = error.get("exc_type"), error.get("exc_args") or []
    if name == UNAVAILABLE:
        why, *more = args if isinstance(args, list) and args else [None]
        away = StageBusyError if BUSY in more else StageUnavailableError
        raise away(service, None if why is None else str(why))
    if name == FAILED or not _is_refusal(name, args):
        raise StageFailedError(service, name)
    raise RefusedRemotelyError(name, args[0], args[1])


def _is_refusal(name: Any, args: Any) -> bool:
    return isinstance(name, str) and isinstance(args, list) and len(args) == 2 and isinstance(args[1], dict)
