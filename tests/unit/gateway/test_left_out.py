"""Invisible characters that are not part of a text are removed, and the sender is told."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.left_out import HEADER
from tests.unit.gateway.visits import FakeBackend, log_in, token

TICKET = "NKK-2026-6GKQ-DHSZ"
AT = "2026-03-02T01:00:00.000000Z"
RECEIPT = {"ticket": TICKET, "submitted_at": AT, "service_due_at": AT, "stands": {}}
FORM = {"category": "kode-etik", "sub_category": "bernegara", "subject_line": "Loket tutup", "text": "Loket tutup."}
SAID = "tanda kendali yang tidak tampak"


@pytest.fixture
def bearer(opened: Callable[..., dict[str, Any]], stages: FakeBackend) -> Callable[[str], dict[str, str]]:
    stages.answers["submit"] = RECEIPT
    return lambda role: {"Authorization": f"Bearer {opened(role)['access_token']}"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"text": "Loket\x07 tutup\x00."}, "text"),
        ({"subject_line": "Loket\u202e tutup", "place": "L\x1boket"}, "subject_line, place"),
        ({"text": "Loket\x0btutup\u2028\r\n"}, None),
        ({"subject_line": " Loket\u00a0 tutup\u200b"}, None),
        ({"text": "\u202bLoket\u202c"}, None),
    ],
)
def test_the_api_names_the_fields(
    client: FlaskClient, bearer: Callable[[str], dict[str, str]], changed: dict[str, str], named: str | None
) -> None:
    answer = client.post("/api/v1/complaints", json=FORM | changed, headers=bearer("reporter"))
    assert (answer.status_code, answer.headers.get(HEADER)) == (201, named)


def test_the_api_names_a_calendar_whose_names_lost_something(
    client: FlaskClient, stages: FakeBackend, bearer: Callable[[str], dict[str, str]]
) -> None:
    sent, kept = ({"days": {"2027-01-01": {"name": name, "spans": []}}} for name in ("Tahun\x07 Baru", "Tahun Baru"))
    stages.answers["replace_calendar"] = {"version": 2, "changed_at": AT, "changed_by": "a", "calendar": kept}
    answer = client.put("/api/v1/calendar", json={"version": 1, "calendar": sent}, headers=bearer("admin"))
    assert (answer.status_code, answer.headers.get(HEADER)) == (200, "calendar")


def test_a_page_shows_what_is_left_before_it_is_sent_for_good(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    log_in(client, stages, opened())
    stages.answers |= {"submit": RECEIPT, "complaint": FORM | RECEIPT | {"confidential": False}}
    form = {
        "key": "0" * 32,
        "claimed_kind": "complaint",
        "topic": "kode-etik/bernegara",
        "subject_line": "Loket",
        "text": "Loket\x07 tutup.",
        "csrf_token": token(client, "/laporan/baru?kunci=" + "0" * 32),
    }
    shown = client.post("/laporan/baru", data=form)
    assert (shown.status_code, "submit" in [act for act, _ in stages.asked]) == (422, False)
    assert SAID in shown.text
    assert '<li><a href="#text">' in shown.text
    assert "\nLoket tutup.</textarea>" in shown.text
    assert all(f'value="{kept}"' in shown.text for kept in ("0" * 32, "Loket"))
    sent = client.post("/laporan/baru", data=form | {"text": "Loket tutup."})
    assert sent.status_code == 303
    assert SAID not in client.get(sent.location).text


def test_a_list_that_can_be_changed_again_is_kept_and_the_page_after_says_so_once(
    client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    log_in(client, stages, opened("admin"))
    stages.answers |= {"lists": {"opds": {}, "categories": {}}, "replace_lists": {}, "staff_names": {}}
    path = "/admin/perangkat-daerah"
    sent = client.post(
        path, data={"opd-key-0": "dinkes", "opd-name-0": "Dinas\x07 Kesehatan", "csrf_token": token(client, path)}
    )
    assert sent.status_code == 303
    assert SAID in client.get(path).text
    assert SAID not in client.get(path).text
