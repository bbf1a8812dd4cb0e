"""Browser tests of a whole installation, with one browser and one installation for all of them."""

from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from ops.stack.broker import PrivateNode, install_packages
from ops.stack.ports import free_port
from tests.browser.plain import PlainVisitor
from tests.browser.visitors import Visitor, Windows
from tests.installations import Installation, installation, new_vhost
from tests.people import People

CHROMIUM = Path("/usr/bin/chromium-headless-shell")

PLAIN_HOST = "kantor.example.id"
"""A host name that resolves to this machine, but over plain HTTP is no secure context, as 127.0.0.1 is."""

Visiting = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield Debian's headless Chromium, whose package is installed where it is missing.

    The headless shell takes a third less processor time than the full browser.
    """
    # The driver is a program of its own, which a bare Debian has not all libraries of.
    if not CHROMIUM.exists() or not find_library("atomic"):
        install_packages("chromium-headless-shell", "libatomic1")
    with sync_playwright() as playwright:
        # The sandbox needs privileges that containers and root lack; only our own pages are opened.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--in-process-gpu",
                f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def website_port() -> int:
    """Return the port of another website, whose scripts may use the API."""
    return free_port()


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, website_port: int) -> Iterator[Installation]:
    """Yield a running installation."""
    # A stage that is down is waited for as long as NKK_RPC_TIMEOUT says.
    settings = {"NKK_WEBSITE_ORIGINS": f"http://localhost:{website_port}", "NKK_RPC_TIMEOUT": "5"}
    with installation(tmp_path_factory.mktemp("browser"), new_vhost(rabbit), settings=settings) as running:
        yield running


@pytest.fixture(scope="package")
def people(whole: Installation) -> Iterator[People]:
    """Yield the people of that installation, who bring complaints to the tested step over the API."""
    with People(whole) as everybody:
        yield everybody


@pytest.fixture(scope="package")
def windows(browser: Browser, whole: Installation) -> Windows:
    """Return the browser's windows on that installation's site."""
    return Windows(browser, whole.url)


@pytest.fixture
def visiting(windows: Windows) -> Iterator[Visiting]:
    """Yield a function that opens a window: `visiting()`, `visiting("en", java_script_enabled=False)`.

    Each window is watched for faults until it is closed. With `plain=True` the visitor has a browser that only knows
    HTML.
    """
    visitors: list[Visitor | PlainVisitor] = []

    def visit(language: str = "id", plain: bool = False, **window: Any) -> Visitor | PlainVisitor:
        visitors.append(PlainVisitor(windows.url, language) if plain else Visitor(windows, language, **window))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.close()


@pytest.fixture(scope="package")
def logged_in() -> dict[str, Any]:
    """Return the cookies of logged-in staff by user name, so that tests share log-ins."""
    return {}


@pytest.fixture
def staff(people: People, visiting: Visiting, logged_in: dict[str, Any]) -> Visiting:
    """Return a function that opens a window for staff: `staff("operator")`, `staff("opd_team", "disdukcapil")`."""

    def log_in(role: str, opd: str | None = None, language: str = "id", **window: Any) -> Visitor | PlainVisitor:
        account = people.credentials(role, opd)
        visitor = visiting(language, **window)
        if isinstance(visitor, PlainVisitor):
            return visitor.log_in(account["username"], account["password"])
        if account["username"] not in logged_in:
            visitor.log_in(account["username"], account["password"])
            logged_in[account["username"]] = [
                cookie for cookie in visitor.context.cookies() if cookie["name"] != "nkk_language"
            ]
            return visitor
        visitor.context.add_cookies(logged_in[account["username"]])
        visitor.open("/admin" if role == "admin" else "/meja")
        return visitor

    return log_in


@pytest.fixture
def empty_desk(people: People) -> None:
    """Hand over all waiting complaints, so that a test's own are on the worklist's first page."""
    for ticket in people.operator.desk("intake"):
        people.operator.post(f"/complaints/{ticket}/handover")
