"""gunicorn's worker, saying no as the application does: what is no HTTP, or more of it than is taken, is a problem too.

The request never reached the application, so nothing of it is known but what is wrong. gunicorn's own answer is a page
that repeats what was sent, and so does its log line: neither leaves here.
"""

import json
import socket
import struct
import uuid
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import errors as broken
from gunicorn.workers.gthread import ThreadWorker

from gateway.app import HEADERS
from gateway.errors import SENTENCES, body_of
from nkk.messaging.log import get_logger

NO_HTTP = (400, "Bad Request", "malformed", "This is no HTTP request that can be read. Nothing was done.")
OF_OURS = (500, "Internal Server Error", "failed", SENTENCES[500])
SAYS = {
    broken.LimitRequestLine: (414, "URI Too Long", "too-long", "The address is too long. Nothing was done."),
    broken.LimitRequestHeaders: (431, "Request Header Fields Too Large", "too-long",
                                 "The headers are too many or too long. Nothing was done."),
    broken.ExpectationFailed: (417, "Expectation Failed", "refused",
                               "What the header Expect asks for is not done here. Leave it out."),
    broken.UnsupportedTransferCoding: (501, "Not Implemented", "refused",
                                       "This transfer coding is not taken. Send the body as it is, or in chunks."),
    broken.InvalidResponseHeader: OF_OURS,
    broken.InvalidResponseHeaderName: OF_OURS,
    broken.ConfigurationProblem: OF_OURS,
}
"""Status, reason, name and sentence, by what gunicorn found; what it found by another name is no HTTP."""

log = get_logger()


STALLED = struct.pack("ll", 15, 0)
"""A struct timeval: how long one that began a request may send nothing more of it, or take nothing of its answer. It
would hold its thread for as long as it likes."""


class Worker(ThreadWorker):
    """Threads, as gunicorn's own."""

    def enqueue_req(self, conn: Any) -> None:
        # One that is gone already is found out by whoever reads.
        with suppress(OSError):
            for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, direction, STALLED)
        super().enqueue_req(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what gunicorn could not read, and close the connection."""
        says = SAYS.get(type(exc), NO_HTTP if isinstance(exc, broken.ParseException) else OF_OURS)
        if says is OF_OURS:
            log.error("request failed", exc_info=exc)
        else:
            log.info("request unreadable", status=says[0], error=type(exc).__name__)
        try:
            util.write_nonblock(client, answer(*says))
        except OSError:
            log.debug("nobody waits for the answer")


def answer(status: int, reason: str, name: str, sentence: str) -> bytes:
    """The problem as it goes over the wire; the connection ends with it."""
    body = json.dumps(body_of(status, name, sentence), ensure_ascii=False).encode()
    headers = HEADERS | {"Content-Type": "application/problem+json", "Content-Length": str(len(body)),
                         "Connection": "close", "X-Request-ID": str(uuid.uuid4())}
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + body
