"""The documents of the procedure, as an office reads them: DOCX and PDF; the monthly recapitulation as XLSX and PDF.

`render` makes one here and now. `make` has a child process make it, so that a template without an end, or a text that
fills the memory, harms nobody else. What a kind may show stands in `content.SHOWN`; the rest of the content it is given
is dropped. The same content gives the same bytes.
"""

from gateway.documents.checking import check_templates
from gateway.documents.child import make
from gateway.documents.content import KINDS
from gateway.documents.errors import (
    BrokenTemplateError,
    ContentError,
    RenderingFailedError,
    RenderingTooSlowError,
    TemplateError,
    UnknownFormatError,
    UnknownKindError,
    UnprintableTemplateError,
)
from gateway.documents.formats import FORMATS, MEDIA_TYPES
from gateway.documents.rendering import render

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
