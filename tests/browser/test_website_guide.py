"""The snippets of docs/website.md, each run as it is written but for addresses."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from nkk.settings import NKK_WEBSITE_ORIGINS
from ops.stack.broker import install_packages
from ops.stack.ports import free_port
from tests.browser.test_website import SERVICE, Window, served
from tests.browser.visitors import NIK, Visitor
from tests.installations import Installation, eventually
from tests.people import PASSWORD, People

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs" / "website.md").read_text("utf-8"), re.M | re.S)


def snippets(language: str, whole: Installation) -> list[str]:
    return [text.replace(SERVICE, whole.url) for written, text in SNIPPETS if written == language]


def test_what_is_to_be_typed_first_names_a_good_origin_and_serves_the_example(whole: Installation) -> None:
    run, serve, *_ = snippets("sh", whole)
    written = re.fullmatch(r"NKK_WEBSITE_ORIGINS=(\S+) make run\n", run)
    assert written
    assert NKK_WEBSITE_ORIGINS.get({"NKK_WEBSITE_ORIGINS": written[1]}) == {"http://localhost:8000"}
    port = free_port()
    command = serve.replace(" 8000 ", f" {port} ").replace("python3", sys.executable).split()
    with subprocess.Popen([*command, "--bind", "127.0.0.1"], cwd=ROOT, stderr=subprocess.DEVNULL) as server:
        try:
            assert eventually(lambda: reached(f"http://localhost:{port}/app.js"))
        finally:
            server.terminate()


def reached(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.ConnectError:
        return False


def commands(whole: Installation) -> list[str]:
    """Return what is typed in the consoles."""
    return [text.removeprefix("$ ") for text in snippets("console", whole)]


def shell(command: str, **environment: str) -> str:
    bound = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(bound, capture_output=True, text=True, timeout=60, env=os.environ | environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("curl")
def test_a_server_sends_a_report_in_with_the_secret_that_was_printed(whole: Installation) -> None:
    add, log_in, send, _ = commands(whole)
    nkk = f"{Path(sys.executable).with_name('nkk')} --var {whole.stack.var}"
    secret = shell(add.replace("nkk", nkk, 1)).strip()
    token = shell(f"{log_in.replace('...', secret)}\necho $token").strip()
    receipt, again = (json.loads(shell(send, token=token)) for _ in range(2))
    assert receipt == again
    assert receipt["ticket"].startswith("NKK-")
    assert receipt["access_code"]


def test_the_pages_of_a_server_take_a_visitor_from_the_form_to_an_account_of_their_own(
    browser: Browser, whole: Installation, people: People, website_port: int
) -> None:
    if not shutil.which("php"):
        install_packages("php-cli")
    account = people.website().account
    assert account
    command = commands(whole)[3].replace("8000", str(website_port)).replace("portal-kota", account["username"])
    command = f"export {command.replace('=...', '=' + account['password']).replace(chr(92), '; exec')}"
    with subprocess.Popen(["bash", "-c", command], cwd=ROOT, stderr=subprocess.DEVNULL) as server:
        try:
            eventually(lambda: reached(f"http://127.0.0.1:{website_port}/"))
            with Window(browser) as window:
                _report_and_open_an_account(window, f"http://localhost:{website_port}", people)
        finally:
            server.terminate()


def _report_and_open_an_account(window: Window, url: str, people: People) -> None:
    page = window.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(url.replace("localhost", "127.0.0.1"))
    window.accessible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.select_option("#topic", "kode-perilaku/sopan")
    page.fill("#subject_line", "Petugas <b>membentak</b>")
    page.click("button")
    eventually(lambda: {"text", "name", "email", "identity_number"} <= set(window.faults()))
    assert page.input_value("#subject_line") == "Petugas <b>membentak</b>"
    window.accessible()
    for name, text in {
        "text": "Senin pagi.",
        "name": "Siti",
        "email": "siti@example.id",
        "identity_number": NIK,
    }.items():
        page.fill(f"#{name}", text)
    page.click("button")
    ticket, code = page.inner_text("#ticket"), page.inner_text("#code")
    opening = str(page.get_attribute("a:has-text('layanan')", "href"))
    window.accessible()
    page.click("text=Sampai di mana laporan ini?")
    assert page.inner_text("#status").startswith(f"{ticket}: menunggu operator")
    window.accessible()
    page.goto(opening)
    page.fill("[name=access_code]", code.lower())
    page.fill("[name=username]", f"warga-{code[:4].lower()}")
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_selector(f"text={ticket}")
    people.operator.get(f"/complaints/{ticket}")


def test_the_link_leads_to_the_form_with_the_category(whole: Installation, visiting: Callable[..., Visitor]) -> None:
    (link,) = snippets("html", whole)
    visitor = visiting()
    visitor.register()
    visitor.page.set_content(link)
    visitor.page.click("a")
    visitor.page.wait_for_selector("#topic")
    assert visitor.page.input_value("#topic") == "kode-perilaku/sopan"


def test_the_scripts_do_from_another_origin_what_is_said_of_them(
    browser: Browser, whole: Installation, website_port: int, tmp_path: Path
) -> None:
    report, _, figures = snippets("js", whole)
    (tmp_path / "index.html").write_text(
        '<!doctype html><title>Situs</title><link rel="icon" href="data:,"><p id="reports">'
    )
    with served(tmp_path, website_port) as url, Window(browser) as window:
        window.page.goto(url)

        def run(script: str, result: str) -> Any:
            return window.page.evaluate(f"(async () => {{ {script}\nreturn {result}; }})()")

        found = run(report, "complaint")
        assert found["ticket"].startswith("NKK-")
        assert found["stands"]["state"] == "hand_over"
        assert run(figures, "figures.months.length") == 12
        assert window.page.inner_text("#reports") == "not published"


@pytest.mark.usefixtures("curl")
def test_the_figures_are_fetched_with_curl(whole: Installation) -> None:
    command = snippets("sh", whole)[-1]
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("month,category,name,accepted,answered,closed")
    assert re.search(r"^etag: ", done.stdout, re.I | re.M)
