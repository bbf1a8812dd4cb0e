"""Compression of pages and static files with gzip, for slow lines.

The length of a compressed page can reveal a secret to an attacker whose input it repeats (BREACH). The cookies are
SameSite=Lax, so that another site cannot request a logged-in page again and again.
"""

import gzip

from flask import Response, request

WORTH_BYTES = 500


def compress(response: Response) -> Response:
    """Return `response`, compressed where it is a page that is long enough."""
    if response.mimetype == "text/html":
        response.vary.add("Accept-Encoding")
        response.vary.add("Cookie")
        body = response.get_data()
        if takes_gzip() and len(body) > WORTH_BYTES and "Content-Encoding" not in response.headers:
            response.set_data(gzip.compress(body, 6, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
    return response


def takes_gzip() -> bool:
    """Return whether this request's browser accepts gzip."""
    return "gzip" in request.accept_encodings
