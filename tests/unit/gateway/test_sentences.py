"""What stages and schemas say of a field has its words on a page."""

import ast
from pathlib import Path

import pytest
from flask import Flask

from gateway.site.sentences import translated

ROOT = Path(__file__).parents[3]
SOURCES = [
    *ROOT.glob("services/*/domain.py"),
    *ROOT.glob("services/*/schemas.py"),
    ROOT / "nkk/contracts/fields.py",
    ROOT / "nkk/sop/registration.py",
    *ROOT.glob("gateway/schemas/*.py"),
    ROOT / "gateway/complaints.py",
    ROOT / "gateway/site/admin.py",
]
NOT_TYPED_BY_ANYBODY = {
    "Not a ticket. It reads like NKK-2026-XXXX-XXXX.",
    "Not a cursor of this list. Start again without one.",
    "1 to 200 visible ASCII characters, such as a UUID.",
}
MARSHMALLOWS_OWN = [
    "Missing data for required field.",
    "Field may not be null.",
    "Length must be between 1 and 200.",
    "Longer than maximum length 254.",
    "Must be one of: a, b.",
    "Not a valid email address.",
    "Not a valid string.",
    "Not a valid boolean.",
]


def said_of_fields(source: Path) -> list[str]:
    """Every sentence that `source` says of a field."""
    nodes: list[ast.expr] = []
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Subscript)
            and ast.unparse(node.targets[0]).startswith("wrong[")
        ):
            nodes.append(node.value)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            nodes += [keyword.value for keyword in node.keywords if name == "InvalidInput.of" or keyword.arg == "error"]
            nodes += node.args[:1] if name == "ValidationError" else []
        elif isinstance(node, ast.FunctionDef) and node.name.endswith("_problem"):
            nodes += [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
    sentences = [_text(node) for node in nodes]
    return [text for text in sentences if text.endswith(".")]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "12" for part in node.values)
    return ""


ALL = sorted({text for source in SOURCES for text in said_of_fields(source)} - NOT_TYPED_BY_ANYBODY) + MARSHMALLOWS_OWN


def test_the_sources_are_read() -> None:
    assert "This is no NIK: digits 9 and 10, the month of birth, are 01 to 12." in ALL
    assert "12 to 12 characters." in ALL
    assert len(ALL) > 25


@pytest.mark.parametrize("sentence", ALL)
def test_a_sentence_has_its_words_in_both_languages(app: Flask, sentence: str) -> None:
    words = set()
    for language in ("id", "en"):
        with app.test_request_context(headers={"Cookie": f"nkk_language={language}"}):
            words.add(translated(sentence))
    assert len(words) == 2
    assert not words & {"Isian ini perlu diperbaiki.", "This needs another look."}
    assert not any("%(" in text or "GET /" in text for text in words)


def test_a_sentence_nobody_knows_still_marks_its_field(app: Flask) -> None:
    with app.test_request_context():
        assert translated("Something new.") == "Isian ini perlu diperbaiki."


def test_numbers_are_kept(app: Flask) -> None:
    with app.test_request_context():
        assert translated("10 to 128 characters.") == "Panjangnya harus 10 sampai 128 karakter."
        assert translated("A NIK has 16 digits; this has 15.") == "NIK terdiri dari 16 angka; yang ini 15."
        assert translated("The office hours of an ordinary week add up to 7.5; at least 10 are needed.") == (
            "Jam buka sepekan berjumlah 7,5 jam; harus paling sedikit 10 jam."
        )
        assert translated("Longer than maximum length 254.") == "Terlalu panjang: paling banyak 254 karakter."
