"""What each HTTP method may do, by one rule for all addresses of site and API.

A page is opened by GET and acts by POST. The API accepts the methods in its description. HEAD is GET without a body:
views see a GET, and no form comes with it. Any other method gets a 405 that names the allowed ones.
"""

import sys
from collections.abc import Container
from typing import Any

import flask
from flask import Flask, current_app, request
from flask.globals import request_ctx
from werkzeug.exceptions import BadRequest, MethodNotAllowed, ServiceUnavailable
from werkzeug.wrappers import Response as AnyResponse

from gateway import cors, tus
from gateway.addresses import within_site

FOR_PROGRAMS = ("/api/v1/", "/healthz", "/readyz", "/unggahan")
"""The prefixes of addresses that answer OPTIONS and the methods they are registered for; all others are pages."""

PAGES_TAKE = frozenset({"GET", "POST"})

EFFECTS = {
    "cases.read": "for its reporter, the answer is received: step 7; a look of the staff is recorded",
    "beside.notes": "a look of the staff is recorded",
    "beside.beri-waktu": "a look of the staff is recorded",
    "beside.opd-lain": "a look of the staff is recorded",
    "beside.tutup": "a look of the staff is recorded",
    "beside.tanya": "a look of the staff is recorded where the reporter cannot be asked",
    "acts.read_questions": "a look of the staff is recorded",
    "acts.read_notes": "a look of the staff is recorded",
    "papers.file": "for its reporter, the answer is received with its document; a look of the staff is recorded",
    "complaints.read": "for its reporter, the answer is received: step 7; a look of the staff is recorded",
    "complaints.timeline": "a look of the staff is recorded",
    "evidence.file": "a look of the staff is recorded",
    "evidence.preview": "a look of the staff is recorded",
    "files.file": "a look of the staff is recorded",
    "files.preview": "a look of the staff is recorded",
    "documents.document": "for its reporter, the answer is received with its document; a look of the staff is recorded",
    "public.speak": "the language is remembered by this browser",
}
"""Every GET with an effect, by its endpoint.

Besides, any page may renew the visitor's session, and shows the flashed message of the page before once
(`gateway.site.session`). A HEAD has none of these effects except the record: the stage returned the data, and records
that.
"""

FILES = ("static_files", "docs")
"""The blueprints whose GETs have no effect, so that a browser may load them ahead."""

OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
OVERRIDE_FIELD = "_method"

PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
AHEAD = ("prefetch", "prerender", "preview")

# As WSGI environment names, because every request is checked for them.
_OVERRIDES, _PURPOSES = (
    tuple("HTTP_" + name.upper().replace("-", "_") for name in names) for names in (OVERRIDES, PURPOSES)
)


class MethodOverriddenError(BadRequest):
    """The request names another method than the one it was sent with, which proxies before the gateway do not see."""

    problem = "method-overridden"
    detail = (
        "A request's method is the one it is sent with: leave X-HTTP-Method-Override and its like, and the field "
        "_method, out. Nothing was done."
    )


class NotAVisitError(ServiceUnavailable):
    """The page was prefetched, or embedded by another site, and showing it would count as reading.

    A browser that gets a 503 requests the address again once the visitor opens it.
    """

    problem = "not-a-visit"
    detail = "This is not loaded ahead, nor into another site's page: ask for it once it is to be read."


class Request(flask.Request):
    """A request whose views see HEAD as GET, and that has a form only where the method can send one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        tus.override(args[0] if args else kwargs["environ"])
        super().__init__(*args, **kwargs)
        self.asked = str(self.environ["REQUEST_METHOD"])
        if self.asked == "HEAD":
            self.method = "GET"

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether a body is parsed as a form: never for a GET, nor where the view reads it as it arrives."""
        return self.method != "GET" and not is_read_as_it_arrives() and super().want_form_data_parsed


class Gateway(Flask):
    """A Flask application that refuses pages against the method rule, and redirects only within this site."""

    request_class = Request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url_map.strict_slashes = False
        # Werkzeug would redirect a request for /an//address to the host that the request names.
        self.url_map.merge_slashes = False

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register an address as Flask does. Raises ValueError where a page would act by anything but POST."""
        for_programs = rule.startswith(FOR_PROGRAMS)
        if not for_programs and not PAGES_TAKE.issuperset(options.get("methods") or ()):
            raise ValueError(f"{rule} is a page: it is opened by GET and acts by POST.")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options if for_programs else False, **options)

    def redirect(self, location: str, code: int = 302) -> AnyResponse:
        """Redirect as Flask does, within this site."""
        return super().redirect(within_site(location), code)


def is_head() -> bool:
    """Return whether the request is a HEAD, which changes nothing that a GET would."""
    return asked() == "HEAD"


def takes_effect() -> bool:
    """Return whether the current request may have the effect that EFFECTS lists for its address."""
    return request.endpoint in EFFECTS and not is_head()


def asked() -> str:
    """Return the method that the current request was sent with."""
    return str(request.environ["REQUEST_METHOD"])


def check() -> None:
    """Refuse a request that overrides its method, and one that is not a visit."""
    if is_read_as_it_arrives():
        request.max_content_length = sys.maxsize
    # Werkzeug reads `post` as POST; by the standard, and for proxies before the gateway, it is another method.
    adapter = request_ctx.url_adapter
    if asked() != asked().upper() and adapter is not None:
        raise MethodNotAllowed(valid_methods=sorted(adapter.allowed_methods()))
    fields = request.args if request.path.startswith(FOR_PROGRAMS) else request.values
    check_fields(fields)
    if any(name in request.environ for name in _OVERRIDES):
        raise MethodOverriddenError
    if request.blueprint not in FILES and (_is_ahead() or _is_embedded_elsewhere()):
        raise NotAVisitError


def check_fields(fields: Container[str]) -> None:
    """Raise MethodOverriddenError where a form or an address overrides the method."""
    if OVERRIDE_FIELD in fields:
        raise MethodOverriddenError


def is_read_as_it_arrives() -> bool:
    """Return whether the request's body is an upload's bytes or a form with files, which its view limits itself."""
    return tus.is_of_an_upload(request.path) or is_streamed()


def is_streamed() -> bool:
    """Return whether the request brings a form with files to a view that takes them, and reads them itself."""
    view = current_app.view_functions.get(request.endpoint or "")
    return request.mimetype == "multipart/form-data" and getattr(view, "takes_files", False)


def _is_ahead() -> bool:
    environ = request.environ
    said = " ".join(environ[name] for name in _PURPOSES if name in environ).lower()
    return any(purpose in said for purpose in AHEAD)


def _is_embedded_elsewhere() -> bool:
    """Return whether a page of another origin loads this as a picture, a frame or by a script that may not."""
    environ = request.environ
    return (
        environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin")
        and environ.get("HTTP_SEC_FETCH_DEST", "document") != "document"
        and not cors.is_admitted()
    )
