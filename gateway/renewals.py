"""Refresh tokens as the gateway hands them out: intake's token, followed by a mark that only this gateway can make.

Threat: a client that shares an address with others, as in an office, sends forged tokens until the address has no tries
left, and all log-ins there end with their access tokens. A token with a valid mark is therefore counted by itself, and
only others by address. The mark authenticates nothing. The gateway stores none.
"""

import json
import re
from contextlib import suppress
from typing import Any

from flask import request

from gateway.backend import backend
from gateway.limits import hidden, source

WRITTEN = re.compile(r"[A-Za-z0-9_-]{43}(\.[0-9a-f]{32})?")
"""The form of a refresh token: intake's token with its mark, or without one as earlier versions issued it.

Pages send intake nothing else.
"""


def marked(opened: dict[str, Any]) -> dict[str, Any]:
    """Return a log-in that intake has `opened`, with its refresh token marked."""
    token = opened["refresh_token"]
    return opened | {"refresh_token": f"{token}.{_mark(token)}"}


def renew(written: str) -> Any:
    """Return a fresh access token for a refresh token."""
    token = written.partition(".")[0] if WRITTEN.fullmatch(written) else written
    return backend().ask_intake("renew", {"refresh_token": token})


def counted_by(written: str) -> str:
    """Return the key of the limit of renewals: the token where its mark is valid, else the address."""
    token, _, mark = written.partition(".")
    return hidden(f"given:{token}") if mark and mark == _mark(token) else source()


def in_json() -> str:
    """Return `counted_by` for the refresh token in an API request's JSON."""
    # The view reports what is wrong with the body.
    with suppress(ValueError, RecursionError, KeyError, TypeError):
        written = json.loads(request.get_data(cache=True))["refresh_token"]
        if isinstance(written, str):
            return counted_by(written)
    return source()


def _mark(token: str) -> str:
    return hidden(f"renewal:{token}")
