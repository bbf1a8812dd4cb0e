"""What a website's server gets from the gateway: its own limit, and states with an ETag."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.sop.refusals import UnknownTicket
from tests.builders import TICKET, entry_form
from tests.unit.gateway.visits import FakeBackend

FEW = 2
ENTERED = {
    "ticket": TICKET,
    "submitted_at": "2026-03-02T00:00:00+07:00",
    "service_due_at": "2026-03-04T00:00:00+07:00",
    "stands": {"state": "hand_over", "step": 2},
}
RECEIPT = ENTERED | {"access_code": "7H4K-Q2MV-0NXV-3M3W", "access_code_expires_at": "2026-05-31T01:00:00Z"}
CLOSED = {"state": "closed", "step": None}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"LIMIT_WEBSITE": f"{FEW}/100 year"}


@pytest.fixture
def bearer(opened: Callable[..., dict[str, Any]]) -> Callable[[str], dict[str, str]]:
    """A function that returns the header with the access token of a website."""
    return lambda who: {"Authorization": f"Bearer {opened('website', who)['access_token']}"}


def test_each_website_has_a_limit_of_its_own(
    client: FlaskClient, stages: FakeBackend, bearer: Callable[[str], dict[str, str]]
) -> None:
    stages.answers["submit_for"] = RECEIPT

    def send(who: str) -> int:
        return client.post("/api/v1/entries", json=entry_form(), headers=bearer(who)).status_code

    assert [send("one") for _ in range(FEW + 1)] == [201] * FEW + [429]
    assert send("other") == 201


def test_person_and_report_go_to_intake_apart(
    client: FlaskClient, stages: FakeBackend, bearer: Callable[[str], dict[str, str]]
) -> None:
    stages.answers["submit_for"] = RECEIPT
    entry = entry_form()
    client.post("/api/v1/entries", json=entry, headers=bearer("one") | {"Idempotency-Key": "k"})
    ((_, (sent,)),) = stages.asked
    assert sent["idempotency_key"] == "k"
    assert sent["reporter"] == entry["reporter"]
    assert "reporter" not in sent["form"]


def test_a_state_has_an_etag_that_changes_with_it(
    client: FlaskClient, stages: FakeBackend, bearer: Callable[[str], dict[str, str]]
) -> None:
    stages.answers |= {"entry": ENTERED, "entered": {}}

    def ask(etag: str = "") -> Any:
        return client.get(f"/api/v1/entries/{TICKET}", headers=bearer("one") | {"If-None-Match": etag})

    first = ask()
    assert first.json == ENTERED | {"closed": False}
    assert ask(first.headers["ETag"]).status_code == 304
    stages.answers["entered"] = {TICKET: CLOSED}
    changed = ask(first.headers["ETag"])
    assert (changed.status_code, changed.json["closed"]) == (200, True)


def test_what_is_not_its_own_is_asked_of_no_other_stage(
    client: FlaskClient, stages: FakeBackend, bearer: Callable[[str], dict[str, str]]
) -> None:
    stages.answers["entry"] = UnknownTicket()
    for ticket in (TICKET, "x"):
        assert client.get(f"/api/v1/entries/{ticket}", headers=bearer("one")).status_code == 404
    assert [method for method, _ in stages.asked] == ["entry"]
