"""PDF files, written anew with what is seen on their pages and little else.

What a dictionary may have is listed, and more closely for a catalogue, a page and an annotation; other keys are left
out. What nothing refers to any more, such as former versions of the same pages, is not written.
"""

import base64
import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream, String

from gateway.files.errors import FileRefusedError
from gateway.files.inspection import embedded, pdf_preview
from gateway.files.inspection import pdf_keys as keys
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.memory import memory_file, path_of
from gateway.files.kinds import Kind

_WEB = ("http://", "https://", "mailto:", "tel:")
_HIDING = (b"/Alt", b"/ActualText", b"/E", b"/Lang", b"%", b"/Metadata", b"/Author", b"/DCT")
_REMARK = re.compile(rb"^([^(%\r\n]*)%[^\r\n]*", re.MULTILINE)
_INLINE = re.compile(rb"\sID\s")
_DEEPEST = 50
_TAIL = 64 << 10
"""How far from its end a file may have its last mark; some programs add bytes of their own behind it."""


_AS_LETTERS = (
    lambda packed: base64.a85decode(b"<~" + packed.strip().removesuffix(b"~>") + b"~>", adobe=True),
    lambda plain: base64.a85encode(plain, wrapcol=72) + b"~>",
)
_AS_DIGITS = (
    lambda packed: bytes.fromhex(packed.strip().removesuffix(b">").decode("ascii")),
    lambda plain: plain.hex().encode() + b">",
)
_PACKINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "/A85": _AS_LETTERS,
    "/ASCII85Decode": _AS_LETTERS,
    "/AHx": _AS_DIGITS,
    "/ASCIIHexDecode": _AS_DIGITS,
    "/Fl": (zlib.decompress, zlib.compress),
    "/FlateDecode": (zlib.decompress, zlib.compress),
}
"""How a picture that stands in a drawing may be packed: undone, and done again."""


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the PDF in `file`, cleaned unless `original`. One that only its password opens is kept as it came."""
    if not _is_whole(file):
        raise FileRefusedError("broken")
    try:
        with pikepdf.open(path_of(file), suppress_warnings=True) as pdf:
            if not len(pdf.pages):
                raise FileRefusedError("broken")
            kept = _original(pdf, file) if original else _cleaned(pdf)
    except pikepdf.PasswordError:
        return Kept(kind, file, cleaned=False, readable=False)
    except (pikepdf.PdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        # As qpdf says that memory is at its limit.
        raise FileRefusedError("too-complex" if "bad_alloc" in str(error) else "broken") from error
    return Kept(kind, kept, cleaned=not original, preview=pdf_preview.first_page(kept))


def _is_whole(file: BinaryIO) -> bool:
    """Return whether the file has its end. Without it qpdf would repair it, and nobody would miss the lost pages."""
    file.seek(max(0, file.seek(0, io.SEEK_END) - _TAIL))
    return b"%%EOF" in file.read()


def _original(pdf: pikepdf.Pdf, file: BinaryIO) -> BinaryIO:
    for action in _dictionaries(pdf):
        if action.get("/S") in (Name.JavaScript, Name.Launch) or "/JS" in action or "/XFA" in action:
            raise FileRefusedError("scripts")
    return file


def _cleaned(pdf: pikepdf.Pdf) -> BinaryIO:
    _keep_only(pdf.Root, keys.CATALOGUE)
    if "/Names" in pdf.Root:
        _keep_only(pdf.Root.Names, {"/Dests"})
    if isinstance(pdf.Root.get("/OCProperties"), Dictionary):
        _keep_only(pdf.Root.OCProperties, keys.LAYERS)
        _keep_only(pdf.Root.OCProperties.get("/D", Dictionary()), keys.SEEN)
    if "/AcroForm" in pdf.Root:
        _keep_only(pdf.Root.AcroForm, keys.FORM_OF_FIELDS)
    for page in pdf.pages:
        _keep_only(page.obj, keys.PAGE)
        _clean_annotations(page.obj)
    for found in _dictionaries(pdf):
        _clean_naming(found)
        _clean(found)
    for found in _objects(pdf):
        if isinstance(found, Stream):
            _clean_stream(found)
    for found in _dictionaries(pdf):
        _clean_font(found)
    for page in pdf.pages:
        _clean_page(pdf, page.obj)
    _keep_only(pdf.trailer, keys.TRAILER)
    kept = memory_file()
    pdf.save(kept, encryption=False, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return kept


def _keep_only(found: Any, names: set[str]) -> None:
    _drop(found, set(found.keys()) - names)


def _drop(found: Any, names: set[str]) -> None:
    for name in names & set(found.keys()):
        del found[name]


def _clean_annotations(page: Any) -> None:
    """Keep the annotations that are seen on the page, without who wrote them, when, and what pops up."""
    if not isinstance(page.get("/Annots"), Array):
        _drop(page, {"/Annots"})
        return
    annotations = [each for each in page.Annots if isinstance(each, Dictionary)]
    page.Annots = Array([each for each in annotations if each.get("/Subtype") in keys.SEEN_ANNOTATIONS])
    for each in page.Annots:
        more = {"/FreeText": {"/Contents"}, "/Widget": keys.FIELD}.get(str(each.Subtype), set())
        _keep_only(each, keys.ANNOTATION | more)


def _clean(found: Any) -> None:
    _keep_only(found, keys.SEEN - keys.UNSEEN)
    kind = found.get("/Type")
    for key in ("/A", "/PA", "/Next"):
        action = found.get(key)
        if isinstance(action, Array) or (isinstance(action, Dictionary) and _is_unwanted(action)):
            _drop(found, {key})
    if _is_unwanted(found):
        _keep_only(found, set())
    elif found.get("/FT") == Name.Sig:
        # Whose signature it is; what it looks like on the page stays.
        _drop(found, {"/V", "/T", "/Lock", "/SV"})
    elif kind in (Name.Sig, Name.Filespec, Name.DocTimeStamp):
        _keep_only(found, {"/Type"})
    elif kind == Name.Pages:
        _keep_only(found, keys.PAGES)
    if isinstance(found.get("/Properties"), Dictionary):
        for each in found.Properties.values():
            if isinstance(each, Dictionary) and each.get("/Type") not in (Name.OCG, Name.OCMD):
                _keep_only(each, keys.MARKED)


def _clean_naming(found: Any) -> None:
    """Drop the texts in dictionaries whose keys are not listed: what they name is never a text."""
    for key in keys.NAMING & set(found.keys()):
        naming = found[key]
        if isinstance(naming, Dictionary):
            _drop(naming, {name for name, value in naming.items() if isinstance(value, String)})


def _clean_font(font: Any) -> None:
    """Clean the drawings of which a font consists, and the tables of its letters."""
    if isinstance(font.get("/CharProcs"), Dictionary):
        for drawing in font.CharProcs.values():
            if isinstance(drawing, Stream):
                _clean_drawing(drawing)
    for key in ("/ToUnicode", "/Encoding"):
        table = font.get(key)
        if isinstance(table, Stream) and b"%" in (written := table.read_bytes()):
            table.write(_REMARK.sub(rb"\1", written))


def _is_unwanted(action: Any) -> bool:
    """Return whether an action starts something, or leads to a file, whose path may have a name in it."""
    kind, target = action.get("/S"), action.get("/URI")
    to_the_web = isinstance(target, String) and str(target).lower().startswith(_WEB)
    return not action.keys() or kind in keys.ACTIONS or (kind == Name.URI and not to_the_web)


def _objects(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Yield the objects of `pdf` that contain something: numbers and truths are no objects here.

    Left out is the table of the objects where it is a stream: its dictionary is the trailer, which has its own list.
    """
    return (found for found in pdf.objects if isinstance(found, Object) and not _is_table(found))


