"""Every address with every method, by everybody: nothing changes but by what is meant to change it.

The databases of all four stages are compared, row by row, before and after.
"""

import http.client
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from gateway.methods import EFFECTS, FOR_PROGRAMS
from nkk.contracts import STAGES
from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.access import WHO, table
from tests.current.documents import application
from tests.databases import engine, tables
from tests.hostile.test_pages import visitor
from tests.hostile.whole import whole_installation
from tests.installations import PATIENCE, Installation, eventually
from tests.people import PASSWORD, People, travel_as_complaint, travel_as_information

pytestmark = pytest.mark.long

METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "QUERY",
    "MADE-UP",
    "post",
    "Head",
)
TAKEN = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")
"""The methods that some address accepts, tried with and without a body."""

TAKEN_AT = {"PATCH": ("/api/v1/uploads/", "/unggahan/")}
"""The methods that uploads alone accept, and the beginnings of their addresses for programs and for pages."""

AT_ONCE = 8

OPD = "disdukcapil"
EVERYBODY = {
    "nobody": "nobody",
    "reporter": "owner",
    "operator": "operator",
    "main_team": "Tim Utama",
    "opd_team": "OPD",
    "admin": "admin",
}
"""The walkers, and their names in docs/access.md."""

FORM = {
    "kind": "public",
    "identity_number": "1971014107900001",
    "name": "Dibuat Lewat Kepala",
    "email": "kepala@example.id",
    "phone": "+62 812 0000 0000",
    "username": "akun-dari-head",
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "sandi-yang-baru-7",
    "role": "operator",
    "token": "0" * 40,
    "claimed_kind": "complaint",
    "topic": "kode-perilaku/disiplin",
    "subject_line": "Dari kepala",
    "text": "Kepala.",
    "key": "0" * 32,
    "source": "",
    "sub-key-0": "satu",
    "sub-name-0": "Satu",
    "opd-key-0": "satu",
    "opd-name-0": "Satu",
    "version": "1",
    "day-0": "07.30-12.00",
    "operator-email": "tim@example.id",
    "approved": "yes",
    "opd": OPD,
    "hari-2026-12-25": "1",
    "day": "2026-12-31",
    "first": "2026-12-01",
    "last": "2026-12-31",
    "season_name": "Musim",
}
"""One form for every page, of which each takes the fields it knows."""

OWN_WORK: dict[str, set[str]] = {
    "outbox": {"sent_at", "held_until"},
    "messages": {"next_try_at", "tries", "tried_since", "why", "sent_at", "given_up_at"},
}
"""The columns that the service changes by itself, by table."""

STAFF = ("operator", "main_team", "opd_team")
RECORDS = {f"{stage}.record" for stage in STAGES}
"""The tables that record which staff have viewed a case."""

BOOKKEEPING = {"used_boxes"}
"""Tables that note every sealed call, whatever its result, so that it is not accepted twice."""


@dataclass
class Walker:
    """A client with the cookies of a logged-in browser, and an access token."""

    name: str
    cookies: str = ""
    token: str | None = None
    csrf: str = ""


@dataclass
class Books:
    """The rows of every stage's database."""

    installation: Installation

    def read(self) -> dict[str, set[str]]:
        """Return the rows by table, without the columns that the service changes by itself."""
        return {f"{stage}.{name}": rows for stage in STAGES for name, rows in self._of(stage)}

    def changed(self, before: Mapping[str, set[str]]) -> dict[str, set[str]]:
        """Return the rows that were added or removed since `before`, by table."""
        return {name: rows ^ before[name] for name, rows in self.read().items() if rows != before[name]}

    def _of(self, stage: str) -> Iterator[tuple[str, set[str]]]:
        with engine(self.installation, stage).connect() as connection:
            there = tables(self.installation, stage).sorted_tables
            for one in (table for table in there if table.name not in BOOKKEEPING):
                columns = [column for column in one.c if column.name not in OWN_WORK.get(one.name, ())]
                yield one.name, {str(tuple(row)) for row in connection.execute(select(*columns))}


@dataclass(frozen=True)
class Address:
    """A route of the gateway, with its path filled in."""

    endpoint: str
    path: str
    operation: str
    takes: frozenset[str]

    @property
    def for_programs(self) -> bool:
        return self.path.startswith(FOR_PROGRAMS)

    @property
    def gives_file(self) -> bool:
        """Return whether a GET makes a document, which is slow."""
        return self.path.endswith((".pdf", ".docx"))


