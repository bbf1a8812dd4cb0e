"""The admin's lists: an agency does not leave the roster, and no address is lost, without a word."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from nkk.messaging.calls import StageUnavailableError
from tests.unit.gateway.visits import LISTS, FakeBackend, log_in, token

PATH, TEAMS = "/admin/perangkat-daerah", "/admin/alamat-tim"
KEPT = {"opd-key-0": "inspektorat", "opd-name-0": "Inspektorat"}
ROSTER = {"inspektorat": "Inspektorat", "dinkes": "Dinas Kesehatan", "dinsos": "Dinas Sosial"}
EMAIL = "tim@example.id"


@pytest.fixture
def admin(client: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]) -> FlaskClient:
    log_in(client, stages, opened("admin"))
    stages.answers |= {
        "lists": LISTS | {"opds": ROSTER},
        "replace_lists": {},
        "open_by_opd": {"dinkes": 2},
        "teams": {"opd_team": {"dinkes": {"email": EMAIL}}},
    }
    return client


def post(admin: FlaskClient, path: str, form: dict[str, str]) -> Any:
    return admin.post(path, data=form | {"csrf_token": token(admin, path)})


def replaced(stages: FakeBackend) -> list[Any]:
    return [args[0] for act, args in stages.asked if act == "replace_lists"]


def test_who_takes_agencies_off_the_roster_is_told_what_waits_there_and_asked_again(
    admin: FlaskClient, stages: FakeBackend
) -> None:
    asked = post(admin, PATH, KEPT)
    assert (asked.status_code, replaced(stages)) == (409, [])
    assert "<bdi>Dinas Kesehatan</bdi></span> (<code>dinkes</code>): 2 pengaduan menunggu tanggapannya" in asked.text
    assert "<bdi>Dinas Sosial</bdi></span> (<code>dinsos</code>)</li>" in asked.text
    assert 'name="hapus" value="dinkes dinsos"' in asked.text
    assert post(admin, PATH, KEPT | {"hapus": "dinkes"}).status_code == 409
    assert post(admin, PATH, KEPT | {"hapus": "dinkes dinsos"}).status_code == 303
    assert replaced(stages) == [{"opds": {"inspektorat": "Inspektorat"}}]


def test_what_waits_need_not_be_known_for_it(admin: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["open_by_opd"] = StageUnavailableError("opd_response")
    asked = post(admin, PATH, KEPT)
    assert asked.status_code == 409
    assert "sedang tidak dapat diketahui" in asked.text


def test_a_roster_that_only_grows_or_is_renamed_is_saved_at_once(admin: FlaskClient, stages: FakeBackend) -> None:
    rows = {"inspektorat": "Inspektorat Kota", "dinkes": "Dinkes", "dinsos": "Dinsos", "baru": "Dinas Baru"}
    form = {
        f"opd-{part}-{number}": text
        for number, row in enumerate(rows.items())
        for part, text in zip(("key", "name"), row, strict=True)
    }
    assert post(admin, PATH, form).status_code == 303
    assert replaced(stages) == [{"opds": rows}]


def test_the_address_of_a_team_that_left_the_roster_stays(admin: FlaskClient, stages: FakeBackend) -> None:
    page = admin.get(TEAMS).text
    assert "dinkes (tidak ada lagi dalam daftar)" in page
    stages.answers |= {"check_in": None, "replace_teams": {}}
    assert post(admin, TEAMS, {"opd-inspektorat-email": "", "opd-dinkes-email": EMAIL}).status_code == 303
    assert stages.asked[-1] == ("replace_teams", ({"opd_team": {"dinkes": {"email": EMAIL}}},))


def test_a_superior_without_a_team_is_refused_in_one_sentence_by_page_and_api(
    admin: FlaskClient, opened: Callable[..., dict[str, Any]]
) -> None:
    page = post(admin, TEAMS, {"opd-inspektorat-superior_email": "kepala@example.id"})
    assert page.status_code == 422
    assert "Inspektorat\u2069, surel tim</bdi></a>: Isi juga surel timnya" in page.text
    answer = admin.put(
        "/api/v1/teams",
        json={"operator": {"superior_email": "kepala@example.id"}},
        headers={"Authorization": f"Bearer {opened('admin')['access_token']}"},
    )
    assert answer.json["errors"]["operator"] == {
        "email": ["Give the team's own address as well: a superior is written to only beside the team."]
    }
    assert answer.json["codes"]["operator"] == {"email": [{"code": "superior-alone"}]}
