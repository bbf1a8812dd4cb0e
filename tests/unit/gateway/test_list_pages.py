"""The admin's lists: removing an agency from the roster or an address needs a confirmation."""

import re
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
    assert "Dihapus: \u2068Dinas Kesehatan\u2069, \u2068Dinas Sosial\u2069" in admin.get(PATH).text


CATEGORY = "/admin/kategori/kode-etik"
OTHER = {"nilai": {"name": "Nilai", "source": "", "sub_categories": {"lain": "Lain"}}}


def with_two_categories(stages: FakeBackend) -> None:
    lists = {"categories": LISTS["categories"] | OTHER, "opds": ROSTER}
    stages.answers |= {"lists": lists, "open_by_category": {}}


def test_who_removes_a_category_is_told_what_is_open_and_asked_and_told_that_it_is_gone(
    admin: FlaskClient, stages: FakeBackend
) -> None:
    with_two_categories(stages)
    stages.answers["open_by_category"] = {"kode-etik": 3}
    form = {"name": "Kode etik", "remove": "1", "sub-key-0": "bernegara", "sub-name-0": "Etika bernegara"}
    asked = post(admin, CATEGORY, form)
    assert (asked.status_code, replaced(stages)) == (409, [])
    assert "\u2068Kode etik\u2069 (kode-etik): 3 laporan yang masih terbuka memakainya" in asked.text
    assert f'href="{CATEGORY}">Batal' in asked.text
    assert post(admin, CATEGORY, form | hidden(asked.text)).status_code == 303
    assert replaced(stages) == [{"categories": OTHER}]
    assert "Dihapus: \u2068Kode etik\u2069" in admin.get(CATEGORY).text


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of the confirmation page."""
    return dict(re.findall(r'<input type="hidden" name="(?!csrf_token)([^"]+)" value="([^"]*)">', page))


def test_a_sub_category_is_asked_about_too_and_what_is_open_need_not_be_known(
    admin: FlaskClient, stages: FakeBackend
) -> None:
    with_two_categories(stages)
    stages.answers["open_by_category"] = StageUnavailableError("notification")
    form = {"name": "Kode etik", "sub-key-0": "baru", "sub-name-0": "Baru"}
    asked = post(admin, CATEGORY, form)
    assert (asked.status_code, replaced(stages)) == (409, [])
    assert "Etika bernegara\u2069 (kode-etik/bernegara): berapa laporan" in asked.text
    assert post(admin, CATEGORY, form | {"yakin": "kode-etik"}).status_code == 409
    assert post(admin, CATEGORY, form | hidden(asked.text)).status_code == 303


def test_the_last_category_is_refused_in_words_before_anybody_is_asked(admin: FlaskClient, stages: FakeBackend) -> None:
    refused = post(admin, CATEGORY, {"name": "Kode etik", "remove": "1"})
    assert (refused.status_code, replaced(stages)) == (422, [])
    assert "Paling sedikit satu harus ada: yang terakhir tidak dapat dihapus." in refused.text


def test_the_api_names_what_a_replacement_removed(
    admin: FlaskClient, stages: FakeBackend, opened: Callable[..., dict[str, Any]]
) -> None:
    with_two_categories(stages)
    stages.answers["replace_lists"] = {"categories": OTHER, "opds": {"inspektorat": "Inspektorat"}}
    answer = admin.put(
        "/api/v1/catalogue",
        json={"categories": OTHER},
        headers={"Authorization": f"Bearer {opened('admin')['access_token']}"},
    )
    assert answer.json["removed"] == {"categories": ["kode-etik"], "sub_categories": [], "opds": ["dinkes", "dinsos"]}


def test_an_account_is_disabled_once_that_was_said_twice(admin: FlaskClient, stages: FakeBackend) -> None:
    path = "/admin/staf/opd-dinkes/nonaktif"
    account = {"username": "opd-dinkes", "name": "Tim", "role": "opd_team", "opd": "dinkes"}
    stages.answers |= {"staff_account": account, "disable_staff": {}}

    def press(form: dict[str, str]) -> Any:
        return admin.post(path, data=form | {"csrf_token": token(admin, PATH)})

    asked = press({})
    assert asked.status_code == 409
    assert "opd-dinkes, \u2068Tim\u2069" in asked.text
    # The page is shown again after an expired session, and the act is carried out only once it is confirmed again.
    assert press(hidden(asked.text) | {"tinjau": "1"}).status_code == 409
    assert "disable_staff" not in [act for act, _ in stages.asked]
    assert press(hidden(asked.text)).status_code == 303
    assert ("disable_staff", ({"username": "opd-dinkes"},)) in stages.asked


def test_an_address_is_taken_away_once_that_was_said_twice(admin: FlaskClient, stages: FakeBackend) -> None:
    stages.answers |= {"check_in": None, "replace_teams": {}}
    form = {"opd-inspektorat-email": "", "opd-dinkes-email": ""}
    asked = post(admin, TEAMS, form)
    assert asked.status_code == 409
    assert EMAIL in asked.text
    assert "replace_teams" not in [act for act, _ in stages.asked]
    assert post(admin, TEAMS, form | hidden(asked.text)).status_code == 303
    assert f"Dihapus: {EMAIL}" in admin.get(TEAMS).text


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
