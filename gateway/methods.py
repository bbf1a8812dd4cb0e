"""What a method may do: one rule for every address of both doors.

A page is opened by GET and acts by POST. The API takes the methods that its description names. HEAD is GET without a
body: views see a GET, and no form can come with one. Whatever else is asked is a 405 that names what is taken.
"""

from typing import Any

import flask
from flask import Flask, request
from flask.globals import request_ctx
from werkzeug.exceptions import BadRequest, MethodNotAllowed, ServiceUnavailable
from werkzeug.wrappers import Response as AnyResponse

from gateway.addresses import within_site

FOR_PROGRAMS = ("/api/v1/", "/healthz", "/readyz")
"""Whose addresses are asked with OPTIONS and with whatever method they are registered for. All others are pages."""

PAGES_TAKE = frozenset({"GET", "POST"})

EFFECTS = {
    "cases.read": "for its reporter, the answer is received: step 7; a look of the staff is recorded",
    "papers.file": "for its reporter, the answer is received with its document; a look of the staff is recorded",
    "complaints.read": "for its reporter, the answer is received: step 7; a look of the staff is recorded",
    "complaints.timeline": "a look of the staff is recorded",
    "documents.document": "for its reporter, the answer is received with its document; a look of the staff is recorded",
    "public.speak": "the language is remembered by this browser",
}
"""Every GET that changes something, by its endpoint. Besides, any page may renew the visitor's session, and shows a
message of the one before once (`gateway.site.session`). A HEAD does none of it but for the record: the stage was asked,
and writes down what it told."""

FILES = ("static_files", "docs")
"""The blueprints whose GETs change nothing for anybody: a browser may load them before they are needed."""

OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
OVERRIDE_FIELD = "_method"

PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
AHEAD = ("prefetch", "prerender", "preview")

# By the names that they have in WSGI's environment: asked of every request.
_OVERRIDES, _PURPOSES = (
    tuple("HTTP_" + name.upper().replace("-", "_") for name in names) for names in (OVERRIDES, PURPOSES)
)


class MethodOverriddenError(BadRequest):
    """The request has one method for whoever stands before us and another for us."""

    problem = "method-overridden"
    detail = (
        "A request's method is the one it is sent with: leave X-HTTP-Method-Override and its like, and the field "
        "_method, out. Nothing was done."
    )


class NotAVisitError(ServiceUnavailable):
    """Loaded ahead of a visitor who may never come, or into a page of somebody else's: shown, it would count as read.
    To a browser a 503 means that the address is to be asked for once its visitor is really there."""

    problem = "not-a-visit"
    detail = "This is not loaded ahead, nor into another site's page: ask for it once it is to be read."


class Request(flask.Request):
    """A request whose views see HEAD as the GET that it is, and no form where nothing can have been sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = str(self.environ["REQUEST_METHOD"])
        if self.asked == "HEAD":
            self.method = "GET"

    @property
    def want_form_data_parsed(self) -> bool:
        """A GET has no form, whatever its body says."""
        return self.method != "GET" and super().want_form_data_parsed


class Gateway(Flask):
    """A Flask application that registers no address against the rule, and sends nobody to another site."""

    request_class = Request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url_map.strict_slashes = False
        # Werkzeug would send who asks for /an//address to the host that they named.
        self.url_map.merge_slashes = False

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """As Flask's. Raises ValueError for a page that would act by anything but POST."""
        for_programs = rule.startswith(FOR_PROGRAMS)
        if not for_programs and not PAGES_TAKE.issuperset(options.get("methods") or ()):
            raise ValueError(f"{rule} is a page: it is opened by GET and acts by POST.")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options if for_programs else False, **options)

    def redirect(self, location: str, code: int = 302) -> AnyResponse:
        """As Flask's, within this site."""
        return super().redirect(within_site(location), code)


def is_head() -> bool:
    """Whether only the head of an answer is asked for: whatever a GET changes, this changes nothing."""
    return asked() == "HEAD"


def takes_effect() -> bool:
    """Whether the request at hand may have the effect that its address is listed for in EFFECTS."""
    return request.endpoint in EFFECTS and not is_head()


def asked() -> str:
    """The method that the request at hand was sent with."""
    return str(request.environ["REQUEST_METHOD"])


def check() -> None:
    """Refuse a request whose method is not what it says, and one that is no visit."""
    # To werkzeug `post` is POST; to the standard, and to whoever stands before us, it is another method.
    adapter = request_ctx.url_adapter
    if asked() != asked().upper() and adapter is not None:
        raise MethodNotAllowed(valid_methods=sorted(adapter.allowed_methods()))
    fields = request.args if request.path.startswith(FOR_PROGRAMS) else request.values
    if OVERRIDE_FIELD in fields or any(name in request.environ for name in _OVERRIDES):
        raise MethodOverriddenError
    if request.blueprint not in FILES and (_is_ahead() or _is_embedded_elsewhere()):
        raise NotAVisitError


def _is_ahead() -> bool:
    environ = request.environ
    said = " ".join(environ[name] for name in _PURPOSES if name in environ).lower()
    return any(purpose in said for purpose in AHEAD)


def _is_embedded_elsewhere() -> bool:
    """Whether a page of another origin loads this into itself, be it as a picture, a frame or by a script."""
    environ = request.environ
    return (
        environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin")
        and environ.get("HTTP_SEC_FETCH_DEST", "document") != "document"
    )
