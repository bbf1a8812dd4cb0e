import io

import pytest
from docx import Document
from docx.enum.text import WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt
from PIL import Image
from pypdf import PdfReader

from gateway.documents import UnprintableTemplateError, printing
from gateway.documents.printing import tables, texts
from gateway.documents.printing.inline import Text
from gateway.documents.printing.looks import Words
from tests.unit.gateway.documents.fresh import apart
from tests.unit.gateway.documents.reading import docx_text, pdf_pages, pdf_text, squeezed


def pdf(docx, template):
    return apart(printing.pdf, docx, template)


def printed(change):
    """Return the DOCX and the PDF of a new document that `change` has changed."""
    document = Document()
    change(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue(), pdf(out.getvalue(), "coba.docx")


def picture(width=40, height=20, kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, kind)
    out.seek(0)
    return out


def pictured(paragraph):
    paragraph.add_run().add_picture(picture(), width=Cm(2))


def test_every_look_of_words_is_printed_with_its_words():
    def change(document):
        paragraph = document.add_paragraph("biasa ")
        for look in ("bold", "italic", "underline", "strike", "superscript", "subscript"):
            setattr(paragraph.add_run(f"{look} ").font, look, True)
        paragraph.add_run("besar").font.size = Pt(20)
        document.add_heading("Judul", 1)

    docx, made = printed(change)
    assert squeezed(pdf_text(made)) == squeezed(docx_text(docx))
    fonts = {
        font["/BaseFont"].split("+")[-1]
        for page in PdfReader(io.BytesIO(made)).pages
        for font in (ref.get_object() for ref in page["/Resources"]["/Font"].values())
    }
    assert {"LiberationSans", "LiberationSans-Bold", "LiberationSans-Italic"} <= fonts


def test_capitals_are_printed_as_such():
    _, made = printed(lambda document: setattr(document.add_paragraph().add_run("huruf").font, "all_caps", True))
    assert pdf_text(made).strip() == "HURUF"


def test_joined_and_nested_cells_are_printed():
    def change(document):
        table = document.add_table(4, 3)
        for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
            cell.text = f"sel{number}"
        for first, last in (((0, 0), (0, 1)), ((1, 0), (2, 0))):
            for cell in (table.cell(*first), table.cell(*last)):
                cell.text = ""
            table.cell(*first).merge(table.cell(*last)).text = f"gabung{first[0]}"
        table.cell(3, 2).add_table(1, 2).cell(0, 1).text = "dalam"

    docx, made = printed(change)
    assert squeezed(pdf_text(made)) == squeezed(docx_text(docx))
    assert "dalam" in pdf_text(made)


def test_a_head_row_is_repeated_on_each_page():
    def change(document):
        table = document.add_table(120, 1)
        for number, row in enumerate(table.rows):
            row.cells[0].text = f"baris{number}" if number else "kepala"
        table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))

    pages = pdf_pages(printed(change)[1])
    assert len(pages) > 2
    assert all(page.strip().startswith("kepala") for page in pages)


