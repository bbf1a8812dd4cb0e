"""The headers of every page."""

from flask import Response

# Everything from this origin, nothing inline: even if a complaint's text became markup, it could do nothing.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def add(response: Response) -> Response:
    """Return `response` with the headers of a page; a file has a stricter policy of its own."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    # Addresses contain tickets, so that other sites get no referrer.
    response.headers["Referrer-Policy"] = "same-origin"
    return response
