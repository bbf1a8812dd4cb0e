"""What stays in the XML parts of DOCX, XLSX and PPTX files: no authors, no comments, no tracked changes, no paths."""

import re

from gateway.files.inspection.markup import Element, drop_attributes, elements, local, namespace, take_out, unwrap

_WORD = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
}

_TAKEN_OUT = {
    # Tracked changes: what was deleted or moved away, and how it was formatted before.
    *("del", "moveFrom", "rPrChange", "pPrChange", "sectPrChange", "tblPrChange", "tblPrExChange", "tcPrChange"),
    *("trPrChange", "tblGridChange", "numberingChange", "cellIns", "cellDel", "cellMerge", "delText", "delInstrText"),
    *("moveFromRangeStart", "moveFromRangeEnd", "moveToRangeStart", "moveToRangeEnd", "trackRevisions"),
    *("customXmlInsRangeStart", "customXmlInsRangeEnd", "customXmlDelRangeStart", "customXmlDelRangeEnd"),
    *("customXmlMoveFromRangeStart", "customXmlMoveFromRangeEnd", "customXmlMoveToRangeStart"),
    "customXmlMoveToRangeEnd",
    # Comments.
    *("commentRangeStart", "commentRangeEnd", "commentReference", "annotationRef"),
    # Who may edit, where it was stored, where it took its data from, and which versions it had.
    *("rsids", "rsid", "docId", "attachedTemplate", "docVars", "mailMerge", "documentProtection", "writeProtection"),
    *("permStart", "permEnd", "dataBinding", "proofErr", "proofState", "attachedSchema", "schemaLibrary"),
    *("saveThroughXslt", "absPath", "fileSharing", "fileRecoveryPr", "customWorkbookViews", "customSheetViews"),
    *("webPublishing", "webPublishItems", "smartTags", "workbookProtection", "sheetProtection", "protectedRanges"),
    *("modifyVerifier", "custDataLst", "photoAlbum", "creationId", "customXmlPr", "smartTagPr", "ddeLink"),
    # What a program keeps at a field, such as a library of literature; a picture that is no part of its own.
    *("fldData", "binData"),
}
_UNWRAPPED = {"ins", "moveTo", "smartTag", "customXml"}
_NAMED = {"docPr", "cNvPr"}
_TELLING = re.compile(
    r"^(?:rsid\w*|author|initials|userId|providerId|gfxdata|descr|lastEdited|refreshedBy|codeName|paraId|textId|uid)$",
    re.IGNORECASE,
)
_HARMLESS_FIELD = re.compile(
    r"^\s*(?:PAGE|NUMPAGES|SECTIONPAGES|TOC|REF|PAGEREF|NOTEREF|STYLEREF|SEQ|DATE|TIME|FORM(?:TEXT|CHECKBOX|DROPDOWN)|="
    r"|SYMBOL|EQ|XE|INDEX|TC|HYPERLINK\s+(?:\\l\s|\"https?:)).*$",
    re.IGNORECASE | re.DOTALL,
)
_FORMULAS = {"f", "formula", "formula1", "formula2", "definedName"}
_OF_QUERIES = {"tableType", "connectionId", "queryTableFieldId"}
_FOREIGN_FORMULA = re.compile(r"\[\d+\]|\||'?\w:\\|file:", re.IGNORECASE)


def clean(root: Element) -> None:
    """Remove what is hidden in a part."""
    for element in elements(root):
        name = local(element.tag)
        if name == "trPr" and any(local(change.tag) == "del" for change in element):
            _take_out_row(element.getparent())
        elif name in _TAKEN_OUT and not _is_of_a_drawing(element, name):
            take_out(element)
        elif name in _UNWRAPPED and namespace(element.tag) in _WORD:
            unwrap(element)
        else:
            _clean_element(element, name)


def _take_out_row(row: Element) -> None:
    """Remove a deleted row, and its table where that was the last: one without rows is not valid."""
    table = row.getparent()
    take_out(row)
    if table is not None and not any(local(each.tag) == "tr" for each in table):
        take_out(table)


def _is_of_a_drawing(element: Element, name: str) -> bool:
    """Return whether `del` or `ins` is a word of mathematics or drawing here, and no tracked change."""
    return name in ("del", "rsid") and namespace(element.tag) not in _WORD


def _clean_element(element: Element, name: str) -> None:
    drop_attributes(element, lambda attribute: bool(_TELLING.match(local(attribute))))
    if name in _NAMED:
        drop_attributes(element, lambda attribute: attribute == "title")
        element.set("name", "Object")
    elif namespace(element.tag).startswith("urn:schemas-microsoft-com:"):
        drop_attributes(element, lambda attribute: local(attribute) in ("title", "alt", "href", "src"))
    elif name == "instrText" and not _HARMLESS_FIELD.match(element.text or ""):
        element.text = ""
    elif name == "fldSimple" and not _HARMLESS_FIELD.match(_attribute(element, "instr")):
        unwrap(element)
    elif name in _FORMULAS and _FOREIGN_FORMULA.search(element.text or ""):
        # The value that it came to stays. In a chart and a rule, an empty one has to.
        if local(element.getparent().tag) in ("c", "definedNames"):
            take_out(element)
        else:
            element.text = ""
    elif name in ("table", "tableColumn"):
        drop_attributes(element, lambda attribute: attribute in _OF_QUERIES)
    elif namespace(element.tag) in _WORD and name == "date":
        drop_attributes(element, lambda attribute: local(attribute) == "fullDate")


def _attribute(element: Element, name: str) -> str:
    return next((value for attribute, value in element.attrib.items() if local(attribute) == name), "")
