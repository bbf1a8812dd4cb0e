"""The headers of tus 1.0, the protocol by which uploads go on where they broke off (https://tus.io)."""

import re
from base64 import b64decode
from binascii import Error
from email.utils import formatdate
from typing import Any

from flask import Response, current_app, request, url_for
from werkzeug.exceptions import PreconditionFailed, UnsupportedMediaType

from gateway.files.refusals import UploadHeaderInvalid, UploadLengthChanged
from gateway.files.slots import slots
from gateway.files.uploads import Upload, owner, uploads

PREFIX, OF_PAGES = "/api/v1/uploads", "/unggahan"
"""The addresses of uploads: for programs, and for the script of the pages."""
VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
MEDIA_TYPE = "application/offset+octet-stream"

VERSION_HEADER, LENGTH, OFFSET, METADATA, EXPIRES = (
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Offset",
    "Upload-Metadata",
    "Upload-Expires",
)
SENT = (VERSION_HEADER, LENGTH, OFFSET, METADATA, "X-HTTP-Method-Override")
"""The headers of requests, besides those of other operations."""
RECEIVED = (VERSION_HEADER, "Tus-Version", "Tus-Extension", "Tus-Max-Size", LENGTH, OFFSET, METADATA, EXPIRES)
"""The headers of responses."""

OVERRIDE = "HTTP_X_HTTP_METHOD_OVERRIDE"
SENT_AS_POST = "nkk.sent_as_post"
"""In the environment of a request whose method was overridden."""
OVERRIDDEN = ("PATCH", "DELETE", "HEAD")
MAX_METADATA = 4096
_KEY = re.compile(r"[!-+\--~]+")
"""A key is of ASCII, without spaces and commas."""


class OtherVersionError(PreconditionFailed):
    """The request is of no version of the protocol that is taken here."""

    problem = "other-tus-version"
    detail = f"Send the header {VERSION_HEADER}: {VERSION}."


class NotOffsetStreamError(UnsupportedMediaType):
    """The bytes of an upload come with another content type than the protocol's."""

    detail = f"Send the bytes with the header Content-Type: {MEDIA_TYPE}."


def override(environ: dict[str, Any]) -> None:
    """Let an upload's POST be the PATCH, DELETE or HEAD that it says to be, as the protocol has it.

    Some networks let through no such methods. For every other address a request's method is the one it is sent with.
    """
    said = environ.get(OVERRIDE, "").upper()
    if said in OVERRIDDEN and environ["REQUEST_METHOD"] == "POST" and is_of_an_upload(environ["PATH_INFO"]):
        environ["REQUEST_METHOD"] = said
        environ[SENT_AS_POST] = True
        del environ[OVERRIDE]


def is_of_an_upload(path: str) -> bool:
    """Return whether an address is that of an upload."""
    return path.startswith((f"{PREFIX}/", f"{OF_PAGES}/"))


def require_version() -> None:
    """Refuse a request of another version of the protocol, or of none."""
    if request.headers.get(VERSION_HEADER) != VERSION:
        raise OtherVersionError


def require_media_type() -> None:
    """Refuse bytes that come as anything but the protocol's content type."""
    if request.mimetype != MEDIA_TYPE:
        raise NotOffsetStreamError


def number(header: str) -> int:
    """Return the number in a header. Raises UploadHeaderInvalid."""
    written = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,15}", written):
        raise UploadHeaderInvalid({"header": header})
    return int(written)


def metadata() -> dict[str, str]:
    """Return what the request says of the file: `filename`, `filetype` and others. Raises UploadHeaderInvalid."""
    written, found = request.headers.get(METADATA, "").strip(), {}
    try:
        if len(written) > MAX_METADATA:
            raise ValueError
        for pair in written.split(",") if written else ():
            key, _, value = pair.strip().partition(" ")
            if not _KEY.fullmatch(key) or key in found:
                raise ValueError
            found[key] = b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    except (ValueError, Error) as error:
        raise UploadHeaderInvalid({"header": METADATA}) from error
    return found


def begin(endpoint: str) -> tuple[Upload, dict[str, str]]:
    """Begin the caller's upload, and return it with its headers; `endpoint` is that of its address."""
    require_version()
    about = metadata()
    written = request.headers.get(METADATA, "").strip()
    id = uploads().create(owner(), number(LENGTH), about.get("filename", ""), about.get("original") == "1", written)
    upload = uploads().state(owner(), id)
    return upload, headers(upload) | {"Location": url_for(endpoint, id=id)}


def send(id: str) -> Response:
    """Store the bytes of the request at the end of the caller's upload."""
    require_version()
    require_media_type()
    offset, found = number(OFFSET), uploads()
    if LENGTH in request.headers and number(LENGTH) != found.state(owner(), id).length:
        raise UploadLengthChanged
    stream, who = request.environ["wsgi.input"], owner()
    slots().run(lambda: found.write(who, id, offset, stream, request.content_length), who)
    return Response(status=204, headers=headers(found.state(owner(), id)))


def headers(upload: Upload) -> dict[str, str]:
    """Return the headers that say how an upload stands."""
    told = {OFFSET: str(upload.offset), EXPIRES: formatdate(upload.expires, usegmt=True)}
    if upload.length is not None:
        told[LENGTH] = str(upload.length)
    if upload.metadata:
        told[METADATA] = upload.metadata
    return told


def tell(response: Response) -> Response:
    """Name the version in a response about uploads, and in that of OPTIONS what is taken."""
    if request.path.startswith((PREFIX, OF_PAGES)):
        response.headers[VERSION_HEADER] = VERSION
        if request.environ["REQUEST_METHOD"] == "HEAD" and SENT_AS_POST in request.environ:
            # The client has sent a POST, and would wait for as many bytes as a GET's answer has.
            response.set_data(b"")
        if request.method == "OPTIONS" or response.status_code == PreconditionFailed.code:
            response.headers["Tus-Version"] = VERSION
        if request.method == "OPTIONS":
            response.headers["Tus-Extension"] = EXTENSIONS
            response.headers["Tus-Max-Size"] = str(current_app.config["FILE_LIMITS"].file_bytes)
    return response
