"""A complaint's documents, as links on its page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.visitors import Visitor
from tests.installations import eventually
from tests.people import PASSWORD, People, travel_as_complaint

Opening = Callable[..., Visitor]


def links(visitor: Visitor) -> set[str]:
    """Return the file names of the documents that the page offers, such as `tanda-terima.pdf`."""
    found = visitor.page.locator(".papers a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return {str(address).rsplit("/", 1)[1] for address in found}


def test_a_reporter_keeps_the_documents_of_a_report(visiting: Opening, people: People) -> None:
    owner = people.reporter()
    ticket = people.submit(owner)
    assert owner.account is not None
    reporter = visiting("en").log_in(str(owner.account["username"]), PASSWORD)
    plain = visiting(plain=True).log_in(str(owner.account["username"]), PASSWORD)

    def waits() -> bool:
        reporter.open(f"/laporan/{ticket}")
        return bool(links(reporter))

    eventually(waits)
    assert links(reporter) == {
        f"{kind}.{ending}" for kind in ("form-pengaduan", "tanda-terima") for ending in ("pdf", "docx")
    }
    plain.open(f"/laporan/{ticket}")
    for ending, begins in (("pdf", b"%PDF-"), ("docx", b"PK")):
        with reporter.page.expect_download() as started:
            reporter.page.click(f".papers a[href$='/tanda-terima.{ending}']")
        assert started.value.suggested_filename == f"tanda-terima-{ticket}.{ending}"
        assert Path(started.value.path()).read_bytes().startswith(begins)
        assert plain.count(f"//*[contains(@class, 'papers')]//a[contains(@href, '/tanda-terima.{ending}')]") == 1


def test_opening_the_answers_document_is_receiving_it(visiting: Opening, people: People) -> None:
    owner = people.reporter()
    ticket = travel_as_complaint(people, owner, "disdukcapil")
    assert owner.account is not None
    reporter = visiting().log_in(str(owner.account["username"]), PASSWORD)
    # The document is opened by its address, before the page with the answer.
    with reporter.page.expect_download():
        reporter.page.evaluate(f"location.assign('/laporan/{ticket}/dokumen/laporan-tanggapan-pengaduan.pdf')")
    assert owner.get(f"/complaints/{ticket}/timeline")["stands"]["state"] == "closed"


@pytest.mark.parametrize(
    ("role", "kind", "status", "plain"),
    [
        ("operator", "data-pengaduan", 409, False),
        ("operator", "laporan-pengaduan", 403, True),
        ("operator", "rekap-bulanan", 404, True),
        ("admin", "tanda-terima", 403, True),
        ("main_team", "data-pengaduan", 404, True),
    ],
)
def test_a_document_is_refused_as_a_page(
    staff: Opening, people: People, role: str, kind: str, status: int, plain: bool
) -> None:
    ticket = people.submit(people.reporter())
    eventually(lambda: ticket in people.operator.desk("intake"))
    visitor = staff(role, plain=plain)
    assert visitor.open(f"/laporan/{ticket}/dokumen/{kind}.pdf") == status
    assert visitor.count("//h1") == 1
    if not plain:
        assert visitor.accessibility() == []


def test_nobody_opens_a_document_without_a_log_in(visiting: Opening, people: People) -> None:
    ticket = people.submit(people.reporter())
    visitor = visiting(plain=True)
    visitor.open(f"/laporan/{ticket}/dokumen/tanda-terima.pdf")
    assert "/masuk?ke=/laporan/" in str(visitor.response.url).replace("%2F", "/")
