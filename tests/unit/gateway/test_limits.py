"""Which requests the rate limits count together, and by which keys."""

import ipaddress
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from gateway import counting
from gateway.limits import network
from nkk.messaging.calls import RefusedRemotelyError
from nkk.settings import LIMITS, SettingsError
from nkk.settings.keys import as_pem
from nkk.sop.ticket import new_ticket
from nkk.trust.actor import Actor, grant
from tests.unit.gateway.visits import FORM, KEYS, REFRESH_TOKEN, FakeBackend, log_in, token

REGISTRATION = {
    "kind": "public",
    "identity_number": "1971014107900001",
    "name": "Siti Contoh",
    "email": "siti@example.id",
    **FORM,
}
REPORT = {
    "claimed_kind": "complaint",
    "category": "kode-etik",
    "sub_category": "bernegara",
    "subject_line": "Loket",
    "text": "Loket ditutup.",
}
WHERE = {"REMOTE_ADDR": "203.0.113.7"}
ACCOUNT = "the-account-of-somebody"
FEW = 3
HOMES = count(1)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "limits" / "counts.db"


@pytest.fixture
def settings(store: Path) -> dict[str, Any]:
    # The next window begins in 2068, so none begins within a test.
    few = {f"LIMIT_{name}": f"{FEW}/100 year" for name in ("REGISTRATION", "LOGIN", "RESET", "SUBMISSION", "DOCUMENTS")}
    return few | counting.settings(f"sqlite:///{store}")


@pytest.fixture
def stages(stages: FakeBackend, opened: Callable[..., dict[str, Any]]) -> FakeBackend:
    stages.answers |= {
        "log_in": opened(who=ACCOUNT),
        "register": {"reporter_id": ACCOUNT},
        "request_reset": None,
        "complete_reset": None,
        "change_password": None,
        "change_contact": None,
        "contact": {"email": "s@example.id"},
        "submit": {
            "ticket": "NKK-2026-EDXY-ER30",
            "submitted_at": "2026-03-02T01:00:00Z",
            "service_due_at": "2026-03-04T01:00:00Z",
            "stands": {"state": "hand_over", "step": 2},
        },
    }
    return stages


