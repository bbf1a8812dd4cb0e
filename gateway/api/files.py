"""Files of complaints: added by their reporter, and opened by those who may see the complaint."""

from typing import Any

from flask import Response

from gateway import complaints, evidence, schemas
from gateway.api.complaints import READERS
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.complaints import known
from gateway.limits import by_account, limit
from nkk.sop.steps import Role

resources = Resources("files", __name__, description="The files of reports and responses")

_BYTES = {"schema": {"type": "string", "format": "binary"}}


@resources.route("/complaints/<ticket>/supplements", methods=["POST"])
@needs(Role.REPORTER)
@limit("SUBMISSION", by_account)
@resources.arguments(schemas.Supplement())
@resources.response(201, schemas.Supplemented)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def supplement(form: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Add words, files or both to your own complaint, until ten working days after it was closed.

    The same sent again gets the same answer.
    """
    return complaints.supplement(ticket, form["files"], form.get("text"))


@resources.route("/complaints/<ticket>/files/<number>", methods=["GET"])
@needs(*READERS)
@resources.doc(
    responses={
        "200": {
            "description": "The file, as an attachment.",
            "content": {"application/octet-stream": _BYTES},
            "headers": {"ETag": {"schema": {"type": "string"}}, "Accept-Ranges": {"schema": {"type": "string"}}},
        },
        "206": {"description": "The part that Range asks for.", "content": {"application/octet-stream": _BYTES}},
        "304": {"description": "The file has the ETag of If-None-Match."},
        "416": {"description": "The file ends before the range begins; Content-Range tells its size."},
    }
)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def file(ticket: str, number: str) -> Response:
    """Get a file of a complaint, or a part of it (Range). Every opening by staff is recorded."""
    return evidence.opened(known(ticket), number)


@resources.route("/complaints/<ticket>/files/<number>/preview", methods=["GET"])
@needs(*READERS)
@resources.doc(responses={"200": {"description": "A JPEG of at most 200 kB.", "content": {"image/jpeg": _BYTES}}})
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def preview(ticket: str, number: str) -> Response:
    """Get the preview of a picture, or of the first page of a PDF. Every opening by staff is recorded."""
    return evidence.preview(known(ticket), number)
