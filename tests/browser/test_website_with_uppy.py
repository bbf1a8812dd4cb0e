"""The example that sends files with Uppy, as npm has it, from a page of another origin."""

import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Request

from ops.stack.broker import install_packages
from tests.browser.test_evidence import chosen, picture
from tests.browser.test_website import SERVICE, Window, served
from tests.browser.test_website_guide import snippets
from tests.chaos.proxy import Proxy
from tests.installations import Installation, eventually
from tests.people import People, Person

pytestmark = pytest.mark.long

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "website" / "uppy"
NEVER_COPIED = shutil.ignore_patterns("node_modules", "app.js.map")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the example's page, made from the packages of npm."""
    folder = tmp_path_factory.mktemp("uppy") / "uppy"
    shutil.copytree(EXAMPLE, folder, ignore=NEVER_COPIED)
    if not shutil.which("npm"):
        install_packages("nodejs", "npm")
    for command in (
        ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"],
        ["npm", "run", "build"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "public"


@pytest.fixture
def reporter(people: People) -> Person:
    return people.reporter()


def opened(window: Window, built: Path, folder: Path, url: str, service: str, reporter: Person) -> Any:
    """Open the page, log the reporter in and write a report; return the page."""
    shutil.copytree(built, folder, dirs_exist_ok=True)
    index = folder / "index.html"
    index.write_text(index.read_text("utf-8").replace(SERVICE, service), "utf-8")
    page = window.page
    page.goto(url)
    assert reporter.account
    for name in ("username", "password"):
        page.fill(f"#{name}", reporter.account[name])
    page.click("#log-in button")
    page.wait_for_selector("#report:not([hidden])")
    window.accessible()
    page.select_option("#topic", "kode-perilaku/sopan")
    window.fill("report", subject_line="Petugas membentak", text="Senin pagi di loket 3.")
    return page


def test_files_go_with_a_report_although_the_line_broke(
    browser: Browser, whole: Installation, website_port: int, tmp_path: Path, built: Path, reporter: Person
) -> None:
    photograph = picture(99, (3000, 2200))
    begun: list[tuple[int, str]] = []

    def heard(sent: Request) -> None:
        if sent.method == "PATCH":
            begun.append((int(sent.headers["upload-offset"]), sent.url.rpartition("/")[2]))

    with (
        Proxy([("127.0.0.1", whole.stack.port)]) as line,
        served(tmp_path, website_port) as url,
        Window(browser) as window,
    ):
        page = opened(window, built, tmp_path, url, f"http://127.0.0.1:{line.port}", reporter)
        page.on("request", heard)
        line.behave("delay")
        page.set_input_files("#files", [chosen("foto.jpg", photograph)])
        eventually(lambda: page.title() and begun)
        eventually(lambda: reporter.get(f"/uploads/{begun[0][1]}")["offset"] > 0)
        line.behave("reset")
        eventually(lambda: line.connections == 0)
        line.behave("pass")
        eventually(lambda: "foto.jpg: sudah sampai" in page.inner_text("#list"))
        assert begun[-1][0] > 0, "it goes on where it stopped"
        page.click("#report > button")
        eventually(lambda: "1 foto.jpg" in page.inner_text("#message"))
        ticket = page.inner_text("#message").split(":")[0]
    (file,) = reporter.get(f"/complaints/{ticket}")["files"]
    assert file["came_size"] == len(photograph)


def test_a_file_that_is_refused_is_named_and_the_report_goes_without_it(
    browser: Browser, whole: Installation, website_port: int, tmp_path: Path, built: Path, reporter: Person
) -> None:
    with served(tmp_path, website_port) as url, Window(browser) as window:
        page = opened(window, built, tmp_path, url, whole.url, reporter)
        page.set_input_files(
            "#files", [chosen("surat.txt", b"Halo.", "text/plain"), chosen("p.exe", b"MZ" + bytes(200))]
        )
        eventually(lambda: page.inner_text("#message").startswith("p.exe: This is a program"))
        eventually(lambda: page.inner_text("#list").startswith("surat.txt: sudah sampai"))
        assert "p.exe" not in page.inner_text("#list")
        page.set_input_files("#files", [chosen("panjang.txt", bytes(25_000_001), "text/plain")])
        eventually(lambda: "panjang.txt" in page.inner_text("#message"))
        page.click("#report > button")
        eventually(lambda: "1 surat.txt" in page.inner_text("#message"))
        assert "2 " not in page.inner_text("#message")


def test_the_script_of_the_guide_sends_files_with_a_report(
    browser: Browser, whole: Installation, website_port: int, tmp_path: Path, built: Path
) -> None:
    report, files, _ = snippets("js", whole)
    account = f"situs-{uuid.uuid4().hex[:10]}"
    script = f"{report.replace('warga-situs', account)}\n{files}\nwindow.receipt = receipt;"
    (built.parent / "guide.js").write_text(script, "utf-8")
    command = ["npx", "esbuild", "guide.js", "--bundle", "--format=esm", f"--outfile={tmp_path / 'guide.js'}"]
    subprocess.run(command, cwd=built.parent, check=True, capture_output=True)
    (tmp_path / "index.html").write_text(
        '<!doctype html><title>Situs</title><link rel="icon" href="data:,"><input id="files" type="file" multiple>'
    )
    with served(tmp_path, website_port) as url, Window(browser) as window:
        window.page.goto(url)
        window.page.set_input_files("#files", [chosen("a.jpg", picture()), chosen("b.txt", b"Halo.", "text/plain")])
        window.page.evaluate("import('./guide.js')")
        names = window.page.evaluate("window.receipt.files.map((file) => file.name)")
    assert sorted(names) == ["a.jpg", "b.txt"]
