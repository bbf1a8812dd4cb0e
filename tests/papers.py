"""The text of printed documents."""

from io import BytesIO

import pypdf


def pdf_words(file: bytes) -> str:
    """Return all words of a PDF, with single spaces between them."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(file)).pages).split())
