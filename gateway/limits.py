"""Rate limits: by address for registration, log-in and password resets, by account for reports and documents.

Whole offices share an address, so these only bound floods; guessing a password is slowed down by intake
(`services/intake/attempts.py`). All processes, site and API share one count, which `counting.py` keeps. Addresses and
accounts are counted under keyed hashes, so that none is on a disk in the clear.
"""

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from inspect import unwrap
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from flask import Response, current_app, g, request
from flask_limiter import Limiter
from limits import parse_many
from werkzeug.exceptions import TooManyRequests

from nkk.sop.steps import Role


def source() -> str:
    """Return a keyed hash of the request's address, or of its /64 network for IPv6, all of which one subscriber has."""
    return hidden(f"address:{network(request.remote_addr or '')}")


def by_account() -> str:
    """Return a keyed hash of the caller's account."""
    return hidden(f"account:{g.actor.id}")


def by_account_of_staff() -> str:
    """Return a keyed hash of a staff member's account, or for a reporter that of the address.

    Anybody can register many reporter accounts, and each would have a limit of its own.
    """
    return source() if g.actor.role == Role.REPORTER else by_account()


def hidden(text: str) -> str:
    """Return a keyed hash of `text`, which may hold lone surrogates because it is counted before it is validated."""
    key = str(current_app.config["SITE_KEY"]).encode()
    return hmac.new(key, f"limits:{text}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:32]


def network(address: str) -> str:
    """Return the /64 network of an IPv6 address; an IPv4 address, or text that is no address, unchanged."""
    try:
        known: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or IPv6Network((known, 64), strict=False).network_address)
    return str(known)


limiter = Limiter(source)

_VIEWS: dict[str, Callable[..., Any]] = {}
"""The functions whose calls are limited, by their qualified names."""


def limit(
    name: str, key: Callable[[], str] = source, of: str | None = None, exempt_when: Callable[[], bool] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a view decorator that limits calls to the setting NKK_LIMIT_<name>, such as `20/hour`.

    All views with one `name` share a count; `of` names the count where several names share one setting. Every method
    counts; `exempt_when`, as in Flask-Limiter's `shared_limit`, exempts requests without an effect.
    """
    scope = of or name.lower()
    bound = limiter.shared_limit(
        lambda: current_app.config[f"LIMIT_{name}"],
        scope,
        key_func=lambda: _noted(name, scope, _counted_by(name, scope, key()), is_shared=key is not by_account),
        exempt_when=exempt_when,
    )

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        _name_apart(view)
        limited: Any = bound(view)
        # flask-smorest takes the API's description from this.
        limited._apidoc = deepcopy(getattr(view, "_apidoc", {}))
        limited._apidoc.setdefault("manual_doc", {}).setdefault("responses", {})["429"] = "TOO_MANY_REQUESTS"
        return limited

    return decorate


def _name_apart(view: Callable[..., Any]) -> None:
    """Give `view` a name of its own: Flask-Limiter keeps limits by names, and views made by a loop have one name."""
    made = unwrap(view)
    if _VIEWS.setdefault(view.__qualname__, made) is not made:
        view.__qualname__ += f"-{len(_VIEWS)}"
        _VIEWS[view.__qualname__] = made


def count(name: str, key: str, of: str) -> None:
    """Count once under `key`, in a view that does part of what `limit(name, of=of)` bounds. Raises TooManyRequests."""
    key = _counted_by(name, of, key)
    # Every limit is counted, even after one is exceeded.
    limits = parse_many(current_app.config[f"LIMIT_{name}"])
    if met := [limit for limit in limits if not limiter.limiter.hit(limit, key, of)]:
        g.window_ends = max(limiter.limiter.get_window_stats(limit, key, of).reset_time for limit in met)
        raise TooManyRequests


def tell(response: Response) -> Response:
    """Say in a response of a limited operation what its limits are and how much is left of each.

    The fields are those of draft-ietf-httpapi-ratelimit-headers-11, also where a request exceeded a limit.
    """
    told = [each for scope, counted in g.get("limited", {}).items() for each in _standing(scope, *counted)]
    if told:
        response.headers["RateLimit-Policy"] = ", ".join(policy for policy, _ in told)
        response.headers["RateLimit"] = ", ".join(standing for _, standing in told)
    return response


def _standing(scope: str, name: str, key: str, is_shared: bool) -> Iterator[tuple[str, str]]:
    """Yield each limit of a setting, and what is left of it, as items of the two fields.

    Threat: the count of an address would tell everybody in an office that somebody there has just registered. So what
    is left of a shared count is told in quarters.
    """
    limits = parse_many(current_app.config[f"LIMIT_{name}"])
    for limit in limits:
        seconds = limit.get_expiry()
        called = scope if len(limits) == 1 else f"{scope}-{seconds}"
        ends, left = limiter.limiter.get_window_stats(limit, key, scope)
        quarter = max(1, limit.amount // 4)
        if is_shared:
            left = left // quarter * quarter or min(left, 1)
        wait = max(1, math.ceil(min(ends, g.get("window_ends", math.inf)) - time.time()))
        yield f'"{called}";q={limit.amount};w={seconds}', f'"{called}";r={left};t={wait}'


def _noted(name: str, scope: str, key: str, is_shared: bool) -> str:
    """Return `key`, and remember for `tell` that this request is counted under it, perhaps with those of others."""
    g.setdefault("limited", {})[scope] = (name, key, is_shared)
    return key


def seconds_to_wait() -> int:
    """Return the seconds until the limit that this request exceeded is reset."""
    met = limiter.current_limit
    resets_at = met.reset_at if met and met.breached else math.inf
    ends = min(resets_at, g.get("window_ends", math.inf))
    return max(1, math.ceil(ends - time.time())) if math.isfinite(ends) else 60


def _counted_by(name: str, scope: str, key: str) -> str:
    return hidden(f"{scope}:{_window(name)}:{key}")


def _window(name: str) -> int:
    """Return the number of the current time window, and set `g.window_ends` to its end.

    The window is part of the key, as is the limit's name, so that a copy of the store shows neither two counts of one
    account nor, because windows begin at whole multiples of their length, the time of a request.
    """
    seconds = max(limit.get_expiry() for limit in parse_many(current_app.config[f"LIMIT_{name}"]))
    number = int(time.time() // seconds)
    g.window_ends = (number + 1.0) * seconds
    return number
