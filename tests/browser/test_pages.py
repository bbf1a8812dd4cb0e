"""Requirements of every page: accessibility, keyboard, small screens, weight and security headers."""

from collections.abc import Callable
from datetime import datetime
from itertools import cycle, pairwise
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from gateway.app import create_app
from gateway.proxies import Proxies
from nkk.sop.clock import WIB
from tests.browser.visitors import OF_THE_LOOK, Visitor, Windows
from tests.installations import Installation, eventually
from tests.people import PASSWORD, People, Person, travel_as_complaint, travel_as_information

Opening = Callable[..., Visitor]

LONG = "Ketidakbertanggungjawabannyalah" * 4
FIRST_VISIT_BYTES, LATER_VISIT_BYTES = 100_000, 20_000
PAGES = (
    "public",
    "account",
    "reporter",
    "cases",
    "papers",
    "desk",
    "overview",
    "office",
    "times",
    "versions",
    "holidays",
    "teams",
)
NO_PAGES = {
    "public.speak",
    "desk.home",
    "desk.back",
    "desk.refreshed",
    "desk.changes",
    "cases.back",
    "papers.file",
    "papers.back",
    "overview.exported",
    "office.home",
    "office.back",
    "times.back",
}
"""Endpoints with GET that are not pages: files, fragments, streams and redirects."""

STOPS, AT_A_TIME = 60, 10
RECORD_THE_FOCUS = """() => {
    window.stops = [];
    document.addEventListener('focusin', ({target}) => {
        const box = target.getBoundingClientRect(), style = getComputedStyle(target);
        stops.push({at: [...document.querySelectorAll('*')].indexOf(target), what: target.outerHTML.slice(0, 80),
            top: box.top + scrollY, bottom: box.bottom + scrollY, left: box.left,
            shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2});
    });
    document.addEventListener('focusout', event => event.relatedTarget || stops.push(null));
}"""
"""A script that records where the focus comes to in `stops`; null where it leaves the page."""


@pytest.fixture(scope="module")
def places(people: People, whole: Installation) -> dict[str, list[str]]:
    """Return the paths of every page by role, and the reporter's user name as `account`."""
    owner = people.reporter()
    waiting = people.submit(owner, subject_line=LONG, text=f"{LONG}\n\n{LONG}", place=LONG, accused_name=LONG)
    to_classify = people.submit(owner)
    people.operator.act(f"/complaints/{to_classify}/handover")
    to_answer, answered = people.submit(owner), travel_as_information(people, owner)
    people.operator.act(f"/complaints/{to_answer}/handover")
    people.main_team.act(f"/complaints/{to_answer}/classification", {"kind": "information", "note": LONG})
    returned, to_approve = _with_the_opd(people, owner), _with_the_opd(people, owner)
    people.main_team.act(f"/complaints/{returned}/approval", {"approved": False, "note": "Belum menjawab."})
    closed = travel_as_complaint(people, owner, "disdukcapil")
    opd_team = people.opd_team("disdukcapil")
    eventually(lambda: returned in opd_team.desk("opd"))
    assert owner.account is not None
    return {
        "account": [str(owner.account["username"])],
        "anyone": [
            "/",
            "/daftar",
            "/akun/kode",
            "/masuk",
            "/masuk?ke=/laporan",
            "/sampai-jumpa",
            "/tidak-ada",
            "/lupa-sandi",
            "/atur-ulang-sandi",
        ],
        "reporter": [
            "/laporan",
            "/laporan/baru",
            "/cari",
            "/akun",
            "/akun/kontak",
            f"/laporan/{waiting}",
            f"/laporan/{waiting}/tanda-terima",
            f"/laporan/{answered}",
            f"/laporan/{closed}",
            f"/laporan/{returned}",
            "/laporan/NKK-2026-EDXY-ER30",
        ],
        "operator": [
            "/meja/serah-terima",
            "/meja/jawaban",
            f"/laporan/{waiting}",
            f"/laporan/{to_answer}",
            f"/laporan/{closed}",
            "/cari?tiket=abc",
            "/admin/staf",
            "/ikhtisar",
            "/meja/serah-terima?cari=x&terlambat=ya",
        ],
        "main_team": ["/meja/tim-utama", "/ikhtisar", f"/laporan/{to_classify}", f"/laporan/{to_approve}"],
        "opd_team": ["/meja/opd", f"/laporan/{returned}", f"/laporan/{closed}"],
        "admin": [
            "/admin/staf",
            "/admin/staf/baru",
            "/admin/staf/operator",
            "/admin/perangkat-daerah",
            "/admin/kategori",
            "/admin/kategori/kode-etik",
            "/admin/kategori/baru",
            "/ikhtisar",
            "/admin/kalender",
            "/admin/kalender/pekan",
            "/admin/kalender/versi",
            "/admin/kalender/versi/1",
            f"/admin/kalender/hari-nasional?tahun={datetime.now(WIB).year + 2}",
            "/admin/alamat-tim",
            "/akun",
        ],
    }


