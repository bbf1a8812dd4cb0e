"""The visitor that only knows HTML sends forms as a browser does."""

from urllib.parse import parse_qsl

import httpx
import pytest

from tests.browser.plain import PlainVisitor

PAGE = """<html><body><main>
<form id="one" action="/kirim" method="post" novalidate>
<input id="name" name="name" value="Siti">
<textarea id="text" name="text">
satu
dua</textarea>
<select id="topic" name="topic"><option value="1">a</option><option value="2" selected>b</option></select>
<input type="checkbox" name="box" value="1" checked><input type="checkbox" name="box" value="2">
<input type="radio" name="kind" value="1" checked><input type="radio" name="kind" value="2">
<input name="disabled" value="x" disabled>
<button name="decision" value="yes">Ya</button><button formaction="/lain">Lain</button>
</form>
<input name="outside" value="z" form="one">
<form action="/wajib" method="post"><input id="needed" name="needed" required><button>Kirim</button></form>
<form action="/cari"><input id="q" name="q" value="x y"><button>Cari</button></form>
</main></body></html>"""


@pytest.fixture
def sent() -> list[httpx.Request]:
    return []


@pytest.fixture
def visitor(sent: list[httpx.Request]) -> PlainVisitor:
    visitor = PlainVisitor("http://localhost")
    visitor.http = httpx.Client(
        base_url="http://localhost",
        transport=httpx.MockTransport(lambda request: sent.append(request) or httpx.Response(200, text=PAGE)),
    )
    visitor.open("/")
    return visitor


def test_it_sends_what_is_filled_in_chosen_and_checked_and_the_button(
    visitor: PlainVisitor, sent: list[httpx.Request]
) -> None:
    visitor.fill(name="Budi")
    visitor.choose("topic", "1")
    visitor.check("kind", "2")
    visitor.check("box", "2")
    visitor.check("box", "1", on=False)
    assert (visitor.value("text"), visitor.is_checked("kind", "1")) == ("satu\ndua", False)
    visitor.press("Ya")
    assert sent[-1].url.path == "/kirim"
    assert parse_qsl(sent[-1].content.decode()) == [
        ("name", "Budi"),
        ("text", "satu\r\ndua"),
        ("topic", "1"),
        ("box", "2"),
        ("kind", "2"),
        ("outside", "z"),
        ("decision", "yes"),
    ]


def test_a_button_may_send_elsewhere_and_a_search_asks_by_its_address(
    visitor: PlainVisitor, sent: list[httpx.Request]
) -> None:
    visitor.press("Lain")
    visitor.press("Cari")
    assert [(request.method, request.url.raw_path) for request in sent[1:]] == [
        ("POST", b"/lain"),
        ("GET", b"/cari?q=x+y"),
    ]


def test_what_a_browser_would_not_send_or_press_is_a_failure(visitor: PlainVisitor) -> None:
    with pytest.raises(AssertionError):
        visitor.press("Kirim")
    for impossible in (lambda: visitor.press("Tidak ada"), lambda: visitor.fill(missing="x")):
        with pytest.raises(ValueError, match="unpack"):
            impossible()
    with pytest.raises(AssertionError):
        visitor.choose("topic", "3")
