"""Boxes that only their addressee can open: what must cross the broker and be read by nobody on the way.

X25519 sealed boxes (libsodium). A key pair is two base 64 texts; whoever has the public one can seal, and not even the
sender can open again. What is short is padded: the length of a box tells nothing about a name, a password or a role.
"""

import json
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

SMALLEST = 2_048
"""Bytes that every box holds at least: every form that is accepted fits in. Beyond, the lengths are doubled."""

IDS = 128
"""The same for a box that holds nothing but ids: they are all of one length, and kept with every complaint."""


class CannotOpenError(Exception):
    """The box is damaged, or was sealed for another key."""


def new_key_pair() -> tuple[str, str]:
    """A fresh (private, public) key pair."""
    private = PrivateKey.generate()
    return b64encode(bytes(private)).decode(), b64encode(bytes(private.public_key)).decode()


def public_key(text: str) -> PublicKey:
    """The public key written in base 64. Raises ValueError or TypeError where it is none."""
    return PublicKey(b64decode(text))


def public_key_of(private_key: str) -> str:
    """The public half of a pair whose private one is known."""
    return b64encode(bytes(PrivateKey(b64decode(private_key)).public_key)).decode()


def padded(content: dict[str, Any], smallest: int = SMALLEST) -> bytes:
    """`content` as JSON and so many spaces, which JSON takes for nothing, that it is as long as most others."""
    plain = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    size = smallest
    while size < len(plain):
        size *= 2
    return plain.ljust(size)


def seal(content: dict[str, Any], key: str, smallest: int = SMALLEST) -> str:
    """`content`, padded and sealed for the holder of the private half of the public `key`; base 64."""
    return b64encode(SealedBox(public_key(key)).encrypt(padded(content, smallest))).decode()


def unseal(box: Any, private_key: str) -> dict[str, Any]:
    """The content of `box`, padded or not. Raises CannotOpenError."""
    try:
        content = json.loads(_opener(private_key).decrypt(b64decode(box)))
    except (CryptoError, ValueError, TypeError, RecursionError) as error:
        raise CannotOpenError("the box cannot be opened with this key") from error
    if not isinstance(content, dict):
        raise CannotOpenError("the box holds no content")
    return content


@lru_cache(8)
def _opener(private_key: str) -> SealedBox:
    """Counting the public half again for each box would take as long as opening one."""
    return SealedBox(PrivateKey(b64decode(private_key)))
