"""Parsers of keys and secrets."""

import base64
import re
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

KEYS_HINT = "`nkk keys` prints a fresh set; see docs/operations.md."


def as_pem(text: str) -> str:
    """Return a PEM text from an environment file with its escaped line ends (`\\n`) as real ones."""
    return text.replace("\\n", "\n")


def secret_text(written: str) -> str:
    """Parse a secret key of hashes and signatures, which must be too long to guess."""
    if len(written) < 16 or len(set(written)) < 8 or not written.isascii() or re.search(r"\s", written):
        raise ValueError(
            f"is easy to guess, or contains spaces: write at least 16 letters, digits and signs. {KEYS_HINT}"
        )
    return written


def box_key(written: str) -> str:
    """Parse a key of sealed boxes: 32 bytes in base 64."""
    try:
        key = base64.b64decode(written, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError(f"is not a key of 32 bytes in base 64. {KEYS_HINT}")
    return written


def identity_keys(written: str) -> list[str]:
    """Parse Fernet keys separated by commas, the newest first."""
    keys = written.split(",")
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        raise ValueError(f"is not a list of keys separated by commas, the newest first. {KEYS_HINT}") from None
    return keys


def public_pem(written: str) -> str:
    """Parse an Ed25519 public key in PEM."""
    return _pem(load_pem_public_key, Ed25519PublicKey, written)


def private_pem(written: str) -> str:
    """Parse an Ed25519 private key in PEM, not encrypted."""
    return _pem(lambda key: load_pem_private_key(key, None), Ed25519PrivateKey, written)


def _pem(load: Callable[[bytes], Any], kind: type, written: str) -> str:
    try:
        key = load(as_pem(written).encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"is not a PEM key with its line ends written as \\n. {KEYS_HINT}") from None
    if not isinstance(key, kind):
        raise ValueError(f"is not an Ed25519 key, with which tokens are signed. {KEYS_HINT}")
    return as_pem(written)
