"""PDF files come out with what is seen on their pages."""

import io

import pikepdf
import pypdfium2
import pytest
from PIL import Image
from pypdf import PdfReader

from gateway.files.kinds import PDF
from tests.corpus import pdfs, pictures
from tests.corpus.hiding import hidden_in, markers
from tests.unit.gateway.files.inspecting import inspected, refusal


def drawn(content: bytes, page: int) -> Image.Image:
    with pypdfium2.PdfDocument(content) as document:
        return document[page].render().to_pil()


def test_nothing_hidden_comes_out_and_the_pages_are_the_same() -> None:
    content = pdfs.telling()
    assert len(hidden_in(content)) > 50
    kept = inspected(content)
    assert (kept.kind, kept.cleaned, kept.readable) == (PDF, True, True)
    assert hidden_in(kept.content) == set()
    read = PdfReader(io.BytesIO(kept.content))
    assert [page.extract_text().strip() for page in read.pages] == ["TAMPAK-Halaman1", "TAMPAK-Halaman2"]
    assert not read.metadata
    assert not read.attachments
    assert drawn(kept.content, 1).tobytes() == drawn(content, 1).tobytes()


def test_marks_on_a_page_and_links_to_the_web_stay() -> None:
    read = PdfReader(io.BytesIO(inspected(pdfs.telling()).content))
    annotations = [each.get_object() for each in read.pages[0]["/Annots"]]
    assert [each["/Subtype"] for each in annotations] == ["/Highlight", *["/Link"] * 3, "/Stamp"]
    assert [each["/A"]["/URI"] for each in annotations if each.get("/A")] == ["https://example.id/"]


def test_a_name_that_a_program_chose_is_none_of_ours() -> None:
    with pikepdf.open(io.BytesIO(inspected(pdfs.telling()).content)) as pdf:
        assert set(pdf.pages[1].obj.Resources.XObject.keys()) == {"/Lang", "/AA"}


def test_the_first_page_is_the_preview() -> None:
    preview = Image.open(io.BytesIO(inspected(pdfs.plain()).preview))
    assert preview.format == "JPEG"
    assert max(preview.size) <= 1024
    assert len(preview.convert("L").getcolors()) > 1


def test_a_page_of_odd_size_harms_nothing() -> None:
    written = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(14_400, 3))
        pdf.save(written)
    assert inspected(written.getvalue()).kind is PDF


@pytest.mark.parametrize("original", [False, True])
def test_one_that_its_password_opens_is_kept_as_it_came(original: bool) -> None:
    content = pdfs.encrypted()
    kept = inspected(content, original)
    assert (kept.readable, kept.cleaned, kept.preview) == (False, False, None)
    assert kept.content == content


def test_one_that_may_not_be_changed_is_cleaned() -> None:
    kept = inspected(pdfs.encrypted(user=""))
    assert kept.cleaned
    assert markers(kept.content) == {"TAMPAK-Halaman1"}


def test_a_former_version_of_a_page_does_not_come_out() -> None:
    assert hidden_in(pdfs.with_former_version()) == {"PENANDA-Former"}
    assert hidden_in(inspected(pdfs.with_former_version()).content) == set()


def test_an_original_is_kept_to_the_last_byte() -> None:
    content = pdfs.plain()
    kept = inspected(content, original=True)
    assert kept.content == content
    assert not kept.cleaned
    assert kept.preview


def test_an_original_with_scripts_is_refused() -> None:
    assert refusal(pdfs.telling(), original=True) == "scripts"


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"1 0 obj\n" * 1000, b"%PDF-1.4\n" + bytes(100_000)]
)
def test_what_only_begins_like_one_is_refused(content: bytes) -> None:
    assert refusal(content) == "broken"


def test_photographs_in_it_lose_their_own_hidden_data_and_no_pixel() -> None:
    from gateway.files.inspection.embedded import bare_gif, bare_jpeg, bare_png

    for made, bare in ((pictures.jpeg(), bare_jpeg), (pictures.png(), bare_png), (pictures.gif(), bare_gif)):
        stripped = bare(made)
        assert hidden_in(made)
        assert hidden_in(stripped) == set()
        with Image.open(io.BytesIO(made)) as before, Image.open(io.BytesIO(stripped)) as after:
            assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
