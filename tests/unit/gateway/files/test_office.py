"""Office files come out with what is seen in them, and still open."""

import base64
import io
import re
import zipfile

import docx
import openpyxl
import pptx
import pytest
from odf import opendocument, teletype
from odf.draw import Image as DrawnImage
from PIL import Image

from gateway.files.inspection import packages
from gateway.files.kinds import DOCX, ODS, ODT, PPTX, SEALED, XLSX
from tests.corpus import office, pictures
from tests.corpus.hiding import hidden, hidden_in, markers
from tests.corpus.office import before, changed, in_turn, relationship
from tests.unit.gateway.files.inspecting import inspected, refusal

MADE = {
    "docx": (office.document(), DOCX),
    "xlsx": (office.workbook(), XLSX),
    "pptx": (office.presentation(), PPTX),
    "odt": (office.text_document(), ODT),
    "ods": (office.spreadsheet(), ODS),
}
SEEN = {
    "docx": ("Judul", "Isi", "Sel", "Kepala", "Disisipkan", "Tebal", "Tautan"),
    "xlsx": ("Isi", "Lembar", "Nama", "Tautan"),
    "pptx": ("Isi", "Catatan"),
    "odt": ("Judul", "Isi", "Penulis", "Akhir", "Meta", "Tautan"),
    "ods": ("Isi", "Lembar"),
}


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


@pytest.mark.parametrize("name", MADE)
def test_nothing_hidden_comes_out_and_all_that_is_seen_does(name: str) -> None:
    content, kind = MADE[name]
    assert len(hidden_in(content)) > 20
    kept = inspected(content)
    assert (kept.kind, kept.cleaned, kept.readable, kept.preview) == (kind, True, True, None)
    assert hidden_in(kept.content) == set()
    whole = b"".join(members(kept.content).values()).decode("utf-8", "replace")
    assert [word for word in SEEN[name] if f"TAMPAK-{word}" not in whole] == []


@pytest.mark.parametrize("name", MADE)
def test_an_original_is_kept_to_the_last_byte(name: str) -> None:
    content, kind = MADE[name]
    kept = inspected(content, original=True)
    assert (kept.kind, kept.cleaned, kept.content) == (kind, False, content)


@pytest.mark.parametrize("name", MADE)
def test_what_is_cleaned_is_cleaned_again_without_a_change(name: str) -> None:
    once = inspected(MADE[name][0]).content
    assert members(inspected(once).content) == members(once)


def test_a_document_opens() -> None:
    made = docx.Document(io.BytesIO(inspected(MADE["docx"][0]).content))
    words = [paragraph.text for paragraph in made.paragraphs if paragraph.text]
    assert words == ["TAMPAK-Judul", "TAMPAK-Isi", "TAMPAK-DisisipkanTAMPAK-TebalTAMPAK-Tautan"]
    assert made.tables[0].cell(0, 0).text == "TAMPAK-Sel"
    assert len(made.tables) == 1
    assert made.sections[0].header.paragraphs[0].text == "TAMPAK-Kepala"
    assert len(made.inline_shapes) == 2


def test_a_workbook_opens_with_its_figures() -> None:
    made = openpyxl.load_workbook(io.BytesIO(inspected(MADE["xlsx"][0]).content))
    sheet = made["TAMPAK-Lembar"]
    assert [sheet["A1"].value, sheet["B1"].value, sheet["B2"].value] == ["TAMPAK-Isi", 5, "=SUM(B1:B1)"]
    assert sheet["A9"].value == 7
    assert sheet["A4"].hyperlink.target == "https://example.id/"
    assert sheet["A3"].hyperlink is None
    assert sheet["A1"].comment is None
    assert len(sheet._images) == 1


def test_a_presentation_opens_with_its_notes() -> None:
    made = pptx.Presentation(io.BytesIO(inspected(MADE["pptx"][0]).content))
    (slide,) = made.slides
    assert slide.shapes.title.text == "TAMPAK-Isi"
    assert slide.notes_slide.notes_text_frame.text == "TAMPAK-Catatan"
    picture = next(shape for shape in slide.shapes if shape.shape_type is not None and hasattr(shape, "image"))
    assert Image.open(io.BytesIO(picture.image.blob)).size == (120, 80)


