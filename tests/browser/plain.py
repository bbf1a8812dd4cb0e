"""A visitor whose browser has neither scripts nor a screen: it fills in and sends forms as HTML says.

A tenth of the work of a browser's window. What a real browser makes of the pages without scripts is tested in
test_journey.py and test_once.py.
"""

from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from lxml.html import HtmlElement, document_fromstring

from tests.browser.visitors import Acts, said
from tests.installations import PATIENCE

BUTTONS = ("submit", "button", "image", "reset")


class PlainVisitor(Acts):
    """A visitor without scripts. Fields are given by their ids, boxes and choices by name and value."""

    def __init__(self, url: str, language: str = "id") -> None:
        self.language = language
        # The header by which a browser says that a form was sent from the site's own page.
        self.http = httpx.Client(
            base_url=url, follow_redirects=True, timeout=PATIENCE, headers={"Sec-Fetch-Site": "same-origin"}
        )
        if language != "id":
            self.http.cookies.set("nkk_language", language)
        self.response: httpx.Response
        self.page: HtmlElement

    def open(self, path: str) -> int:
        """Go to a page of the site; return its status."""
        self._show(self.http.get(path))
        return self.response.status_code

    def read(self) -> str:
        """Return the text of the page's main part, with single spaces."""
        return _words(self._one("//main"))

    def count(self, path: str) -> int:
        """Return how many elements an XPath finds."""
        return len(self.page.xpath(path))

    def text(self, path: str) -> str:
        """Return the text of the one element that an XPath finds."""
        return _words(self._one(path))

    def follow(self, text: str) -> None:
        """Follow the first link of the main part with that text."""
        wanted = said(text, self.language)
        link = next(link for link in self.page.xpath("//main//a[@href]") if _words(link) == wanted)
        self.open(urljoin(str(self.response.url), link.get("href")))

    def follow_at(self, path: str) -> None:
        """Follow the one link that an XPath finds."""
        self.open(urljoin(str(self.response.url), self._one(path).get("href")))

    def fetch(self, path: str) -> str:
        """Return a page's HTML without showing it."""
        return self.http.get(path).text

    def leaves(self, path: str) -> None:
        """Check that this is not the page at a path."""
        assert self.response.url.path != path, self.read()

    def succeeds(self) -> None:
        """Check that the page says that what was sent is done."""
        assert self.count("//*[@class='notice good' or starts-with(@class, 'notice good ')]"), self.read()

    def arrives(self, path: str) -> None:
        """Check that this is the page at a path."""
        assert self.response.url.raw_path.decode() == path

    def fill(self, **fields: str) -> None:
        """Fill in fields, or choose in lists."""
        for name, text in fields.items():
            field = self._field(name)
            if field.tag == "select":
                assert text in field.value_options, (name, field.value_options)
            assert "disabled" not in field.attrib, name
            field.value = text

    def choose(self, name: str, value: str) -> None:
        """Choose in a list."""
        self.fill(**{name: value})

    def check(self, name: str, value: str, on: bool = True) -> None:
        """Check or choose, or with `on=False` uncheck."""
        box = self._box(name, value)
        if box.get("type") == "radio":
            for other in self.page.xpath("//input[@type='radio' and @name=$name]", name=name):
                other.checked = False
        box.checked = on

    def value(self, name: str) -> str:
        """Return what a field holds."""
        field = self._field(name)
        return (field.value or "").removeprefix("\n") if field.tag == "textarea" else field.value or ""

    def is_checked(self, name: str, value: str) -> bool:
        return self._box(name, value).checked

    def kept(self) -> list[str]:
        """Return the texts that the main part shows again without sending them."""
        return [(area.value or "").removeprefix("\n") for area in self.page.xpath("//main//textarea[@readonly]")]

    def is_wrong(self, name: str) -> bool:
        """Return whether a field is marked as wrong."""
        return self._field(name).get("aria-invalid") == "true"

    def offers(self, text: str) -> bool:
        """Return whether the main part has that button, which can be pressed."""
        return any("disabled" not in button.attrib for button in self._buttons(text))

    def press(self, text: str) -> None:
        """Press a button of the main part, given by its label."""
        [button] = self._buttons(text)
        self._send(button)

    def press_in(self, path: str) -> None:
        """Press the one button within what an XPath finds."""
        self._send(self._one(f"{path}//button"))

    def forget(self, *cookies: str) -> None:
        """Delete cookies."""
        for name in cookies:
            self.http.cookies.delete(name)

    def close(self) -> None:
        self.http.close()

    def _send(self, button: Any) -> None:
        form = _form_of(button)
        pairs = [pair for field in self.page.iter("input", "select", "textarea") for pair in _sent(field, form)]
        if button.get("name"):
            pairs.append((button.get("name"), button.get("value", "")))
        here = str(self.response.url)
        address = urljoin(here, button.get("formaction") or form.get("action") or here)
        if form.get("method", "get") == "get":
            self._show(self.http.get(address, params=pairs))
            return
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._show(self.http.post(address, content=urlencode(pairs), headers=headers))

    def _show(self, response: httpx.Response) -> None:
        self.response, self.page = response, document_fromstring(response.text)

    def _one(self, path: str, **known: str) -> Any:
        [found] = self.page.xpath(path, **known)
        return found

    def _field(self, name: str) -> Any:
        return self._one("//*[@id=$name]", name=name)

    def _box(self, name: str, value: str) -> Any:
        return self._one("//input[@name=$name and @value=$value]", name=name, value=value)

    def _buttons(self, text: str) -> list[Any]:
        wanted = said(text, self.language)
        return [button for button in self.page.xpath("//main//button") if _words(button) == wanted]


def _words(element: Any) -> str:
    """Return the text of an element without that of scripts, with single spaces."""
    return " ".join("".join(element.xpath(".//text()[not(ancestor::script)]")).split())


def _form_of(field: Any) -> Any:
    """Return the form that a field or button belongs to, wherever it stands."""
    if field.get("form"):
        return field.getroottree().xpath("//form[@id=$name]", name=field.get("form"))[0]
    return next(field.iterancestors("form"), None)


def _sent(field: Any, form: Any) -> list[tuple[str, str]]:
    """Return what a field adds to its form's content."""
    if not field.get("name") or "disabled" in field.attrib or _form_of(field) is not form:
        return []
    kind = field.get("type", "text")
    if kind in BUTTONS or (kind in ("checkbox", "radio") and not field.checked):
        return []
    assert "novalidate" in form.attrib or "required" not in field.attrib or field.value, "a browser would not send it"
    text = (field.value or "").removeprefix("\n") if field.tag == "textarea" else field.value
    return [(field.get("name"), "\r\n".join((text or "").splitlines()))]
