import io
import json

import pytest
from docx import Document
from pypdf import PdfReader

from gateway.documents import (
    FORMATS,
    KINDS,
    MEDIA_TYPES,
    ContentError,
    UnknownFormatError,
    UnknownKindError,
    basis,
    recap,
)
from gateway.documents.content import RECAP, REPORTER, SHOWN
from gateway.documents.filling import fill, path_of
from gateway.documents.sample import sample
from nkk.sop.steps import STEPS
from tests.unit.gateway.documents.fresh import again, make, render
from tests.unit.gateway.documents.reading import TICKET, docx_text, pdf_body, pdf_text, squeezed

SHEETS = [kind for kind in KINDS if kind != RECAP]
MADE = [(kind, fmt) for kind, formats in FORMATS.items() for fmt in formats]
SPARSE = {"ticket": TICKET, "subject_line": "Pokok", "steps": [{"number": 1}]}

ENTERED = [
    "Petugas loket meninggalkan tempat pada jam layanan",
    "Pengaduan",
    "Masyarakat",
    "Kode perilaku",
    "Cermat dan disiplin",
    "Dinas Perhubungan",
    "Petugas loket dua",
    "Staf pelayanan",
    "Loket pelayanan Dinas Perhubungan",
    "Jumat, 27 Februari 2026",
    "Minta kerahasiaan identitas",
    "Senin, 2 Maret 2026 pukul 09.15 WIB",
    "Loket dua tidak dilayani sejak pukul 09.00.",
]
STEPS_TABLE = [
    "Waktu pelaksanaan tiap langkah",
    "2 hari kerja (900 menit)",
    "2 Mar 2026 09.15",
    "Terlambat",
    "Tepat waktu",
    *(step.activity for step in STEPS),
]
SAYS = {
    "form-pengaduan": [*ENTERED, "Terlapor dalam tim pengaduan Ya, menurut pelapor"],
    "data-pemberi-aduan": [
        "RAHASIA",
        "Peraturan Presiden Nomor 76 Tahun 2013",
        "Undang-undang Nomor 27 Tahun 2022",
        "NIK",
        "1971010101900001",
        "Contoh Pelapor",
        "pelapor@example.id",
        "0800-0000-0000",
        "contoh.pelapor",
        ENTERED[0],
    ],
    "data-pengaduan": [*ENTERED, "Senin, 2 Maret 2026 pukul 11.15 WIB", "Rabu, 4 Maret 2026 pukul 09.15 WIB"],
    "laporan-pengaduan": [
        *ENTERED,
        *STEPS_TABLE,
        "Pengaduan (diteruskan kepada Tim NKK Pembantu OPD)",
        "Mohon diperiksa daftar hadir petugas loket.",
        "Senin, 2 Maret 2026 pukul 13.15 WIB",
    ],
    "laporan-tanggapan-pengaduan": [
        ENTERED[0],
        *STEPS_TABLE,
        "Putaran tanggapan",
        "Petugas telah ditegur secara tertulis",
        "Mohon disebutkan tindakan yang diambil.",
        "Terima kasih. Petugas telah ditegur",
        "Tanggapan dibuka oleh pelapor",
    ],
    "tanda-terima": [
        ENTERED[0],
        "2 hari kerja (900 menit)",
        "Rabu, 4 Maret 2026 pukul 09.15 WIB",
        "14 hari",
        "Identitas Anda dirahasiakan",
        *(step.activity for step in STEPS),
    ],
    "tanda-terima-loket": [
        "7H4K-Q2MV-0NXV-3M3W",
        "Senin, 2 Maret 2026 pukul 09.15 WIB",
        "Rabu, 4 Maret 2026 pukul 09.15 WIB",
        "Loket",
        "Keep this sheet and show the code to nobody",
        "Identitas Anda dirahasiakan",
    ],
    "surat-jawaban": [
        "Petugas loket meninggalkan tempat pada jam layanan",
        "Terima kasih. Petugas telah ditegur dan jadwal loket diperbaiki.",
        "R2-1",
        "keberatan satu kali",
        "You may object once",
        "Buka https://pengaduan.example.id/akun/kode dan ketik kode akses",
        "Open https://pengaduan.example.id/akun/kode and type the access code",
    ],
    RECAP: [
        "Maret 2026",
        "42",
        "36",
        "30",
        "12",
        "52,5 menit",
        "93,3 %",
        "3 Mar 2026 09.15",
        "OPD Diteruskan Bukan kewenangan Ditarik kembali Masih terbuka Terlambat Tanggapan Median P90 Tepat waktu",
        "Dinas Perhubungan 17 1 1 5 2 19 52,5 menit 310 menit 93,3 %",
    ],
}