def _with_the_opd(people: People, owner: Person) -> str:
    ticket = people.submit(owner)
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "disdukcapil"})
    people.opd_team("disdukcapil").act(f"/complaints/{ticket}/response", {"text": LONG})
    eventually(lambda: ticket in people.main_team.desk("triage"))
    return ticket


@pytest.fixture(params=["anyone", "reporter", "operator", "main_team", "opd_team", "admin"])
def touring(
    request: pytest.FixtureRequest, places: dict[str, list[str]], visiting: Opening, staff: Opening
) -> tuple[Visitor, list[str]]:
    """Return a visitor of each role, and the paths of their pages."""
    role = request.param
    if role == "anyone":
        visitor = visiting()
    elif role == "reporter":
        visitor = visiting().log_in(places["account"][0], PASSWORD)
    else:
        visitor = staff(role, "disdukcapil" if role == "opd_team" else None)
    return visitor, places[role]


def test_the_tools_that_look_would_see(visiting: Opening) -> None:
    visitor = visiting()
    visitor.open("/")
    visitor.page.evaluate("""document.querySelector('main').insertAdjacentHTML('beforeend',
        '<img src="data:,"><div id="wide">x</div>'); document.querySelector('#wide').style.width = '3000px'""")
    assert "image-alt" in "".join(visitor.accessibility())
    assert visitor.too_wide() != []
    # Violations of the page's Content Security Policy: an inline event handler, and a request to another site.
    visitor.page.evaluate("document.body.setAttribute('onclick', 'document.title = 1'); document.body.click()")
    visitor.page.evaluate("fetch('https://elsewhere.example.id/').catch(() => null)")
    assert len(visitor.complaints) >= 2
    visitor.complaints.clear()
    visitor.strayed.clear()


def test_every_page_meets_wcag_in_light_and_dark_fits_a_small_phone_and_is_used_by_the_keys(
    touring: tuple[Visitor, list[str]],
) -> None:
    """The keys go through each page once, either on a wide screen or on a small phone; no token is in its content."""
    visitor, paths = touring
    tokens = [
        cookie["value"] for cookie in visitor.context.cookies() if cookie["name"] in ("nkk_access", "nkk_refresh")
    ]
    assert len(tokens) == (0 if "/masuk" in paths else 2)
    found: list[str] = []
    for path, wide in zip(paths, cycle([True, False])):
        visitor.page.set_viewport_size({"width": 1280, "height": 800})
        visitor.page.emulate_media(color_scheme="light")
        visitor.open(path)
        found += visitor.accessibility()
        if wide:
            found += _faults_of_the_keys(visitor, path)
        visitor.page.emulate_media(color_scheme="dark")
        visitor.page.set_viewport_size({"width": 360, "height": 740})
        found += visitor.accessibility(runOnly=OF_THE_LOOK)
        found += visitor.too_wide()
        if not wide:
            found += _faults_of_the_keys(visitor, path)
        content = visitor.page.content()
        found += [f"{path}: a token" for token in tokens if token in content]
    assert "\n".join(found) == ""
    assert visitor.page.evaluate("document.cookie") == ""


def _faults_of_the_keys(visitor: Visitor, path: str) -> list[str]:
    """Return where Tab leaves the order of the page, or does not show the focus."""
    places = _stops(visitor)
    assert len(places) > 2, path
    found = []
    if places != sorted(places, key=lambda stop: stop["at"]):
        found.append(f"{path}: not in the order of the page")
    # Within a column, the focus must not move to a line above.
    found += [
        f"{path}: {after['what']} stands above {before['what']}"
        for before, after in pairwise(places)
        if after["bottom"] <= before["top"] and after["left"] <= before["left"]
    ]
    found += [f"{path}: {stop['what']} does not show that it has the focus" for stop in places if not stop["shown"]]
    return found


def _stops(visitor: Visitor) -> list[dict[str, Any]]:
    """Return where Tab leads from the top of the page, until it leaves the page or comes to a place again."""
    visitor.page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    visitor.page.evaluate(RECORD_THE_FOCUS)
    places: list[dict[str, Any]] = []
    for _ in range(STOPS // AT_A_TIME):
        # The key is held down and repeats, which is less work than as many keystrokes.
        for _ in range(AT_A_TIME):
            visitor.page.keyboard.down("Tab")
        for stop in visitor.page.evaluate("stops.splice(0)"):
            if stop is None or stop["at"] in [seen["at"] for seen in places]:
                visitor.page.keyboard.up("Tab")
                return places
            places.append(stop)
    visitor.page.keyboard.up("Tab")
    return places


def test_every_page_there_is_is_among_them(places: dict[str, list[str]]) -> None:
    app = create_app(
        {
            "AMQP_URI": "amqp://localhost",
            "INTAKE_PUBLIC_KEY": "",
            "TOKEN_PUBLIC_KEY": "",
            "SITE_KEY": "x",
            "RPC_TIMEOUT": 1,
            "TRUSTED_PROXIES": Proxies(),
            "LIVE_STREAMS": 1,
            "RATELIMIT_STORAGE_URI": "memory://",
        }
    )
    routes = app.url_map.bind("localhost")
    seen = {
        routes.match(path.split("?")[0])[0]
        for role, paths in places.items()
        if role != "account"
        for path in paths
        if path != "/tidak-ada"
    }
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in PAGES
    }
    assert pages - seen == NO_PAGES


