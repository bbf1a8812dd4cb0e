"""The procedure's documents as DOCX and PDF, and the monthly recapitulation as XLSX and PDF.

`render` makes a document in this process. `make` uses a child process, so that an endless template or a text that
exhausts the memory harms nothing else. `content.SHOWN` lists what each kind may show; other content is dropped. The
same content gives the same bytes.
"""

from gateway.documents.checking import check_templates, templates_in
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
    "templates_in",
]
