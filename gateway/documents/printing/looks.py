"""The formats of paragraphs and runs, which a DOCX spreads over defaults, styles and the element itself.

Lengths are in points. As in office applications, the innermost layer with a property, or with one of its attributes,
decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from gateway.documents.printing.refusing import UnprintableError

TWIP = 1 / 20
LINE_HEIGHT = 1.149
"""The line height of Liberation Sans and Arial (ascent, descent and gap), as a factor of the size."""

_OFF = ("0", "false", "off", "none")

Layers = Sequence[Any]


@dataclass(frozen=True)
class Words:
    """The format of a run. `colour` is RRGGBB, `raised` "superscript", "subscript" or None."""

    size: float = 10.0
    bold: bool = False
    italic: bool = False
    underlined: bool = False
    struck: bool = False
    capitals: bool = False
    colour: str | None = None
    raised: str | None = None


@dataclass(frozen=True)
class Line:
    """A border: `kind` is OOXML's name, `width` and `space` are in points."""

    kind: str
    width: float
    space: float
    colour: str


@dataclass(frozen=True)
class Lines:
    """The format of a paragraph. `leading` is a factor of the line height where `rule` is "auto", else points."""

    alignment: str
    left: float
    right: float
    first: float
    before: float
    after: float
    leading: float
    rule: str
    with_next: bool
    on_new_page: bool
    above: Line | None
    below: Line | None
    shade: str | None
    has_stops: bool


class Styles:
    """The styles of a DOCX."""

    def __init__(self, document: Any) -> None:
        root = document.styles.element
        self._styles = {style.get(qn("w:styleId")): style for style in root.findall(qn("w:style"))}
        usual = (
            key
            for key, style in self._styles.items()
            if style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) in ("1", "true")
        )
        self._normal = next(usual, None)
        defaults = root.find(qn("w:docDefaults"))
        self._defaults = [] if defaults is None else [defaults]
        self._layers: dict[tuple[str, str | None, str | None], list[Any]] = {}
        self._runs: dict[tuple[Any, str | None, str | None], Words] = {}

    def chain(self, key: str | None) -> list[Any]:
        """Return the style `key` and those it is based on, the outermost first."""
        found: list[Any] = []
        while key in self._styles and self._styles[key] not in found:
            style = self._styles[key]
            found.insert(0, style)
            key = value(style, "w:basedOn")
        return found

    def of_paragraph(self, paragraph: Any, table: str | None) -> Lines:
        """Return the format of a paragraph, in a table of style `table`. Raises UnprintableError."""
        own = _properties(paragraph)
        layers = [*self._paragraph_layers("w:pPr", own, table), *([] if own is None else [own])]
        _refuse_unprintable(layers)
        return _lines(layers)

    def of_run(self, run: Any, paragraph: Any, table: str | None) -> Words:
        """Return the format of the run `run`, or of the paragraph's mark where it is None. Raises UnprintableError."""
        around = _properties(paragraph)
        holder = around if run is None else run
        own = None if holder is None else holder.find(qn("w:rPr"))
        key = (None if own is None else _written(own), None if around is None else value(around, "w:pStyle"), table)
        if key not in self._runs:
            self._runs[key] = self._look_of_run(own, around, table)
        return self._runs[key]

    def _look_of_run(self, own: Any, around: Any, table: str | None) -> Words:
        layers = self._paragraph_layers("w:rPr", around, table)
        if own is not None:
            layers += [*_each(self.chain(value(own, "w:rStyle")), "w:rPr"), own]
        if _on(layers, "w:vanish"):
            raise UnprintableError("hidden text cannot be printed.")
        return _words(layers)

    def _paragraph_layers(self, tag: str, own: Any, table: str | None) -> list[Any]:
        key = (None if own is None else value(own, "w:pStyle")) or self._normal
        if (tag, key, table) not in self._layers:
            defaults = [inner for defaults in self._defaults for inner in defaults.iter(qn(tag))]
            self._layers[tag, key, table] = [*defaults, *_each(self.chain(table), tag), *_each(self.chain(key), tag)]
        return list(self._layers[tag, key, table])


def value(element: Any, tag: str, attribute: str = "w:val") -> str | None:
    """Return the attribute of the child `tag`, or None."""
    child = element.find(qn(tag))
    return None if child is None else child.get(qn(attribute))


def nearest(layers: Layers, tag: str) -> Any:
    """Return the child `tag` of the innermost layer that has one."""
    return next((child for layer in reversed(layers) if (child := layer.find(qn(tag))) is not None), None)


