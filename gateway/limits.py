"""How often one may try: registration, log-in and asking for a new password by address, submission and documents by
account.

Whole offices share an address, so these bound floods only; guessing a password is stopped by the account's own lock.
Counted in each gateway process by default; NKK_LIMIT_STORAGE names a shared store where there are several.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any

from flask import Flask, current_app, g, request
from limits import RateLimitItem, parse
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

DEFAULTS = {"REGISTRATION": "100/hour", "LOGIN": "100/minute", "RESET": "10/hour", "SUBMISSION": "60/hour",
            "DOCUMENTS": "60/minute"}


def register(app: Flask) -> None:
    """Have `app` count in the store RATELIMIT_STORAGE_URI."""
    app.extensions["limits"] = FixedWindowRateLimiter(storage_from_string(app.config["RATELIMIT_STORAGE_URI"]))


def by_address() -> str:
    """The address that asks."""
    return f"address:{request.remote_addr}"


def by_account() -> str:
    """The account that asks."""
    return f"account:{g.actor.id}"


def limit(name: str, key: Callable[[], str] = by_address, methods: Iterable[str] | None = None,
          exempt_when: Callable[[], bool] = lambda: False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """View decorator: at most as often as the setting NKK_LIMIT_<name> says, such as `20/hour`, each view by itself.

    `methods` and `exempt_when` narrow what is counted. Raises TooManyRequests, whose `retry_after` is the seconds until
    it counts anew.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        place = f"{view.__module__}.{view.__qualname__}"

        @wraps(view)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            if (methods is None or request.method in methods) and not exempt_when():
                _count(_rate(current_app.config[f"LIMIT_{name}"]), key(), place)
            return view(*args, **kwargs)

        return bounded

    return decorate


def _count(rate: RateLimitItem, *who: str) -> None:
    limiter = current_app.extensions["limits"]
    if not limiter.hit(rate, *who):
        seconds = math.ceil(limiter.get_window_stats(rate, *who).reset_time - time.time())
        raise TooManyRequests(retry_after=max(1, seconds))


@cache
def _rate(text: str) -> RateLimitItem:
    return parse(text)


class ProcessStorage(Storage):
    """Counts in this process, `process://`. The library's own, `memory://`, starts a thread for nearly every request,
    to look through all that it has counted."""

    STORAGE_SCHEME = ["process"]  # noqa: RUF012  # as the library declares it

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Nothing it meets is an error of a store's."""
        return ()

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._look_through_at = 0.0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` more of `key`, which counts anew `expiry` seconds after it began to; how many those are."""
        with self._lock:
            self._forget_old(time.time())
            count, until = self._counts.get(key, (0, time.time() + expiry))
            self._counts[key] = count + amount, until
            return count + amount

    def get(self, key: str) -> int:
        """How many were counted of `key`."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When `key` counts anew, in seconds since the epoch."""
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """It is there."""
        return True

    def reset(self) -> int | None:
        """Forget everything; how many keys there were."""
        with self._lock:
            count = len(self._counts)
            self._counts.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget `key`."""
        with self._lock:
            self._counts.pop(key, None)

    def _forget_old(self, now: float) -> None:
        if now >= self._look_through_at:
            self._look_through_at = now + 1
            self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > now}