@pytest.mark.parametrize(("kind", "fmt"), [(kind, fmt) for kind, fmt in MADE if fmt != "xlsx"])
def test_each_document_says_what_its_content_holds(kind, fmt):
    data = render(kind, fmt, sample())
    said = squeezed(docx_text(data) if fmt == "docx" else pdf_text(data))
    missing = [text for text in [KINDS[kind].upper(), *SAYS[kind]] if squeezed(text) not in said]
    assert missing == []


@pytest.mark.parametrize("fmt", ["docx", "pdf"])
@pytest.mark.parametrize("kind", SHEETS)
def test_each_sheet_carries_ticket_address_legal_basis_and_unit(kind, fmt):
    data = render(kind, fmt, sample())
    said = squeezed(docx_text(data) if fmt == "docx" else pdf_text(data))
    for text in (TICKET, sample()["tracking_url"], *basis.LEGAL_BASIS, basis.UNIT, basis.SECTION, basis.UNIT_BASIS):
        assert squeezed(text) in said


@pytest.mark.parametrize(
    "content", [sample(), SPARSE, {}, {**sample(), "text": "kata " * 4000}], ids=["full", "sparse", "empty", "long"]
)
@pytest.mark.parametrize("kind", SHEETS)
def test_pdf_and_docx_say_the_same(kind, content):
    docx = render(kind, "docx", content)
    assert pdf_body(render(kind, "pdf", content), docx) == squeezed(docx_text(docx))


def test_the_recapitulations_pdf_says_what_its_template_says():
    from gateway.documents.content import context

    docx = fill(path_of(RECAP, None), context(RECAP, sample()))
    assert pdf_body(render(RECAP, "pdf", sample()), docx) == squeezed(docx_text(docx))


@pytest.mark.parametrize("ticket", ["NKK-2026-WWWW-WWWW", "NKK-2026-0ES8-YTZG", "NKK-2026-1111-1111"])
def test_a_ticket_stands_on_one_line_of_the_recapitulations_pdf_however_wide_its_letters(ticket):
    case = sample()["open_cases"][0] | {"ticket": ticket}
    assert ticket in pdf_text(render(RECAP, "pdf", {**sample(), "open_cases": [case]}))


def test_late_is_a_count_of_the_month_and_a_yes_or_no_of_a_case():
    shown = recap.shown({**sample(), "open_cases": [{"late": True}, {"late": False}, {}]})
    assert (shown["late"], [case["late"] for case in shown["open_cases"]]) == ("3", ["Ya", "Tidak", "-"])


@pytest.mark.parametrize("kind", SHEETS)
def test_each_page_names_document_ticket_and_page(kind):
    data = render(kind, "pdf", {**sample(), "text": "kata " * 4000, "answer": "kata " * 4000})
    pages = [squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(data)).pages]
    for number, page in enumerate(pages, 1):
        assert page.endswith(squeezed(f"{KINDS[kind]} · {TICKET} · Halaman {number} dari {len(pages)}"))


def test_the_letterhead_stands_on_the_first_page_only():
    pages = PdfReader(io.BytesIO(render("form-pengaduan", "pdf", {**sample(), "text": "kata " * 4000}))).pages
    with_it = [number for number, page in enumerate(pages, 1) if "PEMERINTAH KOTA" in page.extract_text()]
    assert len(pages) > 1
    assert with_it == [1]


@pytest.mark.parametrize(("kind", "fmt"), MADE)
def test_only_the_reporters_own_sheet_shows_who_they_are(kind, fmt):
    reporter = sample()["reporter"]
    data = render(kind, fmt, sample())
    said = data.decode("latin-1") if fmt == "xlsx" else squeezed(docx_text(data) if fmt == "docx" else pdf_text(data))
    shown = [key for key, value in reporter.items() if key != "kind" and squeezed(value) in said]
    assert shown == (["identity_number", "name", "email", "phone", "username"] if kind == REPORTER else [])


