"""The PHP pages of examples/website/php, served as an ordinary website's, by which a visitor reports."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops.stack.broker import install_packages
from ops.stack.ports import free_port
from tests.installations import Installation, eventually
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


@pytest.fixture(scope="module")
def site(whole: Installation, people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Yield a visitor of the website."""
    if not shutil.which("php"):
        install_packages("php-cli")
    account, port = people.website().account, free_port()
    assert account
    kept = tmp_path_factory.mktemp("php") / "token"
    settings = {
        "NKK_SERVICE": whole.url,
        "NKK_WEBSITE_NAME": account["username"],
        "NKK_WEBSITE_SECRET": account["password"],
        "NKK_TOKEN_FILE": str(kept),
    }
    command = ["php", "-S", f"127.0.0.1:{port}", "-t", str(PAGES)]
    with (
        subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.DEVNULL) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as visitor,
    ):
        try:
            eventually(lambda: serves(visitor))
            yield visitor
            session = json.loads(kept.read_text())
            assert re.fullmatch(r"[A-Za-z0-9_-]{32}\.[0-9a-f]{32}", session["device"])
            assert kept.stat().st_mode & 0o077 == 0
        finally:
            server.terminate()


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
    chosen = {"username": f"warga-{code[:4].lower()}-portal", "password": PASSWORD}
    people.anyone.post("/reporters/from-code", {"access_code": code, **chosen}, expect=201)
    assert [item["ticket"] for item in people.log_in(**chosen).get("/complaints")["items"]] == [ticket]


def test_a_ticket_of_others_is_not_there(site: httpx.Client, people: People) -> None:
    page = site.get("/", params={"ticket": people.submit(people.reporter())})
    assert (page.status_code, "Tidak ada laporan" in page.text) == (404, True)
