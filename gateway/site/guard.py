"""What every page has: a CSRF token, security headers, compression, and faults as pages."""

from flask import Blueprint, request

from gateway import methods
from gateway.site import compression, faults, headers, session
from gateway.site.csrf import protection


def new_pages(name: str) -> Blueprint:
    """Return a blueprint for a group of pages."""
    pages = Blueprint(name, __name__, template_folder="templates")
    pages.before_request(protect)
    # The last one runs first: session and headers set cookies and headers, then the page is compressed.
    pages.after_request(compression.compress)
    pages.after_request(headers.add)
    pages.after_request(session.keep)
    faults.of_pages(pages)
    return pages


def protect() -> None:
    """Refuse a request of another site."""
    # A form with files is checked as it is read, before its first file.
    if request.method != "GET" and not methods.is_streamed():
        protection.protect()