def addresses(ticket: str) -> list[Address]:
    """Return every address of the gateway."""

    def value(rule: Rule, name: str) -> Any:
        known = {
            "ticket": ticket,
            "username": "admin",
            "kind": "tanda-terima",
            "key": "kode-perilaku",
            "day": "2026-12-31",
            "first": "2026-12-01",
            "month": "2026-03",
            "code": "en",
        }
        converter = rule._converters[name]
        if isinstance(converter, AnyConverter):
            return "pdf" if name == "format" else sorted(converter.items)[0]
        return 1 if isinstance(converter, IntegerConverter) else known.get(name, "x")

    app = application()
    found = []
    with app.test_request_context("/"):
        for rule in app.url_map.iter_rules():
            # Built from this rule, because an endpoint may have several, with other arguments.
            _, path = rule.build({name: value(rule, name) for name in rule.arguments})
            operation = re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
            found.append(Address(rule.endpoint, path, operation, frozenset(rule.methods or ())))
    return found


class Door:
    """A client for requests with any method, several at once, with a connection for each thread."""

    def __init__(self, whole: Installation) -> None:
        self._port = whole.stack.port
        self._mine = local()
        self._lines: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def all(self, requests: Iterable[tuple[Any, ...]]) -> list[int]:
        """Send each of `requests` by `ask`; return the statuses."""
        return list(self._pool.map(lambda request: self.ask(*request), requests))

    def close(self) -> None:
        self._pool.shutdown()
        for line in self._lines:
            line.close()

    def ask(self, walker: Walker, method: str, path: str, body: bytes | None, kind: str) -> int:
        """Send a request; return the status."""
        headers = {"Content-Type": kind} if body is not None else {}
        headers |= {"Cookie": walker.cookies} if walker.cookies else {}
        headers |= {"Authorization": f"Bearer {walker.token}"} if walker.token else {}
        try:
            return self._answered(method, path, body, headers)
        except (http.client.HTTPException, ConnectionError):
            # The server had closed the connection, as after a request that it could not read.
            self._mine.line.close()
            return self._answered(method, path, body, headers)

    def _answered(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
        if getattr(self._mine, "line", None) is None:
            self._mine.line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            self._lines.append(self._mine.line)
        self._mine.line.request(method, path, body, headers)
        response = self._mine.line.getresponse()
        response.read()
        return response.status


@dataclass
class Grounds:
    """What a walk needs: the client, the databases, the addresses, the walkers, and the access rules."""

    door: Door
    books: Books
    addresses: list[Address]
    walkers: dict[str, Walker]
    people: People
    access: dict[str, tuple[str, ...]]

    def walk(self, walker: Walker, method: str, listed: bool) -> dict[tuple[str, str], int]:
        """Try `method` on addresses, with a body and without; return the statuses.

        These are the addresses in EFFECTS, whose GET may change something, or with `listed` false all the others.
        """
        there = [address for address in self.addresses if self._has_effect(address) == listed]
        asked = [
            (address, body)
            for address in there
            for body in (True, False)[: 1 + (method in TAKEN)]
            if not self._is_meant(walker, method, address) and (body or not address.gives_file)
        ]
        answered = self.door.all(
            (walker, method, address.path, *self._form(walker, method, address, body)) for address, body in asked
        )
        return {
            (address.path, "with a body" if body else "without"): status
            for (address, body), status in zip(asked, answered, strict=True)
        }

    def _has_effect(self, address: Address) -> bool:
        """Return whether a GET of this path may change something; an operation of another method may share it."""
        return any(each.endpoint in EFFECTS for each in self.addresses if each.path == address.path)

    def _form(self, walker: Walker, method: str, address: Address, has_body: bool) -> tuple[bytes | None, str]:
        """Return a body that would make a page act, and its type; with the CSRF token except for POST."""
        form = FORM | ({} if method == "POST" else {"csrf_token": walker.csrf})
        if address.endpoint == "public.log_in":
            form |= self.people.credentials("operator")
        kind = "application/json" if address.for_programs else "application/x-www-form-urlencoded"
        body = json.dumps(form) if address.for_programs else urlencode(form)
        return body.encode() if has_body else None, kind

    def _is_meant(self, walker: Walker, method: str, address: Address) -> bool:
        """Return whether it may change something: an allowed operation of the API, or the reporter's opening."""
        if method == "GET":
            return walker.name == "reporter" and self._has_effect(address)
        operation = f"{method} {address.operation}"
        return operation in self.access and self.access[operation][WHO.index(EVERYBODY[walker.name])] == "✓"


def log_in(people: People, name: str, account: Mapping[str, Any]) -> Walker:
    """Log in to the site and to the API; return the walker."""
    credentials = {key: account[key] for key in ("username", "password")}
    browser = visitor(people, **credentials)
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sampai-jumpa").text)
    assert found
    cookies = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
    browser.close()
    return Walker(name, cookies, people.log_in(**credentials).token, found[1])


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, postgres: PrivatePostgres
) -> Iterator[Installation]:
    """Yield an installation of its own: what other tests left becomes due at any time, and changes rows by itself."""
    with whole_installation(tmp_path_factory.mktemp("methods"), rabbit, postgres) as running:
        yield running


