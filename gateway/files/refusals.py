"""What is refused of uploads and files, whatever is in them."""

from nkk.sop.refusals import Refused


class UnknownUpload(Refused):
    """There is no such upload of this account: an unknown one, an expired one and another account's look the same."""


class UploadHeaderInvalid(Refused):
    """A header about an upload, `header`, is missing or cannot be read."""


class UploadTooLong(Refused):
    """The upload is to have more bytes than one file may have: `most`, in MB."""


class UploadOverrun(Refused):
    """More bytes were sent than the upload was said to have."""


class WrongOffset(Refused):
    """The bytes do not begin where the upload stands, which is at `offset`."""


class UploadLengthChanged(Refused):
    """The upload was begun with another length."""


class UploadInUse(Refused):
    """Another request sends bytes of this upload just now."""


class UploadNotReady(Refused):
    """The upload is not whole yet, or not checked yet."""

    also = ("upload-being-checked",)


class UploadAttached(Refused):
    """The upload is evidence: it is attached to a report or a response, and is not removed."""


class UploadRefused(Refused):
    """The file was refused when it was checked: `refusal` says why."""


class TooManyFiles(Refused):
    """More files than may go together: `most`."""


class FilesTooLong(Refused):
    """The files have more bytes together than they may: `most`, in MB."""


class UploadsFull(Refused):
    """The account has too much in the store that is attached to nothing: `most`, in MB."""


class FileHeldBack(Refused):
    """The file waits for the scanner's judgement, or was found infected; nobody opens it."""

    also = ("file-infected",)


class FileLost(Refused):
    """The file is not in the store any more, or was changed there."""
