"""Where an event came from, and whether its owner tells it there.

The broker says of each delivery to which exchange and under which key it was published, and lets nobody but its owner
publish to `<service>.events`: what else a message says of itself, its type included, anybody may write. So a type is
believed only from an exchange of a service that tells it, under its own key.

An event that a stage moved (to a retry queue and back, into quarantine and out again) comes from `<stage>.moves`. Its
origin is in a header then, sealed with what only this stage's instances hold, their password at the broker: neither who
declares the queues, and may write to that exchange, nor what the broker itself moved vouches for anything.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from nkk.exchanges import exchange_name, moves_name

ORIGIN = "x-nkk-origin"
"""Header of an event that its stage moved: where it had come from."""


class ForgedError(Exception):
    """An event that did not come from where its owner tells it; the message says whence it came."""


class Origin(NamedTuple):
    """To which exchange, and under which routing key, a message was published."""

    exchange: str
    routing_key: str

    @classmethod
    def of(cls, message: Any) -> Self:
        """What the broker says of a delivery."""
        return cls(message.delivery_info["exchange"], message.delivery_info["routing_key"])

    @classmethod
    def in_header(cls, headers: Any) -> Self | None:
        """What a header says, which anybody may have written."""
        header = (headers or {}).get(ORIGIN)
        if not isinstance(header, dict):
            return None
        exchange, key = header.get("exchange"), header.get("key")
        return cls(exchange, key) if isinstance(exchange, str) and isinstance(key, str) else None

    def __str__(self) -> str:
        return f"{self.exchange or 'the default exchange'} under {self.routing_key}"


def check_origin(type_: str, tellers: Iterable[str], origin: Origin | None, source: str) -> None:
    """Raises ForgedError unless one of `tellers` told an event of `type_` at `origin`, and the envelope's `source` is
    that one."""
    if origin is None:
        raise ForgedError(f"where this {type_} came from is not known: have its owner tell it again")
    owner = next((teller for teller in tellers if origin == Origin(exchange_name(teller), type_)), None)
    if owner is None:
        raise ForgedError(f"{type_} from {origin}, where it is not told")
    if source != f"/nkk/{owner}":
        raise ForgedError(f"{type_} from {origin}, with another source in its envelope")


class Origins:
    """Knows where the messages came from that `service` is delivered, through the broker at `uri`."""

    def __init__(self, service: str, uri: str) -> None:
        self._moves = moves_name(service)
        self._key = hashlib.sha256(f"{service} {urlsplit(uri).password or ''}".encode()).digest()

    def of(self, message: Any) -> Origin | None:
        """Where `message` came from in the first place; None where nobody can say."""
        origin = Origin.of(message)
        if origin.exchange != self._moves:
            return origin
        said = Origin.in_header(message.headers)
        if said is None:
            return None
        seal = str(message.headers[ORIGIN].get("seal")).encode(errors="replace")
        return said if hmac.compare_digest(seal, self._seal(said, message).encode()) else None

    def headers(self, message: Any) -> dict[str, Any]:
        """What a copy of `message` is to have among its headers."""
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
