"""Texts and tables of text."""

import pytest

from gateway.files.kinds import CSV, TXT, Kind
from tests.unit.gateway.files.inspecting import inspected


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Jalan rusak\n", TXT),
        (b"a", TXT),
        ("Rp 1.000,00 – “lunas”\r\n".encode(), TXT),
        (b"tanggal,jumlah\n2026-03-02,5\n", CSV),
        (b"tanggal;jumlah\r\n2026-03-02;5\r\n", CSV),
        (b"tanggal\tjumlah\n2026-03-02\t5\n", CSV),
        (b"Halo, Bapak,\nsaya melapor\n", TXT),
        (b'"a,b",c\n"d\ne",f\n', CSV),
        (b"\n\n\n", TXT),
    ],
)
def test_a_text_is_kept_as_it_is(content: bytes, kind: Kind) -> None:
    kept = inspected(content)
    assert (kept.kind, kept.content, kept.cleaned, kept.preview) == (kind, content, True, None)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_another_encoding_becomes_utf8(encoding: str) -> None:
    kept = inspected("café;€ 5\nb;c\n".encode(encoding))
    assert kept.kind is CSV
    assert kept.content == "\ufeffcafé;€ 5\nb;c\n".encode()


def test_an_original_keeps_its_encoding() -> None:
    content = "é\n".encode("cp1252")
    kept = inspected(content, original=True)
    assert kept.content == content
    assert not kept.cleaned
