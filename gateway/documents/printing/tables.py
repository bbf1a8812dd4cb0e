"""The layout of tables: widths, merged cells, borders, shading, and header rows repeated on each page."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn
from reportlab.lib.colors import HexColor
from reportlab.platypus import Table

from gateway.documents.printing.looks import TWIP, Line, Styles, attribute, length, line, shade, value
from gateway.documents.printing.refusing import UnprintableError, unknown

CELL_MARGIN = 108 * TWIP
"""The left and right margin of a cell where the document sets none: the default of all office applications."""

_SILENT = {
    qn(f"w:{name}")
    for name in ("tblPr", "tblGrid", "tblPrEx", "trPr", "tcPr", "bookmarkStart", "bookmarkEnd", "proofErr")
}
_WRAPPING = {qn("w:sdt"), qn("w:sdtContent")}
_ALIGNED = {"top": "TOP", "center": "MIDDLE", "both": "MIDDLE", "bottom": "BOTTOM"}
_PLACED = {"center": "CENTER", "right": "RIGHT", "end": "RIGHT"}

Blocks = Callable[[Any, str | None], list[Any]]


@dataclass
class _Cell:
    element: Any
    row: int
    column: int
    wide: int
    high: int = 1

    @property
    def last_row(self) -> int:
        return self.row + self.high - 1

    @property
    def last_column(self) -> int:
        return self.column + self.wide - 1


@dataclass(frozen=True)
class _Look:
    """A command of the layout library, and the cells it applies to: first and last column, first and last row."""

    command: tuple
    left: int
    right: int
    top: int
    bottom: int


def table(element: Any, styles: Styles, room: float, blocks: Blocks) -> Table:
    """Return the table `element` for a width of `room` points.

    `blocks` lays out a cell's content, given the cell and the table's style. Raises UnprintableError.
    """
    properties = element.find(qn("w:tblPr"))
    if properties.find(qn("w:tblpPr")) is not None:
        raise UnprintableError("a table that text flows around cannot be printed.")
    rows = _children(element, qn("w:tr"))
    if not rows:
        raise UnprintableError("a table without rows cannot be printed.")
    style = value(properties, "w:tblStyle")
    layers = [*(inner for outer in styles.chain(style) if (inner := outer.find(qn("w:tblPr"))) is not None), properties]
    widths = _widths(element, room)
    cells = _cells(rows, len(widths))
    data: list[list[Any]] = [[""] * len(widths) for _ in rows]
    for cell in cells:
        data[cell.row][cell.column] = blocks(cell.element, style)
    looks = [look for cell in cells for look in _looks(cell, layers, len(rows), len(widths))]
    return Table(
        data,
        colWidths=widths,
        rowHeights=None,
        style=[*_padding(layers), *_spans(cells), *_joined(looks)],
        hAlign=_PLACED.get(value(properties, "w:jc") or "", "LEFT"),
        repeatRows=_heads(rows),
        splitByRow=1,
        splitInRow=1,
        spaceBefore=0,
        spaceAfter=0,
    )


def _children(parent: Any, tag: str) -> list[Any]:
    found = []
    for child in parent:
        if child.tag == tag:
            found.append(child)
        elif child.tag in _WRAPPING:
            found += _children(child, tag)
        elif child.tag not in _SILENT and child.tag not in (qn("w:sdtPr"), qn("w:sdtEndPr")):
            raise unknown(child)
    return found


def _widths(element: Any, room: float) -> list[float]:
    widths = [length(column.get(qn("w:w"))) for column in element.find(qn("w:tblGrid"))]
    if not widths or not all(widths):
        raise UnprintableError("a table whose columns have no widths cannot be printed.")
    # Cell margins let a table extend to the left of the text; on the page its right edge ends with the text.
    scale = min(1.0, room / sum(widths))
    return [width * scale for width in widths]


def _cells(rows: list[Any], columns: int) -> list[_Cell]:
    found: list[_Cell] = []
    open_at: dict[int, _Cell] = {}
    for number, row in enumerate(rows):
        properties = row.find(qn("w:trPr"))
        column = int(length(None if properties is None else value(properties, "w:gridBefore"), 1))
        for element in _children(row, qn("w:tc")):
            cell = _Cell(element, number, column, _span(element))
            merge = element.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
            if merge is not None and merge.get(qn("w:val")) != "restart" and column in open_at:
                if any(text.text for text in element.iter(qn("w:t"))):
                    raise UnprintableError("a joined cell hides text of its own below its first row.")
                open_at[column].high = number - open_at[column].row + 1
            else:
                found.append(cell)
                open_at.pop(column, None)
                if merge is not None:
                    open_at[column] = cell
            column += cell.wide
        if column > columns:
            raise UnprintableError("a table has rows with more cells than it has columns.")
    return found


def _span(element: Any) -> int:
    properties = element.find(qn("w:tcPr"))
    return int(length(None if properties is None else value(properties, "w:gridSpan"), 1)) or 1


def _heads(rows: list[Any]) -> int:
    count = 0
    for row in rows:
        properties = row.find(qn("w:trPr"))
        if properties is None or properties.find(qn("w:tblHeader")) is None:
            break
        count += 1
    return count if count < len(rows) else 0


def _padding(layers: list[Any]) -> list[tuple]:
    margins = [found for layer in layers if (found := layer.find(qn("w:tblCellMar"))) is not None]
    commands: list[tuple] = []
    sides = (
        ("LEFT", ("w:left", "w:start"), CELL_MARGIN),
        ("RIGHT", ("w:right", "w:end"), CELL_MARGIN),
        ("TOP", ("w:top",), 0.0),
        ("BOTTOM", ("w:bottom",), 0.0),
    )
    for side, names, default in sides:
        texts = [text for name in names if (text := attribute(margins, name, "w:w")) is not None]
        commands.append((f"{side}PADDING", (0, 0), (-1, -1), length(texts[0]) if texts else default))
    return commands


def _spans(cells: list[_Cell]) -> list[tuple]:
    return [
        ("SPAN", (cell.column, cell.row), (cell.last_column, cell.last_row))
        for cell in cells
        if (cell.wide, cell.high) != (1, 1)
    ]


def _looks(cell: _Cell, layers: list[Any], rows: int, columns: int) -> Iterator[_Look]:
    """Yield the commands for the cell's alignment, background and borders."""
    left, right, top, bottom = cell.column, cell.last_column, cell.row, cell.last_row
    properties = cell.element.find(qn("w:tcPr"))
    aligned = None if properties is None else value(properties, "w:vAlign")
    yield _Look(("VALIGN", _ALIGNED.get(aligned or "top", "TOP")), left, right, top, bottom)
    if fill := shade(properties):
        yield _Look(("BACKGROUND", HexColor(f"#{fill}")), left, right, top, bottom)
    own = None if properties is None else properties.find(qn("w:tcBorders"))
    for command, side, outer, area in (
        ("LINEABOVE", "top", top == 0, (left, right, top, top)),
        ("LINEBELOW", "bottom", bottom == rows - 1, (left, right, bottom, bottom)),
        ("LINEBEFORE", "left", left == 0, (left, left, top, bottom)),
        ("LINEAFTER", "right", right == columns - 1, (right, right, top, bottom)),
    ):
        if drawn := _edge(own, layers, side, outer):
            yield _Look((command, *_stroke(drawn)), *area)


