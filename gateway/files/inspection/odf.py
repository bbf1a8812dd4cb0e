"""ODT and ODS files, written anew from text, styles and pictures."""

import posixpath
import re
import zipfile
from base64 import b64decode, b64encode
from binascii import Error
from typing import BinaryIO

from gateway.files.errors import FileRefusedError
from gateway.files.inspection import markup
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.markup import Element, drop_attributes, elements, local, namespace, take_out, unwrap
from gateway.files.inspection.packages import NewPackage, Package
from gateway.files.inspection.pictures_in import bare_picture
from gateway.files.kinds import Kind

_MANIFEST = "META-INF/manifest.xml"
_MANIFEST_SPACE = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_KEPT = re.compile(r"^(?:Object \d+/)?(?:content|styles)\.xml$")
_PICTURES = re.compile(r"^(?:Object \d+/)?Pictures/[^/]+$")
_FOREIGN = re.compile(r"^(?:Object \d+|media/.*|.*\.(?:class|jar|bin|exe))$", re.IGNORECASE)
_TAKEN_OUT = {
    *("annotation", "annotation-end", "tracked-changes", "change", "change-start", "change-end", "meta", "scripts"),
    *("event-listeners", "event-listener", "creator", "date", "dde-links", "dde-connection-decls", "dde-source"),
    *("cell-range-source", "section-source", "table-source", "forms", "title", "desc", "changed-region", "deletion"),
    *("settings", "script", "alphabetical-index-auto-mark-file", "database-source"),
}
_SPACES_TAKEN_OUT = {
    *("urn:oasis:names:tc:opendocument:xmlns:office:1.0", "urn:oasis:names:tc:opendocument:xmlns:text:1.0"),
    *("urn:oasis:names:tc:opendocument:xmlns:table:1.0", "urn:oasis:names:tc:opendocument:xmlns:script:1.0"),
    *("http://purl.org/dc/elements/1.1/", "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"),
}
# In a text, these are wrapped around words that are seen.
_FIELDS = {
    *("author-name", "author-initials", "initial-creator", "creator", "creation-date", "creation-time"),
    *("modification-date", "modification-time", "print-date", "print-time", "printed-by", "file-name", "template-name"),
    *("sender-firstname", "sender-lastname", "sender-initials", "sender-title", "sender-position", "sender-email"),
    *("sender-phone-private", "sender-phone-work", "sender-fax", "sender-company", "sender-street", "sender-city"),
    *("sender-postal-code", "sender-country", "sender-state-or-province", "user-defined", "description", "keywords"),
    *("subject", "editing-cycles", "editing-duration", "dde-connection", "meta", "meta-field"),
    *("database-display", "database-name", "database-next", "database-row-select", "database-row-number"),
}
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_FOREIGN_FORMULA = re.compile(r"file:|https?:|smb:|\bDDE\b|\bWEBSERVICE\b", re.IGNORECASE)
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_UNCLEANABLE = {"object-ole", "plugin", "applet", "floating-frame"}
_TELLING = {"rsid", "paragraph-rsid", "about", "property", "datatype", "content", "printer-name"}
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_DRAWING = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the document in `file`, cleaned unless `original`. One with a password is kept as it came."""
    try:
        package = Package(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileRefusedError("broken") from error
    manifest = markup.parsed(package.read(_MANIFEST))
    if any(local(element.tag) == "encryption-data" for element in elements(manifest)):
        return Kept(kind, file, cleaned=False, readable=False)
    if original:
        package.check()
        return Kept(kind, file, cleaned=False)
    return Kept(kind, _cleaned(package, manifest, kind), cleaned=True)


def _cleaned(package: Package, manifest: Element, kind: Kind) -> BinaryIO:
    new = NewPackage()
    # First and not packed, so that a program knows the type from the first bytes.
    new.write("mimetype", kind.media_type.encode(), packed=False)
    kept, shown = {"/"}, set()
    if any(_FOREIGN.match(name) for name in package.names):
        raise FileRefusedError("embedded")
    for name in sorted(filter(_KEPT.match, package.names)):
        root = markup.parsed(package.read(name))
        _clean(root)
        folder = name.rpartition("/")[0]
        shown |= {posixpath.join(folder, target.removeprefix("./")) for target in _targets(root)}
        new.write(name, markup.written(root))
        kept |= {name, f"{folder}/"}
    for name in sorted(filter(_PICTURES.match, package.names & shown)):
        new.write(name, bare_picture(package.read(name)))
        kept.add(name)
    if "content.xml" not in kept:
        raise FileRefusedError("broken")
    new.write(_MANIFEST, _listing(manifest, kept))
    return new.close()


def _listing(manifest: Element, kept: set[str]) -> bytes:
    for entry in list(manifest):
        if entry.get(f"{{{_MANIFEST_SPACE}}}full-path") not in kept:
            manifest.remove(entry)
    return markup.written(manifest)


def _targets(root: Element) -> set[str]:
    return {target for element in elements(root) if (target := element.get(_XLINK))}


def _clean(root: Element) -> None:
    for element in elements(root):
        name, space = local(element.tag), namespace(element.tag)
        if space == _DRAWING and name in _UNCLEANABLE:
            raise FileRefusedError("embedded")
        if space == _TEXT and name in _FIELDS:
            unwrap(element)
        elif space == _OFFICE and name == "binary-data":
            element.text = _bare_data(element.text or "")
        elif _is_taken_out(element, name, space):
            take_out(element)
        else:
            _clean_element(element, name, space)


def _bare_data(written: str) -> str:
    """Return a picture that stands in the text itself, in base 64, without its hidden data."""
    try:
        return b64encode(bare_picture(b64decode(written))).decode()
    except Error as error:
        raise FileRefusedError("broken") from error


def _is_taken_out(element: Element, name: str, space: str) -> bool:
    if element.getparent() is None:
        return False
    if space == _TEXT and name in ("date", "title"):
        # Fields that show something.
        return False
    if space == _TABLE and name == "table":
        # The kept copy of a table in another file.
        return bool(_FOREIGN_FORMULA.search(element.get(f"{{{_TABLE}}}name", "")))
    return (name in _TAKEN_OUT and space in _SPACES_TAKEN_OUT) or (space == _DRAWING and name == "control")


def _clean_element(element: Element, name: str, space: str) -> None:
    drop_attributes(element, lambda attribute: local(attribute) in _TELLING and namespace(attribute) != space)
    if space == _DRAWING:
        drop_attributes(element, lambda attribute: attribute == f"{{{_DRAWING}}}name" and name != "layer")
    formula = f"{{{_TABLE}}}formula"
    if _FOREIGN_FORMULA.search(element.get(formula, "")):
        # The value that it came to stays.
        del element.attrib[formula]
    target = element.get(_XLINK)
    if target is None or not re.match(r"^(?:[a-z][\w+.-]*:|/|\.\./)", target, re.IGNORECASE):
        return
    is_link = name == "a" and re.match(r"^(?:https?|mailto):", target, re.IGNORECASE)
    if not is_link:
        # A file elsewhere: its path says where it was made, and to fetch it would say who reads it.
        element.set(_XLINK, "")
