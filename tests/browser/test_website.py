"""The example of an agency's own website, whose script uses the API from another origin."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ops.stack.ports import free_port
from tests.browser.visitors import AXE, NIK, WCAG
from tests.installations import PATIENCE, Installation, eventually
from tests.people import PASSWORD, People

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "website" / "static"
SERVICE = "http://127.0.0.1:8080"


class Quiet(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def site(whole: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the example, with the address of the running service."""
    folder = tmp_path_factory.mktemp("website")
    for file in EXAMPLE.iterdir():
        (folder / file.name).write_text(file.read_text("utf-8").replace(SERVICE, whole.url), "utf-8")
    return folder


class Window:
    """A window of the browser at the example. Script errors and breaches of its policy are heard."""

    def __init__(self, browser: Browser) -> None:
        self.context = browser.new_context(reduced_motion="reduce")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.heard: list[str] = []
        self.page.on("console", lambda message: self.heard.append(message.text))
        self.page.on("pageerror", lambda error: self.heard.append(f"Uncaught {error}"))

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert [text for text in self.heard if "Uncaught" in text or "Content Security Policy" in text] == []

    def fill(self, form: str, **fields: str) -> None:
        for name, text in fields.items():
            self.page.fill(f"#{form} [name={name}]", text)

    def press(self, form: str) -> None:
        self.page.click(f"#{form} > button")

    def lose_log_in(self) -> None:
        """Have the service say once that the log-in has ended."""
        complaints = "**/api/v1/complaints"
        self.page.route(complaints, lambda route: route.fulfill(status=401, json={"title": "Not authenticated"}))
        self.page.click("#refresh")
        eventually(lambda: self.page.is_visible("#entry"))
        self.page.unroute(complaints)

    def faults(self) -> dict[str, str]:
        """Return the sentences at the fields, by the fields' ids."""
        marked = self.page.locator("[aria-invalid]").all()
        return {
            str(field.get_attribute("id")): self.page.inner_text(f"#{field.get_attribute('aria-describedby')}")
            for field in marked
        }

    def accessible(self) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"], "preload": False}
        found = self.page.evaluate("options => axe.run(document, options)", options)
        assert [(fault["id"], node["html"]) for fault in found["violations"] for node in fault["nodes"]] == []


def register(window: Window, **changed: str) -> str:
    username = f"situs-{uuid.uuid4().hex[:10]}"
    account = {"identity_number": NIK, "name": "Siti Contoh", "email": f"{username}@example.id"}
    window.fill("register", **{**account, "username": username, "password": PASSWORD, **changed})
    window.press("register")
    return username


