"""The visitor's log-in, kept in two cookies and renewed before it ends. The gateway itself stores nothing."""

import hmac
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

import flask
from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug.exceptions import TooManyRequests

from gateway import auth, devices, limits, methods, renewals
from gateway.backend import backend
from gateway.site.language import read_instant
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.refusals import NotAuthenticated, NotYourRole
from nkk.sop.steps import PERSONS
from nkk.trust.actor import Actor

ACCESS, REFRESH, DEVICE = "nkk_access", "nkk_refresh", "nkk_device"
A_YEAR = 31_536_000
EARLY_SECONDS = 60
"""How long before the access token its cookie ends, so that the token is renewed in time."""

F = TypeVar("F", bound=Callable[..., Any])


def cookie(name: str) -> str:
    """Return the cookie's name. Behind TLS its prefix keeps other hosts and plain connections from setting it."""
    return f"__Host-{name}" if request.is_secure else name


class Cookies(SecureCookieSessionInterface):
    """Flask's signed session cookie, which holds the CSRF token, under the same rules as the other cookies."""

    def get_cookie_name(self, app: Flask) -> str:
        return cookie("nkk_session")

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        # A HEAD would delete a flashed message that no visitor has seen.
        return super().should_set_cookie(app, session) and not methods.is_head()


def needs(*roles: str) -> Callable[[F], F]:
    """Return a view decorator that admits only a visitor with one of `roles`; without roles, any logged-in one."""

    def decorate(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if actor().role not in (roles or (actor().role,)):
                raise NotYourRole
            return view(*args, **kwargs)

        checked.needs_log_in = True  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def actor() -> Actor:
    """Return the visitor. Raises NotAuthenticated, or another error where the log-in cannot be renewed at present.

    That is StageUnavailableError, StageFailedError or TooManyRequests.
    """
    return g.actor if "actor" in g else _recognise()


def known_actor() -> Actor | None:
    """Return the visitor where known, for parts of a page that work without."""
    try:
        return actor()
    except (NotAuthenticated, StageUnavailableError, StageFailedError, TooManyRequests):
        return None


def log_in(form: dict[str, Any]) -> None:
    """Log in with the credentials in `form`, and remember this device.

    The browser's earlier session is dropped, against session fixation.
    """
    device = devices.read(request.cookies.get(cookie(DEVICE)))
    opened = renewals.marked(backend().ask_intake("log_in", device.credentials(form)))
    flask.session.clear()
    g.opened = opened
    g.device = device.after(form["username"], opened["role"])
    auth.let_in(opened["access_token"])


def presented() -> tuple[str | None, str]:
    """Return the device in the cookie, and the user name that was typed."""
    return request.cookies.get(cookie(DEVICE)), request.form.get("username", "")


def leave() -> None:
    """Log the visitor out."""
    flask.session.clear()
    g.left = True
    for name in ("opened", "device"):
        g.pop(name, None)
    auth.forget()


def keep(response: Response) -> Response:
    """Write the log-in, log-out or device of this request into the browser's cookies."""
    if g.get("left"):
        for name in (ACCESS, REFRESH):
            response.delete_cookie(cookie(name), path="/", secure=request.is_secure, httponly=True, samesite="Lax")
    elif opened := g.get("opened"):
        _set(response, ACCESS, opened["access_token"], opened["expires_at"], EARLY_SECONDS)
        if "refresh_token" in opened:
            _set(response, REFRESH, opened["refresh_token"], opened["session_expires_at"])
    if "device" in g:
        response.set_cookie(
            cookie(DEVICE),
            str(g.device),
            max_age=A_YEAR,
            path="/",
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
    return response


def draft_owner() -> str | None:
    """Return a pseudonym for the account whose drafts this browser may show."""
    return _of_drafts("owner", lambda derived: derived.hex()[:20])


def draft_key() -> str | None:
    """Return the key that encrypts the visitor's drafts. Only pages of their log-ins get it; no browser stores it."""
    return _of_drafts("key", lambda derived: b64encode(derived).decode())


def draft_name(name: str) -> str | None:
    """Return the draft's hashed name in the browser, which shows neither a ticket nor that a report is written."""
    return _of_drafts(f"name:{name}", lambda derived: derived.hex()[:20])


def _of_drafts(purpose: str, write: Callable[[bytes], str]) -> str | None:
    """Return 32 bytes derived from the visitor's account and `purpose`, written by `write`; None without a log-in."""
    visitor = known_actor()
    if visitor is None:
        return None
    # Derived as before there were other purposes, so that older drafts keep this owner.
    about = f"draft:{visitor.id}" if purpose == "owner" else f"draft:{visitor.id}:{purpose}"
    return write(hmac.digest(str(current_app.config["SECRET_KEY"]).encode(), about.encode(), "sha256"))


def _recognise() -> Actor:
    if g.get("left"):
        raise NotAuthenticated
    token = request.cookies.get(cookie(ACCESS))
    if token:
        try:
            return _person(auth.let_in(token))
        except NotAuthenticated:
            pass
    refresh_token = request.cookies.get(cookie(REFRESH), "")
    if not renewals.WRITTEN.fullmatch(refresh_token) or methods.is_head():
        raise NotAuthenticated
    return _renewed(refresh_token)


def _renewed(refresh_token: str) -> Actor:
    if "renewal_failed" in g:
        raise g.renewal_failed
    try:
        limits.count("LOGIN", renewals.counted_by(refresh_token), of="renewal")
        g.opened = renewals.renew(refresh_token)
    except RefusedRemotelyError:
        g.renewal_failed = NotAuthenticated(code="session-ended")
        raise g.renewal_failed from None
    except (StageUnavailableError, StageFailedError, TooManyRequests) as error:
        # Kept for the request, so that the page that reports it does not wait for the stage again.
        g.renewal_failed = error
        raise
    return _person(auth.let_in(g.opened["access_token"]))


def _person(actor: Actor) -> Actor:
    """Return `actor`. Raises NotAuthenticated for a program, whose token was put into a cookie."""
    if actor.role not in PERSONS:
        auth.forget()
        raise NotAuthenticated
    return actor


def _set(response: Response, name: str, value: str, ends: str, early: int = 0) -> None:
    # Both Lax and not Strict, so that a visitor who comes from the link in a letter is logged in.
    seconds = int((read_instant(ends) - datetime.now(UTC)).total_seconds()) - early
    response.set_cookie(
        cookie(name), value, max_age=max(1, seconds), path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )
