"""Who may do what: every operation of the API, for everybody who might try."""

from typing import Any

import pytest

from gateway import create_app
from nkk.sop.ticket import new_ticket
from nkk.stack.keys import new_keys
from tests.builders import complaint_form
from tests.people import PASSWORD, People, Person, travel_as_complaint

WHO = ("nobody", "owner", "other_reporter", "operator", "main_team", "opd_team", "other_opd_team", "admin")

ANYONE = (200,) * 8
ANYONE_WHO_FILLS_IT_IN = (422,) * 8
ANYONE_LOGGED_IN = (401, *(204,) * 7)
REPORTERS_READ = (401, 200, 200, 403, 403, 403, 403, 403)
REPORTERS_WRITE = (401, 201, 201, 403, 403, 403, 403, 403)
REPORTERS_WHO_FILL_IT_IN = (401, 422, 422, 403, 403, 403, 403, 403)
ANYONE_LOGGED_IN_WHO_FILLS_IT_IN = (401, *(422,) * 7)
READERS = (401, 200, 404, 200, 200, 200, 404, 403)
# The complaint that is asked about is closed: who may act is told that it was done, whose it is not that it is unknown.
THE_OWNER = (401, 409, 404, 403, 403, 403, 403, 403)
THE_OPERATOR = (401, 403, 403, 409, 403, 403, 403, 403)
THE_MAIN_TEAM = (401, 403, 403, 403, 409, 403, 403, 403)
THE_OPD_TEAM = (401, 403, 403, 403, 403, 409, 404, 403)
THE_OPERATORS_DESK = (401, 403, 403, 200, 403, 403, 403, 403)
THE_MAIN_TEAMS_DESK = (401, 403, 403, 403, 200, 403, 403, 403)
THE_OPD_TEAMS_DESK = (401, 403, 403, 403, 403, 200, 200, 403)
THE_ADMIN = (401, 403, 403, 403, 403, 403, 403, 200)
THE_ADMIN_WHO_FILLS_IT_IN = (401, 403, 403, 403, 403, 403, 403, 422)
THE_COUNTERS_WHO_FILL_IT_IN = (401, 403, 403, 422, 422, 403, 403, 422)
THE_DESKS = (401, 403, 403, 409, 409, 409, 404, 403)
STAFF_WHO_FILL_IT_IN = (401, 403, 403, 422, 422, 422, 422, 422)
THE_ADMIN_OF_A_DAY = (401, 403, 403, 403, 403, 403, 403, 404)
THE_ADMIN_OF_AN_ACCOUNT = (401, 403, 403, 403, 403, 403, 403, 404)

TABLE = {
    ("GET", "/openapi.json"): ANYONE,
    ("GET", "/categories"): ANYONE,
    ("GET", "/opds"): ANYONE,
    ("POST", "/reporters"): ANYONE_WHO_FILLS_IT_IN,
    ("GET", "/reporters/me/contact"): REPORTERS_READ,
    ("PUT", "/reporters/me/contact"): REPORTERS_WHO_FILL_IT_IN,
    ("POST", "/sessions"): ANYONE_WHO_FILLS_IT_IN,
    ("POST", "/sessions/current/renewal"): ANYONE_WHO_FILLS_IT_IN,
    ("DELETE", "/sessions/current"): ANYONE_LOGGED_IN,
    ("PUT", "/sessions/current/password"): ANYONE_LOGGED_IN_WHO_FILLS_IT_IN,
    ("POST", "/password-resets"): ANYONE_WHO_FILLS_IT_IN,
    ("POST", "/password-resets/completion"): ANYONE_WHO_FILLS_IT_IN,
    ("GET", "/complaints"): REPORTERS_READ,
    ("POST", "/complaints"): REPORTERS_WRITE,
    ("GET", "/complaints/<ticket>"): READERS,
    ("GET", "/complaints/<ticket>/timeline"): READERS,
    ("POST", "/complaints/<ticket>/handover"): THE_OPERATOR,
    ("POST", "/complaints/<ticket>/classification"): THE_MAIN_TEAM,
    ("POST", "/complaints/<ticket>/response"): THE_OPD_TEAM,
    ("POST", "/complaints/<ticket>/approval"): THE_MAIN_TEAM,
    ("POST", "/complaints/<ticket>/answer"): THE_OPERATOR,
    ("POST", "/complaints/<ticket>/receipt"): THE_OWNER,
    ("POST", "/complaints/<ticket>/claim"): THE_DESKS,
    ("DELETE", "/complaints/<ticket>/claim"): THE_DESKS,
    ("GET", "/desks/intake"): THE_OPERATORS_DESK,
    ("GET", "/desks/triage"): THE_MAIN_TEAMS_DESK,
    ("GET", "/desks/opd"): THE_OPD_TEAMS_DESK,
    ("GET", "/desks/answers"): THE_OPERATORS_DESK,
    ("GET", "/desks/intake/changes"): THE_OPERATORS_DESK,
    ("GET", "/desks/triage/changes"): THE_MAIN_TEAMS_DESK,
    ("GET", "/desks/opd/changes"): THE_OPD_TEAMS_DESK,
    ("GET", "/desks/answers/changes"): THE_OPERATORS_DESK,
    ("GET", "/figures"): ANYONE,
    ("GET", "/staff/names"): STAFF_WHO_FILL_IT_IN,
    ("GET", "/staff"): THE_ADMIN,
    ("POST", "/staff"): THE_ADMIN_WHO_FILLS_IT_IN,
    ("GET", "/staff/<username>"): THE_ADMIN_OF_AN_ACCOUNT,
    ("POST", "/staff/<username>/disablement"): THE_ADMIN_OF_AN_ACCOUNT,
    ("PUT", "/staff/<username>/password"): THE_ADMIN_OF_AN_ACCOUNT,
    ("GET", "/catalogue"): THE_ADMIN,
    ("PUT", "/catalogue"): THE_ADMIN,
    ("GET", "/teams"): THE_ADMIN,
    ("PUT", "/teams"): THE_ADMIN,
    ("GET", "/calendar"): THE_ADMIN,
    ("PUT", "/calendar"): THE_ADMIN_WHO_FILLS_IT_IN,
    ("GET", "/calendar/versions"): THE_ADMIN,
    ("GET", "/calendar/versions/<int:version>"): THE_ADMIN,
    ("GET", "/calendar/national-days"): THE_ADMIN_WHO_FILLS_IT_IN,
    ("PUT", "/calendar/days/<day>"): THE_ADMIN_WHO_FILLS_IT_IN,
    ("DELETE", "/calendar/days/<day>"): THE_ADMIN_OF_A_DAY,
    ("GET", "/reports/monthly"): THE_COUNTERS_WHO_FILL_IT_IN,
    ("GET", "/complaints/<ticket>/documents/<kind>.<any(docx, pdf):format>"): READERS,
}

