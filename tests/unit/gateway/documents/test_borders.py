"""The documents package imports only the standard library, the procedure, the limits of children and its libraries."""

import ast
import sys
from pathlib import Path

import gateway.documents

LIBRARIES = {
    "arabic_reshaper",
    "bidi",
    "docx",
    "docxtpl",
    "jinja2",
    "lxml",
    "markupsafe",
    "reportlab",
    "segno",
    "xlsxwriter",
}
FOLDER = Path(gateway.documents.__file__).parent


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"gateway.{alias.name}" for alias in node.names) if node.module == "gateway" else (node.module,)


def is_allowed(name):
    first = name.split(".")[0]
    return name.startswith(("gateway.documents", "gateway.children", "nkk.sop")) or first in LIBRARIES | set(
        sys.stdlib_module_names
    )


def test_the_documents_lean_on_the_procedure_and_their_libraries_only():
    found = {f"{path.name}: {name}" for path in FOLDER.rglob("*.py") for name in imported(path) if not is_allowed(name)}
    assert found == set()


def test_every_vendored_font_has_its_licence():
    fonts = {path.stem.split("-")[0] for path in (FOLDER / "fonts").glob("*.ttf")}
    licences = "".join(path.name for path in (FOLDER / "fonts").glob("LICENCE-*.txt"))
    assert fonts == {"LiberationSans", "DejaVuSans"}
    assert all(font.removesuffix("Sans") in licences for font in fonts)
