"""Tickets: they open a complaint for its own people, in any spelling, and for nobody else."""

from typing import Any

import pytest

from nkk.sop.ticket import new_ticket
from tests.installations import eventually
from tests.people import People, Person
from tests.problems import problem

DATABASES = ["postgres"]

STRANGE = [
    "NKK-2026-EDXY-ER31",
    "NKK-2026-EDXY",
    "NKK-20260-EDXY-ER30",
    "1",
    "NKK",
    "%00",
    "%ff",
    "%F0%9F%98%80",
    "'",
    "NKK-2026-UUUU-UUUU",
    "NKK-%D9%A2%D9%A0%D9%A2%D9%A6-EDXY-ER30",
    "a" * 2_000,
]

REPORTERS = [("GET", "", None), ("GET", "/timeline", None), ("POST", "/receipt", None)]
OPERATORS = [
    ("GET", "", None),
    ("GET", "/timeline", None),
    ("POST", "/handover", None),
    ("POST", "/answer", {"text": "Sudah."}),
]
MAIN_TEAMS = [
    ("GET", "", None),
    ("GET", "/timeline", None),
    ("POST", "/classification", {"kind": "information"}),
    ("POST", "/approval", {"approved": True}),
    ("POST", "/approval", {"approved": False, "note": "Kurang."}),
]
OPD_TEAMS = [("GET", "", None), ("GET", "/timeline", None), ("POST", "/response", {"text": "Sudah."})]


def unknown(person: Person, operations: list[tuple[str, str, Any]], ticket: str) -> list[str]:
    """Try each operation on `ticket`, which must be unknown; return the responses."""
    answers = []
    for method, path, form in operations:
        response = person.ask(method, f"/complaints/{ticket}{path}", form)
        problem(response, 404, "unknown-ticket")
        answers.append(response.text)
    return answers


def test_another_reporters_ticket_looks_like_one_that_does_not_exist(people: People) -> None:
    owner, other = people.reporter(), people.reporter()
    ticket = people.submit(owner)
    eventually(lambda: owner.get(f"/complaints/{ticket}/timeline")["entries"])
    assert unknown(other, REPORTERS, ticket) == unknown(other, REPORTERS, new_ticket(2026))
    assert len(owner.get(f"/complaints/{ticket}/timeline")["entries"]) == 1


def test_a_complaint_not_handed_over_does_not_exist_for_the_teams(people: People) -> None:
    owner, team = people.reporter(), people.opd_team("disdukcapil")
    ticket = people.submit(owner)
    eventually(lambda: owner.get(f"/complaints/{ticket}/timeline")["entries"])
    assert unknown(people.main_team, MAIN_TEAMS, ticket) == unknown(people.main_team, MAIN_TEAMS, new_ticket(2026))
    assert unknown(team, OPD_TEAMS, ticket) == unknown(team, OPD_TEAMS, new_ticket(2026))
    assert ticket in people.operator.desk("intake")


def test_another_agencys_complaint_does_not_exist_for_an_opd_team(people: People) -> None:
    reporter, own, other = people.reporter(), people.opd_team("inspektorat"), people.opd_team("satpol-pp")
    ticket = people.submit(reporter, accused_opd="satpol-pp")
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": "inspektorat"})
    eventually(lambda: ticket in own.desk("opd"))
    assert unknown(other, OPD_TEAMS, ticket) == unknown(other, OPD_TEAMS, new_ticket(2026))
    assert ticket not in other.desk("opd")
    assert own.get(f"/complaints/{ticket}")["stands"]["state"] == "awaiting_response"


def test_nobody_finds_a_ticket_that_does_not_exist(people: People) -> None:
    for person, operations in ((people.operator, OPERATORS), (people.main_team, MAIN_TEAMS)):
        unknown(person, operations, new_ticket(2026))


@pytest.mark.parametrize("ticket", STRANGE, ids=range(len(STRANGE)))
def test_what_is_no_ticket_is_unknown_and_no_failure(people: People, ticket: str) -> None:
    unknown(people.operator, OPERATORS, ticket)
    unknown(people.main_team, MAIN_TEAMS, ticket)


def test_a_mistyped_ticket_finds_no_complaint(people: People) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter)
    for place, sign in enumerate(ticket[9:], start=9):
        if sign != "-":
            wrong = ticket[:place] + ("7" if sign != "7" else "8") + ticket[place + 1 :]
            unknown(reporter, REPORTERS, wrong)


def test_a_ticket_is_found_however_it_is_typed(people: People) -> None:
    reporter = people.reporter()
    ticket = people.submit(reporter)
    body = ticket[3:]
    for typed in (
        ticket.lower(),
        ticket.replace("-", ""),
        ticket.replace("-", " "),
        f" {ticket} ",
        "nkk" + body.replace("0", "o").replace("1", "l"),
        "NKK" + body.replace("0", "O").replace("1", "I"),
    ):
        assert reporter.get(f"/complaints/{typed}")["ticket"] == ticket
        assert reporter.get(f"/complaints/{typed}/timeline")["ticket"] == ticket
    people.operator.post(f"/complaints/{ticket.lower()}/handover")
    people.main_team.act(f"/complaints/{ticket.lower()}/classification", {"kind": "information"})
    people.operator.act(f"/complaints/{ticket.lower()}/answer", {"text": "Sudah."})
    assert reporter.post(f"/complaints/{ticket.lower()}/receipt")["ticket"] == ticket
