"""A link to the complaint's form that chooses the category, followed by whom it may be."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import StageUnavailableError
from tests.unit.gateway.test_registering_page import RIGHT, WRONG
from tests.unit.gateway.visits import FORM, FakeBackend, log_in, token

LINK = "/laporan/baru?kategori=kode-etik/bernegara"
CHOSEN = '<option value="kode-etik/bernegara" dir="auto" selected>'
SAID = {
    "id": "Kategori yang disebut tautan tadi tidak ada dalam daftar. Pilih sendiri.",
    "en": "The category that the link names is not on the list. Choose one yourself.",
}


def links(page: str, path: str) -> set[str]:
    """Return the addresses that links and forms of `page` lead to, among those that begin with `path`."""
    found = re.findall(r'(?:href|action)="([^"]+)"', page)
    return {unescape(address) for address in found if address.startswith(path)}


def onward(address: str) -> str:
    return parse_qs(urlsplit(address).query)["ke"][0]


def follow(client: FlaskClient, address: str) -> str:
    """Return the page at the end of the redirects."""
    answer = client.get(address, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def test_who_is_logged_in_finds_the_category_chosen(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    log_in(client, stages, opened())
    page = follow(client, LINK)
    assert CHOSEN in page
    assert "topic-fault" not in page


def test_who_has_an_account_logs_in_and_finds_it_chosen_also_at_the_second_try_and_in_english(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    first = client.get(LINK)
    assert onward(first.location) == LINK
    sent = FORM | {"csrf_token": token(client, first.location), "ke": LINK}
    page = client.post("/masuk", data=sent | {"password": ""})
    assert page.status_code == 422
    (english,) = links(page.text, "/bahasa/en")
    again = client.get(english).location
    assert onward(again) == LINK
    assert "Log in" in client.get(again).text
    stages.answers["log_in"] = opened()
    entered = client.post("/masuk", data=sent)
    assert CHOSEN in follow(client, entered.location)


def test_who_has_no_account_registers_and_finds_it_chosen_also_at_the_second_try(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    page = follow(client, LINK)
    to_register, *others = links(page, "/daftar?")
    assert {onward(address) for address in (to_register, *others)} == {LINK}
    page = client.get(to_register).text
    assert {onward(address) for address in links(page, "/masuk?")} == {LINK}
    assert f'name="ke" value="{LINK}"' in page
    sent = {"csrf_token": token(client, to_register), "ke": LINK}
    page = client.post("/daftar", data=WRONG | sent).text
    assert f'name="ke" value="{LINK}"' in page
    assert {onward(onward(address)) for address in links(page, "/bahasa/en")} == {LINK}
    stages.answers |= {"register": {}, "log_in": opened()}
    entered = client.post("/daftar", data=RIGHT | sent)
    assert CHOSEN in follow(client, entered.location)


def test_who_is_registered_but_not_let_in_at_once_still_goes_on_to_it(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers |= {"register": {}, "log_in": StageUnavailableError("intake")}
    answer = client.post("/daftar", data=RIGHT | {"csrf_token": token(client, "/daftar"), "ke": LINK})
    assert onward(answer.location) == LINK


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "x"])
def test_registration_leads_to_this_site_only(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]], elsewhere: str
) -> None:
    stages.answers |= {"register": {}, "log_in": opened()}
    answer = client.post("/daftar", data=RIGHT | {"csrf_token": token(client, "/daftar"), "ke": elsewhere})
    assert answer.location == "/laporan/baru"


def test_staff_get_their_usual_answer(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    log_in(client, stages, opened("operator"))
    answer = client.get(LINK)
    assert (answer.status_code, "Halaman ini bukan untuk peran Anda" in answer.text) == (403, True)


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize(
    "name",
    [
        "kode-etik",
        "kode-etik/",
        "kode-etik/bernegara/",
        "/bernegara",
        "tidak/ada",
        "\x00",
        "\r\nX-Evil: 1",
        "\ud800".encode("utf-8", "surrogatepass"),
        '"><script>alert(1)</script>/x',
        "x" * 2000,
    ],
    ids=lambda name: repr(name)[:20],
)
def test_a_category_that_is_on_no_list_leaves_the_form_open_and_is_said_at_its_field(
    client: FlaskClient,
    stages: FakeBackend,
    opened: Callable[..., dict[str, Any]],
    name: str | bytes,
    language: str,
) -> None:
    log_in(client, stages, opened())
    client.set_cookie("nkk_language", language)
    answer = client.get("/laporan/baru", query_string={"kategori": name}, follow_redirects=True)
    assert answer.status_code == 200
    page = answer.text
    assert "selected" not in page.partition('<select id="topic"')[2].partition("</select>")[0]
    assert SAID[language] in page.partition('id="topic-fault"')[2].partition("</p>")[0]
    assert 'role="alert"' not in page
    assert "<script>alert" not in page
    assert "X-Evil" not in answer.headers


def test_without_a_category_nothing_is_said(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    log_in(client, stages, opened())
    for address in ("/laporan/baru", "/laporan/baru?kategori="):
        assert "topic-fault" not in follow(client, address)
