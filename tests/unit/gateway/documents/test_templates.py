import shutil
import zipfile

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from gateway.documents import KINDS, BrokenTemplateError, UnprintableTemplateError
from gateway.documents.filling import TEMPLATES
from gateway.documents.sample import sample
from tests.unit.gateway.documents.fresh import check_templates, problems, render
from tests.unit.gateway.documents.reading import docx_text, pdf_text

KIND = "form-pengaduan"
SPACES = f'{nsdecls("w", "m", "r")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def own(folder, change, kind=KIND):
    """Save the built-in template of `kind` in `folder`, after `change` has changed the document as an agency might."""
    document = Document(TEMPLATES / f"{kind}.docx")
    change(document)
    document.save(folder / f"{kind}.docx")
    return folder


def adding(text):
    """Return a change that adds a paragraph."""
    return lambda document: document.element.body.insert(0, document.add_paragraph(text)._p)


def inserting(xml, where="r"):
    """Return a change that adds an element to a run, a paragraph, its properties, the section's, or the body."""

    def change(document):
        element = parse_xml(f"<w:p {SPACES}>{xml}</w:p>")[0]
        paragraph = document.element.body.find(qn("w:p"))
        target = {
            "r": paragraph.find(qn("w:r")),
            "p": paragraph,
            "pPr": paragraph.get_or_add_pPr(),
            "rPr": paragraph.find(qn("w:r")).get_or_add_rPr(),
            "body": None,
            "sectPr": document.sections[0]._sectPr,
        }[where]
        if target is None:
            document.element.body.insert(0, element)
        else:
            target.append(element)

    return change


def test_our_templates_can_all_be_used():
    assert check_templates(TEMPLATES) == []


def test_there_is_a_template_for_every_kind():
    assert sorted(path.stem for path in TEMPLATES.glob("*.docx")) == sorted(KINDS)


@pytest.mark.parametrize(("fmt", "read"), [("docx", docx_text), ("pdf", pdf_text)])
def test_an_agencys_own_template_shows_in_both_formats(tmp_path, fmt, read):
    own(tmp_path, adding("Kalimat dinas: {{ ticket }}"))
    assert f"Kalimat dinas: {sample()['ticket']}" in read(render(KIND, fmt, sample(), tmp_path))
    assert "Kalimat dinas" not in read(render(KIND, fmt, sample()))


def test_a_kind_without_an_own_template_is_made_from_ours(tmp_path):
    own(tmp_path, adding("Kalimat dinas"))
    assert render("tanda-terima", "docx", sample(), tmp_path) == render("tanda-terima", "docx", sample())


def test_an_edited_letterhead_shows_in_both_formats(tmp_path):
    def change(document):
        document.sections[0].first_page_header.paragraphs[2].runs[0].text = "Alamat: Jalan Contoh Nomor 1"

    own(tmp_path, change)
    assert "Jalan Contoh Nomor 1" in pdf_text(render(KIND, "pdf", sample(), tmp_path))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (inserting("<w:pict/>"), "a shape or text box"),
        (inserting("<mc:AlternateContent/>"), "a shape or text box"),
        (inserting("<w:object/>"), "an embedded object"),
        (inserting('<w:footnoteReference w:id="1"/>'), "a footnote"),
        (inserting('<w:sym w:char="F0E0"/>'), "a symbol"),
        (inserting("<m:oMath/>", "p"), "a formula"),
        (inserting('<w:ins w:id="1" w:author="x"/>', "p"), "a tracked change"),
        (inserting('<w:commentRangeStart w:id="1"/>', "p"), "a comment"),
        (inserting('<w:fldSimple w:instr=" DATE "/>', "p"), "a field DATE"),
        (inserting('<w:fldSimple w:instr=" PAGE "/>', "p"), "a page number outside header and footer"),
        (inserting('<w:numPr><w:numId w:val="1"/></w:numPr>', "pPr"), "automatic numbers"),
        (inserting('<w:framePr w:w="100"/>', "pPr"), "a text frame"),
        (inserting("<w:vanish/>", "rPr"), "hidden text"),
        (inserting('<w:lnNumType w:countBy="1"/>', "sectPr"), "lnNumType"),
        (inserting('<w:altChunk r:id="rId1"/>', "body"), "an embedded file"),
        (inserting("<w:drawing/>"), "a shape"),
        (lambda document: document.add_section(), "only one section"),
        (lambda document: document.sections[0]._sectPr.find(qn("w:cols")).set(qn("w:num"), "2"), "columns"),
        (lambda document: setattr(document.settings, "odd_and_even_pages_header_footer", True), "odd and even pages"),
    ],
)
def test_what_a_pdf_would_lose_is_refused_by_name(tmp_path, change, what):
    own(tmp_path, change)
    with pytest.raises(UnprintableTemplateError, match=rf"^form-pengaduan\.docx: .*{what}"):
        render(KIND, "pdf", sample(), tmp_path)
    assert [problem for problem in problems(tmp_path / f"{KIND}.docx") if what in problem] != []


