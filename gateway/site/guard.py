"""What holds for every page: the token against forged forms, who asks, headers, compression, faults as pages."""

from flask import Blueprint, Response, request
from flask_wtf.csrf import CSRFProtect

from gateway.site import compression, faults, session

# Everything from this origin, nothing inline: a complaint's text that were taken for markup could still do nothing.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

protection = CSRFProtect()


def new_pages(name: str) -> Blueprint:
    """A blueprint for a group of pages."""
    pages = Blueprint(name, __name__, template_folder="templates")
    pages.before_request(_protect)
    # The last named runs first: what a page has become is compressed, and a cookie may still be set before.
    pages.after_request(compression.compress)
    pages.after_request(headers)
    pages.after_request(session.keep)
    faults.of_pages(pages)
    return pages


def headers(response: Response) -> Response:
    """`response` with the headers of a page."""
    response.headers["Content-Security-Policy"] = POLICY
    # Our own addresses name tickets: no other site is told them.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _protect() -> None:
    if request.method != "GET":
        protection.protect()