def test_a_page_break_begins_a_new_page():
    def change(document):
        document.add_paragraph("satu")
        document.add_page_break()
        document.add_paragraph("dua")
        document.add_paragraph("tiga").paragraph_format.page_break_before = True

    assert [page.split() for page in pdf_pages(printed(change)[1])] == [["satu"], ["dua"], ["tiga"]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_printed_in_its_size_in_body_and_header(kind):
    def change(document):
        document.add_picture(picture(kind=kind), width=Cm(2))
        document.sections[0].header.paragraphs[0].add_run().add_picture(picture(80, 80, kind), width=Cm(1))

    _, made = printed(change)
    images = [image.image.size for page in PdfReader(io.BytesIO(made)).pages for image in page.images]
    assert sorted(images) == [(40, 20), (80, 80)]


def test_a_page_number_of_an_office_applications_gallery_is_printed():
    def change(document):
        document.sections[0].footer._element.append(
            parse_xml(
                f"<w:sdt {nsdecls('w')}><w:sdtPr/><w:sdtContent><w:p><w:r><w:t>Hal </w:t></w:r>"
                '<w:fldSimple w:instr=" PAGE \\* MERGEFORMAT "><w:r><w:t>9</w:t></w:r></w:fldSimple></w:p>'
                "</w:sdtContent></w:sdt>"
            )
        )
        document.add_paragraph("satu").add_run().add_break(WD_BREAK.PAGE)
        document.add_paragraph("dua")

    assert [page.split()[-2:] for page in pdf_pages(printed(change)[1])] == [["Hal", "1"], ["Hal", "2"]]


def test_a_tall_header_pushes_the_body_down():
    def change(document):
        header = document.sections[0].header
        for number in range(20):
            header.add_paragraph(f"kop{number}")
        document.add_paragraph("isi")

    [page] = PdfReader(io.BytesIO(printed(change)[1])).pages
    heights = {}
    page.extract_text(visitor_text=lambda text, cm, tm, *_: heights.setdefault(text.strip(), cm[5] + tm[5]))
    assert heights["isi"] < heights["kop19"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda document: pictured(document.add_paragraph("kata")), "beside words"),
        (
            lambda document: pictured(document.add_picture(picture()) and document.paragraphs[-1]),
            "beside words or another",
        ),
        (lambda document: document.add_picture(picture(), height=Cm(40)), "taller or wider than a page"),
        (lambda document: document.add_paragraph("butir", "List Bullet"), "automatic numbers and bullets"),
        (
            lambda document: document.add_table(1, 1).cell(0, 0).paragraphs[0].add_run().add_break(WD_BREAK.PAGE),
            "page break inside a table",
        ),
        (
            lambda document: document.add_paragraph("a\tb").paragraph_format.tab_stops.add_tab_stop(Cm(5)),
            "tab to a stop",
        ),
        (lambda document: document.add_picture(picture(kind="GIF")), "image/gif"),
    ],
)
def test_what_cannot_be_printed_is_refused(change, what):
    with pytest.raises(UnprintableTemplateError, match=rf"^coba\.docx: .*{what}"):
        printed(change)


def test_text_hidden_below_a_joined_cell_is_refused():
    def change(document):
        table = document.add_table(2, 1)
        table.cell(0, 0).merge(table.cell(1, 0))
        table._tbl.findall(qn("w:tr"))[1].find(f".//{qn('w:p')}").append(
            parse_xml(f"<w:r {nsdecls('w')}><w:t>tersembunyi</w:t></w:r>")
        )

    with pytest.raises(UnprintableTemplateError, match="hides text"):
        printed(change)


def test_an_empty_document_is_a_page():
    assert len(pdf_pages(printed(lambda document: None)[1])) == 1


def test_cells_that_look_alike_are_drawn_as_one_area():
    looks = [tables._Look(("LINEABOVE", 0.5), column, column, row, row) for row in range(1_000) for column in range(9)]
    other = tables._Look(("LINEABOVE", 2.0), 0, 8, 4, 4)
    assert tables._joined([*looks, other]) == [("LINEABOVE", (0, 0), (8, 999), 0.5), ("LINEABOVE", (0, 4), (8, 4), 2.0)]


def test_a_joined_cell_has_no_line_through_it():
    looks = list(
        tables._looks(
            tables._Cell(
                parse_xml(
                    f"<w:tc {nsdecls('w')}><w:tcPr><w:tcBorders><w:top w:val='single'/></w:tcBorders></w:tcPr>"
                    "<w:p/></w:tc>"
                ),
                0,
                0,
                2,
                3,
            ),
            [],
            5,
            5,
        )
    )
    assert [(look.left, look.right, look.top, look.bottom) for look in looks if look.command[0] == "LINEABOVE"] == [
        (0, 1, 0, 0)
    ]


@pytest.mark.parametrize("written", [["a\nb\n" * 60], [piece for _ in range(90) for piece in ("a", "\n", "\n")], ["a"]])
def test_a_text_in_parts_is_the_whole_text(written):
    parts = ["".join(text.text for text in part) for part in texts._parts([Text(text, Words()) for text in written])]
    assert "\n".join(parts).replace("\u00a0", "") == "".join(written)
