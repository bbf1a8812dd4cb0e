"""PDF files with author, XMP, attachments, scripts, remarks and photographs that still have their position."""

import base64
import io
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from reportlab.pdfgen import canvas

from tests.corpus import pictures
from tests.corpus.hiding import hidden

SEEN = "TAMPAK-Halaman"


def plain(pages: int = 1) -> bytes:
    """Return a PDF of a few pages, each with a sentence."""
    written = io.BytesIO()
    drawing = canvas.Canvas(written, pageCompression=1)
    for number in range(pages):
        drawing.drawString(72, 700, f"{SEEN}{number + 1}")
        drawing.showPage()
    drawing.save()
    return written.getvalue()


def telling() -> bytes:
    """Return a PDF with everything that may be hidden in one."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain(2))) as pdf:
        _describe(pdf)
        _attach(pdf)
        _script(pdf)
        _remark(pdf)
        _draw_photograph(pdf)
        _structure(pdf)
        _add_own_keys(pdf)
        _draw_letters(pdf)
        _draw_scan(pdf)
        pdf.trailer.ID = Array([String(hidden("FirstId")), String(hidden("SecondId"))])
        pdf.save(written)
    return written.getvalue() + b"\n%" + hidden("Trailer").encode() + b"\n"


def _describe(pdf: pikepdf.Pdf) -> None:
    pdf.docinfo["/Author"] = hidden("Author")
    pdf.docinfo["/Producer"] = String(hidden("Producer"))
    pdf.docinfo["/Title"] = hidden("Title")
    pdf.docinfo["/Own"] = hidden("Own")
    for found in (pdf.Root, pdf.pages[0].obj):
        found.Metadata = pdf.make_stream(pictures.xmp("XMP"), Type=Name.Metadata, Subtype=Name.XML)
        found.PieceInfo = Dictionary(Own=Dictionary(Private=String(hidden("PieceInfo"))))
    pdf.Root.Lang = String(hidden("Lang"))
    pdf.Root.Unknown = String(hidden("Unknown"))
    pdf.pages[0].obj.Thumb = pdf.make_stream(hidden("Thumb").encode())


def _attach(pdf: pikepdf.Pdf) -> None:
    pdf.attachments[hidden("AttachmentName")] = pikepdf.AttachedFileSpec(
        pdf, hidden("Attachment").encode(), description=hidden("AttachmentText"), filename=hidden("AttachmentName")
    )
    pdf.Root.AF = Array([pdf.attachments[hidden("AttachmentName")].obj])


def _script(pdf: pikepdf.Pdf) -> None:
    def script(place: str) -> Dictionary:
        return Dictionary(S=Name.JavaScript, JS=String(f"app.alert('{hidden(place)}')"))

    pdf.Root.OpenAction = script("OpenAction")
    pdf.Root.AA = Dictionary(WC=script("Closing"))
    pdf.Root.Names.JavaScript = Dictionary(Names=Array([String("a"), pdf.make_indirect(script("NamedScript"))]))
    pdf.pages[0].obj.AA = Dictionary(O=script("PageOpened"))
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pdf.make_stream(hidden("XFA").encode()))


def _remark(pdf: pikepdf.Pdf) -> None:
    place = Array([100, 100, 200, 200])

    def annotation(kind: str, **more: object) -> object:
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name("/" + kind),
                Rect=place,
                T=String(hidden(f"{kind}By")),
                Contents=String(hidden(f"{kind}Text")),
                NM=String(hidden(f"{kind}Name")),
                **more,
            )
        )

    launch = Dictionary(S=Name.Launch, F=String(hidden("Launch")))
    pdf.pages[0].obj.Annots = Array(
        [
            annotation("Text"),
            annotation("Popup"),
            annotation("FileAttachment", FS=Dictionary(Type=Name.Filespec, F=String(hidden("Filespec")))),
            annotation("Highlight", QuadPoints=Array([100, 100, 200, 100, 100, 200, 200, 200])),
            annotation("Link", A=launch),
            annotation("Link", A=Dictionary(S=Name.URI, URI=String("https://example.id/"))),
            annotation("Link", A=Dictionary(S=Name.URI, URI=String(f"file:///home/{hidden('FileLink')}"))),
            annotation("Stamp", AP=Dictionary(N=_appearance(pdf)), Own=String(hidden("OfAnnotation"))),
        ]
    )


def _appearance(pdf: pikepdf.Pdf) -> pikepdf.Stream:
    drawn = f"/P <</MCID 0 /Alt ({hidden('AppearanceAlt')})>> BDC 0 0 9 9 re f EMC % {hidden('AppearanceRemark')}"
    form = pdf.make_stream(drawn.encode(), Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
    form.Own = String(hidden("OfForm"))
    form.LastModified = String(hidden("FormModified"))
    return form


def _draw_photograph(pdf: pikepdf.Pdf) -> None:
    content = pictures.jpeg(icc=pictures.profile())
    photograph = pdf.make_stream(
        content,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=120,
        Height=80,
        BitsPerComponent=8,
        ColorSpace=Array([Name.ICCBased, pdf.make_stream(pictures.profile("PdfProfile"), N=3)]),
        Filter=Name.DCTDecode,
    )
    packed = pdf.make_stream(b"")
    packed.write(zlib.compress(content), filter=Array([Name.FlateDecode, Name.DCTDecode]))
    for key in ("Type", "Subtype", "Width", "Height", "BitsPerComponent", "ColorSpace"):
        packed[f"/{key}"] = photograph[f"/{key}"]
    photograph.Own = String(hidden("OfPicture"))
    page = pdf.pages[1]
    page.obj.Resources.Properties = Dictionary(MC0=Dictionary(Title=String(hidden("Property"))))
    page.obj.Resources.XObject = Dictionary({"/Lang": photograph, "/AA": packed})
    drawn = b"q 120 0 0 80 72 500 cm /Lang Do Q q 120 0 0 80 72 400 cm /AA Do Q"
    page.contents_add(pdf.make_stream(drawn), prepend=False)


def _structure(pdf: pikepdf.Pdf) -> None:
    element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Figure, Alt=String(hidden("Alt"))))
    # As LibreOffice writes the lengths of streams: a number that is an object.
    pdf.pages[0].obj.Rotate = pdf.make_indirect(0)
    pdf.trailer.DocChecksum = String(hidden("Checksum"))
    mark = pdf.make_indirect(Dictionary(Title=String("Bab 1"), SE=element))
    pdf.Root.Outlines = pdf.make_indirect(Dictionary(Type=Name.Outlines, First=mark, Last=mark, Count=1))
    mark.Parent = pdf.Root.Outlines
    following = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))
    following.Next = Array([Dictionary(S=Name.Launch, F=String(hidden("NextAction")))])
    mark.A = following
    layer = Dictionary(Type=Name.OCG, Name=String("Lapisan"), Usage=Dictionary())
    layer.Usage.CreatorInfo = Dictionary(Creator=String(hidden("LayerCreator")), Subtype=Name.Artwork)
    layer.Usage.User = Dictionary(Type=Name.Ind, Name=String(hidden("LayerUser")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([pdf.make_indirect(layer)]), D=Dictionary())
    pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=element))
    marked = f"/Span <</ActualText ({hidden('ActualText')}) /Lang (id)>> BDC EMC % {hidden('Remark')}\n"
    pdf.pages[1].contents_add(pdf.make_stream(marked.encode()), prepend=True)


def _add_own_keys(pdf: pikepdf.Pdf) -> None:
    """Add keys of a program's own wherever a dictionary may have some."""
    page = pdf.pages[0].obj
    page.Resources.ExtGState = Dictionary(G0=Dictionary(CA=1))
    page.Resources.Shading = Dictionary(S0=Dictionary(ShadingType=2, Coords=Array([0, 0, 1, 1])))
    page.Resources.Shading.S0.Function = Dictionary(FunctionType=2, Domain=Array([0, 1]), N=1)
    page.Group = Dictionary(S=Name.Transparency)
    page.Contents = pdf.make_stream(page.Contents.read_bytes())
    pdf.Root.ViewerPreferences = Dictionary(HideToolbar=True)
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.D)]))
    pdf.Root.Extensions = Dictionary(ADBE=Dictionary(BaseVersion=Name("/1.7")))
    font = page.Resources.Font["/F1"]
    font.FontDescriptor = Dictionary(Type=Name.FontDescriptor, FontName=Name.Helvetica)
    font.ToUnicode = pdf.make_stream(f"%%Creator {hidden('TableOfLetters')}\nbegincmap\nendcmap".encode())
    field = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("a"), TU=String(hidden("FieldTip")), Kids=Array()))
    pdf.Root.AcroForm.Fields.append(field)
    for number, found in enumerate(
        [
            *(page.Resources, page.Resources.ExtGState.G0, page.Resources.Shading.S0.Function, page.Group),
            *(page.Contents, pdf.Root.ViewerPreferences, pdf.Root.PageLabels.Nums[1], pdf.Root.Extensions.ADBE),
            *(font, font.FontDescriptor, font.ToUnicode, field, pdf.Root.Outlines, pdf.Root.Outlines.First),
            *(pdf.Root.OCProperties.OCGs[0], pdf.Root.OCProperties.D),
        ]
    ):
        found.Own = String(hidden(f"OwnKey{number}"))
    pdf.Root.OCProperties.D.Creator = String(hidden("LayersCreator"))
    page.Resources.Font["/Naming"] = String(hidden("InNames"))


