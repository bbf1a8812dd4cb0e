"""What a log-in is renewed with: intake's token, and behind it a mark that only this gateway can make.

Threat: whoever shares an address with others, such as an office's, sends tokens of their own making until the address
has no more tries, and has everybody's log-in there end with its access token. So what was given here is counted by
itself, and only what was not by address. The mark opens nothing. Nothing of it is stored here.
"""

import json
import re
from contextlib import suppress
from typing import Any

from flask import request

from gateway.backend import backend
from gateway.limits import hidden, source

WRITTEN = re.compile(r"[A-Za-z0-9_-]{43}(\.[0-9a-f]{32})?")
"""A token of intake's, with its mark; without one as versions before gave it. Pages ask nobody about anything else."""


def marked(opened: dict[str, Any]) -> dict[str, Any]:
    """A log-in that intake has `opened`, as it is given to whoever logged in."""
    token = opened["refresh_token"]
    return opened | {"refresh_token": f"{token}.{_mark(token)}"}


def renew(written: str) -> Any:
    """A fresh access token for what was given."""
    token = written.partition(".")[0] if WRITTEN.fullmatch(written) else written
    return backend().ask_intake("renew", {"refresh_token": token})


def counted_by(written: str) -> str:
    """The key of the limit of renewals: the token, where it was given here, else the address."""
    token, _, mark = written.partition(".")
    return hidden(f"given:{token}") if mark and mark == _mark(token) else source()


def in_json() -> str:
    """`counted_by` of what a program sends."""
    # What is wrong with it the view says.
    with suppress(ValueError, RecursionError, KeyError, TypeError):
        written = json.loads(request.get_data(cache=True))["refresh_token"]
        if isinstance(written, str):
            return counted_by(written)
    return source()


def _mark(token: str) -> str:
    return hidden(f"renewal:{token}")
