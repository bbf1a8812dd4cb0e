"""DOCX, XLSX and PPTX files, written anew from the parts that show something.

The parts are found as an office program finds them: from the package along its relationships. Those of a listed type
are followed, so properties, thumbnails, comments, custom XML, printers' settings and fonts are left behind, whatever
their names are.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import unquote

from gateway.files.errors import FileRefusedError
from gateway.files.inspection import markup, office_parts
from gateway.files.inspection.kept import Kept
from gateway.files.inspection.markup import Element, local
from gateway.files.inspection.packages import NewPackage, Package
from gateway.files.inspection.pictures_in import bare_picture
from gateway.files.kinds import DOCX, PPTX, Kind

_FOLLOWED = {
    *("officeDocument", "styles", "theme", "themeOverride", "settings", "webSettings", "fontTable", "numbering"),
    *("image", "hyperlink", "header", "footer", "footnotes", "endnotes", "stylesWithEffects"),
    *("chart", "chartEx", "chartUserShapes", "chartStyle", "chartColorStyle"),
    *("diagramData", "diagramLayout", "diagramQuickStyle", "diagramColors", "diagramDrawing"),
    *("worksheet", "chartsheet", "sharedStrings", "drawing", "table", "pivotTable", "pivotCacheDefinition"),
    *("pivotCacheRecords", "sheetMetadata"),
    *("slide", "slideLayout", "slideMaster", "notesSlide", "notesMaster", "handoutMaster", "presProps", "viewProps"),
    "tableStyles",
}
_UNCLEANABLE = {"oleObject", "video", "audio", "media", "aFChunk"}
_PROGRAMS = {"control", "vbaProject", "xlMacrosheet", "xlIntlMacrosheet", "dialogsheet", "activeXControlBinary"}
_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_RELATIONSHIPS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_WEB = re.compile(r"^(?:https?://|mailto:|#)", re.IGNORECASE)
_MAIN = {
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
_TYPES = "[Content_Types].xml"
_REFER_BESIDES = {"pageSetup"}
"""Elements that say something without what they refer to."""

_LISTS = re.compile(r"(?:s|Lst|List|ext)$")
_OF_CHARTS = re.compile(r"/charts/[^/]+$")
"""Parts that show figures and have the workbook they came from beside them, of which only the figures stay."""


def keep(file: BinaryIO, kind: Kind, original: bool) -> Kept:
    """Return the document in `file`, cleaned unless `original`."""
    try:
        package = Package(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileRefusedError("broken") from error
    types = _ContentTypes(package.read(_TYPES))
    if types.has_programs() or _has_programs(package):
        raise FileRefusedError("macros")
    if original:
        package.check()
        return Kept(kind, file, cleaned=False)
    return Kept(kind, _Cleaning(package, types, kind).run(), cleaned=True)


class _ContentTypes:
    def __init__(self, content: bytes) -> None:
        self._root = markup.parsed(content)

    def has_programs(self) -> bool:
        return any(
            word in (element.get("ContentType") or "").lower()
            for element in self._root
            for word in ("macroenabled", "vbaproject", "activex", "macrosheet")
        )

    def written(self, kept: set[str], main: str, kind: Kind) -> bytes:
        """Return the types of the parts that are `kept`. A template's `main` part becomes a document's."""
        extensions = {posixpath.splitext(name)[1].lstrip(".").lower() for name in kept} | {"rels"}
        for element in list(self._root):
            name = unquote(element.get("PartName") or "").lstrip("/")
            extension = element.get("Extension")
            if (extension.lower() not in extensions) if extension is not None else (name not in kept):
                self._root.remove(element)
            elif name == main and kind in _MAIN:
                element.set("ContentType", _MAIN[kind])
        return markup.written(self._root)


class _Cleaning:
    """The writing of a new package, along the relationships of the old one."""

    def __init__(self, package: Package, types: _ContentTypes, kind: Kind) -> None:
        self._package = package
        self._types = types
        self._kind = kind
        self._new = NewPackage()
        self._done: set[str] = set()
        self._by_lower = {name.lower(): name for name in package.names}

    def run(self) -> BinaryIO:
        relationships, waiting, _ = self._relationships("", lambda kind, _: kind == "officeDocument")
        if len(waiting) != 1:
            raise FileRefusedError("broken")
        (main,) = waiting
        self._new.write("_rels/.rels", relationships)
        while waiting:
            name = waiting.pop()
            if name not in self._done:
                self._done.add(name)
                waiting |= self._part(name)
        self._new.write(_TYPES, self._types.written(self._done, main, self._kind))
        return self._new.close()

    def _part(self, name: str) -> set[str]:
        """Write a part and its relationships; return the parts that it refers to."""
        content = self._package.read(name)
        if not name.lower().endswith((".xml", ".vml")):
            self._new.write(name, bare_picture(content))
            return set()
        root = markup.parsed(content)
        office_parts.clean(root)
        found: set[str] = set()
        if _relationships_of(name).lower() in self._by_lower:
            used = _references(root)
            relationships, found, dropped = self._relationships(name, lambda kind, id: kind in _FOLLOWED and id in used)
            _forget(root, dropped)
            self._new.write(_relationships_of(name), relationships)
        self._new.write(name, markup.written(root))
        return found

    def _relationships(self, name: str, wanted: Callable[[str, str], bool]) -> tuple[bytes, set[str], set[str]]:
        """Return the relationships of a part that are followed, where they lead, and the ids of the others."""
        root = markup.parsed(self._package.read(self._by_lower.get(_relationships_of(name).lower(), "")))
        found: set[str] = set()
        dropped: set[str] = set()
        for each in list(root):
            kind, id, target = posixpath.basename(each.get("Type", "")), each.get("Id", ""), each.get("Target", "")
            if kind in _UNCLEANABLE or (kind == "package" and not _OF_CHARTS.search(name)):
                raise FileRefusedError("embedded")
            if each.get("TargetMode") == "External":
                is_kept = kind == "hyperlink" and _WEB.match(target) is not None
            elif target.startswith("#"):
                is_kept = kind == "hyperlink"
            else:
                part = self._by_lower.get(_resolved(name, target).lower())
                # Some parts refer to others by what is in a relationship and not by its id.
                # A drawing as SVG stands beside the same as PNG.
                is_kept = (
                    part is not None
                    and not part.lower().endswith(".svg")
                    and (wanted(kind, id) or (bool(name) and kind in _FOLLOWED - _BY_ID))
                )
                if is_kept and part is not None:
                    found.add(part)
                    each.set("Target", f"/{part}")
            if not is_kept:
                dropped.add(id)
                root.remove(each)
        return markup.written(root), found, dropped


_BY_ID = {"image", "hyperlink", "chart", "drawing", "officeDocument"}


def _has_programs(package: Package) -> bool:
    """Return whether any relationship leads to a program, whatever the program's part is called."""
    return any(
        posixpath.basename(each.get("Type", "")) in _PROGRAMS
        for name in package.names
        if name.lower().endswith(".rels")
        for each in markup.parsed(package.read(name))
    )