NAMED = {"<username>": "tidak-ada-orangnya", "<int:version>": "1", "<day>": "2031-07-01",
         "<kind>.<any(docx, pdf):format>": "laporan-tanggapan-pengaduan.docx"}
"""What stands in an address beside the ticket."""

FORMS: dict[str, Any] = {
    "/complaints": complaint_form(),
    "/complaints/<ticket>/classification": {"kind": "information"},
    "/complaints/<ticket>/response": {"text": "Sudah."},
    "/complaints/<ticket>/approval": {"approved": True},
    "/complaints/<ticket>/answer": {"text": "Sudah."},
    "/staff/<username>/password": {"password": PASSWORD},
}


def filled(path: str, ticket: str) -> str:
    """`path` with something in the place of every name."""
    for name, value in NAMED.items():
        path = path.replace(name, value)
    return path.replace("<ticket>", ticket)


def operations() -> set[tuple[str, str]]:
    """Every operation of the API as the application itself routes it."""
    keys = new_keys()
    app = create_app({"AMQP_URI": "amqp://localhost", "INTAKE_PUBLIC_KEY": keys["NKK_INTAKE_PUBLIC_KEY"],
                      "TOKEN_PUBLIC_KEY": keys["NKK_TOKEN_PUBLIC_KEY"], "SITE_KEY": keys["NKK_SITE_KEY"],
                      "RPC_TIMEOUT": 1, "TRUSTED_PROXIES": 0,
                      "LIVE_STREAMS": 1, "RATELIMIT_STORAGE_URI": "memory://"})
    return {(method, rule.rule.removeprefix("/api/v1")) for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/api/v1") for method in rule.methods - {"HEAD", "OPTIONS"}}


def test_the_table_names_every_operation_of_the_api() -> None:
    assert set(TABLE) == operations()


@pytest.fixture(scope="module")
def closed(people: People) -> tuple[dict[str, Person], str]:
    """Everybody who might try, and a complaint whose every step is done."""
    owner = people.reporter()
    ticket = travel_as_complaint(people, owner, opd="inspektorat")
    owner.post(f"/complaints/{ticket}/receipt")
    everybody = (people.anyone, owner, people.reporter(), people.operator, people.main_team,
                 people.opd_team("inspektorat"), people.opd_team("satpol-pp"), people.admin)
    return dict(zip(WHO, everybody, strict=True)), ticket


def test_everybody_may_do_what_the_table_says_and_nothing_else(closed: tuple[dict[str, Person], str]) -> None:
    everybody, ticket = closed
    before = everybody["operator"].get(f"/complaints/{ticket}/timeline")
    found = {}
    for method, path in TABLE:
        address = filled(path, ticket)
        form = None if method in ("GET", "DELETE") else FORMS.get(path, {})
        found[method, path] = tuple(person.status(method, address, form) for person in everybody.values())
    assert found == TABLE
    assert everybody["operator"].get(f"/complaints/{ticket}/timeline") == before


def test_who_may_not_act_learns_neither_of_the_complaint_nor_of_their_input(closed: tuple[dict[str, Person], str]
                                                                            ) -> None:
    everybody, ticket = closed
    for (method, path), statuses in TABLE.items():
        for person, status in zip(everybody.values(), statuses, strict=True):
            if status not in (401, 403) or "<ticket>" not in path:
                continue
            answers = {person.ask(method, filled(path, any_ticket), json=form).text
                       for any_ticket in (ticket, new_ticket(2026), "x") for form in (FORMS.get(path), {"x": "y"})}
            assert len(answers) == 1
            assert "errors" not in answers.pop()
