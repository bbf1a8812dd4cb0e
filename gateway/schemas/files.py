"""The schemas of files: attached to reports and responses, and sent with answers."""

from typing import Any

from marshmallow import Schema, fields

from gateway.schemas.parts import Text
from nkk.contracts.fields import NOTE_LENGTH, Length, PlainText, Regexp
from nkk.sop import faults
from nkk.sop.files import ID_LENGTH, MOST_AT_ONCE, NUMBER_LENGTH


def upload_ids(description: str, **more: Any) -> fields.List:
    """Return a field of upload ids."""
    return fields.List(
        fields.String(validate=Regexp(rf"^[A-Za-z0-9_-]{{{ID_LENGTH}}}\Z", faults.NO_UPLOAD)),
        metadata={"description": f"{description} An upload's id is the last segment of its Location."},
        **{"validate": Length(most=MOST_AT_ONCE)} | more,
    )


class File(Schema):
    """A file. What is not listed here has not come."""

    number = fields.String(
        required=True, metadata={"description": "`1`, `2` … for a report's files, `R1-1` for those of response 1."}
    )
    kind = fields.String(required=True, metadata={"description": "The kind for people, such as `PDF`."})
    media_type = fields.String(required=True)
    size = fields.Integer(required=True, metadata={"description": "The size in bytes of what is kept."})
    sha256 = fields.String(required=True, metadata={"description": "The SHA-256 of what is kept, hexadecimal."})
    cleaned = fields.Boolean(
        required=True,
        metadata={"description": "Whether hidden data was removed; otherwise the file is the original."},
    )
    readable = fields.Boolean(
        required=True, metadata={"description": "False where it is encrypted, so that nobody could look into it."}
    )
    scan = fields.String(
        required=True,
        metadata={
            "description": "`clean`, `none` (there is no virus scanner), `held` (not judged yet: it cannot be opened), "
            "`infected` (it cannot be opened), or `lost` (it is not in the store any more)."
        },
    )
    previewed = fields.Boolean(required=True, metadata={"description": "Whether there is a preview."})
    played = fields.String(
        required=True, allow_none=True, metadata={"description": "`audio` or `video` where browsers play it."}
    )
    name = fields.String(metadata={"description": "The name that the reporter's file had. Only they get it."})
    came_size = fields.Integer(metadata={"description": "The size in bytes of what came. Only the reporter gets it."})
    came_sha256 = fields.String(metadata={"description": "The SHA-256 of what came. Only the reporter gets it."})
    added_at = fields.String(metadata={"description": "When it was attached. Only the reporter gets it."})


class Supplement(Schema):
    """What a reporter adds to a complaint: words, files, or both."""

    text = PlainText(NOTE_LENGTH, allow_none=True, metadata={"description": "The words; needed without files."})
    files = upload_ids("The ids of uploads.", load_default=list)


class Addition(Schema):
    """What the reporter added at once."""

    number = fields.Integer(required=True, metadata={"description": "Counted from 1."})
    day = fields.String(required=True, metadata={"description": "The day on which it was added, as its first instant."})
    text = fields.String(required=True, allow_none=True)
    files = fields.List(
        fields.String(), required=True, metadata={"description": "The numbers of the files that were added."}
    )


class Supplemented(Schema):
    """All files of the report, and all additions to it."""

    ticket = fields.String(required=True)
    files = fields.List(fields.Nested(File), required=True)
    additions = fields.List(fields.Nested(Addition), required=True)


class Response(Text):
    """The response of step 4."""

    files = upload_ids("The ids of uploads to attach to the response.")


class AnswerText(Text):
    """The answer of step 6."""

    files = fields.List(
        fields.String(validate=Length(1, NUMBER_LENGTH)),
        validate=Length(most=MOST_AT_ONCE),
        metadata={"description": "The numbers of the response's files that go to the reporter, such as `R1-1`."},
    )
