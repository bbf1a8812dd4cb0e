"""The documents of the procedure: which role may open each, from which step on, and what they must never contain."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import docx
import httpx
import pytest

from ops.stack.broker import PrivateNode
from tests.builders import REPORT
from tests.installations import eventually, installation, new_vhost
from tests.papers import pdf_words
from tests.people import REGISTRATION, People, Person, travel_as_complaint, travel_as_information
from tests.problems import problem

KINDS = (
    "form-pengaduan",
    "tanda-terima",
    "data-pemberi-aduan",
    "data-pengaduan",
    "laporan-pengaduan",
    "laporan-tanggapan-pengaduan",
    "surat-jawaban",
)
FORM, RECEIPT, IDENTITY, COMPLAINT, REPORT_KIND, RESPONSE, LETTER = KINDS

MAY = {
    "owner": {FORM, RECEIPT, RESPONSE},
    "operator": {FORM, RECEIPT, IDENTITY, COMPLAINT, RESPONSE, LETTER},
    "main_team": {COMPLAINT, REPORT_KIND, RESPONSE},
    "opd_team": {REPORT_KIND, RESPONSE},
}


def opened(person: Person, ticket: str, kind: str, format_: str = "docx") -> httpx.Response:
    return person.ask("POST" if kind == IDENTITY else "GET", f"/complaints/{ticket}/documents/{kind}.{format_}")


def words(file: bytes, format_: str) -> str:
    """Return all text of a document, with single spaces between words."""
    if format_ == "pdf":
        text = pdf_words(file)
    else:
        document = docx.Document(BytesIO(file))
        parts = [
            document.element.body,
            *(
                part._element
                for section in document.sections
                for part in (section.first_page_header, section.header, section.footer)
            ),
        ]
        text = " ".join(node.text or "" for part in parts for node in part.iter() if node.tag.endswith("}t"))
    return " ".join(text.split())


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the agency's own templates, which is empty except in the tests of them."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture(scope="module")
def people(rabbit: PrivateNode, tmp_path_factory: pytest.TempPathFactory, templates: Path) -> Iterator[People]:
    """Yield the people of one installation, because the database makes no difference to documents."""
    settings = {"NKK_TEMPLATES": str(templates)}
    with (
        installation(tmp_path_factory.mktemp("documents"), new_vhost(rabbit), settings=settings) as running,
        People(running) as everybody,
    ):
        yield everybody


@pytest.fixture(scope="module")
def answered(people: People) -> tuple[dict[str, Person], str]:
    """Return the people who take part in an answered complaint, by role, and its ticket."""
    owner = people.reporter()
    ticket = travel_as_complaint(people, owner)
    eventually(lambda: owner.get(f"/complaints/{ticket}/timeline")["stands"]["step"] == 7)
    return {
        "owner": owner,
        "operator": people.operator,
        "main_team": people.main_team,
        "opd_team": people.opd_team("disdukcapil"),
    }, ticket


@pytest.fixture(scope="module")
def papers(answered: tuple[dict[str, Person], str]) -> dict[tuple[str, str, str], httpx.Response]:
    """Open each document that each role's timeline lists; return the responses by (role, kind, format)."""
    everybody, ticket = answered
    return {
        (role, document["kind"], format_): person.ask(document["method"], document[format_].removeprefix("/api/v1"))
        for role, person in everybody.items()
        for document in person.get(f"/complaints/{ticket}/timeline")["documents"]
        for format_ in ("docx", "pdf")
    }


def test_the_timeline_lists_what_each_role_may_open(
    papers: dict[tuple[str, str, str], httpx.Response], answered: tuple[dict[str, Person], str]
) -> None:
    _, ticket = answered
    assert set(papers) == {(role, kind, format_) for role in MAY for kind in MAY[role] for format_ in ("docx", "pdf")}
    for (_, kind, format_), answer in papers.items():
        assert answer.status_code == 200
        assert f'{kind}-{ticket}.{format_}"' in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("role", MAY)
def test_a_role_opens_no_other_document(answered: tuple[dict[str, Person], str], role: str) -> None:
    everybody, ticket = answered
    for kind in set(KINDS) - MAY[role]:
        problem(opened(everybody[role], ticket, kind), 403, "not-your-role")


def test_every_document_names_the_ticket_and_who_reported_stands_on_the_operators_sheet_alone(
    answered: tuple[dict[str, Person], str], papers: dict[tuple[str, str, str], httpx.Response]
) -> None:
    everybody, ticket = answered
    for (role, kind, format_), answer in papers.items():
        said = words(answer.content, format_)
        assert ticket in said
        assert "PEMERINTAH KOTA PANGKALPINANG" in said
        for known in (
            REGISTRATION["name"],
            REGISTRATION["identity_number"],
            everybody["owner"].account["email"],
            everybody["owner"].account["username"],
        ):
            assert (known in said) == (kind == IDENTITY), (role, kind, known)


