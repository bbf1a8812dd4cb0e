"""Boxes that only their addressee can open: what must cross the broker and be read by nobody on the way.

X25519 sealed boxes (libsodium). A key pair is two base 64 texts; whoever has the public one can seal, and not even the
sender can open again.
"""

import json
from base64 import b64decode, b64encode
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox


class CannotOpenError(Exception):
    """The box is damaged, or was sealed for another key."""


def new_key_pair() -> tuple[str, str]:
    """A fresh (private, public) key pair."""
    private = PrivateKey.generate()
    return b64encode(bytes(private)).decode(), b64encode(bytes(private.public_key)).decode()


def seal(content: dict[str, Any], public_key: str) -> str:
    """`content` as JSON, sealed for the holder of `public_key`'s private half; base 64."""
    plain = json.dumps(content).encode()
    return b64encode(SealedBox(PublicKey(b64decode(public_key))).encrypt(plain)).decode()


def unseal(box: str, private_key: str) -> dict[str, Any]:
    """The content of `box`. Raises CannotOpenError."""
    try:
        plain = SealedBox(PrivateKey(b64decode(private_key))).decrypt(b64decode(box))
        return json.loads(plain)
    except (CryptoError, ValueError, TypeError) as error:
        raise CannotOpenError("the box cannot be opened with this key") from error
