"""The shape of a file's descriptor in events and RPC."""

from marshmallow import EXCLUDE, Schema, fields, validate

from nkk.contracts.fields import Length, Range, Regexp
from nkk.sop.files import ATTACHED, ID_LENGTH, MOST_AT_ONCE, MOST_OF_A_REPORT, Scan

LARGEST = 2**40


class Described(Schema):
    """A file before it has a number, as the gateway describes it to the stage that attaches it."""

    id = fields.String(required=True, validate=Regexp(rf"^[A-Za-z0-9_-]{{{ID_LENGTH}}}\Z"))
    media_type = fields.String(required=True, validate=Length(3, 100))
    size = fields.Integer(required=True, strict=True, validate=Range(1, LARGEST))
    sha256 = fields.String(required=True, validate=Regexp(r"^[0-9a-f]{64}\Z"))
    cleaned = fields.Boolean(required=True, truthy={True}, falsy={False})
    readable = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    scan = fields.String(load_default=str(Scan.NONE), validate=validate.OneOf([str(scan) for scan in ATTACHED]))


class OwnDescribed(Described):
    """A reporter's file, with the size and the digest of what came."""

    came_size = fields.Integer(required=True, strict=True, validate=Range(1, LARGEST))
    came_sha256 = fields.String(required=True, validate=Regexp(r"^[0-9a-f]{64}\Z"))


class Numbered(Described):
    """A file's descriptor in an event."""

    class Meta:
        unknown = EXCLUDE

    number = fields.String(required=True, validate=Regexp(r"^(R[1-9][0-9]{0,3}-)?[1-9][0-9]{0,2}\Z"))


def told_files(most: int = MOST_OF_A_REPORT) -> fields.List:
    """Return the field of an event that names at most so many files; without files in older events."""
    return fields.List(fields.Nested(Numbered), load_default=(), validate=validate.Length(max=most))


def attaching(schema: type[Described] = Described) -> fields.List:
    """Return the field of a call that attaches files."""
    return fields.List(fields.Nested(schema), load_default=list, validate=Length(most=MOST_AT_ONCE))


class UploadIds(Schema):
    """The uploads that a stage is asked about."""

    ids = fields.List(fields.String(validate=Length(1, ID_LENGTH)), required=True, validate=Length(most=1_000))


class FileView(Schema):
    """A file as a desk sees it. Its id is for the gateway, which asks its store and never passes it on."""

    number = fields.String()
    id = fields.String()
    media_type = fields.String()
    size = fields.Integer()
    sha256 = fields.String()
    cleaned = fields.Boolean()
    readable = fields.Boolean()
    scan = fields.String()


class OwnFileView(FileView):
    """A file as its reporter sees it; the gateway adds its name."""

    came_size = fields.Integer()
    came_sha256 = fields.String()
    added_at = fields.String()