def test_no_other_kind_may_show_the_reporter():
    assert [kind for kind, keys in SHOWN.items() if "reporter" in keys] == [REPORTER]


def test_only_the_form_says_that_the_accused_may_sit_in_a_team_and_only_where_it_was_marked():
    label = squeezed("Terlapor dalam tim pengaduan")
    said = {kind: squeezed(docx_text(render(kind, "docx", sample()))) for kind in SHEETS}
    assert [kind for kind in SHEETS if label in said[kind]] == ["form-pengaduan"]
    assert label not in squeezed(docx_text(render("form-pengaduan", "docx", {**sample(), "conflict": False})))


def test_the_reporters_sheet_shows_nothing_of_the_complaint_but_its_subject_line():
    said = squeezed(docx_text(render(REPORTER, "docx", sample())))
    assert squeezed(sample()["text"]) not in said
    assert squeezed(sample()["accused_name"]) not in said


@pytest.mark.parametrize("fmt", ["docx", "pdf"])
def test_what_does_not_apply_has_no_row(fmt):
    data = render("laporan-tanggapan-pengaduan", fmt, {"ticket": TICKET, "subject_line": "Pokok", "response": None})
    said = squeezed(docx_text(data) if fmt == "docx" else pdf_text(data))
    labels = [
        "Ditanggapi",
        "Tanggapan Tim NKK Pembantu OPD",
        "Catatan pengembalian",
        "Jawaban kepada pelapor",
        "Waktu pelaksanaan",
        "None",
    ]
    assert [label for label in labels if squeezed(label) in said] == []
    assert "Pokokaduan" in said


def test_a_civil_servant_is_known_by_a_nip():
    content = {**sample(), "reporter": {**sample()["reporter"], "kind": "civil_servant"}}
    said = docx_text(render(REPORTER, "docx", content))
    assert "NIP\n" in said
    assert "Aparatur Sipil Negara (ASN)" in said


@pytest.mark.parametrize(("kind", "fmt"), MADE)
def test_the_same_content_gives_the_same_bytes(kind, fmt):
    assert again(kind, fmt, sample()) == render(kind, fmt, sample())


@pytest.mark.parametrize(("kind", "fmt"), [("tanda-terima", "docx"), ("tanda-terima", "pdf"), (RECAP, "xlsx")])
def test_another_process_gives_the_same_bytes(kind, fmt):
    assert make(kind, fmt, sample()) == render(kind, fmt, sample())


@pytest.mark.parametrize("fmt", ["docx", "pdf"])
def test_another_text_gives_other_bytes(fmt):
    assert render("form-pengaduan", fmt, sample()) != render("form-pengaduan", fmt, {**sample(), "text": "lain"})


def test_a_document_names_no_time_of_its_making():
    properties = Document(io.BytesIO(render("form-pengaduan", "docx", sample()))).core_properties
    assert (properties.created, properties.modified, properties.author) == (None, None, basis.AGENCY)


def test_every_format_has_a_media_type():
    assert {fmt for formats in FORMATS.values() for fmt in formats} == set(MEDIA_TYPES)


@pytest.mark.parametrize("call", [render, make])
def test_an_unknown_kind_or_format_is_a_value_error(call):
    with pytest.raises(UnknownKindError, match="There is no document 'surat'"):
        call("surat", "pdf", {})
    with pytest.raises(UnknownFormatError, match="docx, pdf"):
        call("tanda-terima", "xlsx", {})
    with pytest.raises(ValueError, match="xlsx, pdf"):
        call(RECAP, "docx", {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("submitted_at", "kemarin"),
        ("submitted_at", "2026-03-02T09:15:00"),
        ("text", {"a": 1}),
        ("claimed_kind", "rumor"),
        ("steps", [{}]),
        ("steps", "x"),
        ("reporter", "x"),
    ],
)
def test_content_of_another_form_is_refused_without_quoting_it(key, value):
    kind = REPORTER if key == "reporter" else "laporan-pengaduan"
    with pytest.raises(ContentError, match=f"^{key} does not match the contract.$"):
        render(kind, "docx", {**sample(), key: value})


def test_the_sample_is_json():
    assert json.loads(json.dumps(sample())) == sample()
