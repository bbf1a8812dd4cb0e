"""Filling of templates: a DOCX with Jinja tags and a context give a DOCX.

People edit templates, and texts come from strangers. Tags therefore run in a sandbox that can change nothing, an
undefined name is an error and not an empty spot, and the output of a tag is always text, never a tag or markup.
"""

import io
import zipfile
from pathlib import Path
from typing import Any, NoReturn

from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.shared import Cm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree
from markupsafe import Markup

from gateway.documents import packing, qr
from gateway.documents.errors import BrokenTemplateError
from gateway.documents.plain import xml

TEMPLATES = Path(__file__).parent / "templates"
QR_WIDTH = Cm(2.6)

# These filters produce markup, with which a template could let a stranger's text in as part of the document.
_NO_FILTERS = ("safe", "escape", "e", "forceescape", "urlize", "xmlattr", "tojson")

_HOLDERS = [qn(f"w:{name}") for name in ("body", "hdr", "ftr", "p", "r", "tbl", "tr", "tc", "sdtContent", "hyperlink")]

NOT_A_DOCX = (zipfile.BadZipFile, PackageNotFoundError, etree.XMLSyntaxError, KeyError, ValueError, AttributeError)


class _Picture:
    """A picture that a template can only place with a tag."""

    __slots__ = ("_png", "_template")

    def __init__(self, template: DocxTemplate, png: bytes) -> None:
        self._template = template
        self._png = png

    def __html__(self) -> str:
        return str(InlineImage(self._template, io.BytesIO(self._png), width=QR_WIDTH))


class _StrictTemplate(DocxTemplate):
    def fix_tables(self, source: str) -> Any:
        # The base class' parser repairs broken XML by dropping parts, which would lose content unnoticed.
        etree.fromstring(source, etree.XMLParser(huge_tree=False, resolve_entities=False))
        return super().fix_tables(source)


def path_of(kind: str, folder: Path | None) -> Path:
    """Return the path of `kind`'s template: the agency's where `folder` has one, else the built-in one."""
    own = folder / f"{kind}.docx" if folder else None
    return own if own and own.is_file() else TEMPLATES / f"{kind}.docx"


def environment() -> ImmutableSandboxedEnvironment:
    """Return the Jinja environment of all templates."""
    made = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined, finalize=_put_out)
    for name in _NO_FILTERS:
        made.filters.pop(name, None)
    return made


def _put_out(value: Any) -> Any:
    if value is None:
        return ""
    return value if hasattr(value, "__html__") else Markup(xml(str(value)))  # noqa: S704 - `xml` escapes it


def fill(path: Path, names: dict[str, Any]) -> bytes:
    """Return the template at `path` filled with `names`; same names, same bytes. Raises BrokenTemplateError."""
    template = read(path)
    url = names.get("tracking_url")
    picture = _Picture(template, qr.png(url)) if url else None
    try:
        template.render(names | {"qr": picture}, environment())
    except (JinjaError, etree.XMLSyntaxError, TypeError, ArithmeticError, LookupError, ValueError) as error:
        _refuse(path, error)
    _refuse_loose_text(path, template)
    out = io.BytesIO()
    _mark(template, names)
    template.save(out)
    return packing.settled(out.getvalue())


def read(path: Path) -> DocxTemplate:
    """Return the unfilled template at `path`. Raises BrokenTemplateError where it is no DOCX."""
    template = _StrictTemplate(io.BytesIO(path.read_bytes()))
    try:
        template.init_docx()
    except NOT_A_DOCX:
        raise BrokenTemplateError(path.name, "this is not a readable DOCX file.") from None
    return template


def _refuse_loose_text(path: Path, template: DocxTemplate) -> None:
    """Raise BrokenTemplateError where text is outside of paragraphs, rows or runs.

    Tags like {{r …}} and {{p …}} put it there, and office applications drop it.
    """
    edges = [
        edge
        for section in template.docx.sections
        for edge in (section.header, section.first_page_header, section.footer, section.first_page_footer)
    ]
    for root in (template.docx.element.body, *(edge._element for edge in edges if not edge.is_linked_to_previous)):
        for element in root.iter(*_HOLDERS):
            if element.xpath("./text()[normalize-space()]"):
                raise BrokenTemplateError(path.name, "a tag puts text outside a paragraph; write it as {{ name }}.")


def _mark(template: DocxTemplate, names: dict[str, Any]) -> None:
    properties = template.docx.core_properties  # get_docx() would load the template again
    properties.title = names["title"]
    properties.author = names["agency"]
    properties.last_modified_by = names["agency"]
    properties.subject = names.get("ticket") or names.get("month") or ""
    properties.comments = properties.keywords = properties.identifier = ""
    properties.language = "id-ID"
    properties.revision = 1


def _refuse(path: Path, error: Exception) -> NoReturn:
    """Raise BrokenTemplateError for `error`, without its own text where that could quote the content."""
    if isinstance(error, TemplateSyntaxError):
        what = f"a tag cannot be read: {error.message}"
    elif isinstance(error, UndefinedError):
        what = "a tag uses a name that this document does not have."
    elif isinstance(error, SecurityError):
        what = "a tag does what templates may not do."
    elif isinstance(error, etree.XMLSyntaxError):
        what = "its tags do not fit: each {%p %} needs a paragraph, and each {%tr %} a row, of its own."
    else:
        what = f"a tag cannot be carried out ({type(error).__name__})."
    raise BrokenTemplateError(path.name, what) from error
