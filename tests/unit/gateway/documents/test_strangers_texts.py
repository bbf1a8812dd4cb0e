import cProfile
import io
import pstats

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from gateway import documents
from gateway.documents.printing import fonts
from gateway.documents.printing.looks import Styles, Words
from gateway.documents.sample import sample
from tests.unit.gateway.documents.fresh import apart, render
from tests.unit.gateway.documents.reading import docx_text, pdf_body, pdf_text, squeezed, words

KIND = "form-pengaduan"
LATIN, OTHER = "LiberationSans-Regular", "DejaVuSans"
MARKUP = "<b>tebal</b> &amp; </w:t> <para> {{ ticket }} {% for x in y %} {# c #} {_{ x }_} {_% %_} ]]> \"q\" 'p'"


def both(text):
    docx, pdf = (render(KIND, fmt, {**sample(), "text": text}) for fmt in ("docx", "pdf"))
    return docx_text(docx), pdf_text(pdf), docx, pdf


@pytest.mark.parametrize(
    "text",
    [
        MARKUP,
        "Ωμέγα, Жалоба, “kutip” – — … € ½",
        "☺ wajah",
        "a" * 20_000,
        "=cmd|'/c calc'!A1",
        "\\a \\n %s {0}",
        "e\u0301 o\u0308",
    ],
)
def test_a_text_comes_out_as_it_was_written(text):
    docx, pdf, *_ = both(text)
    assert text in docx
    assert squeezed(text[:2_000]) in squeezed(pdf)


@pytest.mark.parametrize(
    "text", [MARKUP, "a" * 20_000, "kata panjang " * 1_500, "baris\n" * 500, "tab\tx\r\ny", "\u4e2d\u6587" * 300]
)
def test_pdf_and_docx_say_the_same_of_any_text(text):
    _, _, docx, pdf = both(text)
    said = squeezed(docx_text(docx)).replace("中", "⟨U+4E2D⟩").replace("文", "⟨U+6587⟩")
    assert pdf_body(pdf, docx) == said


def test_line_breaks_and_indents_are_kept():
    docx, pdf, *_ = both("satu\n  dua\n\ntiga\r\nempat\u2028lima")
    assert "satu\n  dua\n\ntiga\nempat\nlima" in docx
    assert [line.strip() for line in pdf.splitlines() if line.strip() in ("satu", "dua", "tiga", "empat", "lima")] == [
        "satu",
        "dua",
        "tiga",
        "empat",
        "lima",
    ]


NAMED = {
    "\x07": "⟨U+0007⟩",
    "\x00": "⟨U+0000⟩",
    "\ud800": "⟨U+D800⟩",
    "\ufffe": "⟨U+FFFE⟩",
    "\x0c": "⟨U+000C⟩",
    "\u202e": "⟨U+202E⟩",
}


def test_what_cannot_be_written_is_named():
    docx, pdf, *_ = both("\n".join(f"[{text}]" for text in NAMED))
    for said in (docx, pdf):
        assert [shown for shown in NAMED.values() if f"[{shown}]" not in said] == []


def test_a_character_without_a_glyph_is_named_in_the_pdf():
    characters = ["👍", "😀", "中", "\U0001f3fd", "क"]
    docx, pdf, *_ = both("\n".join(f"[{character}]" for character in characters))
    for character in characters:
        assert f"[{character}]" in docx
        assert f"[⟨U+{ord(character):04X}⟩]" in pdf


def test_arabic_comes_out_in_its_own_letters():
    text = "السلام عليكم ورحمة الله وبركاته"
    docx, pdf, *_ = both(text)
    assert text in docx
    line = next(line for line in pdf.splitlines() if "\ufeed" in line)
    assert words(line) == words(text)


def test_a_long_text_pages():
    reader = PdfReader(io.BytesIO(render(KIND, "pdf", {**sample(), "text": "kata panjang " * 1_538})))
    assert len(reader.pages) >= 4


class NotReadWhole:
    """A paragraph of many runs, of which only the first child may be read."""

    def __iter__(self):
        yield Document().add_paragraph("a").runs[0]._element
        raise AssertionError("read on")