def _draw_letters(pdf: pikepdf.Pdf) -> None:
    """Draw a letter of a font whose letters are drawings, and pictures that stand in the drawing itself."""
    drawn = f"9 0 0 0 9 9 d1 0 0 9 9 re f % {hidden('LetterRemark')}\n/S <</Alt ({hidden('LetterAlt')})>> BDC EMC"
    font = Dictionary(Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, 0, 9, 9]), FirstChar=65, LastChar=65)
    font.FontMatrix, font.Widths = Array([0.1, 0, 0, 0.1, 0, 0]), Array([9])
    font.Encoding = Dictionary(Type=Name.Encoding, Differences=Array([65, Name.A]))
    font.CharProcs, font.Resources = Dictionary(A=pdf.make_stream(drawn.encode())), Dictionary()
    page = pdf.pages[1]
    page.obj.Resources.Font["/F9"] = pdf.make_indirect(font)
    photograph, sizes = pictures.jpeg(), b"BI /W 120 /H 80 /BPC 8 /CS /RGB /F"
    packed = base64.a85encode(photograph) + b"~>"
    page.contents_add(
        b"BT /F9 9 Tf 99 99 Td (A) Tj ET q 120 0 0 80 300 500 cm %b /DCT ID %b EI Q" % (sizes, photograph)
        + b" q 120 0 0 80 300 400 cm %b [/A85 /DCT] ID %b EI Q" % (sizes, packed),
        prepend=False,
    )