def attribute(layers: Layers, tag: str, *names: str) -> str | None:
    """Return the innermost value of any of the attributes `names` of `tag`."""
    for layer in reversed(layers):
        child = layer.find(qn(tag))
        for name in names if child is not None else ():
            if child.get(qn(name)) is not None:
                return child.get(qn(name))
    return None


def length(text: str | None, unit: float = TWIP) -> float:
    """Return a length of OOXML in points."""
    try:
        return float(text or 0) * unit
    except ValueError:
        return 0.0


def line(element: Any) -> Line | None:
    """Return the border that `element` describes, or None."""
    if element is None or element.get(qn("w:val")) in (None, "nil", "none"):
        return None
    return Line(
        element.get(qn("w:val")),
        max(length(element.get(qn("w:sz")), 1 / 8), 0.25),
        length(element.get(qn("w:space")), 1),
        colour(element.get(qn("w:color"))) or "000000",
    )


def colour(text: str | None) -> str | None:
    """Return RRGGBB, or None for "auto" and invalid colours."""
    return text if text and len(text) == 6 and all(digit in "0123456789abcdefABCDEF" for digit in text) else None


def shade(element: Any) -> str | None:
    """Return the fill colour of the element's shading."""
    return None if element is None else colour(value(element, "w:shd", "w:fill"))


def _properties(paragraph: Any) -> Any:
    """Return the paragraph's properties, which can only be its first child; a search would read all of it."""
    first = next(iter(paragraph), None)
    return first if first is not None and first.tag == qn("w:pPr") else None


def _written(element: Any) -> tuple[Any, ...]:
    """Return the content of `element` in a form in which equal content compares equal."""
    return tuple((each.tag, *each.attrib.items()) for each in element.iter())


def _each(styles: Iterable[Any], tag: str) -> list[Any]:
    return [child for style in styles if (child := style.find(qn(tag))) is not None]


def _on(layers: Layers, tag: str) -> bool:
    found = nearest(layers, tag)
    return found is not None and found.get(qn("w:val")) not in _OFF


def _words(layers: Layers) -> Words:
    raised = attribute(layers, "w:vertAlign", "w:val")
    return Words(
        size=length(attribute(layers, "w:sz", "w:val"), 1 / 2) or 10.0,
        bold=_on(layers, "w:b"),
        italic=_on(layers, "w:i"),
        underlined=_on(layers, "w:u"),
        struck=_on(layers, "w:strike") or _on(layers, "w:dstrike"),
        capitals=_on(layers, "w:caps") or _on(layers, "w:smallCaps"),
        colour=colour(attribute(layers, "w:color", "w:val")),
        raised=raised if raised in ("superscript", "subscript") else None,
    )


def _lines(layers: Layers) -> Lines:
    rule = attribute(layers, "w:spacing", "w:lineRule") or "auto"
    leading = attribute(layers, "w:spacing", "w:line")
    borders = [layer.find(qn("w:pBdr")) for layer in layers if layer.find(qn("w:pBdr")) is not None]
    return Lines(
        alignment=attribute(layers, "w:jc", "w:val") or "left",
        left=length(attribute(layers, "w:ind", "w:left", "w:start")),
        right=length(attribute(layers, "w:ind", "w:right", "w:end")),
        first=length(attribute(layers, "w:ind", "w:firstLine")) - length(attribute(layers, "w:ind", "w:hanging")),
        before=length(attribute(layers, "w:spacing", "w:before")),
        after=length(attribute(layers, "w:spacing", "w:after")),
        leading=length(leading or "240", 1 / 240 if rule == "auto" else TWIP),
        rule=rule,
        with_next=_on(layers, "w:keepNext"),
        on_new_page=_on(layers, "w:pageBreakBefore"),
        above=line(nearest(borders, "w:top")),
        below=line(nearest(borders, "w:bottom")),
        shade=colour(attribute(layers, "w:shd", "w:fill")),
        has_stops=nearest(layers, "w:tabs") is not None,
    )


def _refuse_unprintable(layers: Layers) -> None:
    numbering = nearest(layers, "w:numPr")
    if numbering is not None and value(numbering, "w:numId") != "0":
        raise UnprintableError("automatic numbers and bullets cannot be printed; type them.")
    if nearest(layers, "w:framePr") is not None:
        raise UnprintableError("a text frame cannot be printed.")
    if any(layer.find(qn("w:sectPr")) is not None for layer in layers):
        raise UnprintableError("only one section can be printed.")
    borders = nearest(layers, "w:pBdr")
    if borders is not None and any(line(borders.find(qn(f"w:{side}"))) for side in ("left", "right", "bar", "between")):
        raise UnprintableError("a paragraph's lines at its sides cannot be printed; use a table.")
