"""The calendar's pages: hours as people write them, the changes of a version, a year's days, and missing addresses."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.site.versions import _changes
from nkk.clock import utc_now
from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from nkk.sop.calendar import write_week
from nkk.sop.clock import OFFICE_WEEK, WIB
from tests.unit.gateway.visits import FakeBackend, log_in, token

Opened = Callable[..., dict[str, Any]]

CONTENT = {
    "week": write_week(OFFICE_WEEK),
    "seasons": [],
    "days": {"2027-01-01": {"name": "Tahun Baru Masehi", "spans": []}},
    "national_years": [2027],
    "joint_leave_years": [2027],
}
CALENDAR = {"version": 7, "changed_at": "2026-11-25T01:00:00Z", "changed_by": "nkk", "calendar": CONTENT}
NATIONAL = {
    "days": {
        "2027-01-01": {"name": "Tahun Baru Masehi", "spans": []},
        "2027-02-06": {"name": "Tahun Baru Imlek", "spans": []},
    },
    "joint_leave": [],
}


@pytest.fixture
def admin(client: FlaskClient, stages: FakeBackend, opened: Opened) -> FlaskClient:
    log_in(client, stages, opened("admin"))
    stages.answers |= {
        "calendar": CALENDAR,
        "replace_calendar": CALENDAR | {"version": 8},
        "national_days": NATIONAL,
        "staff": {"items": [], "next": None},
        "teams": {},
    }
    return client


def week(admin: FlaskClient, **days: str) -> Any:
    """Send the ordinary week's form with `days`; `day_0` is Monday."""
    path = "/admin/kalender/pekan"
    form = {name.replace("_", "-"): hours for name, hours in days.items()}
    return admin.post(path, data={"csrf_token": token(admin, path), "version": "7", **form})


def kept(stages: FakeBackend) -> dict[str, Any]:
    """Return the calendar that intake was asked to store in place of the version seen."""
    (asked,) = [args for method, args in stages.asked if method == "replace_calendar"]
    assert asked[0] == 7
    return asked[1]


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("08.00-12.00", [["08:00", "12:00"]]),
        ("8:00 – 12.00 , 13.00—16:30", [["08:00", "12:00"], ["13:00", "16:30"]]),
        ("08.00-12.00;12.00-13.00", [["08:00", "12:00"], ["12:00", "13:00"]]),
        ("  ", []),
        ("", []),
    ],
)
def test_hours_are_read_as_people_write_them(admin: FlaskClient, stages: FakeBackend, typed: str, spans: list) -> None:
    assert week(admin, day_5=typed).status_code == 303
    assert kept(stages) == CONTENT | {"week": [[], [], [], [], [], spans, []]}


@pytest.mark.parametrize(
    "typed",
    [
        "8 sampai 12",
        "08.00",
        "25.00-26.00",
        "08.60-09.00",
        "08.00-12.00,",
        "12.00-08.00",
        "08.00-08.00",
        "08.00-12.00, 11.00-13.00",
        "13.00-14.00, 08.00-09.00",
        "-",
        "x" * 200,
    ],
)
def test_hours_that_cannot_be_are_said_beside_their_day_and_change_nothing(
    admin: FlaskClient, stages: FakeBackend, typed: str
) -> None:
    response = week(admin, day_2=typed, day_4="08.00-11.00")
    assert response.status_code == 422
    assert 'id="day-2-fault"' in response.text
    assert 'id="day-4-fault"' not in response.text
    assert typed in response.text
    assert "replace_calendar" not in [method for method, _ in stages.asked]


def test_who_was_overtaken_sees_the_newest_version_and_keeps_what_they_wrote(
    admin: FlaskClient, stages: FakeBackend
) -> None:
    stages.answers["replace_calendar"] = RefusedRemotelyError("CalendarChangedMeanwhile", "Changed meanwhile.", {})
    response = week(admin, day_5="08.00-11.00")
    assert response.status_code == 409
    assert "Kalender baru saja diubah orang lain" in response.text
    assert 'value="08.00-11.00"' in response.text