@pytest.mark.parametrize("name", ["odt", "ods"])
def test_an_open_document_opens(name: str) -> None:
    content = inspected(MADE[name][0]).content
    made = opendocument.load(io.BytesIO(content))
    assert "TAMPAK-Isi" in teletype.extractText(made.body)
    assert len(made.getElementsByType(DrawnImage)) == (1 if name == "odt" else 0)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.infolist()[0].filename == "mimetype"
        assert package.infolist()[0].compress_type == zipfile.ZIP_STORED
        # A picture that is nowhere to be seen is hidden data itself.
        assert any(member.startswith("Pictures/") for member in package.namelist()) == (name == "odt")


def test_a_template_becomes_a_document() -> None:
    content = changed(
        office.document(),
        {"[Content_Types].xml": lambda types: types.replace(b"document.main+xml", b"template.main+xml")},
    )
    assert len(docx.Document(io.BytesIO(inspected(content).content)).paragraphs)


def test_a_chart_keeps_its_figures_and_loses_the_workbook_behind_it() -> None:
    made = docx.Document()
    made.add_paragraph("a")
    written = io.BytesIO()
    made.save(written)
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    drawing = f'<w:p><w:r><c:chart xmlns:c="urn:c" xmlns:r="{space}" r:id="rIdOwn1"/></w:r></w:p>'
    chart = (
        f'<c:chartSpace xmlns:c="urn:c" xmlns:r="{space}"><c:v>TAMPAK-Angka</c:v>'
        '<c:externalData r:id="rIdOwn2"><c:autoUpdate/></c:externalData></c:chartSpace>'
    )
    content = changed(
        written.getvalue(),
        {
            "word/document.xml": before("<w:sectPr", drawing),
            "word/_rels/document.xml.rels": relationship("chart", "charts/chart1.xml", 1),
        },
        {
            "word/charts/chart1.xml": chart.encode(),
            "word/charts/_rels/chart1.xml.rels": relationship("package", "../embeddings/a.xlsx", 2)(
                b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
            ),
            "word/embeddings/a.xlsx": office.workbook(),
        },
    )
    kept = inspected(content).content
    assert "TAMPAK-Angka" in markers(kept)
    assert not any("embeddings" in name for name in members(kept))
    assert b"externalData" not in members(kept)["word/charts/chart1.xml"]


def test_an_icon_is_kept_as_its_picture() -> None:
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    drawn = (
        '<a:extLst><a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}"><asvg:svgBlip '
        f'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" xmlns:r="{space}" r:embed="rIdOwn7"/>'
        "</a:ext></a:extLst>"
    )
    content = changed(
        office.document(),
        {
            "word/document.xml": lambda part: part.replace(
                b'<a:blip r:embed="rId11"/>', f'<a:blip r:embed="rId11">{drawn}</a:blip>'.encode()
            ),
            "word/_rels/document.xml.rels": relationship("image", "media/image3.svg", 7),
        },
        {"word/media/image3.svg": f"<svg>{hidden('Svg')}</svg>".encode()},
    )
    assert b"svgBlip" in members(content)["word/document.xml"]
    kept = members(inspected(content).content)
    assert "word/media/image3.svg" not in kept
    assert b"svgBlip" not in kept["word/document.xml"]
    assert b"extLst" not in kept["word/document.xml"]


def test_the_setting_of_a_page_outlives_the_printers() -> None:
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    setting = f'<pageSetup orientation="landscape" xmlns:r="{space}" r:id="rIdOwn3"/>'
    content = changed(office.workbook(), {"xl/worksheets/sheet1.xml": before("<drawing", setting)})
    sheet = openpyxl.load_workbook(io.BytesIO(inspected(content).content)).active
    assert sheet.page_setup.orientation == "landscape"


def _with_part(kind: str, name: str, content: bytes) -> bytes:
    return changed(
        office.document(), {"word/_rels/document.xml.rels": relationship(kind, name, 9)}, {f"word/{name}": content}
    )


