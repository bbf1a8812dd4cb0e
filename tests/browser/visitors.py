"""Visitors with browser windows, which are watched for faults that no page may cause."""

import gettext
import html
import re
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, WebError

from tests.current.translations import FOLDER
from tests.installations import PATIENCE, eventually
from tests.people import PASSWORD

AXE = (Path(__file__).parent / "axe" / "axe-4.14.1.min.js").read_text("utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_THE_LOOK = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]
"""The checks whose result other colours or a narrower screen can change."""

NIK = "1971014107900001"

with (FOLDER / "messages.mo").open("rb") as _file:
    ENGLISH = gettext.GNUTranslations(_file)


def said(text: str, language: str) -> str:
    """Return the pages' Indonesian `text` in `language`."""
    return ENGLISH.gettext(text) if language == "en" else text


class Windows:
    """The browser's windows, each with its own cookies and storage.

    A window that is given back is emptied and lent again, because opening one costs as much as three pages do: a
    process, and the site's scripts and styles once more.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self._empty: dict[str, list[BrowserContext]] = {}

    def lend(self, **window: Any) -> BrowserContext:
        """Return an empty window of that kind, with one page."""
        empty = self._empty.get(repr(window))
        if empty:
            return empty.pop()
        context = self.browser.new_context(base_url=self.url, **window)
        context.new_page().set_default_timeout(1000 * PATIENCE)
        return context

    def take_back(self, context: BrowserContext, **window: Any) -> None:
        """Empty a window: its history, cookies and storage, what was changed of its screen, and its other pages."""
        # A page that is still going elsewhere cannot be sent to an empty one: it is closed.
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        for other in context.pages:
            if other != page:
                other.close()
        session = context.new_cdp_session(page)
        session.send("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": "all"})
        session.send("Page.resetNavigationHistory")
        session.detach()
        context.clear_cookies()
        page.set_viewport_size(window["viewport"])
        page.emulate_media(media="null", color_scheme="null", reduced_motion=window["reduced_motion"])
        self._empty.setdefault(repr(window), []).append(context)


class Acts:
    """What every visitor does alike, with a browser's window or without one."""

    language: str

    def log_in(self, username: str, password: str = PASSWORD) -> Any:
        """Log in with the log-in form; return the visitor."""
        self.credentials = {"username": username, "password": password}
        self.open("/masuk")
        self.fill(**self.credentials)
        self.press("Masuk")
        self.leaves("/masuk")
        return self

    def register(self) -> str:
        """Register with the form, which also logs in; return the user name."""
        username = f"warga-{uuid.uuid4().hex[:10]}"
        self.open("/daftar")
        self.fill(
            identity_number=NIK,
            name="Siti Rahmawati Binti Contoh",
            email="siti.rahmawati@example.id",
            username=username,
            password=PASSWORD,
        )
        self.press("Daftar")
        self.leaves("/daftar")
        return username

    def write(self, **fields: str) -> None:
        """Fill in the complaint's form without sending it."""
        self.open("/laporan/baru")
        self.choose("topic", "kode-perilaku/disiplin")
        self.fill(
            **{
                "subject_line": "Loket tutup sebelum waktunya",
                "text": "Loket ditutup pukul 14.00 padahal antrean masih panjang.",
                **fields,
            }
        )

    def send(self) -> str:
        """Send the complaint's form; return the ticket on the receipt."""
        self.press("Kirim laporan")
        self.leaves("/laporan/baru")
        return self.text("//*[contains(@class, 'ticket-big')]")

    def take(self, desk: str, ticket: str) -> None:
        """Open a case from the desk's worklist, once it is listed."""

        def listed() -> str | None:
            """Return the path of the list's page with the case. Only that page is shown."""
            path: str | None = f"/meja/{desk}"
            while path:
                content = self.fetch(path)
                if f'data-ticket="{ticket}"' in content:
                    return path
                onward = re.search(r'<a [^>]*rel="next"[^>]*>', content)
                href = onward and re.search(r'href="([^"]+)"', onward[0])
                path = urljoin(path, html.unescape(href[1])) if href else None
            return None

        self.open(eventually(listed) or "")
        self.follow_at(f"//*[@data-ticket='{ticket}']//a")
        self.arrives(f"/laporan/{ticket}")

    def sees(self, text: str) -> bool:
        """Return whether the page shows `text`, in this visitor's language."""
        return said(text, self.language) in self.read()


class Visitor(Acts):
    """A visitor with a browser window; with `used_up`, nobody else gets it, because its clock or routes are changed."""

    def __init__(self, windows: Windows, language: str = "id", used_up: bool = False, **window: Any) -> None:
        self.url = windows.url
        self.language = language
        self.strayed: list[str] = []
        self.complaints: list[str] = []
        self._windows, self._used_up = windows, used_up
        self._window = {
            "viewport": {"width": 1280, "height": 800},
            "locale": "id-ID",
            "reduced_motion": "reduce",
            **window,
        }
        self.context: BrowserContext = windows.lend(**self._window)
        if language != "id":
            self.context.add_cookies([{"name": "nkk_language", "value": language, "url": self.url}])
        self.context.on("request", self._watch)
        self.context.on("console", self._hear)
        self.context.on("weberror", self._hear_error)
        self.page: Page = self.context.pages[0]

    def open(self, path: str) -> int:
        """Go to a page of the site; return its status."""
        response = self.page.goto(path)
        return response.status if response else 0

    def button(self, text: str) -> Locator:
        """Return the button labelled `text`, in this visitor's language."""
        return self.page.locator("main").get_by_role("button", name=said(text, self.language), exact=True)

    def press(self, text: str) -> None:
        """Press a button of the page's main part, given by its label."""
        self.button(text).click()

    def offers(self, text: str) -> bool:
        """Return whether the main part shows that button, which can be pressed."""
        return self.button(text).is_visible() and self.button(text).is_enabled()

    def fill(self, **fields: str) -> None:
        """Fill in fields, given by their ids."""
        for name, text in fields.items():
            self.page.fill(f"#{name}", text)

    def press_in(self, path: str) -> None:
        """Press the one button within what an XPath finds."""
        self.page.locator(f"xpath={path}//button").click()

    def choose(self, name: str, value: str) -> None:
        """Choose in a list, given by its id."""
        self.page.select_option(f"#{name}", value)

    def check(self, name: str, value: str, on: bool = True) -> None:
        """Check a box or make a choice, given by name and value; or with `on=False` uncheck it."""
        self.page.set_checked(f"[name='{name}'][value='{value}']", on)

    def value(self, name: str) -> str:
        """Return what a field holds, given by its id."""
        return self.page.input_value(f"#{name}")

    def is_checked(self, name: str, value: str) -> bool:
        """Return whether a box is checked or a choice made."""
        return self.page.is_checked(f"[name='{name}'][value='{value}']")

    def is_wrong(self, name: str) -> bool:
        """Return whether a field is marked as wrong."""
        return self.page.get_attribute(f"#{name}", "aria-invalid") == "true"

    def count(self, path: str) -> int:
        """Return how many elements an XPath finds."""
        return self.page.locator(f"xpath={path}").count()

    def text(self, path: str) -> str:
        """Return the text of the one element that an XPath finds."""
        return self.page.locator(f"xpath={path}").inner_text()

    def follow(self, text: str) -> None:
        """Follow the first link of the main part with that text."""
        self.page.locator("main").get_by_role("link", name=said(text, self.language), exact=True).first.click()

    def succeeds(self) -> None:
        """Wait until the page says that what was sent is done."""
        self.page.wait_for_selector(".notice.good")

    def arrives(self, path: str) -> None:
        """Wait until the window shows the page at a path."""
        self.page.wait_for_url(f"**{path}")

    def leaves(self, path: str) -> None:
        """Wait until the window shows a page other than the one at a path."""
        self.page.wait_for_url(lambda address: path not in address)

    def fetch(self, path: str) -> str:
        """Return a page's HTML without showing it."""
        return self.context.request.get(path).text()

    def follow_at(self, path: str) -> None:
        """Follow the one link that an XPath finds."""
        self.page.locator(f"xpath={path}").click()

    def forget(self, *cookies: str) -> None:
        """Delete cookies, at once: a page that asks for changes between two of them would get the first one again."""
        self.context.clear_cookies(name=re.compile(f"^({'|'.join(cookies)})$"))

    def read(self) -> str:
        """Return the text of the page's main part."""
        return self.page.inner_text("main")

    def accessibility(self, **options: Any) -> list[str]:
        """Return the violations of WCAG 2.2 AA that axe finds on this page."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate(
            "options => axe.run(document, options)",
            {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"], "preload": False, **options},
        )
        return [
            f"{self.page.url}: {fault['id']}: {node['html'][:160]}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]

    def too_wide(self) -> list[str]:
        """Return a finding where this page scrolls sideways, else an empty list."""
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [f"{self.page.url}: {width} px too wide"] if width > 0 else []

    def close(self) -> None:
        """Close the window; fail where a page contacted another site, violated its policy or had a script error."""
        if self._used_up:
            self.context.close()
        else:
            self._windows.take_back(self.context, **self._window)
            self.context.remove_listener("request", self._watch)
            self.context.remove_listener("console", self._hear)
            self.context.remove_listener("weberror", self._hear_error)
        assert self.strayed == []
        assert self.complaints == []

    def _watch(self, request: Request) -> None:
        if not request.url.startswith(self.url) and not request.url.startswith(("data:", "chrome-error:")):
            self.strayed.append(request.url)

    def _hear(self, message: ConsoleMessage) -> None:
        if re.search(r"Content Security Policy|Uncaught|Refused to", message.text):
            self.complaints.append(message.text)

    def _hear_error(self, error: WebError) -> None:
        self.complaints.append(str(error.error))
