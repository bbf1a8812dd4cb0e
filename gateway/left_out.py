"""Invisible characters removed from submitted texts, and the header that tells the sender about them."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g

from nkk.sop.text import lost

HEADER = "X-NKK-Left-Out"
HEADERS = {
    HEADER: {
        "description": "The fields from which control characters or direction marks were removed, separated by "
        "commas; absent where nothing was removed.",
        "schema": {"type": "string"},
    }
}


def note(sent: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """Remember which fields of `sent` lost characters in `kept`."""
    fields = [name for name, value in sent.items() if name in kept and _lost(value, kept[name])]
    g.left_out = [*g.get("left_out", []), *fields]


def noted() -> list[str]:
    """Return the fields of this request that lost characters."""
    return g.get("left_out", [])


def tell(response: Response) -> Response:
    """Name the fields that lost characters in a successful response's header."""
    if noted() and response.status_code < 300:
        response.headers[HEADER] = ", ".join(noted())
    return response


def _lost(sent: Any, kept: Any) -> bool:
    if sent == kept:
        return False
    if isinstance(sent, str) and isinstance(kept, str):
        return lost(sent, kept)
    if isinstance(sent, Mapping) and isinstance(kept, Mapping):
        return any(_lost(value, kept.get(name)) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(kept, list):
        return any(_lost(*pair) for pair in zip(sent, kept, strict=False))
    return False
