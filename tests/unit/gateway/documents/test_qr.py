import io

import pytest
import segno
from docx import Document
from PIL import Image
from pypdf import PdfReader

from gateway.documents import qr
from gateway.documents.content import RECAP
from gateway.documents.formats import FORMATS
from gateway.documents.sample import sample
from tests.unit.gateway.documents.fresh import render

URL = sample()["tracking_url"]
SHEETS = [(kind, fmt) for kind, formats in FORMATS.items() for fmt in formats if kind != RECAP]


def matrix(image):
    """Return the modules of a code's picture, dark ones as 1, without the quiet zone."""
    step, edge = qr.PIXELS_PER_MODULE, qr.QUIET_ZONE
    grey = image.convert("L")
    modules = range(edge, grey.width // step - edge)
    return [[int(grey.getpixel((x * step + step // 2, y * step + step // 2)) < 128) for x in modules] for y in modules]


def pictures(data, fmt):
    if fmt == "pdf":
        return [image.image for page in PdfReader(io.BytesIO(data)).pages for image in page.images]
    parts = Document(io.BytesIO(data)).part.package.image_parts
    return [Image.open(io.BytesIO(part.blob)) for part in parts]


@pytest.mark.parametrize(("kind", "fmt"), SHEETS)
def test_the_code_on_each_sheet_is_the_tracking_address(kind, fmt):
    [picture] = pictures(render(kind, fmt, sample()), fmt)
    assert matrix(picture) == [list(row) for row in segno.make_qr(URL, error="m").matrix]


def test_another_address_is_another_code():
    [picture] = pictures(render("tanda-terima", "pdf", {**sample(), "tracking_url": f"{URL}4"}), "pdf")
    assert matrix(picture) != [list(row) for row in segno.make_qr(URL, error="m").matrix]


@pytest.mark.parametrize("fmt", ["docx", "pdf"])
def test_without_an_address_there_is_no_code(fmt):
    assert pictures(render("tanda-terima", fmt, {**sample(), "tracking_url": None}), fmt) == []