@pytest.mark.parametrize("format_", ["docx", "pdf"])
def test_the_response_shows_the_reporter_the_answer_and_nothing_from_within(
    papers: dict[tuple[str, str, str], httpx.Response], format_: str
) -> None:
    shown = {role: words(papers[role, RESPONSE, format_].content, format_) for role in MAY}
    assert "Petugas yang Anda laporkan telah ditegur." in shown["owner"]
    assert "Petugas telah ditegur secara tertulis." not in shown["owner"]
    for role in ("operator", "main_team", "opd_team"):
        assert "Petugas telah ditegur secara tertulis." in shown[role]


def test_a_response_that_was_returned_is_printed_as_returned_and_why_for_those_between_whom_it_went(
    people: People,
) -> None:
    owner, opd_team = people.reporter(), people.opd_team("disdukcapil")
    ticket = people.submit(owner)
    path = f"/complaints/{ticket}"
    people.operator.act(f"{path}/handover")
    people.main_team.act(f"{path}/classification", {"kind": "complaint", "opd": "disdukcapil"})
    opd_team.act(f"{path}/response", {"text": "Sudah."})
    people.main_team.act(f"{path}/approval", {"approved": False, "note": "Sebutkan kapan ditegur."})
    opd_team.act(f"{path}/response", {"text": "Ditegur pada 2 Maret."})
    people.main_team.act(f"{path}/approval", {"approved": True})
    people.operator.act(f"{path}/answer", {"text": "Petugas itu telah ditegur."})
    eventually(lambda: owner.get(f"{path}/timeline")["stands"]["step"] == 7)
    for person in (people.main_team, opd_team, people.operator, owner):
        said = words(opened(person, ticket, RESPONSE).content, "docx")
        assert said.count("mengembalikannya kepada Tim NKK Pembantu") == 1
        assert said.count("menyerahkannya kepada operator") == 1
        assert ("Sebutkan kapan ditegur." in said) == (person in (people.main_team, opd_team))


def test_a_document_exists_from_its_step_on(people: People) -> None:
    owner = people.reporter()
    ticket = people.submit(owner)
    eventually(lambda: owner.get(f"/complaints/{ticket}/timeline")["entries"])
    assert opened(owner, ticket, RECEIPT).status_code == 200
    problem(opened(owner, ticket, RESPONSE), 409, "no-document-yet")
    problem(opened(people.operator, ticket, COMPLAINT), 409, "no-document-yet")
    people.operator.act(f"/complaints/{ticket}/handover")
    eventually(lambda: opened(people.operator, ticket, COMPLAINT).status_code == 200)
    eventually(lambda: ticket in people.main_team.desk("triage"))
    problem(opened(people.main_team, ticket, REPORT_KIND), 409, "no-document-yet")
    problem(opened(people.opd_team("disdukcapil"), ticket, REPORT_KIND), 404, "unknown-ticket")


def test_who_asked_for_confidentiality_is_on_no_sheet(people: People) -> None:
    owner = people.reporter()
    ticket = travel_as_complaint(people, owner, confidential=True)
    problem(opened(people.operator, ticket, IDENTITY), 403, "identity-withheld")
    listed = people.operator.get(f"/complaints/{ticket}/timeline")["documents"]
    assert IDENTITY not in {document["kind"] for document in listed}