def _joined(looks: Iterable[_Look]) -> list[tuple]:
    """Return the layout library's commands, one for each area of cells with the same look.

    On each page the library processes all commands of the rest of the table. With one for each cell, a table of a
    thousand rows would take a minute.
    """
    by_row: dict[tuple[tuple, int], list[tuple[int, int]]] = {}
    for look in looks:
        for row in range(look.top, look.bottom + 1):
            by_row.setdefault((look.command, row), []).append((look.left, look.right))
    areas: dict[tuple, list[int]] = {}
    for (command, row), columns in by_row.items():
        for left, right in _runs(sorted(columns)):
            areas.setdefault((command, left, right), []).append(row)
    return [
        (command[0], (left, first), (right, last), *command[1:])
        for (command, left, right), rows in areas.items()
        for first, last in _runs([(row, row) for row in sorted(rows)])
    ]


def _runs(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the stretches with adjacent ones joined."""
    found: list[tuple[int, int]] = []
    for first, last in stretches:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _edge(own: Any, layers: list[Any], side: str, outer: bool) -> Line | None:
    if own is not None and own.find(qn(f"w:{side}")) is not None:
        return line(own.find(qn(f"w:{side}")))
    name = side if outer else "insideH" if side in ("top", "bottom") else "insideV"
    for layer in reversed(layers):
        borders = layer.find(qn("w:tblBorders"))
        if borders is not None and borders.find(qn(f"w:{name}")) is not None:
            return line(borders.find(qn(f"w:{name}")))
    return None


def _stroke(drawn: Line) -> tuple:
    double = drawn.kind == "double" or drawn.kind.startswith("thi")
    return (drawn.width, HexColor(f"#{drawn.colour}"), 0, None, 0, 2 if double else 1, drawn.width)
