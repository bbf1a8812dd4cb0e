"""The snippets of docs/website.md, each run as it is written but for addresses."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser

from nkk.settings import NKK_WEBSITE_ORIGINS
from ops.stack.ports import free_port
from tests.browser.test_website import SERVICE, Window, served
from tests.browser.visitors import Visitor
from tests.installations import Installation, eventually

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs" / "website.md").read_text("utf-8"), re.M | re.S)


def snippets(language: str, whole: Installation) -> list[str]:
    return [text.replace(SERVICE, whole.url) for written, text in SNIPPETS if written == language]


def test_what_is_to_be_typed_first_names_a_good_origin_and_serves_the_example(whole: Installation) -> None:
    run, serve, _ = snippets("sh", whole)
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
    report, figures = snippets("js", whole)
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
        assert window.page.inner_text("#reports") == "fewer than five"


def test_the_figures_are_fetched_with_curl(whole: Installation) -> None:
    command = snippets("sh", whole)[2]
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("month,category,name,accepted,answered,closed")
    assert re.search(r"^etag: ", done.stdout, re.I | re.M)
