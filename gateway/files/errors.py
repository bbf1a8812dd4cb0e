"""Why a file is not taken: a code and the API's sentence for it. The pages' words are in `gateway.site.files`."""

from typing import Any

MEGAPIXELS = 50
"""The largest picture, in millions of pixels. Decoded, each takes 3 MB, and turning it takes as much again."""

SENTENCES = {
    "empty": "This file is empty. Choose it again; on a telephone, wait until it has been downloaded.",
    "not-taken": "Files of this type are not taken. Taken are JPEG, PNG, WebP, HEIC, PDF, DOCX, XLSX, PPTX, ODT, ODS, "
    "TXT, CSV, MP3, M4A, OGG, AMR, WAV, MP4, 3GP, WebM and MOV. The content decides, not the name.",
    "program": "This is a program or a script, and those are not taken.",
    "archive": "This is an archive, and those are not taken. Send the files in it one by one.",
    "web-page": "This is a web page or an SVG drawing, which can contain scripts. Save it as PDF or take a picture.",
    "macros": "This document contains macros or other programs. Save it without them, or as PDF.",
    "scripts": "This PDF contains scripts or starts programs. Let its hidden data be removed, which removes them too.",
    "old-office": "This is a document of an office program before 2007. Save it as DOCX, XLSX, PPTX or PDF.",
    "several-types": "This file is of two types at the same time. Save it again in one type.",
    "broken": "This file cannot be read to its end: it is damaged or was cut off. Open it on your device, save it "
    "again and send that.",
    "too-many-pixels": f"This picture has more than {MEGAPIXELS} million pixels. Make it smaller, or send parts of it.",
    "moving-picture": "This picture moves. Send it as a video, or as single pictures.",
    "embedded": "This document contains another file that cannot be cleaned, such as a sound or a drawing of another "
    "program. Send that file by itself, save the document as PDF, or choose to keep the original.",
    "uncleanable": "The hidden data of this recording cannot be removed; it may be damaged. Save it again on your "
    "device, or choose to keep the original.",
    "too-complex": "Checking this file takes too much time or memory. Save it in parts, or as another type.",
    "infected": "A virus was found in this file. It is kept from everybody; nothing else of yours is touched.",
}


class FileRefusedError(Exception):
    """A file is not taken. `code` is one of `SENTENCES`; `parameters` fill its sentence."""

    def __init__(self, code: str, **parameters: Any) -> None:
        if code not in SENTENCES:
            raise ValueError(f"{code} is not a code of a refused file")
        super().__init__(code)
        self.code = code
        self.parameters = parameters

    def __reduce__(self) -> tuple:
        return _rebuilt, (self.code, self.parameters)


class InspectionUnavailableError(Exception):
    """The file could not be inspected for a reason that lies with us; it is tried again."""


class ScannerAwayError(Exception):
    """The scanner of `NKK_CLAMD` cannot be reached, is too slow, or gave no verdict."""


class ScannerSilentError(ScannerAwayError):
    """The scanner cannot be reached, or says nothing in the time it has: that lies with no file."""


def sentence(code: str, **parameters: Any) -> str:
    """Return the API's sentence for `code`. A code of a later version is shown as it is."""
    return SENTENCES.get(code, f"Refused: {code}.").format_map(parameters)


def _rebuilt(code: str, parameters: dict[str, Any]) -> FileRefusedError:
    return FileRefusedError(code, **parameters)
