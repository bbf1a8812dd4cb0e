"""Authentication of events: where a message was published, and whether its owner publishes this type there.

For each delivery the broker states the exchange and routing key, and it lets only the owner publish to
`<service>.events`. All else in a message, its type included, could be written by anybody. So a type is accepted only
from the exchange of a service that publishes it, and with the type as routing key.

An event that a stage moved (to a retry queue, to quarantine, or back) arrives from `<stage>.moves`. Its origin is then
in a header, authenticated by an HMAC keyed with the stage's password at the broker, which only its instances hold. So
neither the account that declares the queues, which may write to that exchange, nor a dead letter that the broker itself
moved can claim an origin.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from nkk.exchanges import exchange_name, moves_name

ORIGIN = "x-nkk-origin"
"""Header of an event that its stage moved: the original exchange and routing key."""


class ForgedError(Exception):
    """An event was not published by its owner; the message says where it came from."""


class Origin(NamedTuple):
    """The exchange and routing key to which a message was published."""

    exchange: str
    routing_key: str

    @classmethod
    def of(cls, message: Any) -> Self:
        """Return the origin of a delivery, as the broker states it."""
        return cls(message.delivery_info["exchange"], message.delivery_info["routing_key"])

    @classmethod
    def in_header(cls, headers: Any) -> Self | None:
        """Return the origin that a header states, not authenticated; None where there is none."""
        header = (headers or {}).get(ORIGIN)
        if not isinstance(header, dict):
            return None
        exchange, key = header.get("exchange"), header.get("key")
        return cls(exchange, key) if isinstance(exchange, str) and isinstance(key, str) else None

    def __str__(self) -> str:
        return f"{self.exchange or 'the default exchange'} under {self.routing_key}"


def check_origin(type_: str, tellers: Iterable[str], origin: Origin | None, source: str) -> None:
    """Raise ForgedError unless `origin` is where one of `tellers` publishes `type_`, and `source` names that service.

    `tellers` are the services that publish the type; `source` is the envelope's. An `origin` of None is refused.
    """
    if origin is None:
        raise ForgedError(f"the origin of this {type_} is not known: republish it from its owner")
    owner = next((teller for teller in tellers if origin == Origin(exchange_name(teller), type_)), None)
    if owner is None:
        raise ForgedError(f"{type_} from {origin}, which does not publish it")
    if source != f"/nkk/{owner}":
        raise ForgedError(f"{type_} from {origin}, with another source in its envelope")


class Origins:
    """A finder of the origins of messages delivered to `service` by the broker at `uri`, moved ones included."""

    def __init__(self, service: str, uri: str) -> None:
        self._moves = moves_name(service)
        self._key = hashlib.sha256(f"{service} {urlsplit(uri).password or ''}".encode()).digest()

    def of(self, message: Any) -> Origin | None:
        """Return the original origin of `message`; None where a moved message has no authentic header."""
        origin = Origin.of(message)
        if origin.exchange != self._moves:
            return origin
        said = Origin.in_header(message.headers)
        if said is None:
            return None
        seal = str(message.headers[ORIGIN].get("seal")).encode(errors="replace")
        return said if hmac.compare_digest(seal, self._seal(said, message).encode()) else None

    def headers(self, message: Any) -> dict[str, Any]:
        """Return the headers that a moved copy of `message` needs to keep its origin."""
        if message.delivery_info["exchange"] == self._moves:
            return {ORIGIN: message.headers[ORIGIN]} if self.of(message) else {}
        origin = Origin.of(message)
        return {ORIGIN: {"exchange": origin.exchange, "key": origin.routing_key, "seal": self._seal(origin, message)}}

    def _seal(self, origin: Origin, message: Any) -> str:
        body = message.body if isinstance(message.body, (bytes, bytearray, memoryview)) else message.body.encode()
        about = [
            origin.exchange,
            origin.routing_key,
            message.properties.get("type") or "",
            hashlib.sha256(body).hexdigest(),
        ]
        return hmac.new(self._key, json.dumps(about).encode(), hashlib.sha256).hexdigest()
