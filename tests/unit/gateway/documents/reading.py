"""Reading of a document's text, without formatting and white space, since line breaks differ."""

import functools
import io
import re
import unicodedata

from docx import Document
from docx.oxml.ns import qn
from pypdf import PdfReader

TICKET = "NKK-2026-000123"


def squeezed(text):
    return re.sub(r"[\s\u00ad]+", "", text)


@functools.lru_cache(maxsize=8)
def _document(data):
    """Return the document, which nobody changes."""
    return Document(io.BytesIO(data))


@functools.lru_cache(maxsize=64)
def docx_text(data):
    """Return the body's text, paragraph by paragraph, with its line breaks."""
    return "\n".join(_written(paragraph) for paragraph in _document(data).element.body.iter(qn("w:p")))


def _written(element):
    kinds = {qn("w:br"): "\n", qn("w:tab"): "\t"}
    return "".join(
        kinds.get(node.tag) or node.text or ""
        for node in element.iter(qn("w:t"), *kinds)
        if not (node.tag == qn("w:tab") and node.getparent().tag == qn("w:tabs"))
    )


def docx_edges(data, number, count):
    """Return the header and footer of page `number` of `count`."""
    section = _document(data).sections[0]
    first = number == 1
    parts = (section.first_page_header, section.first_page_footer) if first else (section.header, section.footer)
    numbers = {"PAGE": str(number), "NUMPAGES": str(count)}
    said, in_result = "", False
    for node in (node for part in parts for node in part._element.iter(qn("w:t"), qn("w:instrText"), qn("w:fldChar"))):
        if node.tag == qn("w:fldChar"):
            in_result = node.get(qn("w:fldCharType")) == "separate"
        elif not in_result:
            said += numbers[node.text.strip()] if node.tag == qn("w:instrText") else node.text or ""
    return said


@functools.lru_cache(maxsize=64)
def docx_heads(data):
    """Return the rows that a table repeats on each page."""
    return tuple(
        squeezed(_written(row))
        for row in _document(data).element.body.iter(qn("w:tr"))
        if row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
    )


@functools.lru_cache(maxsize=64)
def pdf_pages(data):
    return tuple(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def pdf_text(data):
    return "\n".join(pdf_pages(data))


def pdf_body(data, docx):
    """Return the PDF's squeezed text without what `docx` repeats on each page: header, footer and head rows."""
    pages = [squeezed(page) for page in pdf_pages(data)]
    body = ""
    for number, page in enumerate(pages, 1):
        edges = squeezed(docx_edges(docx, number, len(pages)))
        assert page.endswith(edges), "a page without its header or footer"
        page = page.removesuffix(edges)
        for head in docx_heads(docx) if number > 1 else ():
            page = page.removeprefix(head)
        body += page
    return body


def words(text):
    """Return the words of a text, sorted, with Arabic in its base letters."""
    return sorted(unicodedata.normalize("NFKC", text).split())
