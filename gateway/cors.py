"""Which other websites' scripts may use the API from a visitor's browser (CORS).

The origins of NKK_WEBSITE_ORIGINS may use the operations of reporters, with the access token that their script holds.
Cookies are never sent along: no response allows credentials, and the API takes none. Staff have no business on another
site: their operations, and what staff receive from a shared one, are withheld. Anybody may read the public figures.
"""

from flask import Response, current_app, g, request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from gateway import left_out, tus
from nkk.sop.steps import Role

PREFIX = "/api/v1/"

OPERATIONS = frozenset(
    {
        "accounts.register",
        "accounts.open_by_code",
        "accounts.contact",
        "accounts.change_contact",
        "accounts.log_in",
        "accounts.renew",
        "accounts.log_out",
        "accounts.change_password",
        "accounts.ask_for_reset",
        "accounts.complete_reset",
        "lists.categories",
        "lists.opds",
        "complaints.submit",
        "complaints.own",
        "complaints.read",
        "complaints.timeline",
        "complaints.confirm_receipt",
        "acts.withdraw",
        "acts.object_to",
        "acts.rate",
        "acts.read_questions",
        "acts.answer_question",
        "documents.document",
        "files.supplement",
        "files.file",
        "files.preview",
        "uploads.create",
        "uploads.read",
        "uploads.send",
        "uploads.discard",
    }
)
"""The operations of reporters, by their endpoints."""

PUBLIC = frozenset({"figures.figures", "figures.table"})
"""The operations that every origin may read."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = ", ".join(
    ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-NKK-Device", "X-Request-ID", *tus.SENT)
)
RECEIVED = ", ".join(
    (
        "Content-Disposition",
        "ETag",
        "Location",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "X-NKK-Device",
        left_out.HEADER,
        "X-Request-ID",
        *tus.RECEIVED,
    )
)
KEPT_SECONDS = 7200
"""How long a browser may keep the answer to its preflight; none keeps one longer than two hours by itself."""


def answer_preflight() -> Response | None:
    """Answer a preflight of an origin that may use the address; all else, also other OPTIONS, goes its usual way."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not _origin():
        return None
    open_to = {method: _allowed(endpoint) for method in METHODS if (endpoint := _endpoint(method))}
    methods = [method for method, origin in open_to.items() if origin]
    if not methods:
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Origin"] = str(open_to[methods[0]])
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = SENT
    response.headers["Access-Control-Max-Age"] = str(KEPT_SECONDS)
    return response


def is_admitted() -> bool:
    """Return whether the request is a script's of an origin that may use the operation."""
    return bool(_origin() and _allowed(request.endpoint))


def withhold() -> None:
    """Withhold this response from other origins, because it is for staff."""
    g.withheld = True


def tell(response: Response) -> Response:
    """Let the script of an origin that may use the operation read the response, also that of an error."""
    endpoint = request.endpoint
    if request.path.startswith(PREFIX) and (endpoint is None or endpoint in OPERATIONS or request.method == "OPTIONS"):
        response.vary.add("Origin")
    if request.method == "OPTIONS" or g.get("withheld") or ("actor" in g and g.actor.role != Role.REPORTER):
        return response
    if origin := _allowed(endpoint):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = RECEIVED
    return response


def _origin() -> str:
    return request.headers.get("Origin", "")


def _allowed(endpoint: str | None) -> str | None:
    """Return the origin that may read this request's response of `endpoint`; None for none.

    An address under the API without an operation is refused with a problem, which the script may show.
    """
    if endpoint in PUBLIC:
        return "*"
    is_open = endpoint in OPERATIONS or (endpoint is None and request.path.startswith(PREFIX))
    return _origin() if is_open and _origin() in current_app.config["WEBSITE_ORIGINS"] else None


def _endpoint(method: str) -> str | None:
    adapter = request_ctx.url_adapter
    try:
        return str(adapter.match(method=method)[0]) if adapter else None
    except (HTTPException, RequestRedirect):
        return None
