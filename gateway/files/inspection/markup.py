"""XML of strangers: without document types, entities and remarks, and with elements that can be taken out."""

from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from gateway.files.errors import FileRefusedError

Element = Any


_DECLARES = tuple("<!ENTITY".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def parsed(content: bytes) -> Element:
    """Return the root of an XML document. One that declares or has entities is refused; a document type is left out."""
    # A parser of its own for each, because one keeps the names of all it has read.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    if any(mark in content for mark in _DECLARES):
        raise FileRefusedError("broken")
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FileRefusedError("broken") from error
    if next(root.iter(etree.Entity), None) is not None:
        raise FileRefusedError("broken")
    return root


def written(root: Element) -> bytes:
    """Return an XML document as bytes."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def local(name: Any) -> str:
    """Return the name of an element or attribute without its namespace."""
    return str(name).rpartition("}")[2]


def namespace(name: Any) -> str:
    """Return the namespace of the name of an element or attribute."""
    return str(name).rpartition("}")[0].lstrip("{")


def take_out(element: Element) -> None:
    """Remove `element` with all in it; the text behind it stays."""
    parent = element.getparent()
    if parent is not None:
        _keep_tail(element, parent)
        parent.remove(element)


def unwrap(element: Element) -> None:
    """Remove `element`, and leave in its place what was in it."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if element.text:
        _add_text(before, parent, element.text)
    at = parent.index(element)
    children = list(element)
    tail = element.tail
    parent.remove(element)
    for offset, child in enumerate(children):
        parent.insert(at + offset, child)
    if tail:
        last = children[-1] if children else before
        _add_text(last, parent, tail)


def drop_attributes(element: Element, unwanted: Callable[[str], bool]) -> None:
    """Remove the attributes whose name is `unwanted`."""
    for name in [name for name in element.attrib if unwanted(name)]:
        del element.attrib[name]


def elements(root: Element) -> Iterable[Element]:
    """Return all elements below and including `root`, as they are now."""
    return list(root.iter(etree.Element))


def _keep_tail(element: Element, parent: Element) -> None:
    if element.tail:
        _add_text(element.getprevious(), parent, element.tail)
        element.tail = None


def _add_text(before: Element | None, parent: Element, text: str) -> None:
    if before is None:
        parent.text = (parent.text or "") + text
    else:
        before.tail = (before.tail or "") + text
