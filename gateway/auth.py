"""Who is asking: the access token of a request, checked here and again by the stage."""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, g, request

from nkk.sop.refusals import NotYourRole
from nkk.trust.actor import Actor, admit

F = TypeVar("F", bound=Callable[..., Any])


def needs(*roles: str) -> Callable[[F], F]:
    """View decorator: only a log-in with one of `roles` (any for none) passes.

    Goes outermost, under the route: nobody who may not come in is told what is wrong with their input.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            actor = _actor()
            if roles and actor.role not in roles:
                raise NotYourRole({"needed": list(roles), "role": actor.role}, "role-of-operation")
            return view(*args, **kwargs)

        # What flask-smorest writes into the API's description.
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
    """Who comes with the access token `given`; the calls of this request are theirs. Raises NotAuthenticated.

    Its secret stays here: what travels on (`g.token`, `g.proof`) opens no door.
    """
    entry = admit(given, current_app.config["TOKEN_PUBLIC_KEY"])
    g.token, g.proof, g.actor = entry.token, entry.proof, entry.actor
    return entry.actor


def forget() -> None:
    """Nobody is let in any more."""
    for name in ("token", "proof", "actor"):
        g.pop(name, None)


def _actor() -> Actor:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return let_in(given.strip() if scheme.lower() == "bearer" else None)