def test_a_visitor_of_another_site_reports_and_follows_it_to_the_receipt(
    browser: Browser, site: Path, website_port: int, people: People
) -> None:
    with served(site, website_port) as url, Window(browser) as window:
        page = window.page
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(url)
        window.accessible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        register(window, identity_number="123", email="siti@")
        eventually(lambda: set(window.faults()) == {"identity_number", "email"})
        assert window.faults()["email"] == "Ini bukan alamat surel."
        assert page.evaluate("document.activeElement.id") == "identity_number"
        window.accessible()
        page.click("[data-language=en]")
        assert window.faults()["email"] == "This is no e-mail address."
        assert page.inner_text("#message") == "Not sent yet. Correct the marked fields."
        page.click("[data-language=id]")
        username = register(window)
        page.wait_for_selector("#report:not([hidden])")
        assert page.input_value("#password") == ""

        window.press("complaint")
        eventually(lambda: {"sub_category", "subject_line", "text"} <= set(window.faults()))
        assert set(window.faults().values()) == {"Wajib diisi."}
        window.accessible()
        page.select_option("#sub_category", "kode-perilaku/sopan")
        window.fill("complaint", subject_line="Petugas membentak", text="Senin pagi di <b>loket 3</b>.")
        ticket = sent_once_although_the_line_broke(window)

        page.click(f"#list button:has-text('{ticket}')")
        eventually(lambda: page.inner_text("#state") == "Menunggu operator")
        people.operator.act(f"/complaints/{ticket}/handover")
        people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "information"})
        people.operator.act(f"/complaints/{ticket}/answer", {"text": "Sudah <i>ditegur</i>."})

        def answered() -> bool:
            page.click("#refresh")
            page.wait_for_load_state("networkidle")
            return page.is_visible("#answer")

        eventually(answered)
        assert page.inner_text("#answer blockquote") == "Sudah <i>ditegur</i>."
        window.accessible()
        page.click("#confirm")
        eventually(lambda: page.inner_text("#confirmed") == "Terima kasih. Penerimaan jawaban tercatat.")
        assert page.is_hidden("#confirm")

        # Nothing is kept in the browser: the token is gone with the page.
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
        assert window.context.cookies() == []
        page.reload()
        assert page.is_visible("#entry")
        window.fill("log-in", username=username, password="salah sekali 42")
        window.press("log-in")
        eventually(lambda: page.inner_text("#message") == "Nama pengguna atau kata sandi salah.")
        window.fill("log-in", username=username, password=PASSWORD)
        window.press("log-in")
        page.wait_for_selector(f"#list button:has-text('{ticket}')")
        assert page.locator("#list li").count() == 1
        page.click(f"#list button:has-text('{ticket}')")
        eventually(lambda: page.is_visible("#answer"))
        page.click("#log-out")
        eventually(lambda: page.is_visible("#entry"))
        assert page.locator("#list li").count() == 0
        assert "ditegur" not in page.content()


def test_who_comes_next_to_the_same_window_finds_nothing_of_the_one_before(
    browser: Browser, site: Path, website_port: int
) -> None:
    with served(site, website_port) as url, Window(browser) as window:
        page = window.page
        page.goto(url)

        def filled_in() -> list[str]:
            return [
                text
                for field in page.locator("input:not([type=checkbox]), textarea").all()
                if (text := field.input_value())
            ]

        username = register(window)
        page.wait_for_selector("#report:not([hidden])")
        assert filled_in() == []
        window.fill("complaint", subject_line="Petugas membentak", text="Senin pagi di loket 3.")
        page.click("#log-out")
        eventually(lambda: page.is_visible("#entry"))
        assert filled_in() == []

        # Where a log-in has ended, its visitor finds the text again, and nobody else does.
        window.fill("log-in", username=username, password=PASSWORD)
        window.press("log-in")
        page.wait_for_selector("#report:not([hidden])")
        window.fill("complaint", text="Senin pagi di loket 3.")
        window.lose_log_in()
        window.fill("log-in", username=username, password=PASSWORD)
        window.press("log-in")
        page.wait_for_selector("#report:not([hidden])")
        assert filled_in() == ["Senin pagi di loket 3."]
        window.lose_log_in()
        register(window)
        page.wait_for_selector("#report:not([hidden])")
        assert filled_in() == []


def test_what_was_changed_after_a_lost_answer_can_be_sent_as_another_report(
    browser: Browser, site: Path, website_port: int
) -> None:
    with served(site, website_port) as url, Window(browser) as window:
        page = window.page
        page.goto(url)
        register(window)
        page.wait_for_selector("#report:not([hidden])")
        page.select_option("#sub_category", "kode-perilaku/sopan")
        window.fill("complaint", subject_line="Petugas membentak", text="Senin pagi di loket 3.")

        def lose(route: Any) -> None:
            route.fetch()
            route.abort()

        page.route("**/api/v1/complaints", lose)
        window.press("complaint")
        eventually(lambda: "Tulisan Anda masih ada" in page.inner_text("#message"))
        page.unroute("**/api/v1/complaints")
        window.fill("complaint", text="Senin pagi di loket 4.")
        window.press("complaint")
        eventually(lambda: "sudah diterima sebelumnya" in page.inner_text("#message"))
        ticket = page.inner_text("#message").rpartition(" ")[2]
        eventually(lambda: page.locator("#list li").all_inner_texts() == [f"{ticket}: Petugas membentak"])
        assert page.input_value("#text") == "Senin pagi di loket 4."
        window.press("complaint")
        eventually(lambda: "Nomor tiket Anda: NKK-" in page.inner_text("#message"))
        eventually(lambda: page.locator("#list li").count() == 2)


