"""The schemas of uploads."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, fields

from gateway.files.errors import sentence
from gateway.files.facts import State
from gateway.files.uploads import Upload
from nkk.sop.clock import write_instant
from nkk.sop.files import Scan

DIGEST = {"description": "SHA-256 in hexadecimal digits."}


class UploadState(Schema):
    """An upload: how far it is, and once it is `ready` what is kept of it."""

    id = fields.String(required=True, metadata={"description": "Name it in `files` of POST /complaints."})
    state = fields.String(
        required=True,
        metadata={
            "enum": [str(state) for state in State],
            "description": "`receiving`: bytes are missing. `checking`: all came, and hidden data is being removed. "
            "`ready`: it can be attached. `refused`: it is not taken; `refusal` says why.",
        },
    )
    offset = fields.Integer(required=True, metadata={"description": "How many bytes came."})
    length = fields.Integer(allow_none=True, metadata={"description": "How many are to come."})
    expires_at = fields.String(
        required=True, metadata={"description": "Until then it can be attached; after that it is removed."}
    )
    name = fields.String(metadata={"description": "The file's own name, which only its owner sees."})
    original = fields.Boolean(metadata={"description": "Whether hidden data is to be kept."})
    refusal = fields.String(allow_none=True, metadata={"description": "The code of a refusal, such as `macros`."})
    detail = fields.String(allow_none=True, metadata={"description": "What it means, as a sentence."})
    media_type = fields.String(allow_none=True, metadata={"description": "The type, recognised by the content."})
    size = fields.Integer(allow_none=True, metadata={"description": "The bytes of what is kept."})
    sha256 = fields.String(allow_none=True, metadata={"description": f"Of what is kept. {DIGEST['description']}"})
    came_size = fields.Integer(allow_none=True, metadata={"description": "The bytes of what came."})
    came_sha256 = fields.String(allow_none=True, metadata={"description": f"Of what came. {DIGEST['description']}"})
    cleaned = fields.Boolean(metadata={"description": "Whether hidden data was removed."})
    readable = fields.Boolean(metadata={"description": "False for an encrypted file, which we could not look into."})
    scan = fields.String(
        metadata={
            "enum": [str(scan) for scan in Scan],
            "description": "What the virus scanner says; `none` where there is none, `held` until it has judged.",
        },
    )


class Uploaded(Schema):
    """The uploads that a form brought."""

    uploads = fields.List(fields.Nested(UploadState), required=True)


def told(upload: Upload) -> dict[str, Any]:
    """Return an upload as its owner is told of it."""
    names = UploadState().fields.keys() - {"detail", "expires_at"}
    return {name: getattr(upload, name) for name in names} | {
        "expires_at": write_instant(datetime.fromtimestamp(upload.expires, UTC)),
        "detail": sentence(upload.refusal, **(upload.parameters or {})) if upload.refusal else None,
    }
