"""What stands on printed sheets."""

from io import BytesIO

import pypdf


def pdf_words(file: bytes) -> str:
    """Every word of a PDF, white space made one blank."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(file)).pages).split())