def _is_table(found: Any) -> bool:
    return isinstance(found, Stream) and found.get("/Type") == Name.XRef


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Yield every dictionary of `pdf`, also those of streams and those within others, but none that maps names."""
    naming = {
        found[key].objgen
        for indirect in _objects(pdf)
        for found in _within(indirect, 0)
        for key in keys.NAMING & set(found.keys())
        if isinstance(found[key], Dictionary)
    }
    for indirect in _objects(pdf):
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
            if key in keys.NAMING and isinstance(each, Dictionary):
                next(found_within)
            yield from found_within


def _clean_stream(stream: Any) -> None:
    # A stream that is in another file.
    _drop(stream, {"/F", "/FFilter", "/FDecodeParms"})
    kind = stream.get("/Subtype")
    if kind == Name.Image:
        _keep_only(stream, keys.PICTURE)
        _clean_picture(stream)
    elif kind == Name.Form:
        _keep_only(stream, keys.FORM)
        _clean_drawing(stream)
    elif kind == Name.PS:
        # A program for printers, which shows nothing.
        stream.write(b"")
    elif stream.get("/PatternType") == 1:
        _clean_drawing(stream)
    elif stream.get("/N") in (1, 3, 4) and "/Type" not in stream and "/FunctionType" not in stream:
        stream.write(embedded.bare_profile(stream.read_bytes()))


def _clean_picture(stream: Any) -> None:
    filters = stream.get("/Filter")
    filters = list(filters) if isinstance(filters, Array) else [filters]
    last = filters[-1] if filters else None
    if last in (Name.DCTDecode, Name.DCT):
        _replace_picture(stream, filters, embedded.bare_jpeg)
    elif last == Name.JPXDecode:
        _replace_picture(stream, filters, embedded.bare_jpeg2000)


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


def _clean_page(pdf: pikepdf.Pdf, page: Any) -> None:
    contents = page.get("/Contents")
    if contents is None:
        return
    streams = list(contents) if isinstance(contents, Array) else [contents]
    drawn = b"\n".join(each.read_bytes() for each in streams if isinstance(each, Stream))
    if any(sign in drawn for sign in _HIDING):
        page.Contents = pdf.make_stream(_drawn(pikepdf.parse_content_stream(pikepdf.Page(page))))


def _clean_drawing(stream: Any) -> None:
    if any(sign in stream.read_bytes() for sign in _HIDING):
        stream.write(_drawn(pikepdf.parse_content_stream(stream)))


def _drawn(instructions: Any) -> bytes:
    """Return a drawing written anew, without remarks and without texts that are not drawn."""
    written: list[bytes] = []
    waiting: list[Any] = []
    for instruction in instructions:
        operands = instruction.operands
        if str(instruction.operator) in ("BDC", "DP") and len(operands) == 2 and isinstance(operands[1], Dictionary):
            _keep_only(operands[1], {"/MCID"})
        elif isinstance(instruction, pikepdf.ContentStreamInlineImage):
            written += [pikepdf.unparse_content_stream(waiting), _inline(instruction.iimage)]
            waiting.clear()
            continue
        waiting.append(instruction)
    return b"\n".join([*written, pikepdf.unparse_content_stream(waiting)])


def _inline(picture: Any) -> bytes:
    """Return a picture that stands in a drawing, without its own hidden data."""
    written: bytes = picture.unparse()
    begins = _INLINE.search(written)
    if not begins or not any(name in ("/DCT", "/DCTDecode") for name in picture.filters):
        return written
    content, packing = (
        written[begins.end() :].rstrip().removesuffix(b"EI"),
        [_PACKINGS.get(name) for name in picture.filters[:-1]],
    )
    if None in packing:
        raise FileRefusedError("embedded")
    for unpack, _ in filter(None, packing):
        content = unpack(content)
    content = embedded.bare_jpeg(content)
    for _, pack in filter(None, reversed(packing)):
        content = pack(content)
    return written[: begins.end()] + content + b"\nEI"
