"""Safeguards against malformed messages: a broken message affects only its own handling, not the connection.

kombu decompresses a message before our code sees it, so a few hundred bytes could fill a process's memory. py-amqp
closes the connection over properties that it cannot decode, such as a type that is not UTF-8, and receives the same
message again on the next connection. We never compress messages, and undecodable properties become empty. The changes
are process-wide: gateway and stages apply both, a tool's process only the second.
"""

from typing import Any

from amqp import serialization
from amqp.spec import Basic
from kombu import compression

_read = serialization.decode_properties_basic


def take_as_they_are() -> None:
    """Make this process refuse to decompress messages, and treat undecodable properties as empty."""
    for name in compression.encoders():
        compression.register(None, _refused, name)
    read_any_properties()


def read_any_properties() -> None:
    """Make this process treat a message's undecodable properties as empty, instead of closing the connection."""
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = _read_if_possible


def _refused(_body: bytes) -> bytes:
    raise ValueError("compressed messages are refused")


def _read_if_possible(buffer: bytes, offset: int) -> tuple[dict[str, Any], int]:
    try:
        return _read(buffer, offset)
    except Exception:  # noqa: BLE001
        return {}, offset
