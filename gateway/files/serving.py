"""A file as a response: whole or a part of it, under headers with which no browser runs anything in it."""

import unicodedata
from collections.abc import Iterator
from itertools import chain
from urllib.parse import quote

from flask import Response, request

from gateway.files.uploads import Opened
from nkk.log import get_logger

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
DRAW = "nkk.draw"
"""The name in the request's environment of what sends pieces as fast as the client takes them, without a thread."""

log = get_logger()


def send(opened: Opened, *, as_attachment: bool, filename: str) -> Response:
    """Return the response with a file, as `filename`.

    Range and If-Range are taken for one range, with 206 and 416; If-None-Match with 304. Raises FileLost or StoreError
    where the first piece cannot be read.
    """
    part = _part(opened)
    response = Response(status=206 if part else 200)
    response.content_type = (
        f"{opened.media_type}; charset=utf-8" if opened.media_type[:5] == "text/" else opened.media_type
    )
    response.set_etag(opened.sha256[:32])
    response.headers.set("Content-Disposition", "attachment" if as_attachment else "inline", **_names(filename))
    response.headers.update(HEADERS)
    response.headers["Accept-Ranges"] = "bytes"
    if request.if_none_match.contains_weak(opened.sha256[:32]):
        response.status_code = 304
        return response
    if part == (0, 0):
        response.status_code, response.headers["Content-Range"] = 416, f"bytes */{opened.size}"
        return response
    start, stop = part or (0, opened.size)
    if part:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{opened.size}"
    _fill(response, opened.chunks(start, stop), stop - start)
    return response


def _part(opened: Opened) -> tuple[int, int] | None:
    """Return the range that is asked for; (0, 0) where it lies beyond the end, None where all is to be sent."""
    asked, unless = request.range, request.if_range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    is_weak = request.headers.get("If-Range", "").startswith("W/")
    if is_weak or unless.date or (unless.etag and unless.etag != opened.sha256[:32]):
        return None
    start, stop = asked.ranges[0]
    if start < 0:
        return max(0, opened.size + start), opened.size
    return (start, min(stop or opened.size, opened.size)) if start < opened.size else (0, 0)


def _names(filename: str) -> dict[str, str]:
    """Return the parameters for a name: in ASCII, and as RFC 8187 writes it where that says less."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    return {"filename": plain} | ({} if plain == filename else {"filename*": f"UTF-8''{quote(filename, safe='')}"})


def _fill(response: Response, pieces: Iterator[bytes], length: int) -> None:
    # Read before the status is sent, which can still say that the file is lost.
    first = next(pieces, b"")
    draw = request.environ.get(DRAW)
    whole = chain([first], pieces)
    response.response = draw(whole, length) if draw else whole
    response.direct_passthrough = True
    response.content_length = length