def bearer() -> dict[str, str]:
    signed, _ = grant(Actor(ACCOUNT, "reporter", session="s"), as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
    return {"Authorization": f"Bearer {signed}"}


CODE = {"token": "a" * 40, "password": "sandi yang baru 42"}
CHANGE = {"password": "sandi yang lama 42", "new_password": "sandi yang baru 42"}
CONTACT = {"email": "siti@example.id", "password": "sandi yang lama 42"}

BOTH_DOORS = {
    "registration": [("POST", "/api/v1/reporters", REGISTRATION), ("POST", "/daftar", REGISTRATION)],
    "log-in": [("POST", "/api/v1/sessions", FORM), ("POST", "/masuk", FORM)],
    "reset": [
        ("POST", "/api/v1/password-resets", {"username": "warga"}),
        ("POST", "/lupa-sandi", {"username": "warga"}),
    ],
    "code": [("POST", "/api/v1/password-resets/completion", CODE), ("POST", "/atur-ulang-sandi", CODE)],
    "password": [
        ("PUT", "/api/v1/sessions/current/password", CHANGE),
        ("POST", "/akun", CHANGE),
        ("PUT", "/api/v1/reporters/me/contact", CONTACT),
        ("POST", "/akun/kontak", CONTACT),
    ],
    "submission": [("POST", "/api/v1/complaints", REPORT), ("POST", "/laporan/baru", REPORT)],
}


class Visitor:
    """A visitor who uses both the site and the API."""

    def __init__(self, app: Flask, stages: FakeBackend) -> None:
        self.client: FlaskClient = app.test_client()
        elsewhere = {"REMOTE_ADDR": f"192.0.2.{next(HOMES)}"}
        log_in(self.client, stages, stages.answers["log_in"], environ_base=elsewhere)
        self.client.delete_cookie("nkk_device")
        self.token = token(self.client, "/lupa-sandi")

    def ask(self, method: str, path: str, form: dict[str, Any]) -> int:
        """Return the status of one act, on the site or the API."""
        if path.startswith("/api/"):
            return self.client.open(path, method=method, json=form, headers=bearer(), environ_base=WHERE).status_code
        sent = form | {"csrf_token": self.token}
        return self.client.post(path, data=sent, environ_base=WHERE).status_code


@pytest.mark.parametrize("acts", BOTH_DOORS.values(), ids=BOTH_DOORS)
@pytest.mark.parametrize("first", [0, 1])
def test_one_count_holds_for_both_doors(app: Flask, stages: FakeBackend, acts: list, first: int) -> None:
    for number in range(FEW):
        visitor = Visitor(app, stages)
        assert visitor.ask(*acts[(number + first) % len(acts)]) != 429
    for act in acts:
        assert Visitor(app, stages).ask(*act) == 429


def test_renewals_are_counted_together_by_pages_and_programs(
    app: Flask, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    stages.answers["renew"] = RefusedRemotelyError("NotAuthenticated", "Ended.", {})

    def page(path: str) -> Any:
        client = app.test_client()
        client.set_cookie("nkk_refresh", REFRESH_TOKEN)
        return client.get(path, environ_base=WHERE)

    def by_api() -> Any:
        return app.test_client().post(
            "/api/v1/sessions/current/renewal", json={"refresh_token": REFRESH_TOKEN}, environ_base=WHERE
        )

    assert [page("/").status_code, by_api().status_code, page("/laporan").status_code] == [200, 401, 303]
    stages.asked.clear()
    stages.answers["renew"] = opened()
    assert page("/").status_code == 200, "what is for anybody needs to know nobody"
    assert page("/tidak-ada").status_code == 404
    refused = page("/laporan")
    for answer in (refused, by_api()):
        assert answer.status_code == 429
        assert 2_000 * 365 * 86_400 > int(answer.headers["Retry-After"]) > 365 * 86_400
    assert "nkk_refresh" not in refused.headers.get("Set-Cookie", ""), "nobody is logged out"
    assert stages.asked == []


def test_whoever_shares_an_address_keeps_nobody_from_renewing_a_log_in(
    app: Flask, stages: FakeBackend, client: FlaskClient, opened: Callable[..., dict[str, Any]]
) -> None:
    """Otherwise one person in an office, with a hundred forged cookies a minute, could block all others there."""
    log_in(client, stages, opened())
    client.delete_cookie("nkk_access")
    given = app.test_client().post("/api/v1/sessions", json=FORM).get_json()["refresh_token"]

    def by_api(token: str) -> int:
        return (
            app.test_client()
            .post("/api/v1/sessions/current/renewal", json={"refresh_token": token}, environ_base=WHERE)
            .status_code
        )

    stages.answers["renew"] = RefusedRemotelyError("NotAuthenticated", "Ended.", {})
    while by_api(REFRESH_TOKEN) != 429:
        pass
    stages.answers |= {"renew": opened(), "complaints": {"items": [], "next": None}, "standings": {}}
    stages.asked.clear()
    assert client.get("/laporan", environ_base=WHERE).status_code == 200
    assert [by_api(given) for _ in range(FEW)] == [200, 200, 429], "its own are bounded, at both doors"
    assert [asked for asked in stages.asked if asked[0] == "renew"] == [
        ("renew", ({"refresh_token": REFRESH_TOKEN},))
    ] * FEW
    # A token that only looks as if it were issued here counts as a stranger's.
    for forged in (f"{REFRESH_TOKEN}.", f"{REFRESH_TOKEN}.{'0' * 32}", f"x{given[1:]}", f"{given}x"):
        assert by_api(forged) == 429


def test_whoever_shares_an_address_uses_up_no_try_of_a_device_that_logged_in_before(
    app: Flask, stages: FakeBackend, client: FlaskClient
) -> None:
    log_in(client, stages, stages.answers["log_in"])
    entered = client.post("/api/v1/sessions", json=FORM)
    known = {"X-NKK-Device": entered.headers["X-NKK-Device"]}
    while app.test_client().post("/api/v1/sessions", json=FORM, environ_base=WHERE).status_code != 429:
        pass

    def by_api(form: dict[str, Any], headers: dict[str, str]) -> int:
        return app.test_client().post("/api/v1/sessions", json=form, headers=headers, environ_base=WHERE).status_code

    assert by_api(FORM, known) == 201
    assert by_api(FORM, {"X-NKK-Device": known["X-NKK-Device"][:32]}) == 429
    assert by_api(FORM | {"username": "lain"}, known) == 429
    by_page = [
        client.post("/masuk", data=FORM | {"csrf_token": token(client, "/lupa-sandi")}, environ_base=WHERE)
        for _ in range(FEW)
    ]
    assert [answer.status_code for answer in by_page] == [303, 303, 429], "its own tries are bounded, at both doors"


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b'"x"', b'{"username": 1}', b"[" * 100_000, b"\xff"], ids=repr)
def test_what_a_known_device_sends_is_refused_for_what_it_is(
    client: FlaskClient, stages: FakeBackend, body: bytes
) -> None:
    known = client.post("/api/v1/sessions", json=FORM).headers["X-NKK-Device"]
    answer = client.post(
        "/api/v1/sessions", data=body, headers={"Content-Type": "application/json", "X-NKK-Device": known}
    )
    assert answer.status_code in (400, 422)


