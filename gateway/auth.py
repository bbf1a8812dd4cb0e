"""Authentication of a request: its access token is checked here, and again by the stage."""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, g, request

from nkk.sop.refusals import NotYourRole
from nkk.trust.actor import Actor, admit

F = TypeVar("F", bound=Callable[..., Any])


def needs(*roles: str) -> Callable[[F], F]:
    """Return a view decorator that admits only a caller with one of `roles`, or any logged-in caller without roles.

    It goes outermost, under the route, so that a caller who is not admitted is not told what is wrong with their input.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            actor = _actor()
            if roles and actor.role not in roles:
                raise NotYourRole({"needed": list(roles), "role": actor.role}, "role-of-operation")
            return view(*args, **kwargs)

        # flask-smorest takes the API's description from this.
        checked._apidoc = deepcopy(getattr(view, "_apidoc", {}))  # type: ignore[attr-defined]
        manual = checked._apidoc.setdefault("manual_doc", {})  # type: ignore[attr-defined]
        manual["security"] = [{"bearer": []}]
        manual.setdefault("responses", {}).update(
            {
                "401": "UNAUTHORIZED",
                **({"403": "FORBIDDEN"} if roles else {}),
            }
        )
        return checked  # type: ignore[return-value]

    return decorate


def let_in(given: str | None) -> Actor:
    """Admit the caller with access token `given`, and make this request's calls in their name. Raises NotAuthenticated.

    The token's secret stays here; `g.token` and `g.proof`, which are sent on, admit nobody to the gateway.
    """
    entry = admit(given, current_app.config["TOKEN_PUBLIC_KEY"])
    g.token, g.proof, g.actor = entry.token, entry.proof, entry.actor
    return entry.actor


def forget() -> None:
    """Drop the admitted caller of this request."""
    for name in ("token", "proof", "actor"):
        g.pop(name, None)


def _actor() -> Actor:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return let_in(given.strip() if scheme.lower() == "bearer" else None)
