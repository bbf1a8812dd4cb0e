"""Taps on the broker by an authorised user. They copy messages as they pass, because calls expire within seconds."""

import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu import Connection, Consumer, Exchange, Queue, binding

from nkk.messaging.publisher import BROKER_ERRORS


class Tap:
    """Everything that crosses some exchanges, given as pairs of exchange name and routing key."""

    def __init__(self, uri: str, places: Iterable[tuple[str, str]]) -> None:
        self._connection = Connection(uri)
        bindings = [binding(Exchange(name, type="topic", no_declare=True), routing_key=key) for name, key in places]
        self._queue = Queue(f"tap-{uuid.uuid4()}", bindings=bindings, exclusive=True, durable=False)
        self.messages: list[Any] = []
        self._closed = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="tap")

    def listen(self) -> str:
        """Return all messages so far: bodies, headers and properties."""
        return "\n".join(
            f"{body_of(message).decode(errors='replace')} {message.headers} {message.properties} "
            f"{message.delivery_info}"
            for message in list(self.messages)
        )

    def open(self) -> None:
        self._thread.start()
        assert self._listening.wait(30)

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._connection.release()

    def _listen(self) -> None:
        with (
            suppress(*BROKER_ERRORS),
            Consumer(self._connection.default_channel, [self._queue], on_message=self.messages.append, no_ack=True),
        ):
            self._listening.set()
            while not self._closed.is_set():
                with suppress(TimeoutError):
                    self._connection.drain_events(timeout=0.1)


def body_of(message: Any) -> bytes:
    """Return a message's body as it was sent."""
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


@contextmanager
def tapping(uri: str, *places: tuple[str, str]) -> Iterator[Tap]:
    """Yield a Tap on the broker at `uri`."""
    tap = Tap(uri, places)
    tap.open()
    try:
        yield tap
    finally:
        tap.close()
