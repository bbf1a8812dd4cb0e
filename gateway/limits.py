"""How often one may try: registration, log-in and asking for a new password by address, submission and documents by
account.

Whole offices share an address, so these bound floods only; guessing a password is stopped by the account's own lock.
Counted in each gateway process by default; NKK_LIMIT_STORAGE names a shared store where there are several.
"""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from flask import current_app, g
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address)

DEFAULTS = {"REGISTRATION": "100/hour", "LOGIN": "100/minute", "RESET": "10/hour", "SUBMISSION": "60/hour",
            "DOCUMENTS": "60/minute"}


def limit(name: str, key: Callable[[], str] = get_remote_address, **which: Any
          ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """View decorator: at most as often as the setting NKK_LIMIT_<name> says, such as `20/hour`.

    `which` narrows what is counted, as Flask-Limiter's `limit` takes it: methods, exempt_when.
    """
    bound = limiter.limit(lambda: current_app.config[f"LIMIT_{name}"], key_func=key, **which)

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        limited: Any = bound(view)
        # What flask-smorest writes into the API's description.
        limited._apidoc = deepcopy(getattr(view, "_apidoc", {}))
        limited._apidoc.setdefault("manual_doc", {}).setdefault("responses", {})["429"] = "TOO_MANY_REQUESTS"
        return limited

    return decorate


def by_account() -> str:
    """The account that asks."""
    return f"account:{g.actor.id}"


def seconds_to_wait() -> int:
    """How long until the limit that this request met counts anew."""
    met = limiter.current_limit
    return max(1, math.ceil(met.reset_at - time.time())) if met else 60