def test_a_sheet_that_shows_who_reported_is_opened_by_an_act_alone(answered: tuple[dict[str, Person], str]) -> None:
    everybody, ticket = answered
    path = f"/complaints/{ticket}/documents/{IDENTITY}.pdf"
    refused = everybody["operator"].ask("GET", path)
    problem(refused, 405, "method-not-allowed")
    assert set(refused.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert everybody["operator"].ask("HEAD", path).status_code == 405
    for role in ("owner", "main_team", "opd_team"):
        problem(everybody[role].ask("GET", path), 405, "method-not-allowed")
        problem(everybody[role].ask("POST", path), 403, "not-your-role")


def test_printing_the_receipt_is_not_reading_the_answer_and_opening_the_answers_document_is(people: People) -> None:
    owner = people.reporter()
    ticket = travel_as_information(people, owner)
    timeline = f"/complaints/{ticket}/timeline"
    eventually(lambda: owner.get(timeline)["stands"]["step"] == 7)
    for kind in (FORM, RECEIPT):
        assert opened(owner, ticket, kind, "pdf").status_code == 200
    assert opened(people.operator, ticket, RESPONSE, "pdf").status_code == 200
    assert owner.get(timeline)["stands"]["state"] == "receive"
    said = words(opened(owner, ticket, RESPONSE, "pdf").content, "pdf")
    assert "Jam pelayanan 07.30 sampai 16.00." in said
    assert owner.get(timeline)["stands"]["state"] == "closed"


def test_a_document_made_again_is_the_same_to_the_byte(
    answered: tuple[dict[str, Person], str], papers: dict[tuple[str, str, str], httpx.Response]
) -> None:
    everybody, ticket = answered
    for format_ in ("docx", "pdf"):
        again = opened(everybody["main_team"], ticket, REPORT_KIND, format_).content
        assert again == papers["main_team", REPORT_KIND, format_].content


def test_a_document_made_again_names_things_as_they_were_called(
    answered: tuple[dict[str, Person], str], papers: dict[tuple[str, str, str], httpx.Response], people: People
) -> None:
    everybody, ticket = answered
    standing = people.admin.get("/catalogue")
    categories, opds = (json.loads(json.dumps(standing[name])) for name in ("categories", "opds"))
    once = [
        ("owner", FORM),
        ("operator", RECEIPT),
        ("operator", IDENTITY),
        ("main_team", COMPLAINT),
        ("opd_team", REPORT_KIND),
        *((role, RESPONSE) for role in MAY),
    ]
    before = [papers[role, kind, "docx"].content for role, kind in once]
    for key, category in categories.items():
        category["name"] = f"Nama baru {key}"
        category["sub_categories"] = {sub: f"Juga baru {sub}" for sub in category["sub_categories"]}
    for name in ("Dinas Baru", "Dinas Terbaru"):
        answer = people.admin.ask(
            "PUT", "/catalogue", {"categories": categories, "opds": {opd: f"{name} {opd}" for opd in opds}}
        )
        assert answer.is_success, answer.text
    try:
        assert [opened(everybody[role], ticket, kind).content for role, kind in once] == before
        later = travel_as_complaint(people, people.reporter())
        said = words(opened(people.operator, later, COMPLAINT).content, "docx")
        assert {"Nama baru" in said, "Juga baru" in said} == {True}
        assert "Dinas Terbaru" in words(opened(people.main_team, later, REPORT_KIND).content, "docx")
    finally:
        assert people.admin.ask("PUT", "/catalogue", standing).is_success


def test_hostile_words_are_printed_as_words(people: People) -> None:
    owner = people.reporter()
    evil = "{{ config }} {% raw %} <w:p> & ]]> \u202e 😀 العربية\nbaris kedua"
    ticket = people.submit(owner, text=evil, subject_line='=HYPERLINK("http://example.org")')
    eventually(lambda: owner.get(f"/complaints/{ticket}/timeline")["entries"])
    for format_ in ("docx", "pdf"):
        said = words(opened(owner, ticket, FORM, format_).content, format_)
        for part in ("{{ config }}", "{% raw %}", "<w:p>", "]]>", "baris kedua", "=HYPERLINK("):
            assert part in said, (format_, part)


@pytest.mark.parametrize(
    "path",
    [
        "surat-rahasia.pdf",
        "rekap-bulanan.pdf",
        "tanda-terima.exe",
        "tanda-terima",
        "../tanda-terima.pdf",
        "tanda-terima.PDF",
        "😀.pdf",
    ],
)
def test_a_document_that_is_none_is_not_found(answered: tuple[dict[str, Person], str], path: str) -> None:
    everybody, ticket = answered
    answer = everybody["owner"].ask("GET", f"/complaints/{ticket}/documents/{path}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
def agency(templates: Path) -> Iterator[Path]:
    """Yield the folder in which an agency puts its own templates, and empty it afterwards."""
    yield templates
    for template in templates.iterdir():
        template.unlink()


def test_an_agencys_own_template_is_used_and_a_broken_one_harms_nothing_else(people: People, agency: Path) -> None:
    own = docx.Document()
    own.add_paragraph("Contoh kop sendiri untuk {{ ticket }}")
    own.save(agency / "tanda-terima.docx")
    (agency / "form-pengaduan.docx").write_bytes(b"no document")
    owner = people.reporter()
    ticket = people.submit(owner)
    eventually(lambda: owner.get(f"/complaints/{ticket}/timeline")["entries"])
    for format_ in ("docx", "pdf"):
        said = words(opened(owner, ticket, RECEIPT, format_).content, format_)
        assert said == f"Contoh kop sendiri untuk {ticket}"
    problem(opened(owner, ticket, FORM), 500, "document-failed")
    assert REPORT["text"] not in people.installation.log("gateway")
    people.operator.act(f"/complaints/{ticket}/handover")


def test_an_answer_is_received_by_its_document_only_where_that_was_handed_over(people: People, agency: Path) -> None:
    broken = agency / f"{RESPONSE}.docx"
    broken.write_bytes(b"no document")
    owner = people.reporter()
    ticket = travel_as_information(people, owner)
    timeline, document = f"/complaints/{ticket}/timeline", f"/complaints/{ticket}/documents/{RESPONSE}.docx"
    eventually(lambda: owner.get(timeline)["stands"]["step"] == 7)
    problem(opened(owner, ticket, RESPONSE), 500, "document-failed")
    broken.unlink()
    for path in (document, f"/complaints/{ticket}"):
        assert owner.ask("HEAD", path).status_code == 200
    assert owner.get(timeline)["stands"]["state"] == "receive"
    first, again = (opened(owner, ticket, RESPONSE).content for _ in range(2))
    assert owner.get(timeline)["stands"]["state"] == "closed"
    assert first == again
    assert "Tanggapan dibuka oleh pelapor" in words(first, "docx")
