"""Reading and answering requests: waitress buffers the bytes, gunicorn's stricter parser checks the head.

An unreadable request never reaches the application. It is answered here with the same kind of problem document, and
neither the answer nor the log repeats any of it. A request with too long a body does reach the application, without the
body, and the application refuses it.
"""

import json
import uuid
from functools import partial
from io import BytesIO
from time import monotonic
from typing import Any

from gunicorn import util
from gunicorn.http import errors as broken
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from waitress import utilities as waitress
from waitress.buffers import BytesIOBasedBuffer
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.task import Task, WSGITask

from gateway.app import HEADERS, MAX_BODY_BYTES
from gateway.bodies import Body, arrives
from gateway.drawing import Drawn
from gateway.errors import SENTENCES, body_of
from gateway.files.serving import DRAW
from nkk.log import get_logger

MAX_HEAD_BYTES = 64 * 1024
MAX_FRAMED_BYTES = 2 * MAX_BODY_BYTES
"""The longest body, including its chunk framing."""
ARRIVAL_SECONDS, ARRIVAL_PAUSE = 15.0, 30.0
"""How long a thread waits for an upload's bytes, with a second more for each KiB that came; and at once."""

MAX_CHUNK_LINE_BYTES, MAX_TRAILER_BYTES = 256, 4 * 1024

NO_HTTP = (400, "Bad Request", "malformed", "This is no HTTP request that can be read. Nothing was done.")
TOO_SLOW = (408, "Request Timeout", "too-slow", "The request did not come to its end in time. Nothing was done.")
OF_OURS = (500, "Internal Server Error", "failed", SENTENCES[500])
SAYS = {
    "LimitRequestLine": (414, "URI Too Long", "too-long", "The address is too long. Nothing was done."),
    "LimitRequestHeaders": (
        431,
        "Request Header Fields Too Large",
        "too-long",
        "The headers are too many or too long. Nothing was done.",
    ),
    "ExpectationFailed": (
        417,
        "Expectation Failed",
        "refused",
        "What the header Expect asks for is not done here. Leave it out.",
    ),
    "UnsupportedTransferCoding": (
        501,
        "Not Implemented",
        "refused",
        "This transfer coding is not taken. Send the body as it is, or in chunks.",
    ),
    "BadChunks": (
        400,
        "Bad Request",
        "malformed",
        "The body broke off, or its chunks are not what they say. Send it again.",
    ),
    "InternalServerError": OF_OURS,
}
"""Status, reason, problem name and sentence by error name; any other error is NO_HTTP."""

log = get_logger()


