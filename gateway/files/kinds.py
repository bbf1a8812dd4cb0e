"""The kinds of files that are taken. What a file is, its content tells (`inspection.recognising`), not its name."""

import shutil
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """A kind of file. `label` is what pages call it, `media` the program that cleans it."""

    media_type: str
    extension: str
    label: str
    media: Literal["picture", "pdf", "text", "office", "odf", "sealed", "sound", "video"]

    @property
    def cleanable(self) -> bool:
        """Whether hidden data can be removed here, which for sound and video needs ffmpeg."""
        return self.media != "sealed" and (self.played is None or shutil.which("ffmpeg") is not None)

    @property
    def previewed(self) -> bool:
        """Whether a preview is made."""
        return self.media in ("picture", "pdf")

    @property
    def played(self) -> Literal["audio", "video"] | None:
        """Whether browsers play it, and with which element."""
        if self.media == "sound":
            return "audio"
        return "video" if self.media == "video" else None


JPEG = Kind("image/jpeg", "jpg", "JPEG", "picture")
PNG = Kind("image/png", "png", "PNG", "picture")
WEBP = Kind("image/webp", "webp", "WebP", "picture")
HEIC = Kind("image/heic", "heic", "HEIC", "picture")
PDF = Kind("application/pdf", "pdf", "PDF", "pdf")
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = Kind(f"{_OOXML}wordprocessingml.document", "docx", "DOCX", "office")
XLSX = Kind(f"{_OOXML}spreadsheetml.sheet", "xlsx", "XLSX", "office")
PPTX = Kind(f"{_OOXML}presentationml.presentation", "pptx", "PPTX", "office")
ODT = Kind("application/vnd.oasis.opendocument.text", "odt", "ODT", "odf")
ODS = Kind("application/vnd.oasis.opendocument.spreadsheet", "ods", "ODS", "odf")
TXT = Kind("text/plain", "txt", "TXT", "text")
CSV = Kind("text/csv", "csv", "CSV", "text")
MP3 = Kind("audio/mpeg", "mp3", "MP3", "sound")
M4A = Kind("audio/mp4", "m4a", "M4A", "sound")
OGG = Kind("audio/ogg", "ogg", "OGG", "sound")
AMR = Kind("audio/amr", "amr", "AMR", "sound")
WAV = Kind("audio/wav", "wav", "WAV", "sound")
MP4 = Kind("video/mp4", "mp4", "MP4", "video")
THREE_GP = Kind("video/3gpp", "3gp", "3GP", "video")
WEBM = Kind("video/webm", "webm", "WebM", "video")
MOV = Kind("video/quicktime", "mov", "MOV", "video")
# An encrypted DOCX, XLSX or PPTX is a compound file that does not say which of them it contains.
SEALED = Kind("application/vnd.ms-office", "office", "DOCX/XLSX/PPTX", "sealed")

KINDS = {
    kind.media_type: kind
    for kind in (
        *(JPEG, PNG, WEBP, HEIC, PDF, DOCX, XLSX, PPTX, ODT, ODS, TXT, CSV, SEALED),
        *(MP3, M4A, OGG, AMR, WAV, MP4, THREE_GP, WEBM, MOV),
    )
}
"""Media type -> kind."""

ACCEPT = ",".join(
    sorted(
        {f".{kind.extension}" for kind in KINDS.values() if kind is not SEALED} | {".jpeg", ".heif", ".opus", ".oga"}
    )
)
"""What a form's file input offers. A telephone also offers its camera for `image/*`, which the form adds."""
