"""PDF files, written anew with what is seen on their pages and little else.

What a catalogue, a page and an annotation may have is listed; other keys, and some wherever they stand, are left out.
What nothing refers to any more, such as former versions of the same pages, is not written.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from gateway.files.errors import FileRefusedError
from gateway.files.inspection import embedded, pdf_preview
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.memory import memory_file, path_of
from gateway.files.kinds import Kind

_CATALOGUE = {
    *("/Type", "/Pages", "/Version", "/PageLayout", "/Outlines", "/Names", "/Dests", "/AcroForm", "/OCProperties"),
    *("/PageLabels", "/ViewerPreferences", "/Extensions"),
}
_PAGE = {
    *("/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Contents"),
    *("/Rotate", "/Annots", "/Group", "/UserUnit"),
}
_ANNOTATIONS = {
    *("/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight", "/Underline"),
    *("/Squiggly", "/StrikeOut", "/Stamp", "/Caret", "/Ink", "/Widget"),
}
_UNSEEN = {
    *("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/JS", "/AF", "/XFA", "/OpenAction", "/Thumb", "/Alternates"),
    *("/StructParent", "/StructParents", "/Alt", "/ActualText", "/Lang", "/OPI", "/Measure", "/PtData"),
    *("/EmbeddedFiles", "/JavaScript", "/Collection", "/CreationDate", "/ModDate"),
}
_NAMING = {
    *("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/Properties", "/CharProcs", "/Dests"),
    *("/N", "/R", "/D"),
}
"""Keys of dictionaries whose own keys are names that a program chose, and which may be any of the above."""

_UNSEEN_OF_ANNOTATIONS = {
    "/T",
    "/Contents",
    "/M",
    "/NM",
    "/RC",
    "/Subj",
    "/IRT",
    "/RT",
    "/Popup",
    "/TU",
    "/TM",
    "/IT",
    "/ExData",
}
_HARMLESS_ACTIONS = {"/URI", "/GoTo", "/Named"}
_HIDING = (b"/Alt", b"/ActualText", b"/E", b"/Lang", b"%", b"/Metadata", b"/Author")
_DEEPEST = 50


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the PDF in `file`, cleaned unless `original`. One that only its password opens is kept as it came."""
    try:
        with pikepdf.open(path_of(file), suppress_warnings=True) as pdf:
            if not len(pdf.pages):
                raise FileRefusedError("broken")
            kept = _original(pdf, file) if original else _cleaned(pdf)
    except pikepdf.PasswordError:
        return Kept(kind, file, cleaned=False, readable=False)
    except (pikepdf.PdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FileRefusedError("broken") from error
    return Kept(kind, kept, cleaned=not original, preview=pdf_preview.first_page(kept))


def _original(pdf: pikepdf.Pdf, file: BinaryIO) -> BinaryIO:
    for action in _dictionaries(pdf):
        if action.get("/S") in (Name.JavaScript, Name.Launch) or "/JS" in action or "/XFA" in action:
            raise FileRefusedError("scripts")
    return file


def _cleaned(pdf: pikepdf.Pdf) -> BinaryIO:
    _drop(pdf.trailer, {"/Info"})
    _keep_only(pdf.Root, _CATALOGUE)
    _clean_names(pdf)
    for page in pdf.pages:
        _keep_only(page.obj, _PAGE)
        _clean_annotations(page.obj)
    for found in _dictionaries(pdf):
        _clean(found)
    for found in pdf.objects:
        if isinstance(found, Stream):
            _clean_stream(found)
    for page in pdf.pages:
        _clean_drawing(pdf, page.obj)
    kept = memory_file()
    pdf.save(kept, encryption=False, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return kept


def _keep_only(found: Any, keys: set[str]) -> None:
    _drop(found, set(found.keys()) - keys)


def _drop(found: Any, keys: set[str]) -> None:
    for key in keys & set(found.keys()):
        del found[key]


def _clean_names(pdf: pikepdf.Pdf) -> None:
    if "/Names" in pdf.Root:
        _keep_only(pdf.Root.Names, {"/Dests"})
    if "/AcroForm" in pdf.Root:
        _keep_only(pdf.Root.AcroForm, {"/Fields", "/DR", "/DA", "/Q", "/NeedAppearances"})


def _clean_annotations(page: Any) -> None:
    """Keep the annotations that are seen on the page, without who wrote them, when, and what pops up."""
    if not isinstance(page.get("/Annots"), Array):
        _drop(page, {"/Annots"})
        return
    annotations = [each for each in page.Annots if isinstance(each, Dictionary)]
    page.Annots = Array([each for each in annotations if each.get("/Subtype") in _ANNOTATIONS])
    for each in page.Annots:
        # The name of a form's field is what the form is held together by.
        kept = {"/FreeText": {"/Contents"}, "/Widget": {"/Contents", "/T"}}.get(str(each.Subtype), set())
        _drop(each, _UNSEEN_OF_ANNOTATIONS - kept)


def _clean(found: Any) -> None:
    _drop(found, _UNSEEN)
    for key in ("/A", "/PA", "/Next"):
        action = found.get(key)
        if isinstance(action, Dictionary) and "/S" in action and action.get("/S") not in _HARMLESS_ACTIONS:
            _drop(found, {key})
    if found.get("/FT") == Name.Sig:
        # Whose signature it is; what it looks like on the page stays.
        _drop(found, {"/V", "/T", "/Lock", "/SV"})
    if found.get("/Type") in (Name.Sig, Name.Filespec, Name.DocTimeStamp):
        _keep_only(found, {"/Type"})


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Yield every dictionary of `pdf`, also those of streams and those within others, but none that maps names."""
    naming = {
        found[key].objgen
        for indirect in pdf.objects
        for found in _within(indirect, 0)
        for key in _NAMING & set(found.keys())
        if isinstance(found[key], Dictionary)
    }
    for indirect in pdf.objects:
        inner = _within(indirect, 0)
        if indirect.objgen in naming:
            next(inner, None)
        yield from inner


def _within(found: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise FileRefusedError("too-complex")
    inner: list[tuple[str, Any]] = []
    if isinstance(found, Dictionary | Stream):
        yield found
        inner = list(found.items())
    elif isinstance(found, Array):
        inner = [("", each) for each in found]
    for key, each in inner:
        if isinstance(each, Object) and not each.is_indirect:
            found_within = _within(each, depth + 1)
            if key in _NAMING and isinstance(each, Dictionary):
                next(found_within)
            yield from found_within


def _clean_stream(stream: Any) -> None:
    filters = stream.get("/Filter")
    filters = list(filters) if isinstance(filters, Array) else [filters]
    last = filters[-1] if filters else None
    if last in (Name.DCTDecode, Name.DCT):
        _replace_picture(stream, filters, embedded.bare_jpeg)
    elif last == Name.JPXDecode:
        _replace_picture(stream, filters, embedded.bare_jpeg2000)
    elif stream.get("/N") in (1, 3, 4) and "/Type" not in stream and "/FunctionType" not in stream:
        stream.write(embedded.bare_profile(stream.read_bytes()))


def _replace_picture(stream: Any, filters: list[Any], bare: Callable[[bytes], bytes]) -> None:
    parameters = stream.get("/DecodeParms")
    if len(filters) > 1:
        # Packed once more, for example as text. The outer packing is left out.
        last = parameters[-1] if isinstance(parameters, Array) and len(parameters) == len(filters) else None
        stream.Filter = Array(filters[:-1])
        if isinstance(parameters, Array):
            stream.DecodeParms = Array(list(parameters)[:-1])
        packed, parameters = stream.read_bytes(), last
    else:
        packed = stream.read_raw_bytes()
    stream.write(bare(packed), filter=filters[-1], decode_parms=parameters if parameters is not None else None)


def _clean_drawing(pdf: pikepdf.Pdf, page: Any) -> None:
    """Write a page's drawing anew where it could have remarks or texts that are not drawn."""
    contents = page.get("/Contents")
    if contents is None:
        return
    streams = list(contents) if isinstance(contents, Array) else [contents]
    drawn = b"\n".join(each.read_bytes() for each in streams if isinstance(each, Stream))
    if any(sign in drawn for sign in _HIDING):
        page.Contents = pdf.make_stream(_drawn(pikepdf.parse_content_stream(pikepdf.Page(page))))
    for form in _forms(page, 0):
        if any(sign in form.read_bytes() for sign in _HIDING):
            form.write(_drawn(pikepdf.parse_content_stream(form)))


def _drawn(instructions: Any) -> bytes:
    kept = []
    for instruction in instructions:
        operands = instruction.operands
        if str(instruction.operator) in ("BDC", "DP") and len(operands) == 2 and isinstance(operands[1], Dictionary):
            _keep_only(operands[1], {"/MCID"})
        kept.append(instruction)
    return pikepdf.unparse_content_stream(kept)


def _forms(page: Any, depth: int) -> Iterator[Any]:
    resources = page.get("/Resources")
    forms = resources.get("/XObject") if isinstance(resources, Dictionary) else None
    for form in list(forms.values()) if isinstance(forms, Dictionary) else ():
        if isinstance(form, Stream) and form.get("/Subtype") == Name.Form:
            yield form
            if depth < 3:
                yield from _forms(form, depth + 1)