def _relationships_of(name: str) -> str:
    folder, base = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def _resolved(name: str, target: str) -> str:
    target = unquote(target)
    joined = target if target.startswith("/") else posixpath.join("/", posixpath.dirname(name), target)
    return posixpath.normpath(joined).lstrip("/")


def _is_reference(attribute: str) -> bool:
    return markup.namespace(attribute) in (_RELATIONSHIPS, _STRICT_RELATIONSHIPS) or (
        markup.namespace(attribute) == "urn:schemas-microsoft-com:office:office" and local(attribute) == "relid"
    )


def _references(root: Element) -> set[str]:
    return {value for element in markup.elements(root) for name, value in element.attrib.items() if _is_reference(name)}


def _forget(root: Element, ids: set[str]) -> None:
    """Remove the elements that refer to relationships which are not kept; the words of a link stay."""
    for element in markup.elements(root):
        references = [name for name in element.attrib if _is_reference(name)]
        dropped = [name for name in references if element.get(name) in ids]
        if not dropped:
            continue
        if len(dropped) < len(references) or local(element.tag) in _REFER_BESIDES:
            for name in dropped:
                del element.attrib[name]
        elif local(element.tag) == "hyperlink" and len(element):
            markup.unwrap(element)
        else:
            _take_out(element)


def _take_out(element: Element) -> None:
    """Remove `element`, and the lists that it leaves empty, which are not valid."""
    parent = element.getparent()
    markup.take_out(element)
    if parent is not None and not len(parent) and _LISTS.search(local(parent.tag)):
        _take_out(parent)
