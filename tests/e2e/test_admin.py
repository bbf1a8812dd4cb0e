"""An admin's work: staff accounts, the catalogue, the roster and the calendar."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.builders import complaint_form
from tests.databases import engine
from tests.e2e.test_clocks import nkk
from tests.installations import eventually
from tests.people import PASSWORD, People
from tests.problems import at_fault, problem

DATABASES = ["postgres"]

CATEGORIES = {
    "sikap": {
        "name": "Sikap <b>petugas</b> 😀",
        "source": "Perwali",
        "sub_categories": {"ramah": "Keramahan", "tepat-waktu": "Ketepatan waktu"},
    }
}
OPDS = {"inspektorat": "Inspektorat", "dinas-baru": "Dinas yang Baru Dibentuk"}


def new_staff(**changed: Any) -> dict[str, Any]:
    return {
        "username": f"petugas-{uuid.uuid4().hex[:8]}",
        "name": "Petugas Contoh",
        "role": "operator",
        "password": PASSWORD,
        **changed,
    }


@pytest.fixture
def catalogue(people: People) -> Iterator[dict[str, Any]]:
    """Yield the current catalogue and roster, and restore them, because other tests use them."""
    standing = people.admin.get("/catalogue")
    yield standing
    assert people.admin.ask("PUT", "/catalogue", standing).status_code == 200
    assert people.admin.get("/catalogue") == standing
    eventually(lambda: roster_of_triage(people) == set(standing["opds"]))


def roster_of_triage(people: People) -> set[str]:
    """Return the agencies to which triage forwards; it receives a new roster a moment after the replacement."""
    with engine(people.installation, "triage").connect() as connection:
        return set(json.loads(connection.execute(text("SELECT opds FROM lists")).scalar_one()))


def test_staff_are_added_found_on_the_list_and_log_in(people: People) -> None:
    form = new_staff(name="  Rina <i>Contoh</i> 😀 ")
    added = people.admin.post("/staff", form, expect=201)
    assert added == {
        "username": form["username"],
        "name": "Rina <i>Contoh</i> 😀",
        "role": "operator",
        "opd": None,
        "has_nip": False,
        "disabled_at": None,
        "locked_until": None,
        "slowed_until": None,
        "slowed_sources": 0,
    }
    assert added in people.admin.get("/staff", params={"limit": 200})["items"]
    assert added == people.admin.get(f"/staff/{form['username'].upper()}")
    session = people.log_in(form["username"], PASSWORD).session
    assert (session["role"], session["opd"]) == ("operator", None)


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"role": "opd_team"}, {"opd"}),
        ({"role": "opd_team", "opd": "dinas-langit"}, {"opd"}),
        ({"role": "operator", "opd": "inspektorat"}, {"opd"}),
        ({"role": "reporter"}, {"role"}),
        ({"role": "superuser"}, {"role"}),
        ({"role": None}, {"role"}),
        ({"username": "x"}, {"username"}),
        ({"username": "nama petugas"}, {"username"}),
        ({"name": ""}, {"name"}),
        ({"name": "x" * 151}, {"name"}),
        ({"name": "\x00"}, {"name"}),
        ({"password": "pendek"}, {"password"}),
        ({"password": "x" * 129}, {"password"}),
        ({"locked_until": None}, {"locked_until"}),
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_not_added(people: People, changed: dict, fields: set) -> None:
    form = new_staff(**changed)
    assert at_fault(people.admin.ask("POST", "/staff", form)) == fields
    assert form["username"] not in {
        staff["username"] for staff in people.admin.get("/staff", params={"limit": 200})["items"]
    }


def test_a_user_name_of_staff_is_not_given_again_and_one_of_a_reporter_is_free(people: People) -> None:
    for username in ("operator", "OPERATOR"):
        problem(people.admin.ask("POST", "/staff", new_staff(username=username)), 409, "username-taken")
    people.admin.post("/staff", new_staff(username=people.reporter().account["username"]), expect=201)


@pytest.mark.parametrize("username", ["tidak-ada", "%00", "..%2f..", "😀", "x" * 500, "' OR 1=1"])
def test_an_account_that_does_not_exist_is_neither_barred_nor_reset(people: People, username: str) -> None:
    answers = [
        people.admin.ask("GET", f"/staff/{username}"),
        people.admin.ask("POST", f"/staff/{username}/disablement"),
        people.admin.ask("PUT", f"/staff/{username}/password", {"password": PASSWORD}),
    ]
    assert all(400 <= answer.status_code < 500 for answer in answers)
    assert all(answer.headers["Content-Type"] == "application/problem+json" for answer in answers)


def test_a_reporters_account_is_out_of_an_admins_reach_and_looks_like_none(people: People) -> None:
    reporter = people.reporter()
    username = reporter.account["username"]
    answers = {people.admin.ask("POST", f"/staff/{name}/disablement").text for name in (username, "tidak-ada-orangnya")}
    assert len(answers) == 1
    problem(
        people.admin.ask("PUT", f"/staff/{username}/password", {"password": "sandi-curian-1"}), 404, "unknown-account"
    )
    problem(people.admin.ask("GET", f"/staff/{username}"), 404, "unknown-account")
    people.log_in(username, PASSWORD)
    assert username not in people.admin.ask("GET", "/staff", params={"limit": 200}).text


def test_the_last_admin_stays_whoever_asks(people: People) -> None:
    other = new_staff(role="admin")
    people.admin.post("/staff", other, expect=201)
    open_admins = [
        account["username"]
        for account in people.admin.get("/staff", params={"limit": 200})["items"]
        if account["role"] == "admin" and account["disabled_at"] is None
    ]
    last = people.credentials("admin")["username"]
    for username in {*open_admins} - {last}:
        people.admin.post(f"/staff/{username}/disablement")
    problem(people.admin.ask("POST", f"/staff/{last}/disablement"), 409, "last-admin")
    done = nkk(people.installation, "staff", "disable", last)
    assert done.returncode == 1
    assert "Add another admin first" in done.stderr
    assert "Traceback" not in done.stderr
    people.log_in(**people.credentials("admin")).get("/staff")


def test_a_new_password_that_will_not_do_changes_nothing(people: People) -> None:
    form = new_staff()
    people.admin.post("/staff", form, expect=201)
    for password in ("pendek", "x" * 129, f"x{form['username'].upper()}x", None, 1234567890):
        assert at_fault(people.admin.ask("PUT", f"/staff/{form['username']}/password", {"password": password})) == {
            "password"
        }
    people.log_in(form["username"], PASSWORD)


def test_a_replaced_catalogue_is_what_reports_and_teams_go_by(people: People, catalogue: dict[str, Any]) -> None:
    reporter, key = people.reporter(), {"Idempotency-Key": uuid.uuid4().hex}
    form = complaint_form(category="sikap", sub_category="ramah", accused_opd="dinas-baru")
    assert at_fault(reporter.ask("POST", "/complaints", form)) == {"category", "accused_opd"}

    replaced = people.admin.ask("PUT", "/catalogue", {"categories": CATEGORIES, "opds": OPDS})
    now = replaced.json()
    assert "bkpsdmd" in now.pop("removed")["opds"]
    assert (
        now
        == people.admin.get("/catalogue")
        == {
            "categories": CATEGORIES,
            "opds": OPDS,
            "inspectorate": "inspektorat",
        }
    )
    assert people.anyone.get("/categories")["items"] == [
        {
            "key": "sikap",
            "name": "Sikap <b>petugas</b> 😀",
            "source": "Perwali",
            "sub_categories": [
                {"key": "ramah", "name": "Keramahan"},
                {"key": "tepat-waktu", "name": "Ketepatan waktu"},
            ],
        }
    ]
    assert {item["key"] for item in people.anyone.get("/opds")["items"]} == set(OPDS)

    receipt = reporter.post("/complaints", form, expect=201, headers=key)
    assert at_fault(reporter.ask("POST", "/complaints", complaint_form())) == {"category", "accused_opd"}
    team = new_staff(role="opd_team", opd="dinas-baru")
    people.admin.post("/staff", team, expect=201)
    path = f"/complaints/{receipt['ticket']}"
    people.operator.post(f"{path}/handover")
    eventually(lambda: roster_of_triage(people) == set(OPDS))
    assert at_fault(
        people.main_team.ask("POST", f"{path}/classification", {"kind": "complaint", "opd": "disdukcapil"})
    ) == {"opd"}
    people.main_team.act(f"{path}/classification", {"kind": "complaint", "opd": "dinas-baru"})

    assert people.admin.ask("PUT", "/catalogue", catalogue).status_code == 200
    people.log_in(team["username"], PASSWORD).act(f"{path}/response", {"text": "Sudah kami tindak lanjuti."})
    assert reporter.get(path)["category"] == "sikap"
    again = reporter.post("/complaints", form, expect=201, headers=key)
    assert again["ticket"] == receipt["ticket"]


def test_what_is_left_out_of_a_new_catalogue_stays(people: People, catalogue: dict[str, Any]) -> None:
    gone = {"categories": [], "sub_categories": [], "opds": sorted(set(catalogue["opds"]) - set(OPDS))}
    replaced = people.admin.ask("PUT", "/catalogue", {"opds": OPDS}).json()
    assert replaced == catalogue | {"opds": OPDS, "removed": gone}
    nothing = {"categories": [], "sub_categories": [], "opds": []}
    assert people.admin.ask("PUT", "/catalogue", {}).json() == catalogue | {"opds": OPDS, "removed": nothing}


@pytest.mark.parametrize(
    "form",
    [
        {"categories": {}},
        {"opds": {}},
        {"categories": None},
        {"opds": []},
        {"opds": {"Dinas": "Dinas"}},
        {"opds": {"dinas": ""}},
        {"opds": {"dinas": None}},
        {"opds": {"dinas": "\x00"}},
        {"opds": {"": "Dinas"}},
        {"opds": {f"dinas-{number}": "Dinas" for number in range(501)}},
        {"categories": {"sikap": {}}},
        {"categories": {"sikap": {"name": "Sikap", "sub_categories": {}}}},
        {"kategori": {}},
        {"categories": {"sikap": {"name": "Sikap", "sub_categories": {"a b": "x"}}}},
        {"categories": {"sikap": {"name": "Sikap", "source": 7, "sub_categories": {"ramah": "Ramah"}}}},
    ],
    ids=lambda form: str(form)[:40],
)
def test_a_catalogue_that_cannot_be_replaces_nothing(people: People, catalogue: dict[str, Any], form: dict) -> None:
    response = people.admin.ask("PUT", "/catalogue", form)
    assert set(problem(response, 422, "invalid-input")["errors"]) == set(form)
    assert people.admin.get("/catalogue") == catalogue


@pytest.mark.parametrize("version", [0, 99_999, 2**31 - 1, 2**31, 10**30])
def test_a_version_of_the_calendar_that_never_was_is_unknown(people: People, version: int) -> None:
    problem(people.admin.ask("GET", f"/calendar/versions/{version}"), 404, "unknown-calendar")


@pytest.mark.parametrize("day", ["xyz", "2026-02-30", "2026-3-2"])
def test_what_is_no_date_is_refused_alike_as_a_day_and_as_no_day(people: People, day: str) -> None:
    answers = [
        people.admin.ask("DELETE", f"/calendar/days/{day}"),
        people.admin.ask("PUT", f"/calendar/days/{day}", {"name": "Libur daerah"}),
    ]
    assert [at_fault(answer) for answer in answers] == [{"day"}, {"day"}]
    problem(people.admin.ask("DELETE", "/calendar/days/2090-03-02"), 404, "unknown-calendar")


def test_the_years_whose_national_days_are_in_the_calendar_are_not_an_admins_to_change(people: People) -> None:
    standing = people.admin.get("/calendar")
    for years in ([], [*standing["calendar"]["national_years"], 2030]):
        changed = standing | {"calendar": standing["calendar"] | {"national_years": years}}
        assert at_fault(people.admin.ask("PUT", "/calendar", changed)) == {"national_years"}
    assert people.admin.get("/calendar") == standing


def test_an_admin_sees_no_complaint(people: People) -> None:
    ticket = people.submit(people.reporter())
    for path in ("", "/timeline"):
        problem(people.admin.ask("GET", f"/complaints/{ticket}{path}"), 403, "not-your-role")
    for desk in ("intake", "triage", "opd", "answers"):
        problem(people.admin.ask("GET", f"/desks/{desk}"), 403, "not-your-role")
    problem(people.admin.ask("GET", "/complaints"), 403, "not-your-role")