def test_what_a_version_changed_is_said_in_sentences(app: Flask) -> None:
    season = {"name": "Ramadan", "first": "2027-02-08", "last": "2027-03-09", "week": CONTENT["week"]}
    new = CONTENT | {
        "week": [*CONTENT["week"][:5], [["08:00", "11:00"]], []],
        "seasons": [season],
        "days": {"2027-01-02": {"name": "Cuti bersama", "spans": [["08:00", "12:00"]]}},
    }
    with app.test_request_context("/"):
        assert _changes(CONTENT, new) == [
            "Sabtu: 08.00–11.00, sebelumnya tutup",
            "Ditambahkan: \u2068Ramadan\u2069, Senin, 8 Februari 2027 – Selasa, 9 Maret 2027",
            "Dihapus: Jumat, 1 Januari 2027, \u2068Tahun Baru Masehi\u2069 (tutup)",
            "Ditambahkan: Sabtu, 2 Januari 2027, \u2068Cuti bersama\u2069 (08.00–12.00)",
        ]
        assert _changes(CONTENT, CONTENT | {"national_years": []}) == []
        assert _changes(CONTENT, CONTENT | {"joint_leave_years": [2027, 2028]}) == [
            "Ditambahkan: Cuti bersama 2028 sudah lengkap"
        ]
        renamed = CONTENT | {"days": {"2027-01-01": {"name": "Tahun Baru", "spans": []}}}
        assert _changes(CONTENT, renamed) == ["Diubah: Jumat, 1 Januari 2027, \u2068Tahun Baru\u2069 (tutup)"]


def test_the_days_of_a_year_are_shown_beside_what_the_calendar_has(admin: FlaskClient, stages: FakeBackend) -> None:
    path = "/admin/kalender/hari-nasional?tahun=2027"
    page = admin.get(path).text
    assert 'name="hari-2027-02-06" value="ya" checked' in page
    assert "hari-2027-01-01" not in page
    sent = {"csrf_token": token(admin, path), "version": "7", "tahun": "2027"}
    assert admin.post("/admin/kalender/hari-nasional", data=sent).status_code == 422
    response = admin.post(
        "/admin/kalender/hari-nasional", data=sent | {"hari-2027-02-06": "ya", "hari-2027-09-09": "x"}
    )
    assert response.status_code == 303
    assert kept(stages)["days"] == CONTENT["days"] | {"2027-02-06": NATIONAL["days"]["2027-02-06"]}


def test_a_year_without_joint_leave_is_named_where_the_admin_looks_after_the_calendar(
    admin: FlaskClient, stages: FakeBackend
) -> None:
    said = "Cuti bersama 2028 belum diketahui"
    assert said not in admin.get("/admin/kalender").text
    stages.answers["calendar"] = stages.answers["calendar"] | {"joint_leave_unknown": [2028]}
    assert said in admin.get("/admin/kalender").text


