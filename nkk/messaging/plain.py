"""Messages are taken as they are: whatever is amiss with one, it is its own reader's matter and nobody else's.

kombu unpacks a message before anybody has looked at it, so that a few hundred bytes could fill a process's memory; and
py-amqp ends the connection over properties that it cannot read, such as a type that is no UTF-8, and meets the same
message again on the next. Nothing of ours is ever compressed, and what cannot be read has no properties. This holds for
the process: gateway and stages ask for both, a tool's process for the second alone.
"""

from typing import Any

from amqp import serialization
from amqp.spec import Basic
from kombu import compression

_read = serialization.decode_properties_basic


def take_as_they_are() -> None:
    """From now on a message with a compression is one that cannot be decoded, and any properties can be read."""
    for name in compression.encoders():
        compression.register(None, _refused, name)
    read_any_properties()


def read_any_properties() -> None:
    """From now on a message whose properties cannot be read has none, and hurts nobody."""
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = _read_if_possible


def _refused(_body: bytes) -> bytes:
    raise ValueError("compressed")


def _read_if_possible(buffer: bytes, offset: int) -> tuple[dict[str, Any], int]:
    try:
        return _read(buffer, offset)
    except Exception:  # noqa: BLE001
        return {}, offset
