"""The headers of every page."""

from flask import Response

# Everything from this origin, nothing inline: a complaint's text that were taken for markup could still do nothing.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def add(response: Response) -> Response:
    """Return `response` with the headers of a page."""
    response.headers["Content-Security-Policy"] = POLICY
    # Our own addresses name tickets: no other site is told them.
    response.headers["Referrer-Policy"] = "same-origin"
    return response
