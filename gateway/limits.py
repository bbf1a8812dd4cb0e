"""How often one may try: registration, log-in and asking for a new password by address, submission and documents by
account.

Whole offices share an address, so these bound floods only; guessing a password is slowed down by intake
(`services/intake/attempts.py`). One count holds for all processes and for both doors; where it is kept, `counting.py`
says. Addresses and accounts are counted under keyed hashes: none lies on a disk in the clear.
"""

import hashlib
import hmac
import math
import time
from collections.abc import Callable
from copy import deepcopy
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from flask import current_app, g, request
from flask_limiter import Limiter
from limits import parse_many
from werkzeug.exceptions import TooManyRequests

from nkk.sop.steps import Role


def source() -> str:
    """Where the request comes from: a keyed hash of its address, of an IPv6 address's network, since one subscriber has
    all of it."""
    return hidden(f"address:{network(request.remote_addr or '')}")


def by_account() -> str:
    """The account that asks."""
    return hidden(f"account:{g.actor.id}")


def by_account_of_staff() -> str:
    """The account of a member of staff. Reporters' accounts can be had by anybody, as many as they like, and would be
    as many tries: theirs are those of the address."""
    return source() if g.actor.role == Role.REPORTER else by_account()


def hidden(text: str) -> str:
    """`text` as a keyed hash; half a character too, since nothing has been checked when it is counted."""
    key = str(current_app.config["SITE_KEY"]).encode()
    return hmac.new(key, f"limits:{text}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:32]


def network(address: str) -> str:
    """An IPv4 address as it is, of an IPv6 address its /64; what is neither as it is."""
    try:
        known: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or IPv6Network((known, 64), strict=False).network_address)
    return str(known)


limiter = Limiter(source)


def limit(
    name: str, key: Callable[[], str] = source, of: str | None = None, exempt_when: Callable[[], bool] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """View decorator: at most as often as the setting NKK_LIMIT_<name> says, such as `20/hour`.

    All views of one thing share its count: that of `name`, or of `of` where several things have the same setting.
    Whatever the method: `exempt_when`, as Flask-Limiter's `shared_limit` takes it, says what carries nothing out.
    """
    scope = of or name.lower()
    bound = limiter.shared_limit(
        lambda: current_app.config[f"LIMIT_{name}"],
        scope,
        key_func=lambda: _counted_by(name, scope, key()),
        exempt_when=exempt_when,
    )

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        limited: Any = bound(view)
        # What flask-smorest writes into the API's description.
        limited._apidoc = deepcopy(getattr(view, "_apidoc", {}))
        limited._apidoc.setdefault("manual_doc", {}).setdefault("responses", {})["429"] = "TOO_MANY_REQUESTS"
        return limited

    return decorate


def count(name: str, key: str, of: str) -> None:
    """Count once more under `key`, where a view does on its way what another is bound in by `limit(name, of=of)`.
    Raises TooManyRequests."""
    key = _counted_by(name, of, key)
    # Each is counted, whichever is met.
    limits = parse_many(current_app.config[f"LIMIT_{name}"])
    if met := [limit for limit in limits if not limiter.limiter.hit(limit, key, of)]:
        g.window_ends = max(limiter.limiter.get_window_stats(limit, key, of).reset_time for limit in met)
        raise TooManyRequests


def seconds_to_wait() -> int:
    """How long until the limit that this request met counts anew."""
    met = limiter.current_limit
    resets_at = met.reset_at if met and met.breached else math.inf
    ends = min(resets_at, g.get("window_ends", math.inf))
    return max(1, math.ceil(ends - time.time())) if math.isfinite(ends) else 60


def _counted_by(name: str, scope: str, key: str) -> str:
    return hidden(f"{scope}:{_window(name)}:{key}")


def _window(name: str) -> int:
    """The number of the window of time that is counted now; `g.window_ends` is when it ends.

    The count of another window has another key, as has that of another limit: who looks into the store finds no two
    counts of one account, and, since windows begin at whole multiples of their length, no moment at which anybody came.
    """
    seconds = max(limit.get_expiry() for limit in parse_many(current_app.config[f"LIMIT_{name}"]))
    number = int(time.time() // seconds)
    g.window_ends = (number + 1.0) * seconds
    return number