def _draw_scan(pdf: pikepdf.Pdf) -> None:
    """Draw pictures as JPEG 2000, in which a scanner says what it is."""
    page = pdf.pages[1]
    for name, bare in (("/J1", False), ("/J2", True)):
        scan = io.BytesIO()
        pictures.scene().save(scan, "JPEG2000", comment=hidden(f"Scanner{name[1:]}"), no_jp2=bare)
        page.obj.Resources.XObject[name] = pdf.make_stream(
            scan.getvalue(), Type=Name.XObject, Subtype=Name.Image, Width=120, Height=80, Filter=Name.JPXDecode
        )
        page.contents_add(f"q 120 0 0 80 72 {200 if bare else 300} cm {name} Do Q".encode(), prepend=False)
    page.obj.Resources.XObject["/PS"] = pdf.make_stream(
        f"% {hidden('PostScript')}".encode(), Type=Name.XObject, Subtype=Name.PS
    )


def encrypted(user: str = "rahasia") -> bytes:
    """Return a PDF that a password opens; with an empty one, everybody may read but not change it."""
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain())) as pdf:
        pdf.docinfo["/Author"] = hidden("Author")
        pdf.save(written, encryption=pikepdf.Encryption(owner="pemilik", user=user))
    return written.getvalue()


def with_former_version() -> bytes:
    """Return a PDF to which a program appended a new version of a page, with the former one still in it."""
    content = plain()
    former = f"9 0 obj\n({hidden('Former')})\nendobj\n".encode()
    start = content.rindex(b"startxref")
    at = int(content[start:].split()[1])
    return content + former + b"startxref\n" + str(at).encode() + b"\n%%EOF\n"