def test_what_is_wrong_in_one_form_is_said_at_that_form_only_and_in_words(
    browser: Browser, site: Path, website_port: int
) -> None:
    with served(site, website_port) as url, Window(browser) as window:
        window.page.goto(url)
        window.press("log-in")
        eventually(lambda: set(window.faults()) == {"log-in-username", "log-in-password"})
        assert set(window.faults().values()) == {"Wajib diisi."}
        register(window, identity_number="9" * 16, email="siti@x", password="situs")
        eventually(lambda: set(window.faults()) == {"identity_number", "email", "password"})
        assert "Isian ini perlu diperbaiki." not in window.faults().values()


def test_nobody_who_uses_the_page_next_reads_what_was_typed(browser: Browser, site: Path, website_port: int) -> None:
    with served(site, website_port) as url, Window(browser) as window:
        page = window.page
        page.goto(url)
        register(window)
        page.wait_for_selector("#report:not([hidden])")
        assert page.input_value("#identity_number") == ""
        window.fill("complaint", subject_line="Petugas membentak", text="Senin pagi.")
        page.click("#log-out")
        page.wait_for_selector("#entry:not([hidden])")
        assert {field.input_value() for field in page.locator("input:not([type=checkbox]), textarea").all()} == {""}


def test_whoever_writes_for_longer_than_a_token_lasts_stays_logged_in(
    browser: Browser, site: Path, website_port: int
) -> None:
    with served(site, website_port) as url, Window(browser) as window:
        page, refused = window.page, []

        def refuse_once(route: Any) -> None:
            if refused or route.request.method != "POST":
                route.continue_()
                return
            refused.append(route.request.headers["authorization"])
            headers = {"Authorization": "Bearer expired"}
            route.continue_(headers=route.request.headers | headers)

        page.goto(url)
        register(window)
        page.wait_for_selector("#report:not([hidden])")
        page.route("**/api/v1/complaints", refuse_once)
        page.select_option("#sub_category", "kode-perilaku/sopan")
        window.fill("complaint", subject_line="Petugas membentak", text="Senin pagi.")
        window.press("complaint")
        eventually(lambda: "Nomor tiket Anda: NKK-" in page.inner_text("#message"))
        assert len(refused) == 1


def sent_once_although_the_line_broke(window: Window) -> str:
    """Send the report. Its first answer is lost on the way, and it is sent again; return the ticket."""
    page, keys = window.page, []

    def lose(route: Any) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        route.fetch() if len(keys) == 1 else None
        route.abort() if len(keys) == 1 else route.continue_()

    page.route("**/api/v1/complaints", lose)
    window.press("complaint")
    eventually(lambda: "Tulisan Anda masih ada" in page.inner_text("#message"))
    assert page.input_value("#text") == "Senin pagi di <b>loket 3</b>."
    window.press("complaint")
    eventually(lambda: "Nomor tiket Anda: NKK-" in page.inner_text("#message"))
    page.unroute("**/api/v1/complaints")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    eventually(lambda: page.locator("#list li").count() == 1)
    return page.inner_text("#message").rpartition(" ")[2]


def test_a_site_that_nobody_named_can_do_nothing(browser: Browser, site: Path) -> None:
    with served(site, free_port()) as url, Window(browser) as window:
        window.page.goto(url)
        register(window)
        eventually(lambda: "Layanan tidak dapat dihubungi" in window.page.inner_text("#message"))
        assert window.page.is_hidden("#report")
        figures = window.page.evaluate(
            "fetch(`${document.querySelector('meta[name=service]').content}/api/v1/figures`).then(it => it.json())"
        )
        assert len(figures["months"]) == 12
