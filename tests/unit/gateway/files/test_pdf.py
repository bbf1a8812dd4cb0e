"""PDF files come out with what is seen on their pages."""

import io
import subprocess
import sys
import zlib

import pikepdf
import pypdfium2
import pytest
from PIL import Image
from pypdf import PdfReader

from gateway.files.errors import FileRefusedError
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
    assert [page.extract_text().strip() for page in read.pages] == ["TAMPAK-Halaman1", "TAMPAK-Halaman2\nA"]
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
        assert set(pdf.pages[1].obj.Resources.XObject.keys()) > {"/Lang", "/AA"}


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


@pytest.mark.parametrize("drawing", ["os.kill(os.getpid(), 11)", "exec('while True: pass')", "1 / 0", "b''"])
def test_a_page_that_cannot_be_drawn_has_no_preview_and_harms_nothing(drawing: str) -> None:
    program = (
        "import os; from gateway.files.inspection import pdf_preview; pdf_preview.SECONDS = 1; "
        f"from gateway.files.inspection.memory import memory_file; pdf_preview._draw = lambda path: {drawing}; "
        "print(pdf_preview.first_page(memory_file(b'a')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.long
def test_a_pdf_of_thirty_thousand_objects_comes_out() -> None:
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"]
    many = b" ".join(b"%d 0 R" % number for number in range(4, 30_000))
    objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</A[" + many + b"]>>>>")
    objects += [b"<</A 1>>"] * 29_997
    written = b"".join(b"%d 0 obj%sendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    # Without a table of its objects, so that it has to be repaired too.
    assert inspected(b"%PDF-1.4\n" + written + b"trailer<</Root 1 0 R>>\n%%EOF").cleaned


def bomb(megabytes: int) -> bytes:
    """Return so many million zeros, packed; each million is packed alike."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    million = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (megabytes * 1_000_000 % 65_521) << 16 | 1
    return head + million * (megabytes - 1) + b"\x03\0" + checksum.to_bytes(4, "big")


@pytest.mark.long
@pytest.mark.parametrize("original", [False, True])
def test_a_drawing_that_unpacks_to_more_than_the_memory_harms_nothing(original: bool) -> None:
    written = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        drawing = pdf.make_stream(b"")
        drawing.write(zlib.compress(bomb(1500), 9), filter=pikepdf.Array([pikepdf.Name.FlateDecode] * 2))
        pdf.pages[0].obj.Contents = drawing
        pdf.save(written, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert len(written.getvalue()) < 50_000
    if original:
        assert inspected(written.getvalue(), original).content == written.getvalue()
    else:
        assert refusal(written.getvalue()) == "too-complex"


@pytest.mark.parametrize("depth", [40, 400, 100_000])
def test_a_pdf_that_is_nested_deeply_harms_nothing(depth: int) -> None:
    nested = b"<</A" * depth + b" 1" + b">>" * depth
    content = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources "
        + nested
        + b">>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    try:
        kept = inspected(content)
    except FileRefusedError as refused:
        assert refused.code in ("broken", "too-complex")
    else:
        assert kept.cleaned


@pytest.mark.parametrize("original", [False, True])
def test_one_that_was_cut_off_is_refused_though_it_could_be_repaired(original: bool) -> None:
    """What comes out would lack pages, and nobody would know."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdfs.plain(40))) as pdf:
        pdf.save(written, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    content = written.getvalue()
    assert inspected(content, original).preview
    for end in (content.index(b"endobj", len(content) * 3 // 4) + 7, len(content) - 20):
        assert refusal(content[:end], original) == "broken"


def test_pages_that_contain_themselves_are_refused() -> None:
    content = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )
    assert refusal(content) == "broken"
