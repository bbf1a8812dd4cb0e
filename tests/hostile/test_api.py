"""The API, fuzzed in every role, has no server errors and no undescribed responses, and works as before afterwards.

This is left to `make proof`: a few thousand requests that are always the same, then others for the remaining time.
"""

from typing import Any

import pytest

from gateway.papers import BY_ACT, OF_COMPLAINTS
from nkk.settings.keys import as_pem
from nkk.trust.actor import admit
from tests.access import WHO, table
from tests.builders import entry_form
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
    "website": "website",
    "admin": "admin",
}
"""The roles, with their names in docs/access.md. The admin comes last, because it may delete what the others name."""

AT_INTAKE = {"reporter": "/reporters/me/contact", "operator": "/desks/intake", "website": "/entries", "admin": "/staff"}
"""What a role reads at intake, by which its session is seen to be open."""


@pytest.fixture(scope="module")
def who(whole: Installation, people: People) -> dict[str, Person]:
    """Return a person of every role, with tokens that outlive the run."""
    found = {
        "reporter": people.reporter(),
        "operator": people.operator,
        "main_team": people.main_team,
        "opd_team": people.opd_team("disdukcapil"),
        "website": people.website(),
        "admin": people.admin,
    }
    key = as_pem(whole.stack.keys["NKK_TOKEN_PUBLIC_KEY"])
    for role, person in found.items():
        person.token = token(whole, admit(person.token, key).actor)
        person.account = person.account or people.credentials(role, "disdukcapil" if role == "opd_team" else None)
    return {"anonymous": people.anyone} | found


@pytest.fixture(scope="module")
def names(people: People, who: dict[str, Person]) -> dict[str, list[str]]:
    """Return the names that requests use, among them a complaint at every step and a spare account."""
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
    tickets.append(who["website"].post("/entries", entry_form(), expect=201)["ticket"])
    spare = {"username": "petugas-coba", "name": "Coba", "role": "operator", "password": PASSWORD}
    people.admin.post("/staff", spare, expect=201)
    categories = people.anyone.get("/categories")["items"]
    return {
        "tickets": tickets,
        "documents": sorted(OF_COMPLAINTS.difference(BY_ACT)),
        "usernames": ["petugas-coba"],
        "uploads": [begun(person) for role, person in who.items() if role in ("reporter", "operator", "website")],
        "days": ["2026-12-31", "2027-02-28"],
        "opds": [item["key"] for item in people.anyone.get("/opds")["items"]],
        "categories": [item["key"] for item in categories],
        "sub_categories": [sub["key"] for item in categories for sub in item["sub_categories"]],
    }


def begun(person: Person) -> str:
    """Return the id of an upload that a person has begun."""
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000"}
    return person.ask("POST", "/uploads", headers=headers).headers["Location"].rpartition("/")[2]


def barred(role: str, seconds: float) -> list[str]:
    """Return the operations that a role requests once or twice only.

    These are the ones forbidden to it, which tests/e2e/test_roles.py covers, and, unless the requests are random, those
    that an earlier role has requested.
    """
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


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seconds", [0, FUZZ_SECONDS / len(ROLES)], ids=["the-same", "at-random"])
def test_nothing_is_answered_that_is_not_described(
    whole: Installation, people: People, who: dict[str, Person], names: dict[str, list[str]], role: str, seconds: float
) -> None:
    before = running_processes(whole)
    person = who[role]
    if role in ("main_team", "opd_team"):
        # The admin's requests may have disabled the account or changed its password.
        people.reopen_one(person.account)
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


@pytest.mark.long
def test_the_installation_carries_complaints_as_before(
    people: People, who: dict[str, Person], names: dict[str, list[str]]
) -> None:
    # The admin's requests may have changed accounts and lists.
    people.reopen()
    lists = people.admin.get("/catalogue")
    lists["opds"]["disdukcapil"] = "Disdukcapil"
    lists["categories"]["kode-perilaku"] = {"name": "Kode perilaku", "sub_categories": {"disiplin": "Disiplin"}}
    assert people.admin.ask("PUT", "/catalogue", lists).status_code == 200
    travel_as_complaint(people, who["reporter"])