@pytest.fixture(scope="module")
def people(whole: Installation) -> Iterator[People]:
    """Yield the people of that installation."""
    with People(whole) as everybody:
        yield everybody


@pytest.fixture(scope="module")
def grounds(whole: Installation, people: People) -> Iterator[Grounds]:
    """Yield the installation, with a complaint that is answered and not opened yet."""
    reporter = people.reporter()
    ticket = travel_as_complaint(people, reporter, OPD)
    assert reporter.account
    walkers = {
        "nobody": Walker("nobody"),
        "reporter": log_in(people, "reporter", reporter.account),
        "opd_team": log_in(people, "opd_team", people.credentials("opd_team", OPD)),
    }
    walkers |= {name: log_in(people, name, people.credentials(name)) for name in ("operator", "main_team", "admin")}
    books = Books(whole)
    settle(books)
    door = Door(whole)
    yield Grounds(door, books, addresses(ticket), walkers, people, table())
    door.close()


def settle(books: Books) -> None:
    """Wait until no event is unsent and no row changes any more."""
    seen: list[Any] = []

    def quiet() -> bool:
        seen.append(books.read())
        unsent = [stage for stage in STAGES if _unsent(books.installation, stage)]
        return not unsent and len(seen) > 3 and seen[-1] == seen[-4]

    eventually(quiet)


def _unsent(installation: Installation, stage: str) -> bool:
    outbox = tables(installation, stage).tables["outbox"]
    with engine(installation, stage).connect() as connection:
        return connection.execute(select(outbox.c.id).where(outbox.c.sent_at.is_(None))).first() is not None


@pytest.mark.parametrize("method", METHODS)
def test_no_method_changes_what_it_is_not_meant_to_change(grounds: Grounds, method: str) -> None:
    before = grounds.books.read()
    for walker in grounds.walkers.values():
        recorded = RECORDS if walker.name in STAFF and method in ("GET", "HEAD") else set()
        answered = grounds.walk(walker, method, listed=False)
        if recorded:
            assert grounds.books.changed(before) == {}, walker.name
        answered |= grounds.walk(walker, method, listed=True)
        changed = grounds.books.changed(before)
        assert changed.keys() <= recorded, (walker.name, {at for at, status in answered.items() if status < 400})
        for name, rows in changed.items():
            assert not rows & before[name], "what is recorded stays"
            before[name] |= rows
        assert {at: status for at, status in answered.items() if status >= 500 and status != 503} == {}
        if method not in TAKEN:
            answers = {
                status for (path, _), status in answered.items() if not path.startswith(TAKEN_AT.get(method, ()))
            }
            assert answers <= {400, 405, 501}, method


AHEAD = {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch", "X-Purpose": "preview"}
PICTURE = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "image"}


def test_an_answer_is_received_by_who_opens_it_and_by_nothing_else(grounds: Grounds) -> None:
    """A prefetch, a HEAD request or an image in another site's page is not a reading of the answer."""
    reporter = grounds.people.reporter()
    ticket = travel_as_information(grounds.people, reporter)
    assert reporter.account
    walker = log_in(grounds.people, "reporter", reporter.account)
    settle(grounds.books)
    before, http = grounds.books.read(), grounds.people.http
    as_page, as_program = {"Cookie": walker.cookies}, {"Authorization": f"Bearer {walker.token}"}
    complaint, document = f"/api/v1/complaints/{ticket}", "laporan-tanggapan-pengaduan.docx"
    opens = {
        f"/laporan/{ticket}": as_page,
        f"/laporan/{ticket}/dokumen/{document}": as_page,
        complaint: as_program,
        f"{complaint}/documents/{document}": as_program,
    }
    for path, who in opens.items():
        for seen_by_nobody in ({name: value} for name, value in AHEAD.items()):
            assert http.get(path, headers=who | seen_by_nobody).status_code == 503
        assert http.get(path, headers=who | PICTURE).status_code == 503
        assert http.head(path, headers=who).status_code == 200
        assert grounds.books.changed(before) == {}, path
    visit = {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
    assert http.get(f"/laporan/{ticket}", headers=as_page | visit).status_code == 200
    assert "notification.answers" in grounds.books.changed(before)