def test_an_admin_says_that_the_joint_leave_of_a_year_is_complete(admin: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["calendar"] = CALENDAR | {"joint_leave_unknown": [2028]}
    act = "/admin/kalender/cuti-bersama/2028"
    assert f'action="{act}"' in admin.get("/admin/kalender").text
    response = admin.post(act, data={"csrf_token": token(admin, "/admin/kalender"), "version": "7"})
    assert response.status_code == 303
    assert kept(stages) == CONTENT | {"joint_leave_years": [2027, 2028]}
    assert admin.get(act).status_code == 303


@pytest.mark.parametrize(
    ("listed", "told", "said"), [([], [2027], True), ([], [2027, 2099], False), (["2099-01-02"], [2027], False)]
)
def test_a_years_list_says_whether_its_joint_leave_is_known_whatever_its_days_are_called(
    admin: FlaskClient, stages: FakeBackend, listed: list[str], told: list[int], said: bool
) -> None:
    stages.answers["national_days"] = {
        "joint_leave": listed,
        "days": {"2099-01-01": {"name": "Bukan cuti bersama", "spans": []}},
    }
    stages.answers["calendar"] = CALENDAR | {"calendar": CONTENT | {"joint_leave_years": told}}
    page = admin.get("/admin/kalender/hari-nasional?tahun=2099").text
    assert ("Cuti bersama 2099 belum diketahui" in page) == said


def test_teams_without_an_address_are_counted_and_a_few_are_named(admin: FlaskClient, stages: FakeBackend) -> None:
    page = re.sub("</?bdi>", "", admin.get("/admin/staf").text)
    assert "3 tim belum punya alamat surel" in page
    assert "Operator · Tim NKK Utama · Inspektorat" in page
    address = {"email": "tim@example.id", "superior_email": None}
    stages.answers["teams"] = {"operator": address, "main_team": address, "opd_team": {"inspektorat": address}}
    assert "belum punya alamat surel" not in admin.get("/admin/staf").text
    stages.answers["teams"] = StageUnavailableError("notification")
    assert admin.get("/admin/staf").status_code == 200


@pytest.mark.parametrize(
    ("path", "typed", "at_fault"),
    [
        ("hari", {"kind": "open", "hours": "8 sampai 12"}, {"day", "name", "hours"}),
        ("hari", {"kind": "closed", "day": "1999-01-01", "name": "x" * 200}, {"day", "name"}),
        (
            "musim",
            {"weekdays": "8", "saturday": "9"},
            {"season_name", "first", "last", "weekdays", "friday", "saturday"},
        ),
    ],
)
def test_all_that_is_wrong_is_said_in_one_round_and_in_the_order_of_the_form(
    admin: FlaskClient, stages: FakeBackend, path: str, typed: dict[str, str], at_fault: set[str]
) -> None:
    sent = {"csrf_token": token(admin, "/admin/kalender"), "version": "7"}
    page = admin.post(f"/admin/kalender/{path}", data=sent | typed)
    assert page.status_code == 422
    named = re.findall(r'<li><a href="#([a-z_]+)">', page.text)
    assert set(named) == at_fault
    assert named == sorted(named, key=lambda name: page.text.index(f'id="{name}"'))
    assert "replace_calendar" not in [method for method, _ in stages.asked]


SEASON = {"name": "Ramadan", "first": "2099-03-01", "last": "2099-03-30", "week": CONTENT["week"]}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/admin/kalender/hari/2027-01-01/hapus", "Jumat, 1 Januari 2027, \u2068Tahun Baru Masehi\u2069, tutup"),
        ("/admin/kalender/musim/2099-03-01/hapus", "\u2068Ramadan\u2069, Minggu, 1 Maret 2099 – Senin, 30 Maret 2099"),
    ],
    ids=["day", "season"],
)
def test_a_day_and_a_season_are_removed_once_that_was_said_twice(
    admin: FlaskClient, stages: FakeBackend, path: str, said: str
) -> None:
    stages.answers["calendar"] = CALENDAR | {"calendar": CONTENT | {"seasons": [SEASON]}}

    def press(**form: str) -> Any:
        return admin.post(path, data={"csrf_token": token(admin, "/admin/kalender/pekan"), "version": "7", **form})

    asked = press()
    assert asked.status_code == 409
    assert f"<li>{said}</li>" in asked.text
    assert 'name="version" value="7"' in asked.text
    assert "replace_calendar" not in [act for act, _ in stages.asked]
    assert press(yakin=path.split("/")[4]).status_code == 303
    assert len(kept(stages)["days"]) + len(kept(stages)["seasons"]) == 1
    assert f"Dihapus: {said}" in admin.get("/admin/kalender").text


@pytest.mark.parametrize("year", ["kapan", "1999", "2101", "-1", "20270"])
def test_a_year_that_cannot_be_gives_this_ones_days(admin: FlaskClient, year: str) -> None:
    response = admin.get(f"/admin/kalender/hari-nasional?tahun={year}")
    assert response.status_code == 422
    assert re.search(rf"<h1>[^<]*{utc_now().astimezone(WIB).year}", response.text)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/kalender",
        "/admin/kalender/pekan",
        "/admin/kalender/versi",
        "/admin/kalender/versi/1",
        "/admin/kalender/hari-nasional",
        "/admin/alamat-tim",
    ],
)
def test_they_are_the_admins_alone(client: FlaskClient, stages: FakeBackend, opened: Opened, path: str) -> None:
    log_in(client, stages, opened("main_team"))
    assert client.get(path).status_code == 403
