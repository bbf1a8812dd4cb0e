"""Pages and static files over a weak line: gzip where the browser takes it.

A secret can be guessed from the length of a compressed page that repeats what the guesser sent (BREACH). Our cookies
are SameSite=Lax, so that another site cannot have a logged-in page fetched over and over.
"""

import gzip

from flask import Response, request

WORTH_BYTES = 500


def compress(response: Response) -> Response:
    """`response` compressed, where it is text and long enough."""
    if response.mimetype == "text/html":
        response.vary.add("Accept-Encoding")
        response.vary.add("Cookie")
        body = response.get_data()
        if takes_gzip() and len(body) > WORTH_BYTES and "Content-Encoding" not in response.headers:
            response.set_data(gzip.compress(body, 6, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
    return response


def takes_gzip() -> bool:
    """Whether this request's browser does."""
    return "gzip" in request.accept_encodings
