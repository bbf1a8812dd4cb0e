"""The PHP pages of examples/website/php, served as an ordinary website's, by which a visitor reports."""

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from ops.stack.broker import install_packages
from ops.stack.ports import free_port
from tests.installations import PATIENCE, Installation, eventually
from tests.people import PASSWORD, People

DATABASES = ["postgres"]

PAGES = Path(__file__).resolve().parents[2] / "examples" / "website" / "php"
FORM = {
    "topic": "kode-perilaku/sopan",
    "subject_line": "Loket <b>tutup</b>",
    "text": "Loket ditutup pukul 14.00.",
    "kind": "public",
    "identity_number": "1971014107900001",
    "name": "Siti Contoh",
    "email": "siti.portal@example.id",
}


@contextmanager
def served(service: str, name: str, secret: str, kept: Path) -> Iterator[httpx.Client]:
    """Serve the pages, of a website that reports to `service`, and yield a visitor of them."""
    if not shutil.which("php"):
        install_packages("php-cli")
    port = free_port()
    settings = {
        "NKK_SERVICE": service,
        "NKK_WEBSITE_NAME": name,
        "NKK_WEBSITE_SECRET": secret,
        "NKK_TOKEN_FILE": str(kept),
    }
    command = ["php", "-S", f"127.0.0.1:{port}", "-t", str(PAGES)]
    with (
        subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.DEVNULL) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as visitor,
    ):
        try:
            eventually(lambda: serves(visitor))
            yield visitor
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def site(whole: Installation, people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Yield a visitor of the website."""
    account, kept = people.website().account, tmp_path_factory.mktemp("php") / "token"
    assert account
    with served(whole.url, account["username"], account["password"], kept) as visitor:
        yield visitor
    session = json.loads(kept.read_text())
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}\.[0-9a-f]{32}", session["device"])
    assert kept.stat().st_mode & 0o077 == 0


def serves(visitor: httpx.Client) -> bool:
    try:
        return visitor.get("/").status_code == 200
    except httpx.TransportError:
        return False


def key(page: httpx.Response) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page.text)
    assert found
    return found[1]


def told(page: httpx.Response, name: str) -> str:
    found = re.search(rf'id="{name}">([^<]+)<', page.text)
    assert found, page.text
    return found[1]


@pytest.mark.parametrize(
    "forged", ["k\r\nX-HTTP-Method-Override: DELETE", "k\nX-HTTP-Method-Override: DELETE", "", "k"]
)
def test_a_key_that_the_page_did_not_make_is_replaced_and_writes_no_header_of_the_websites_server(
    site: httpx.Client, forged: str
) -> None:
    received = site.post("/", data=FORM | {"key": forged})
    assert received.status_code == 200, received.text
    assert told(received, "ticket") != told(site.post("/", data=FORM | {"key": forged}), "ticket")


def test_a_visitor_reports_on_the_websites_page_and_opens_an_account_at_the_service(
    site: httpx.Client, people: People
) -> None:
    start = site.get("/")
    assert 'value="kode-perilaku/sopan"' in start.text
    form = FORM | {"key": key(start)}
    wrong = site.post("/", data=form | {"text": "", "email": "siti@", "identity_number": "123"})
    assert wrong.status_code == 422
    for name in ("text", "email", "identity_number"):
        assert f'id="{name}-fault"' in wrong.text
    assert "Loket &lt;b&gt;tutup&lt;/b&gt;" in wrong.text
    assert key(wrong) == form["key"]
    received = site.post("/", data=form)
    assert received.status_code == 200
    ticket, code = told(received, "ticket"), told(received, "code")
    again = site.post("/", data=form)
    assert (told(again, "ticket"), told(again, "code")) == (ticket, code)
    assert site.post("/", data=form | {"text": "Lain."}).status_code == 422
    assert "menunggu operator" in site.get("/", params={"ticket": ticket}).text
    people.operator.act(f"/complaints/{ticket}/handover")

    eventually(lambda: "sedang diklasifikasi" in site.get("/", params={"ticket": ticket}).text)
    status = site.get("/", params={"ticket": ticket}).text
    assert re.search(r"Jawaban dijanjikan paling lambat \d\d/\d\d/20\d\d\.", status)
    assert "Baca jawabannya" not in status
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information"})
    people.operator.act(f"/complaints/{ticket}/answer", {"text": "Sudah ditegur."})
    eventually(lambda: "Baca jawabannya" in site.get("/", params={"ticket": ticket}).text)
    chosen = {"username": f"warga-{code[:4].lower()}-portal", "password": PASSWORD}
    people.anyone.post("/reporters/from-code", {"access_code": code, **chosen}, expect=201)
    assert [item["ticket"] for item in people.log_in(**chosen).get("/complaints")["items"]] == [ticket]


def test_what_a_visitor_reads_is_in_their_language_whatever_they_typed(site: httpx.Client) -> None:
    def faults(**typed: str) -> list[str]:
        page = site.post("/", data=FORM | {"key": "k"} | typed)
        assert page.status_code == 422
        return re.findall(r'class="fault" id="\w+-fault">([^<]+)<', page.text)

    impossible = "Nomor ini tidak mungkin benar. Periksa setiap angkanya."
    assert faults(identity_number="9999999999999999", email="siti@x") == [
        impossible,
        "Sesudah @ tulislah domain lengkap, misalnya example.id.",
    ]
    assert faults(identity_number="12ab") == ["Angka saja: NIK 16 angka, NIP 18 angka."]
    assert faults(kind="civil_servant", identity_number="9" * 18) == [impossible]
    assert faults(kind="robot") == ["Periksa isian ini."]


def test_text_that_is_no_text_and_a_ticket_that_was_left_out_are_no_failure_of_the_page(site: httpx.Client) -> None:
    typed = {**FORM, "key": uuid.uuid4().hex, "text": "Loket \udcff tutup."}
    sent = urlencode(typed, errors="surrogateescape")
    page = site.post("/", content=sent, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert page.status_code == 200
    empty = site.get("/", params={"ticket": ""})
    assert (empty.status_code, 'id="text"' in empty.text) == (200, True)


def test_while_the_service_is_away_nothing_that_was_chosen_or_typed_is_lost(tmp_path: Path) -> None:
    with served(f"http://127.0.0.1:{free_port()}", "portal", "rahasia", tmp_path / "token") as site:
        page = site.post("/", data=FORM | {"key": "k"})
    assert (page.status_code, "Laporan belum dapat dikirim" in page.text) == (503, True)
    assert 'value="kode-perilaku/sopan" selected' in page.text
    assert "Loket ditutup pukul 14.00." in page.text


def test_a_ticket_of_others_is_not_there(site: httpx.Client, people: People) -> None:
    page = site.get("/", params={"ticket": people.submit(people.reporter())})
    assert (page.status_code, "Tidak ada laporan" in page.text) == (404, True)