@pytest.mark.parametrize("text", ["{{ nama }}", "{% if False %}{{ nama }}{% endif %}"])
def test_an_unknown_name_is_found(tmp_path, text):
    own(tmp_path, adding(text))
    [problem, *_] = problems(tmp_path / f"{KIND}.docx")
    assert "form-pengaduan.docx" in problem
    assert "'nama'" in problem


@pytest.mark.parametrize(
    "text",
    [
        "{{ nama }}",
        "{{ reporter.name }}",
        "{{ response }}",
        "{{ qr._template }}",
        "{{ ticket.__class__ }}",
        "{{ legal_basis.append('x') }}",
        "{% if %}",
        "{{ text|safe }}",
        "{% include 'x' %}",
        "{{ 1/0 }}",
        "{%p if ticket %}",
        "{{r ticket }}",
        "{{p ticket }}",
    ],
)
def test_a_tag_that_cannot_be_used_is_refused(tmp_path, text):
    own(tmp_path, adding(text))
    with pytest.raises(BrokenTemplateError, match=r"^form-pengaduan\.docx: "):
        render(KIND, "docx", sample(), tmp_path)
    assert problems(tmp_path / f"{KIND}.docx") != []


def test_a_tag_that_cannot_be_used_is_refused_in_a_pdf_and_by_a_check_of_the_folder_too(tmp_path):
    own(tmp_path, adding("{{ nama }}"))
    with pytest.raises(BrokenTemplateError, match=r"^form-pengaduan\.docx: "):
        render(KIND, "pdf", sample(), tmp_path)
    assert check_templates(tmp_path) == problems(tmp_path / f"{KIND}.docx") != []


def test_a_refusal_quotes_no_content(tmp_path):
    own(tmp_path, adding("{{ legal_basis[text] }}"))
    with pytest.raises(BrokenTemplateError) as refused:
        render(KIND, "docx", {**sample(), "text": "rahasia"}, tmp_path)
    assert "rahasia" not in str(refused.value)


def test_tags_that_cut_a_table_in_two_are_refused(tmp_path):
    def change(document):
        table = document.tables[1]
        table.add_row().cells[0].text = "{%tr if place %}"
        table._tbl.addnext(document.add_paragraph("{%p endif %}")._p)

    own(tmp_path, change)
    assert render(KIND, "docx", sample(), tmp_path)
    with pytest.raises(BrokenTemplateError, match="its tags do not fit"):
        render(KIND, "docx", {**sample(), "place": None}, tmp_path)
    assert any("its tags do not fit" in problem for problem in problems(tmp_path / f"{KIND}.docx"))


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_docx_is_refused(tmp_path, data):
    (tmp_path / f"{KIND}.docx").write_bytes(data)
    with pytest.raises(BrokenTemplateError, match="not a readable DOCX"):
        render(KIND, "pdf", sample(), tmp_path)
    assert check_templates(tmp_path) == [f"{KIND}.docx: this is not a readable DOCX file."]


def test_a_zip_that_is_no_docx_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / f"{KIND}.docx", "w") as package:
        package.writestr("x", "y")
    with pytest.raises(BrokenTemplateError, match="not a readable DOCX"):
        render(KIND, "pdf", sample(), tmp_path)


def test_a_file_of_another_name_is_pointed_out(tmp_path):
    shutil.copy(TEMPLATES / f"{KIND}.docx", tmp_path / "formulir.docx")
    [problem] = check_templates(tmp_path)
    assert problem.startswith("formulir.docx: there is no document of this name")


def test_a_template_without_an_end_is_found(tmp_path):
    own(tmp_path, adding("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"))
    [problem] = check_templates(tmp_path, seconds=2)
    assert (
        problem
        == f"{KIND}.docx: filling it in with sample content failed. The document was not ready within 2 seconds."
    )


def test_a_folder_that_is_none_is_said_to_be_none(tmp_path):
    assert check_templates(tmp_path / "none") == [f"{tmp_path / 'none'} is no folder."]