def test_the_look_of_a_run_is_had_without_reading_the_whole_paragraph():
    document = Document()
    run = document.add_paragraph("a").runs[0]._element
    assert Styles(document).of_run(run, NotReadWhole(), None) == Words(size=11.0)


@pytest.mark.long
@pytest.mark.parametrize("unit", ["a\u00ad", "\u05d0\u00ad", "\u05d0a", "\U0001f600a", "\u4e2d", "\x07a", "a\u0301"])
def test_four_times_the_text_is_about_four_times_the_work(unit):
    empty, small, large = apart(calls, ["", (unit * 400)[:400], (unit * 1_600)[:1_600]])
    # One page more or less is allowed; quadratic time would be sixteen times as much.
    assert large - empty < 6 * (small - empty)


def test_scripts_mixed_and_characters_without_a_glyph_are_not_much_more_work_than_plain_words():
    empty, plain, mixed, unknown = apart(
        calls, ["", ("kata panjang " * 500)[:1_500], ("a\u0416\u0c15\u05d0\u2192" * 600)[:1_500], "\U0001f600" * 1_500]
    )
    # Each of the latter is drawn as nine characters, which fill more pages.
    assert mixed - empty < 11 * (plain - empty)
    assert unknown - empty < 17 * (plain - empty)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("kata biasa", [(LATIN, "kata biasa")]),
        ("satu \u2600tiga empat", [(LATIN, "satu "), (OTHER, "\u2600tiga "), (LATIN, "empat")]),
        ("a\U0001f600b", [(OTHER, "a\u27e8U+1F600\u27e9b")]),
        ("\u2600 \u2600\n\u2600", [(OTHER, "\u2600 \u2600\n\u2600")]),
        ("\u0416\u03a9 x", [(LATIN, "\u0416\u03a9 x")]),
    ],
)
def test_a_word_is_of_one_font(text, pieces):
    assert list(fonts.spans(text, False, False)) == pieces
    assert fonts.drawn(text, False, False) == "".join(piece for _, piece in pieces)
    again = "".join(piece for _, piece in pieces)
    assert list(fonts.spans(again, False, False)) == pieces


@given(st.text("aZ 1\u0416\u05d0\u2600\U0001f600\u4e2d\u0301", max_size=40), st.sampled_from([6.5, 11, 14]))
def test_a_text_is_as_wide_as_the_library_finds_it(text, size):
    for font, piece in fonts.spans(text, False, False):
        found = pdfmetrics.getFont(font)
        assert sum(pdfmetrics.stringWidth(sign, font, size) for sign in piece) == pytest.approx(
            TTFont.stringWidth(found, piece, size)
        )


def calls(texts):
    """Return the number of function calls for each text, after everything was loaded."""
    documents.render(KIND, "pdf", sample())
    return [_calls(text) for text in texts]


def _calls(text):
    profile = cProfile.Profile()
    profile.runcall(documents.render, KIND, "pdf", {**sample(), "channel": "web", "text": text})
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (KIND, "text"),
        (KIND, "subject_line"),
        (KIND, "place"),
        (KIND, "accused_name"),
        ("laporan-tanggapan-pengaduan", "answer"),
        ("laporan-pengaduan", "note"),
    ],
)
@pytest.mark.parametrize(
    ("fmt", "read", "shown"), [("pdf", pdf_text, "[⟨U+1F600⟩]"), ("docx", docx_text, "[\U0001f600]")]
)
def test_an_emoji_in_any_field_is_printed_in_a_new_process(kind, field, fmt, read, shown):
    assert shown in read(render(kind, fmt, {**sample(), field: "[\U0001f600]"}))


def test_a_long_text_in_a_tables_cell_pages_too():
    text = "kata panjang " * 1_538
    content = {**sample(), "subject_line": text}
    docx = render(KIND, "docx", content)
    assert pdf_body(render(KIND, "pdf", content), docx) == squeezed(docx_text(docx))
