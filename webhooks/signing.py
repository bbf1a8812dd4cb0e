"""Secrets and signatures of webhooks, after Standard Webhooks 1.0 (https://www.standardwebhooks.com)."""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a new signing secret: 32 random bytes in base 64, after the prefix by which it is recognised."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def headers(id_: str, body: bytes, now: datetime, signed_with: Iterable[str]) -> dict[str, str]:
    """Return the headers of a message, with a signature for each of the secrets."""
    timestamp = str(int(now.timestamp()))
    content = f"{id_}.{timestamp}.".encode() + body
    signatures = [_sign(content, secret) for secret in signed_with]
    return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def _sign(content: bytes, secret: str) -> str:
    digest = hmac.digest(b64decode(secret.removeprefix(PREFIX)), content, "sha256")
    return f"v1,{b64encode(digest).decode()}"