BAD = {
    "macros": (_with_part("vbaProject", "vbaProject.bin", b"x"), "macros"),
    "macros of another name": (_with_part("vbaProject", "macro.dat", b"x"), "macros"),
    "a control": (_with_part("control", "activeX/activeX1.xml", b"<a/>"), "macros"),
    "a type with macros": (
        changed(
            office.document(),
            {
                "[Content_Types].xml": lambda types: types.replace(
                    b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
                    b"application/vnd.ms-word.document.macroEnabled.main+xml",
                )
            },
        ),
        "macros",
    ),
    "macros of OpenDocument": (changed(office.text_document(), {}, {"Basic/Standard/Modul.xml": b"<a/>"}), "macros"),
    "another program's drawing": (_with_part("oleObject", "embeddings/oleObject1.bin", b"x"), "embedded"),
    "a workbook": (_with_part("package", "embeddings/a.xlsx", office.workbook()), "embedded"),
    "a page": (_with_part("aFChunk", "a.html", b"<p>"), "embedded"),
    "a video": (_with_part("video", "media/media1.mp4", b"x"), "embedded"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_document_with_programs_or_others_files_is_refused(name: str) -> None:
    content, code = BAD[name]
    assert refusal(content) == code


@pytest.mark.parametrize("name", [name for name in BAD if BAD[name][1] == "macros"])
def test_macros_are_refused_in_an_original_too(name: str) -> None:
    assert refusal(BAD[name][0], original=True) == "macros"


def test_a_picture_that_is_something_else_is_refused() -> None:
    content = changed(office.document(), {"word/media/image1.jpg": lambda _: b"MZ" + bytes(99)})
    assert refusal(content) == "embedded"


def test_an_embedded_object_of_open_document_is_refused() -> None:
    assert refusal(changed(office.text_document(), {}, {"Object 1": b"x"})) == "embedded"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "&a;" * 10}">' for n in range(9))
    + "]><w:document xmlns:w='urn:w'>&a8;</w:document>"
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><w:document xmlns:w="urn:w">&a;</w:document>'


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, "\n" * 5000 + OUTSIDE, "<a" * 1000, ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_entities_is_refused(content: str, encoding: str) -> None:
    made = changed(office.document(), {"word/document.xml": lambda _: content.encode(encoding)})
    assert refusal(made) == "broken"


def test_xml_with_an_entity_that_is_declared_elsewhere_is_refused() -> None:
    made = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><w:document xmlns:w="urn:w">&a;</w:document>'
    assert refusal(changed(office.document(), {"word/document.xml": lambda _: made.encode()})) == "broken"


def test_a_document_type_alone_harms_nothing() -> None:
    """As older programs write into the list of an ODT's members."""
    doctype = b'<!DOCTYPE manifest:manifest PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd">'

    def with_type(member: bytes) -> bytes:
        declaration, _, rest = member.partition(b"?>")
        return declaration + b"?>" + doctype + rest

    content = changed(office.text_document(), {"META-INF/manifest.xml": with_type})
    kept = inspected(content).content
    assert b"DOCTYPE" not in members(kept)["META-INF/manifest.xml"]


def test_xml_that_is_nested_without_end_is_refused() -> None:
    deep = b"<a>" * 200_000 + b"</a>" * 200_000
    assert refusal(changed(office.document(), {"word/document.xml": lambda _: deep})) == "broken"


def test_a_member_that_unpacks_to_more_than_all_may_have_is_refused() -> None:
    bomb = bytes(packages.MOST_UNPACKED + 1)
    made = changed(office.document(), {"word/document.xml": lambda _: bomb})
    assert len(made) < 1_000_000
    for original in (False, True):
        assert refusal(made, original) == "too-complex"


def test_many_members_of_moderate_size_are_counted_together() -> None:
    part = bytes(packages.MOST_UNPACKED // 8)
    made = changed(office.document(), {}, {f"a{number}": part for number in range(9)})
    assert refusal(made, original=True) == "too-complex"
    assert inspected(made).cleaned


def test_a_damaged_member_is_refused() -> None:
    content = bytearray(office.document())
    at = content.index(b"word/document.xml") + 40
    content[at : at + 200] = bytes(200)
    assert refusal(bytes(content)) == "broken"


def test_members_that_point_outside_are_not_kept() -> None:
    made = changed(
        office.document(),
        {"word/_rels/document.xml.rels": in_turn(relationship("styles", "../../../etc/passwd", 8))},
        {"../../evil.xml": hidden("Evil").encode()},
    )
    assert hidden_in(inspected(made).content) == set()


def test_an_encrypted_document_is_kept_as_it_came() -> None:
    names = "".join(f"{name}\0" for name in ("Root Entry", "EncryptionInfo", "EncryptedPackage"))
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + names.encode("utf-16-le") + bytes(2000)
    kept = inspected(content)
    assert (kept.kind, kept.cleaned, kept.readable, kept.content) == (SEALED, False, False, content)


def test_an_encrypted_open_document_is_kept_as_it_came() -> None:
    sealed = '<manifest:encryption-data manifest:checksum="x"/>'
    manifest = office.changed(
        office.text_document(),
        {
            "META-INF/manifest.xml": before(
                "</manifest:manifest>",
                f'<manifest:file-entry manifest:full-path="content.xml">{sealed}</manifest:file-entry>',
            )
        },
    )
    kept = inspected(manifest)
    assert (kept.kind, kept.cleaned, kept.readable, kept.content) == (ODT, False, False, manifest)


def test_a_picture_of_a_document_is_not_too_large_to_be_decoded() -> None:
    bmp = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bmp, "TIFF", compression="group4")
    content = changed(office.document(), {"word/media/image1.jpg": lambda _: bmp.getvalue()})
    assert refusal(content) == "too-many-pixels"


@pytest.mark.parametrize("name", ["emf", "wmf"])
def test_a_drawing_says_nothing_beside_what_it_draws(name: str) -> None:
    drawing = office.emf() if name == "emf" else office.wmf()
    content = changed(office.document(), {"word/media/image1.jpg": lambda _: drawing})
    assert len(hidden_in(drawing)) > (10 if name == "emf" else 0)
    kept = inspected(content).content
    assert hidden_in(kept) == set()
    bare = members(kept)["word/media/image1.jpg"]
    if name == "emf":
        assert int.from_bytes(bare[48:52], "little") == len(bare)
        assert int.from_bytes(bare[52:56], "little") == 3
        photograph = bare[bare.index(b"\xff\xd8\xff") :]
        assert Image.open(io.BytesIO(photograph)).convert("RGB").getpixel((5, 5)) == pytest.approx((254, 0, 0), abs=3)
    else:
        assert 2 * int.from_bytes(bare[28:32], "little") == len(bare) - 22


@pytest.mark.parametrize("cut", [45, 70, 120, 500])
@pytest.mark.parametrize("name", ["emf", "wmf"])
def test_a_drawing_that_was_cut_off_stops_nothing(name: str, cut: int) -> None:
    drawing = (office.emf() if name == "emf" else office.wmf())[:cut]
    content = changed(office.document(), {"word/media/image1.jpg": lambda _: drawing})
    assert hidden_in(inspected(content).content) == set()


def test_what_a_program_keeps_at_a_field_and_what_it_calls_a_paragraph_goes() -> None:
    kept_at_it = base64.b64encode(hidden("Library").encode()).decode()
    more = (
        f'<w:p xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" w14:paraId="{hidden("Paragraph")}">'
        f'<w:r><w:fldChar w:fldCharType="begin"><w:fldData>{kept_at_it}</w:fldData></w:fldChar></w:r>'
        '<w:r><w:t>TAMPAK-Kutipan</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )
    kept = inspected(changed(office.document(), {"word/document.xml": before("<w:sectPr", more)})).content
    assert hidden_in(kept) == set()
    assert kept_at_it.encode() not in members(kept)["word/document.xml"]
    assert "TAMPAK-Kutipan" in markers(kept)


def test_a_picture_that_stands_in_the_text_itself_is_cleaned() -> None:
    picture = base64.b64encode(pictures.jpeg()).decode()
    data = f"<office:binary-data>{picture}</office:binary-data>"
    more = f"<text:p><draw:frame><draw:image>{data}</draw:image></draw:frame></text:p>"
    kept = inspected(changed(office.text_document(), {"content.xml": before("</office:text>", more)})).content
    [written] = re.findall(rb"binary-data>([^<]+)<", members(kept)["content.xml"])
    bare = base64.b64decode(written)
    assert hidden_in(bare) == set()
    assert Image.open(io.BytesIO(bare)).size == (120, 80)
