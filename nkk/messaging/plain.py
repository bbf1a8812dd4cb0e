"""Safeguards against malformed messages: a broken message affects only its own handling, not the connection.

kombu decompresses a message before our code sees it, so a few hundred bytes could fill a process's memory. py-amqp
closes the connection over properties that it cannot decode, such as a type that is not UTF-8, and receives the same
message again on the next connection. Both decode a body with whatever decoder of Python the message names, and the one
for punycode takes an hour for a megabyte. We never compress messages, undecodable properties become empty, and no
decoder but that of UTF-8 can be named. The changes are process-wide: gateway and stages apply all, a tool's process not
the first.
"""

from typing import Any

from amqp import serialization
from amqp.spec import Basic
from kombu import compression

_read = serialization.decode_properties_basic

_ENCODINGS = ("utf-8", "utf8", "binary", "")
_NO_ENCODING = "refused"
"""The name of no decoder: py-amqp leaves the body as it is, and kombu refuses it."""


def take_as_they_are() -> None:
    """Make this process refuse to decompress messages, and read their properties as `read_any_properties` says."""
    for name in compression.encoders():
        compression.register(None, _refused, name)
    read_any_properties()


def read_any_properties() -> None:
    """Make this process treat a message's undecodable properties as empty, and let it name no decoder but UTF-8's."""
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = _read_if_possible


def _refused(_body: bytes) -> bytes:
    raise ValueError("compressed messages are refused")


def _read_if_possible(buffer: bytes, offset: int) -> tuple[dict[str, Any], int]:
    try:
        properties, offset = _read(buffer, offset)
    except Exception:  # noqa: BLE001
        return {}, offset
    if properties.get("content_encoding", "").lower() not in _ENCODINGS:
        properties["content_encoding"] = _NO_ENCODING
    return properties, offset
