"""The whole description of the API, asked as every role: nothing fails on our side, nothing is answered that is not
described, and the installation carries complaints as before.

Left to `make proof`: the same few thousand requests each time, then as many others as there is time for.
"""

from typing import Any

import pytest

from gateway.papers import BY_ACT, OF_COMPLAINTS
from nkk.settings.written import as_pem
from nkk.trust.actor import admit
from tests.access import WHO, table
from tests.current.documents import openapi
from tests.effort import FUZZ_SECONDS, SEED
from tests.hostile.fuzzing import fuzz, token
from tests.installations import Installation, running_processes
from tests.people import PASSWORD, People, Person, travel_as_complaint

ROLES = {
    "anonymous": "nobody",
    "reporter": "owner",
    "operator": "operator",
    "main_team": "Tim Utama",
    "opd_team": "OPD",
    "admin": "admin",
}
"""The admin last: what the others can name may be gone afterwards."""

AT_INTAKE = {"reporter": "/reporters/me/contact", "operator": "/desks/intake", "admin": "/staff"}
"""What a role reads where its session is known."""


@pytest.fixture(scope="module")
def who(whole: Installation, people: People) -> dict[str, Person]:
    """Somebody of every role, logged in for as long as it takes."""
    found = {
        "reporter": people.reporter(),
        "operator": people.operator,
        "main_team": people.main_team,
        "opd_team": people.opd_team("disdukcapil"),
        "admin": people.admin,
    }
    key = as_pem(whole.stack.keys["NKK_TOKEN_PUBLIC_KEY"])
    for role, person in found.items():
        person.token = token(whole, admit(person.token, key).actor)
        person.account = person.account or people.credentials(role, "disdukcapil" if role == "opd_team" else None)
    return {"anonymous": people.anyone} | found


@pytest.fixture(scope="module")
def names(people: People, who: dict[str, Person]) -> dict[str, list[str]]:
    """What requests can name: a complaint at every step among them, and an account that nobody needs."""
    reporter = who["reporter"]
    tickets = [travel_as_complaint(people, reporter)]
    acts: list[tuple[str, str, Any]] = [
        ("operator", "handover", None),
        ("main_team", "classification", {"kind": "complaint", "opd": "disdukcapil"}),
        ("opd_team", "response", {"text": "Sudah."}),
        ("main_team", "approval", {"approved": True}),
    ]
    for done in range(len(acts) + 1):
        tickets.append(people.submit(reporter))
        for role, act, form in acts[:done]:
            who[role].act(f"/complaints/{tickets[-1]}/{act}", form)
    spare = {"username": "petugas-coba", "name": "Coba", "role": "operator", "password": PASSWORD}
    people.admin.post("/staff", spare, expect=201)
    categories = people.anyone.get("/categories")["items"]
    return {
        "tickets": tickets,
        "documents": sorted(OF_COMPLAINTS.difference(BY_ACT)),
        "usernames": ["petugas-coba"],
        "days": ["2026-12-31", "2027-02-28"],
        "opds": [item["key"] for item in people.anyone.get("/opds")["items"]],
        "categories": [item["key"] for item in categories],
        "sub_categories": [sub["key"] for item in categories for sub in item["sub_categories"]],
    }


def barred(role: str, seconds: float) -> list[str]:
    """What a role is to ask about once or twice, by the names of the description: what it may not do at all, to which
    `tests/e2e/test_roles.py` sees, and, but at random, what a role before it has been asked about."""
    before = [] if seconds else list(ROLES.values())[: list(ROLES).index(role)]
    return [
        operation.replace(" ", " /api/v1", 1)
        for operation, cells in table().items()
        if (
            cells[WHO.index(ROLES[role])] in ("401", "403")
            or any(cells[WHO.index(other)] not in ("401", "403") for other in before)
        )
        and "/documents/" not in operation
    ]


@pytest.mark.proof
@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seconds", [0, FUZZ_SECONDS / len(ROLES)], ids=["the-same", "at-random"])
def test_nothing_is_answered_that_is_not_described(
    whole: Installation, people: People, who: dict[str, Person], names: dict[str, list[str]], role: str, seconds: float
) -> None:
    before = running_processes(whole)
    person = who[role]
    leaving = people.log_in(person.account["username"], person.account["password"]).token if person.account else None
    findings = fuzz(whole, person.token, leaving, names, seed=SEED, seconds=seconds, barred=barred(role, seconds))
    assert findings.faults == {}, findings.report()
    if role in AT_INTAKE:
        assert person.ask("GET", AT_INTAKE[role]).status_code == 200, "everything since the session ended was a 401"
    described = {
        f"{method.upper()} {path}"
        for path, item in openapi()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert findings.operations == described or seconds, findings.report()
    assert running_processes(whole) == before
    for process in before:
        assert not [
            line
            for line in whole.log(process).splitlines()
            if '"request failed"' in line or '"call failed"' in line or "Traceback" in line
        ]


@pytest.mark.proof
@pytest.mark.long
def test_the_installation_carries_complaints_as_before(
    people: People, who: dict[str, Person], names: dict[str, list[str]]
) -> None:
    # What the admin's requests made of accounts and lists is theirs to make.
    people.reopen()
    lists = people.admin.get("/catalogue")
    lists["opds"]["disdukcapil"] = "Disdukcapil"
    lists["categories"]["kode-perilaku"] = {"name": "Kode perilaku", "sub_categories": {"disiplin": "Disiplin"}}
    assert people.admin.ask("PUT", "/catalogue", lists).status_code == 200
    travel_as_complaint(people, who["reporter"])
