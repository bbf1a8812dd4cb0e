"""Uploads, by tus 1.0 or in one form; once they are ready they are attached to a report or a response."""

from typing import Any

from flask import Response, g, jsonify, request
from werkzeug.exceptions import BadRequest

from gateway import evidence, tus
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.files import forms
from gateway.files.slots import slots
from gateway.files.uploads import owner, uploads
from gateway.limits import by_account, limit
from gateway.schemas import uploads as schemas
from nkk.sop.steps import Role

SENDERS = (Role.REPORTER, Role.WEBSITE, Role.OPERATOR, Role.OPD_TEAM, Role.MAIN_TEAM)
"""Who writes a report or a response."""

FORM = "multipart/form-data"

resources = Resources("uploads", __name__, description="Files on their way to a report or a response, by tus 1.0")


def header(name: str, description: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    """Return the description of a request's header."""
    return {"in": "header", "name": name, "description": description, "schema": {"type": kind}, "required": True} | more


def told(*names: str) -> dict[str, Any]:
    """Return the description of a response's headers."""
    return {name: {"schema": {"type": "string"}, "description": SAYS[name]} for name in names}


SAYS = {
    tus.VERSION_HEADER: "The version of tus: `1.0.0`.",
    tus.OFFSET: "How many bytes have come.",
    tus.LENGTH: "How many bytes are to come.",
    tus.EXPIRES: "Until when the upload can go on and be attached.",
    tus.METADATA: "What was said of the file when the upload began.",
    "Location": "The upload's address. Its last segment is its id.",
}
VERSION = header(
    tus.VERSION_HEADER, SAYS[tus.VERSION_HEADER], schema={"type": "string", "enum": [tus.VERSION]}, example=tus.VERSION
)


def is_website() -> bool:
    """Return whether the caller is a website's server, which sends for all its visitors."""
    return bool(g.actor.role == Role.WEBSITE)


@resources.route("/uploads", methods=["POST"])
@needs(*SENDERS)
@limit("UPLOADS", by_account, exempt_when=is_website)
@limit("WEBSITE", by_account, of="website-uploads", exempt_when=lambda: not is_website())
@resources.doc(
    parameters=[
        VERSION | {"required": False},
        header(
            tus.LENGTH,
            "The file's bytes. At most 25 MB, unless set otherwise.",
            required=False,
            schema={"type": "integer", "minimum": 0, "maximum": 25_000_000},
        ),
        header(
            tus.METADATA,
            "Pairs of a key and a value in base 64, separated by commas: `filename`; `filetype`, which is not relied "
            "on; `original` with the value `1` where hidden data is to be kept because it is the evidence.",
            required=False,
        ),
    ],
    requestBody={
        "description": "Only without tus: files in fields of any names, and before them perhaps a field `original`.",
        "content": {
            FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}}
        },
    },
)
@resources.response(201, schemas.Uploaded, headers=told(tus.VERSION_HEADER, "Location", tus.OFFSET, tus.EXPIRES))
@resources.alt_response(412, response="PRECONDITION_FAILED")
@resources.alt_response(413, response="TOO_LARGE")
@resources.alt_response(422, response="INVALID_INPUT")
def create() -> Response:
    """Begin an upload by tus, or send whole files in one form.

    By tus, send the bytes with PATCH to the response's Location. tus-js-client, Uppy and tuspy need no more than this
    address and the header Authorization.
    """
    if request.mimetype == FORM:
        return _sent_whole()
    upload, headers = tus.begin("uploads.read")
    response = jsonify(schemas.Uploaded().dump({"uploads": [schemas.told(upload)]}))
    response.status_code = 201
    response.headers.update(headers)
    return response


@resources.route("/uploads/<id>", methods=["GET"])
@needs(*SENDERS)
@resources.response(200, schemas.UploadState, headers=told(*tus.RECEIVED[:1], tus.OFFSET, tus.LENGTH, tus.EXPIRES))
@resources.alt_response(404, response="NOT_FOUND")
def read(id: str) -> Response:
    """Get an upload. HEAD, without tus' header too, says in headers how many bytes have come."""
    upload = uploads().state(owner(), id)
    response = jsonify(schemas.UploadState().dump(schemas.told(upload)))
    response.headers.update(tus.headers(upload))
    return response


@resources.route("/uploads/<id>", methods=["PATCH"])
@needs(*SENDERS)
@resources.doc(
    parameters=[VERSION, header(tus.OFFSET, "Where these bytes begin: how many came before them.", "integer")],
    requestBody={"content": {tus.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}, "required": True},
)
@resources.response(204, headers=told(tus.VERSION_HEADER, tus.OFFSET, tus.EXPIRES))
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
@resources.alt_response(412, response="PRECONDITION_FAILED")
@resources.alt_response(413, response="TOO_LARGE")
@resources.alt_response(415, response="UNSUPPORTED_MEDIA_TYPE")
@resources.alt_response(423, response="LOCKED")
def send(id: str) -> Response:
    """Send bytes of an upload, all that are left or some.

    Where the connection breaks, what came is kept: ask with HEAD and go on from there. 409: they do not begin where the
    upload stands, or Upload-Length is another than before. 423: another request sends bytes of it. Both say so in
    `detail`.
    """
    return tus.send(id)


@resources.route("/uploads/<id>", methods=["DELETE"])
@needs(*SENDERS)
@resources.doc(parameters=[VERSION | {"required": False}])
@resources.response(204, headers=told(tus.VERSION_HEADER))
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
@resources.alt_response(423, response="LOCKED")
def discard(id: str) -> Response:
    """Remove an upload that is not wanted. What is attached to a report or a response stays: 409."""
    uploads().discard(owner(), id, evidence.are_attached)
    return Response(status=204)


def _sent_whole() -> Response:
    form = slots().run(
        lambda: forms.receive(
            uploads(),
            owner(),
            request.environ["wsgi.input"],
            request.content_type or "",
            lambda fields: fields.get("original") == "1",
        ),
        owner(),
    )
    if not form.ids:
        raise BadRequest
    found = [schemas.told(uploads().state(owner(), id)) for id in form.ids]
    response = jsonify(schemas.Uploaded().dump({"uploads": found}))
    response.status_code = 201
    return response