def test_a_page_is_there_before_any_script(visiting: Opening, places: dict[str, list[str]]) -> None:
    visitor = visiting(used_up=True).log_in(places["account"][0], PASSWORD)
    visitor.context.route("**/*.js", lambda _: None)
    for path in ("/", *places["reporter"]):
        visitor.page.goto(path, wait_until="commit")
        visitor.page.wait_for_selector("h1")
        # Polled from here, because polling within the page would need an eval, which its policy forbids.
        eventually(lambda: visitor.page.evaluate("performance.getEntriesByName('first-contentful-paint').length"))


def test_pages_that_say_no_meet_wcag_too(visiting: Opening, staff: Opening, people: People) -> None:
    visitor = visiting()
    visitor.open("/daftar")
    visitor.press("Daftar")
    found = visitor.accessibility() + visitor.too_wide()
    visitor.register()
    visitor.press("Kirim laporan")
    found += visitor.accessibility() + visitor.too_wide()
    visitor.write()
    for name in ("nkk_access", "nkk_refresh"):
        visitor.context.clear_cookies(name=name)
    visitor.press("Kirim laporan")
    found += visitor.accessibility()
    operator = staff("operator")
    operator.page.keyboard.press("?")
    found += operator.accessibility()
    assert "\n".join(found) == ""


def test_a_page_is_named_once_has_one_heading_and_speaks_the_visitors_language(
    places: dict[str, list[str]], visiting: Opening
) -> None:
    for language in ("id", "en"):
        visitor = visiting(language)
        titles = set()
        for path in ("/", "/daftar", "/masuk"):
            visitor.open(path)
            assert visitor.page.locator("h1").count() == 1
            assert visitor.page.get_attribute("html", "lang") == language
            titles.add(visitor.page.title())
        assert len(titles) == 3
        visitor.open("/daftar")
        visitor.page.click("footer .languages a")
        visitor.page.wait_for_load_state()
        assert visitor.page.url.endswith("/daftar")
        assert visitor.page.get_attribute("html", "lang") != language


def test_text_twice_as_large_still_fits(visiting: Opening, places: dict[str, list[str]]) -> None:
    visitor = visiting(viewport={"width": 640, "height": 800}, device_scale_factor=2)
    visitor.log_in(places["account"][0], PASSWORD)
    found = []
    for path in ("/", *places["reporter"]):
        visitor.open(path)
        found += visitor.too_wide()
    assert "\n".join(found) == ""


def test_the_receipt_prints_without_what_is_no_part_of_it(visiting: Opening, places: dict[str, list[str]]) -> None:
    visitor = visiting().log_in(places["account"][0], PASSWORD)
    visitor.open(next(path for path in places["reporter"] if path.endswith("tanda-terima")))
    visitor.page.emulate_media(media="print")
    assert not visitor.page.locator("header.site").is_visible()
    assert not visitor.page.get_by_role("link", name="Ikuti laporan ini").is_visible()
    assert visitor.page.locator(".ticket-big").is_visible()
    assert visitor.page.locator(".print-only").is_visible()


def test_a_first_visit_is_light_and_a_later_one_lighter(
    browser: Browser, whole: Installation, places: dict[str, list[str]]
) -> None:
    visitor = Visitor(Windows(browser, whole.url), used_up=True).log_in(places["account"][0], PASSWORD)
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    received: list[int] = []
    session.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))

    def weight(path: str) -> int:
        received.clear()
        visitor.page.goto(path, wait_until="networkidle")
        return sum(received)

    for path in ("/", *places["reporter"]):
        session.send("Network.clearBrowserCache")
        first, later = weight(path), weight(path)
        assert 2_000 < first <= FIRST_VISIT_BYTES, path
        assert 500 < later <= LATER_VISIT_BYTES, path
    visitor.close()


def test_the_browser_is_told_what_a_page_may_do_and_what_it_may_keep(whole: Installation) -> None:
    with httpx.Client(base_url=whole.url) as http:
        page = http.get("/masuk")
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert "HttpOnly" in page.headers["Set-Cookie"]
        assert "SameSite=Lax" in page.headers["Set-Cookie"]
        style = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        kept = http.get(style)
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert kept.headers["Content-Encoding"] == "gzip"
        assert http.get(style, headers={"Accept-Encoding": "identity"}).text == kept.text
        assert http.get(style.replace("/statis/", "/statis/0")).status_code == 404
        assert "Set-Cookie" not in http.get("/").headers
