"""What every page has: a CSRF token, security headers, compression, and faults as pages."""

from flask import Blueprint, request
from flask_wtf.csrf import CSRFProtect

from gateway.site import compression, faults, headers, session

protection = CSRFProtect()


def new_pages(name: str) -> Blueprint:
    """Return a blueprint for a group of pages."""
    pages = Blueprint(name, __name__, template_folder="templates")
    pages.before_request(_protect)
    # The last one runs first: session and headers set cookies and headers, then the page is compressed.
    pages.after_request(compression.compress)
    pages.after_request(headers.add)
    pages.after_request(session.keep)
    faults.of_pages(pages)
    return pages


def _protect() -> None:
    if request.method != "GET":
        protection.protect()
