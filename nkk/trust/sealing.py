"""Sealed boxes: content encrypted for one recipient, so that neither the broker nor other stages can read it.

X25519 sealed boxes (libsodium). Keys are base 64 texts. Anybody with the public key can seal a box; only the holder of
the private key can open it, not even the sender. Short content is padded, so that the length of a box does not reveal a
name, a password or a role.
"""

import json
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

SMALLEST = 2_048
"""The padded length of a box in bytes, which fits every accepted form; longer content doubles it until it fits."""

IDS = 128
"""The padded length of a box that holds only ids; shorter, because one is stored with every complaint."""


class CannotOpenError(Exception):
    """The box is damaged or was sealed for another key."""


def new_key_pair() -> tuple[str, str]:
    """Return a new (private, public) key pair."""
    private = PrivateKey.generate()
    return b64encode(bytes(private)).decode(), b64encode(bytes(private.public_key)).decode()


def public_key(text: str) -> PublicKey:
    """Parse a base 64 public key. Raises ValueError or TypeError where it is malformed."""
    return PublicKey(b64decode(text))


def public_key_of(private_key: str) -> str:
    """Return the public key that belongs to `private_key`."""
    return b64encode(bytes(PrivateKey(b64decode(private_key)).public_key)).decode()


def padded(content: dict[str, Any], smallest: int = SMALLEST) -> bytes:
    """Return `content` as JSON, padded with spaces, which JSON ignores, to `smallest` bytes or a doubling of it."""
    plain = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    size = smallest
    while size < len(plain):
        size *= 2
    return plain.ljust(size)


def seal(content: dict[str, Any], key: str, smallest: int = SMALLEST) -> str:
    """Return `content` in base 64, padded and sealed for the holder of the private half of the public `key`."""
    return b64encode(SealedBox(public_key(key)).encrypt(padded(content, smallest))).decode()


def unseal(box: Any, private_key: str) -> dict[str, Any]:
    """Return the content of `box`. Raises CannotOpenError where it is damaged or was sealed for another key."""
    try:
        content = json.loads(_opener(private_key).decrypt(b64decode(box)))
    except (CryptoError, ValueError, TypeError, RecursionError) as error:
        raise CannotOpenError("the box cannot be opened with this key") from error
    if not isinstance(content, dict):
        raise CannotOpenError("the box holds no JSON object")
    return content


@lru_cache(8)
def _opener(private_key: str) -> SealedBox:
    """Return a cached opener: deriving the public key for each box would take as long as opening it."""
    return SealedBox(PrivateKey(b64decode(private_key)))