def answer(status: int, reason: str, name: str, sentence: str) -> bytes:
    """Return the problem as raw HTTP; the connection closes after it."""
    body = json.dumps(body_of(status, name, sentence), ensure_ascii=False).encode()
    headers = HEADERS | {
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Date": util.http_date(),
        "X-Request-ID": str(uuid.uuid4()),
        # The origin was perhaps not read; the problem is the same for everybody.
        "Access-Control-Allow-Origin": "*",
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + body


class Chunks(ChunkedReceiver):
    """A chunked body whose chunk lines and trailers have limits of their own."""

    error: Any = None

    def received(self, data: bytes) -> int:
        """Read `data`; return how many of its bytes belong to this body."""
        taken: int = super().received(data)
        if len(self.control_line) > MAX_CHUNK_LINE_BYTES or len(self.trailer) > MAX_TRAILER_BYTES:
            self.error = waitress.BadRequest("framed without end")
        return taken


class Reading(HTTPRequestParser):
    """A request while it arrives. `config` is gunicorn's, with gunicorn's limits."""

    config: Any = None
    body_rcv: Any = None
    arriving: Body | None = None
    """The body, where a thread reads it while it arrives."""
    expects_continue = False
    is_too_long = False
    error: Any = None
    """The name of the error, a key of SAYS."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self._head = bytearray()

    def received(self, data: bytes) -> int:
        """Read `data`; return how many of its bytes belong to this request."""
        taken = super().received(data) if self.body_rcv is not None else self._read_head(data)
        if isinstance(self.error, waitress.Error):
            self._name_the_error()
        return taken

    def _read_head(self, data: bytes) -> int:
        before = len(self._head)
        if not before and not data[:1].isupper():
            # TLS, or other bytes that cannot become a request.
            self._refuse(broken.InvalidRequestLine.__name__)
            return len(data)
        self._head += data
        # Search only where the end can be new: a search of the whole head at each byte would take seconds.
        has_ended = self._head.find(b"\r\n\r\n", max(0, before - 3)) >= 0
        if not has_ended and len(self._head) < self.adj.max_request_header_size:
            return len(data)
        return super().received(bytes(self._head)) - before

    def parse_header(self, head: bytes) -> None:
        """Parse the head with gunicorn, and prepare for the body."""
        try:
            found = Request(self.config, IterUnreader([head]), ("", 0))
        except (broken.ParseException, OSError, StopIteration) as error:
            self._refuse(type(error).__name__)
            return
        self._keep(found)
        # gunicorn accepts other codings besides chunks, and would hand the application a body that is still encoded.
        if (coding := self.headers.pop("TRANSFER_ENCODING", None)) and coding.strip().lower() != "chunked":
            self._refuse(broken.UnsupportedTransferCoding.__name__)
            return
        self._expect_body(found)

    def _keep(self, found: Any) -> None:
        self.command, self.version = found.method, "{}.{}".format(*found.version)
        self.request_uri, self.query, self.fragment = found.uri, found.query, found.fragment
        self.path = util.unquote_to_wsgi_str(found.path)
        self.url_scheme = "http"
        for name, value in found.headers:
            key = name.replace("-", "_")
            self.headers[key] = f"{self.headers[key]}, {value}" if key in self.headers else value

    def _expect_body(self, found: Any) -> None:
        # Kept in memory, so that a report's text is never on the disk in the clear.
        reader = found.body.reader
        if arrives(found.method, self.path, self.headers.get("CONTENT_TYPE", "")):
            self._expect_arrival(reader)
            self.expects_continue = found._expected_100_continue
            return
        if isinstance(reader, ChunkedReader):
            self.chunked, self.body_rcv = True, Chunks(BytesIOBasedBuffer())
        elif isinstance(reader, LengthReader) and reader.length > MAX_BODY_BYTES:
            self.is_too_long = True
        elif isinstance(reader, LengthReader) and reader.length:
            self.content_length, self.body_rcv = reader.length, FixedStreamReceiver(reader.length, BytesIOBasedBuffer())
        # A client that expects 100-continue and has no body to send would wait forever.
        self.expect_continue = found._expected_100_continue and self.body_rcv is not None

    def _expect_arrival(self, reader: Any) -> None:
        """Hand the request over with its head; who expects 100-continue gets it once a thread takes the first bytes."""
        if isinstance(reader, ChunkedReader):
            self.arriving = Body(None, ARRIVAL_SECONDS, ARRIVAL_PAUSE)
            self.arriving.receiver = Chunks(self.arriving)
        elif isinstance(reader, LengthReader) and reader.length:
            self.arriving = Body(reader.length, ARRIVAL_SECONDS, ARRIVAL_PAUSE)

    def _name_the_error(self) -> None:
        """Replace waitress' error (an endless head, bad chunks, too long a body) with its name in SAYS."""
        if isinstance(self.error, waitress.RequestEntityTooLarge):
            self.close()
            self.error, self.body_rcv, self.is_too_long = None, None, True
            self.headers["CONTENT_LENGTH"] = str(MAX_FRAMED_BYTES)
        elif isinstance(self.error, waitress.RequestHeaderFieldsTooLarge):
            line = self._head.partition(b"\r\n")[0]
            self._refuse(
                (
                    broken.LimitRequestLine
                    if len(line) > self.config.limit_request_line
                    else broken.LimitRequestHeaders
                ).__name__
            )
        elif isinstance(self.error, waitress.InternalServerError):
            self._refuse("InternalServerError")
        else:
            self._refuse("BadChunks")

    def _refuse(self, found: str) -> None:
        self.error, self.completed, self.expect_continue = found, True, False

    def get_body_stream(self) -> Any:
        """Return the whole body as a file, from its beginning."""
        if self.arriving is not None:
            return self.arriving
        return self.body_rcv.getfile() if self.body_rcv is not None else BytesIO()


class Serving(WSGITask):
    """A request while the application answers it, in a thread."""

    _closes = False

    def build_response_header(self) -> bytes:
        """Return the answer's head, with `Connection: close` where the connection ends with this answer."""
        arriving = self.request.arriving
        is_left = self.request.is_too_long or (arriving is not None and not arriving.is_whole)
        if is_left or self.channel.server.is_leaving():
            self._closes = True
            self.set_close_on_finish()
        return super().build_response_header()

    def set_close_on_finish(self) -> None:
        """Have the connection end with this answer; not where waitress would have it only for lack of a length.

        An answer that has no body, as to each part of an upload, ends with its head.
        """
        asked = self.request.headers.get("CONNECTION", "").lower()
        if self.has_body or self._closes or self.version != "1.1" or asked == "close":
            super().set_close_on_finish()

    def get_environment(self) -> dict[str, Any]:
        """Return WSGI's environment with two functions.

        `nkk.has_gone` returns whether the client closed the connection. `nkk.draw` returns a body of pieces, which are
        drawn as the client takes them.
        """
        return super().get_environment() | {"nkk.has_gone": self.channel.has_gone, DRAW: partial(Drawn, self.channel)}

    def write(self, data: bytes) -> None:
        """Send a part of the answer: at once where its length is unknown, as in a stream."""
        super().write(data)
        if self.chunked_response:
            self.channel.flush()

    def finish(self) -> None:
        """Send the rest from this thread, because waking the loop for it takes longer."""
        super().finish()
        # Set before the thread is done with this request, because the connection waits for the next one from now on.
        self.channel.waits_since = monotonic()
        self.channel.flush()


class Refusing(Task):
    """The answer to a request that never reaches the application."""

    def service(self) -> None:
        """Send the problem, and close the connection."""
        found = self.request.error
        name = found if isinstance(found, str) else type(found).__name__
        says = SAYS.get(name, NO_HTTP)
        if says is not OF_OURS:
            log.info("request unreadable", status=says[0], error=name)
        self.wrote_header = self.close_on_finish = True
        self.channel.write_soon(answer(*says))
        self.channel.flush()
