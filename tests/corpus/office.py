"""Office files with author, comments, tracked changes, embedded pictures, custom XML and thumbnails."""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable
from functools import cache

import docx
import openpyxl
import pptx
from docx.shared import Cm
from odf import dc, draw, meta, office, table, text
from odf.opendocument import OpenDocument, OpenDocumentSpreadsheet, OpenDocumentText
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as SheetImage
from pptx.util import Cm as SlideCm

from tests.corpus import pictures
from tests.corpus.hiding import hidden

SEEN = "TAMPAK-Isi"
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

Change = Callable[[bytes], bytes]


def changed(content: bytes, changes: dict[str, Change], added: dict[str, bytes] | None = None) -> bytes:
    """Return a package with some members changed and some added."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        missing = changes.keys() - set(source.namelist())
        assert not missing, missing
        for name in source.namelist():
            made = changes.get(name, lambda member: member)(source.read(name))
            target.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 8, 0, 0)), made, zipfile.ZIP_DEFLATED)
        for name, member in (added or {}).items():
            target.writestr(name, member)
        target.comment = hidden("ZipComment").encode()
    return written.getvalue()


def before(mark: str, more: str) -> Change:
    """Return a change that puts `more` before the last `mark`."""

    def change(member: bytes) -> bytes:
        assert mark.encode() in member, mark
        head, _, tail = member.rpartition(mark.encode())
        return head + more.encode() + mark.encode() + tail

    return change


def relationship(kind: str, target: str, number: int, mode: str = "") -> Change:
    """Return a change that adds a relationship."""
    mode = f' TargetMode="{mode}"' if mode else ""
    return before(
        "</Relationships>", f'<Relationship Id="rIdOwn{number}" Type="{_OFFICE}/{kind}" Target="{target}"{mode}/>'
    )


def in_turn(*changes: Change) -> Change:
    """Return the changes one after the other."""

    def change(member: bytes) -> bytes:
        for each in changes:
            member = each(member)
        return member

    return change


@cache
def document() -> bytes:
    """Return a DOCX with everything that may be hidden in one."""
    made = docx.Document()
    _describe(made.core_properties)
    made.add_heading("TAMPAK-Judul")
    paragraph = made.add_paragraph(SEEN)
    made.add_comment(paragraph.runs, text=hidden("Comment"), author=hidden("CommentBy"), initials="PP")
    made.add_picture(io.BytesIO(pictures.jpeg()), width=Cm(3))
    made.add_picture(io.BytesIO(pictures.png()), width=Cm(3))
    made.add_table(1, 2).cell(0, 0).text = "TAMPAK-Sel"
    made.sections[0].header.paragraphs[0].text = "TAMPAK-Kepala"
    written = io.BytesIO()
    made.save(written)
    by = f'w:author="{hidden("ChangedBy")}" w:date="2026-03-02T08:00:00Z"'
    tracked = (
        f'<w:p w:rsidR="00AA{hidden("Rsid")}"><w:ins w:id="900" {by}><w:r><w:t>TAMPAK-Disisipkan</w:t></w:r></w:ins>'
        f'<w:del w:id="901" {by}><w:r><w:delText>{hidden("Deleted")}</w:delText></w:r></w:del>'
        f'<w:r><w:rPr><w:b/><w:rPrChange w:id="902" {by}><w:rPr/></w:rPrChange></w:rPr><w:t>TAMPAK-Tebal</w:t></w:r>'
        f'<w:hyperlink r:id="rIdOwn1" xmlns:r="{_OFFICE}"><w:r><w:t>TAMPAK-Tautan</w:t></w:r></w:hyperlink>'
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>INCLUDEPICTURE "{hidden("Field")}"'
        '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        f"<w:tbl><w:tr><w:trPr><w:del w:id='903' {by}/></w:trPr><w:tc><w:p><w:r><w:t>{hidden('DeletedRow')}</w:t></w:r>"
        "</w:p></w:tc></w:tr></w:tbl>"
        f"<!-- {hidden('Remark')} --><w:p><w:permStart w:id='904' w:ed='{hidden('Editor')}'/></w:p>"
    )
    told = (
        f'<w:attachedTemplate r:id="rIdOwn1" xmlns:r="{_OFFICE}"/><w:docVars><w:docVar w:name="a" '
        f'w:val="{hidden("DocVar")}"/></w:docVars>'
    )
    return (
        changed(
            written.getvalue(),
            {
                "word/document.xml": in_turn(
                    before("<w:sectPr", tracked),
                    lambda member: member.replace(
                        b'name="Picture 1"', f'name="{hidden("FileName")}" descr="x"'.encode()
                    ),
                ),
                "word/settings.xml": before("</w:settings>", told),
                "word/_rels/document.xml.rels": in_turn(
                    relationship("hyperlink", f"file:///C:/Users/{hidden('Link')}", 1, "External"),
                    relationship("customXml", "../customXml/item9.xml", 2),
                    relationship("people", "people.xml", 3),
                    relationship("font", "fonts/own.odttf", 4),
                    relationship("glossaryDocument", "glossary/document.xml", 5),
                ),
                "[Content_Types].xml": before(
                    "</Types>", '<Default Extension="odttf" ContentType="application/x-font"/>'
                ),
                "_rels/.rels": relationship("custom-properties", "docProps/custom.xml", 1),
            },
            {
                "docProps/custom.xml": f"<Properties>{hidden('CustomProperty')}</Properties>".encode(),
                "customXml/item9.xml": f"<a>{hidden('CustomXml')}</a>".encode(),
                "word/people.xml": f"<w:people {_WORD}>{hidden('People')}</w:people>".encode(),
                "word/fonts/own.odttf": hidden("Font").encode(),
                "word/glossary/document.xml": f"<a>{hidden('Glossary')}</a>".encode(),
                f"word/{hidden('Unreferred')}.xml": b"<a/>",
            },
        )
        + hidden("Trailer").encode()
    )


def _describe(properties: object) -> None:
    for name in ("author", "last_modified_by", "title", "subject", "keywords", "comments", "category", "identifier"):
        setattr(properties, name, hidden(name.replace("_", "")))
    properties.created = dt.datetime(2026, 3, 2, 8)


@cache
def workbook() -> bytes:
    """Return an XLSX with everything that may be hidden in one."""
    made = openpyxl.Workbook()
    made.properties.creator = hidden("Creator")
    made.properties.lastModifiedBy = hidden("ModifiedBy")
    made.properties.description = hidden("Description")
    sheet = made.active
    sheet.title = "TAMPAK-Lembar"
    sheet["A1"], sheet["B1"], sheet["B2"] = SEEN, 5, "=SUM(B1:B1)"
    sheet["A1"].comment = Comment(hidden("Comment"), hidden("CommentBy"))
    sheet.add_image(SheetImage(io.BytesIO(pictures.jpeg())), "D4")
    sheet["A3"].hyperlink = f"file:///C:/Users/{hidden('Link')}"
    sheet["A3"] = "TAMPAK-Nama"
    sheet["A4"].hyperlink = "https://example.id/"
    sheet["A4"] = "TAMPAK-Tautan"
    written = io.BytesIO()
    made.save(written)
    path = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice '
        'Requires="x15"><x15ac:absPath xmlns:x15ac="http://schemas.microsoft.com/office/spreadsheetml/2010/11/ac" '
        f'url="C:\\Users\\{hidden("Path")}\\"/></mc:Choice></mc:AlternateContent>'
    )
    return changed(
        written.getvalue(),
        {
            "xl/workbook.xml": before("<sheets", path + f'<fileSharing userName="{hidden("SharedBy")}"/>'),
            "xl/_rels/workbook.xml.rels": in_turn(
                relationship("externalLink", "externalLinks/externalLink1.xml", 1),
                relationship("connections", "connections.xml", 2),
            ),
            "xl/worksheets/_rels/sheet1.xml.rels": relationship("printerSettings", "../printerSettings/p1.bin", 3),
            "xl/worksheets/sheet1.xml": before(
                "</sheetData>", f'<row r="9"><c r="A9"><f>\'[1]{hidden("Foreign")}\'!A1</f><v>7</v></c></row>'
            ),
            "[Content_Types].xml": before("</Types>", '<Default Extension="bin" ContentType="application/x-a"/>'),
        },
        {
            "xl/externalLinks/externalLink1.xml": f"<a>{hidden('External')}</a>".encode(),
            "xl/connections.xml": f"<a>{hidden('Connection')}</a>".encode(),
            "xl/printerSettings/p1.bin": hidden("Printer").encode("utf-16-le"),
        },
    )


@cache
def presentation() -> bytes:
    """Return a PPTX with everything that may be hidden in one."""
    made = pptx.Presentation()
    _describe(made.core_properties)
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = SEEN
    slide.shapes.add_picture(io.BytesIO(pictures.jpeg()), 0, 0, SlideCm(3))
    slide.shapes[-1].name = hidden("FileName")
    slide.notes_slide.notes_text_frame.text = "TAMPAK-Catatan"
    written = io.BytesIO()
    made.save(written)
    return changed(
        written.getvalue(),
        {
            "ppt/slides/_rels/slide1.xml.rels": in_turn(
                relationship("comments", "../comments/comment1.xml", 1), relationship("tags", "../tags/tag1.xml", 2)
            ),
            "ppt/_rels/presentation.xml.rels": relationship("commentAuthors", "commentAuthors.xml", 3),
        },
        {
            "ppt/comments/comment1.xml": f"<a>{hidden('Comment')}</a>".encode(),
            "ppt/tags/tag1.xml": f"<a>{hidden('Tag')}</a>".encode(),
            "ppt/commentAuthors.xml": f"<a>{hidden('CommentBy')}</a>".encode(),
        },
    )


@cache
def text_document() -> bytes:
    """Return an ODT with everything that may be hidden in one."""
    made = OpenDocumentText()
    _describe_open(made)
    made.text.addElement(text.H(outlinelevel=1, text="TAMPAK-Judul"))
    paragraph = text.P(text=SEEN)
    remark = office.Annotation()
    remark.addElement(dc.Creator(text=hidden("CommentBy")))
    remark.addElement(text.P(text=hidden("Comment")))
    paragraph.addElement(remark)
    made.text.addElement(paragraph)
    by = text.AuthorName()
    by.addText("TAMPAK-Penulis")
    paragraph.addElement(by)
    picture = text.P()
    frame = draw.Frame(width="3cm", height="2cm", anchortype="as-char", name=hidden("FileName"))
    frame.addElement(draw.Image(href=made.addPictureFromString(pictures.jpeg(), "image/jpeg")))
    picture.addElement(frame)
    made.text.addElement(picture)
    tracked = (
        '<text:tracked-changes><text:changed-region text:id="ct1"><text:deletion><office:change-info><dc:creator>'
        f"{hidden('ChangedBy')}</dc:creator></office:change-info><text:p>{hidden('Deleted')}</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
    )
    return changed(
        _saved(made),
        {
            "content.xml": in_turn(
                _after("<office:text>", tracked),
                before(
                    "</office:text>",
                    '<text:p>TAMPAK-Akhir<text:change text:change-id="ct1"/><text:meta>TAMPAK-Meta</text:meta></text:p>'
                    f'<text:p><text:a xlink:href="file:///home/{hidden("Link")}">TAMPAK-Tautan</text:a></text:p>',
                ),
            )
        },
        {
            "Thumbnails/thumbnail.png": pictures.png(),
            "layout-cache": hidden("LayoutCache").encode(),
            "manifest.rdf": f"<a>{hidden('Rdf')}</a>".encode(),
        },
    )


@cache
def spreadsheet() -> bytes:
    """Return an ODS with author, comment and picture."""
    made = OpenDocumentSpreadsheet()
    _describe_open(made)
    sheet, row = table.Table(name="TAMPAK-Lembar"), table.TableRow()
    cell = table.TableCell(valuetype="string")
    remark = office.Annotation()
    remark.addElement(dc.Creator(text=hidden("CommentBy")))
    remark.addElement(text.P(text=hidden("Comment")))
    cell.addElement(remark)
    cell.addElement(text.P(text=SEEN))
    row.addElement(cell)
    foreign = f"of:='file:///home/{hidden('Foreign')}.ods'#$A.A1"
    row.addElement(table.TableCell(valuetype="float", value="7", formula=foreign))
    sheet.addElement(row)
    copied = table.Table(name=f"'file:///home/{hidden('Copied')}.ods'#A")
    copied.addElement(table.TableRow())
    made.spreadsheet.addElement(copied)
    made.spreadsheet.addElement(sheet)
    made.addPictureFromString(pictures.jpeg(), "image/jpeg")
    return _saved(made)


def _describe_open(made: OpenDocument) -> None:
    made.meta.addElement(meta.InitialCreator(text=hidden("Creator")))
    made.meta.addElement(dc.Creator(text=hidden("ModifiedBy")))
    made.meta.addElement(meta.UserDefined(name="Own", text=hidden("Own")))


def _saved(made: OpenDocument) -> bytes:
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def _after(mark: str, more: str) -> Change:
    def change(member: bytes) -> bytes:
        assert mark.encode() in member, mark
        return member.replace(mark.encode(), mark.encode() + more.encode(), 1)

    return change


@cache
def emf() -> bytes:
    """Return a drawing with a description, a remark, and a photograph as EMF+ has it."""
    words = f"Inkscape\0{hidden('EmfTitle')}\0\0".encode("utf-16-le")
    header = bytearray(88)
    header[40:44] = b" EMF"
    header[60:68] = struct.pack("<II", len(words) // 2, 88)
    photograph = _padded(pictures.jpeg())
    drawn = struct.pack("<HHII", 0x4008, 0, 12 + len(photograph), len(photograph)) + photograph
    records = [
        bytes(header) + _padded(words),
        _remark(b"EMF+" + drawn),
        _remark(b"GDIC" + _padded(hidden("EmfRemark").encode())),
        struct.pack("<IIIII", 14, 20, 0, 16, 20),
    ]
    records[0] = struct.pack("<II", 1, len(records[0])) + records[0][8:]
    return b"".join(records)


@cache
def wmf() -> bytes:
    """Return a drawing of older programs with a remark."""
    remark = hidden("WmfRemark").encode().ljust(20, b"\0")
    escape = struct.pack("<IHHH", (10 + len(remark)) // 2, 0x626, 15, len(remark)) + remark
    records = escape + struct.pack("<IH", 3, 0)
    header = struct.pack("<HHHIHIH", 1, 9, 0x300, (18 + len(records)) // 2, 0, 15, 0)
    return b"\xd7\xcd\xc6\x9a" + bytes(18) + header + records


def _remark(content: bytes) -> bytes:
    return struct.pack("<III", 70, 12 + len(content), len(content)) + content


def _padded(content: bytes) -> bytes:
    return content.ljust(-(-len(content) // 4) * 4, b"\0")