def test_a_log_in_that_is_only_looked_at_counts_nothing(client: FlaskClient) -> None:
    assert {client.get("/masuk", environ_base=WHERE).status_code for _ in range(2 * FEW)} == {200}


def test_no_address_and_no_account_lies_in_the_store(app: Flask, stages: FakeBackend, store: Path) -> None:
    for acts in BOTH_DOORS.values():
        for act in acts:
            Visitor(app, stages).ask(*act)
    held = b"".join(file.read_bytes() for file in store.parent.iterdir())
    assert b"registration" in held, "else nothing was counted, and this test sees nothing"
    for known in (WHERE["REMOTE_ADDR"], "192.0.2.", ACCOUNT, FORM["username"]):
        assert known.encode() not in held


def test_another_installations_store_tells_nothing_of_ours(app: Flask) -> None:
    from gateway.limits import hidden

    with app.app_context():
        ours = hidden("address:203.0.113.7")
        app.config["SITE_KEY"] = "another"
        assert hidden("address:203.0.113.7") != ours


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_address_counts_as_its_subscriber(address: str, counted: str) -> None:
    assert network(address) == counted


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_subscriber_of_ipv6_has_one_count_and_their_neighbour_another(prefix: int, one: int, other: int) -> None:
    # ::ffff:0:0/96 contains the IPv4 addresses.
    if prefix == 0:
        return
    first, second = (str(ipaddress.IPv6Address((prefix << 64) + host)) for host in (one, other))
    neighbour = str(ipaddress.IPv6Address(((prefix ^ 1 or 2) << 64) + one))
    assert network(first) == network(second) != network(neighbour)


@pytest.mark.parametrize("written", ["abc", "20", "20/fortnight", "/hour", "-"])
def test_a_limit_that_cannot_be_read_is_refused_at_start_with_what_to_write(written: str) -> None:
    with pytest.raises(SettingsError, match=r"NKK_LIMIT_LOGIN=.* is not a rate limit\. Write it like 20/hour"):
        LIMITS["LOGIN"].get({"NKK_LIMIT_LOGIN": written})


@pytest.mark.parametrize(
    ("role", "page", "counted"),
    [
        ("reporter", "cabut", True),
        ("reporter", "nilai", True),
        ("main_team", "pisah", False),
        ("opd_team", "mundur", False),
    ],
)
def test_an_act_counts_once_for_a_reporter_and_never_for_staff(
    client: FlaskClient,
    stages: FakeBackend,
    opened: Callable[..., dict[str, Any]],
    role: str,
    page: str,
    counted: bool,
) -> None:
    log_in(client, stages, opened(role))
    form = {"csrf_token": token(client, "/sampai-jumpa"), "reason": ""}
    statuses = [client.post(f"/laporan/{new_ticket(2026)}/{page}", data=form).status_code for _ in range(FEW + 2)]
    assert statuses == ([422] * FEW + [429] * 2 if counted else [422] * (FEW + 2))
