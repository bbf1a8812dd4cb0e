"""The documents of the procedure, as an office reads them: DOCX and PDF; the monthly recapitulation as XLSX and PDF.

`render` makes one here and now. `make` has a child process make it, so that a template without an end, or a text that
fills the memory, harms nobody else. What a kind may show stands in `content.SHOWN`; the rest of the content it is given
is dropped. The same content gives the same bytes.
"""

from nkk.documents.checking import check_templates
from nkk.documents.child import make
from nkk.documents.content import KINDS
from nkk.documents.errors import (
    BrokenTemplateError,
    ContentError,
    RenderingFailedError,
    RenderingTooSlowError,
    TemplateError,
    UnknownFormatError,
    UnknownKindError,
    UnprintableTemplateError,
)
from nkk.documents.formats import FORMATS, MEDIA_TYPES
from nkk.documents.rendering import render

__all__ = [
    "FORMATS",
    "KINDS",
    "MEDIA_TYPES",
    "BrokenTemplateError",
    "ContentError",
    "RenderingFailedError",
    "RenderingTooSlowError",
    "TemplateError",
    "UnknownFormatError",
    "UnknownKindError",
    "UnprintableTemplateError",
    "check_templates",
    "make",
    "render",
]
