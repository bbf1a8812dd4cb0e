"""What an account may not see is to it, over HTTP, as a ticket that never was: answers, headers, lists, documents."""

import uuid
from typing import Any

import httpx
import pytest

from nkk.sop.ticket import new_ticket
from tests.access import WHO, table
from tests.builders import entry_form
from tests.installations import eventually
from tests.papers import pdf_words
from tests.people import PASSWORD, People, Person, travel_as_complaint
from tests.problems import problem

NIP, OTHER_NIP = "198503122010011003", "199004052015022001"
OPD, INSPECTORATE = "disdukcapil", "inspektorat"
DESKS = {"operator": ("intake", "answers"), "main_team": ("triage",), "opd_team": ("opd",)}
OF_EACH_ANSWER = ("date", "x-request-id")
"""The headers that differ between two equal requests."""

WHY = {"reason": "Kerabat."}
ASKED: dict[str, Any] = {
    "GET /complaints/{ticket}": None,
    "GET /complaints/{ticket}/timeline": None,
    "GET /complaints/{ticket}/notes": None,
    "GET /complaints/{ticket}/questions": None,
    "GET /complaints/{ticket}/files/{number}": None,
    "GET /complaints/{ticket}/files/{number}/preview": None,
    "GET /complaints/{ticket}/documents/form-pengaduan.{format}": None,
    "GET /complaints/{ticket}/documents/tanda-terima.{format}": None,
    "GET /complaints/{ticket}/documents/data-pengaduan.{format}": None,
    "GET /complaints/{ticket}/documents/surat-jawaban.{format}": None,
    "GET /complaints/{ticket}/documents/laporan-pengaduan.{format}": None,
    "GET /complaints/{ticket}/documents/laporan-tanggapan-pengaduan.{format}": None,
    "POST /complaints/{ticket}/documents/data-pemberi-aduan.{format}": None,
    "POST /complaints/{ticket}/identity": None,
    "POST /complaints/{ticket}/handover": None,
    "POST /complaints/{ticket}/classification": {"kind": "complaint", "opd": OPD},
    "POST /complaints/{ticket}/response": {"text": "Sudah ditegur."},
    "POST /complaints/{ticket}/approval": {"approved": True},
    "POST /complaints/{ticket}/answer": {"text": "Sudah ditegur."},
    "POST /complaints/{ticket}/declination": WHY,
    "POST /complaints/{ticket}/recall": WHY,
    "POST /complaints/{ticket}/reclassification": WHY,
    "POST /complaints/{ticket}/continuation": WHY,
    "POST /complaints/{ticket}/time-request": WHY | {"days": 2},
    "POST /complaints/{ticket}/time-grant": {"days": 2},
    "POST /complaints/{ticket}/further-opd": {"opd": INSPECTORATE, "note": "Tanggapi juga."},
    "POST /complaints/{ticket}/conclusion": {"note": "OPD kedua tidak berwenang."},
    "POST /complaints/{ticket}/joins": WHY | {"first": "NKK-2026-EDXY-ER30"},
    "POST /complaints/{ticket}/parting": WHY,
    "POST /complaints/{ticket}/questions": {"text": "Kapan?"},
    "POST /complaints/{ticket}/abandonment": WHY,
    "POST /complaints/{ticket}/recusals": WHY,
    "POST /complaints/{ticket}/notes": {"text": "Catatan."},
    "POST /complaints/{ticket}/claim": {},
    "DELETE /complaints/{ticket}/claim": None,
    "POST /entries/{ticket}/code": None,
    "POST /entries/{ticket}/receipt.{format}": {"access_code": "7H4K-Q2MV-0NXV-3M3W"},
}
"""What is sent with each operation of staff about a complaint, by its name in docs/access.md."""


def hired(people: People, role: str, nip: str | None = None) -> Person:
    """Return a new member of staff, logged in."""
    account = {"username": f"petugas-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    form = account | {"name": "Petugas Contoh", "role": role, "opd": OPD if role == "opd_team" else None}
    people.admin.post("/staff", form | ({"nip": nip} if nip else {}), expect=201)
    person = people.log_in(**account)
    person.account = account
    return person


def shape(response: httpx.Response, ticket: str) -> tuple[Any, ...]:
    """Return all of an answer that tells anything, with the ticket left out."""
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in OF_EACH_ANSWER and not name.startswith(("x-ratelimit", "ratelimit"))
    }
    return response.status_code, response.text.replace(ticket, "TICKET"), sorted(headers.items())


def assert_unknown(person: Person, ticket: str) -> None:
    """Assert that every operation about the complaint has the answer that a ticket has which never was."""
    for operation, form in ASKED.items():
        method, path = operation.replace("{number}", "1").replace("{format}", "pdf").split(" ")
        never = new_ticket(2026)
        known, unknown = (
            shape(person.ask(method, path.replace("{ticket}", which), json=form), which) for which in (ticket, never)
        )
        assert known == unknown, operation
        assert known[0] in (403, 404), operation


def test_every_operation_of_staff_about_a_complaint_is_asked() -> None:
    staff = [WHO.index(role) for role in ("operator", "Tim Utama", "OPD")]
    of_staff = {name for name, who in table().items() if "{ticket}" in name and any(who[each] == "✓" for each in staff)}
    assert ASKED.keys() == of_staff


def lists(person: Person, role: str, ticket: str) -> list[bool]:
    """Return whether each list of the role's desks has the ticket, and whether a search for it does."""
    found = []
    for desk in DESKS[role]:
        found += [ticket in person.desk(desk)]
        found += [person.get(f"/desks/{desk}", params={"q": ticket})["items"] != []]
    return found


@pytest.mark.parametrize("role", DESKS)
def test_to_the_accused_a_complaint_is_as_one_that_never_was(people: People, role: str) -> None:
    accused, colleague = hired(people, role, NIP), hired(people, role, OTHER_NIP)
    reporter = people.reporter()
    ticket = travel_as_complaint(people, reporter, accused_nip=NIP, files=[reporter.upload()])
    assert_unknown(accused, ticket)
    assert not any(lists(accused, role, ticket))
    assert colleague.get(f"/complaints/{ticket}")["ticket"] == ticket
    assert reporter.get(f"/complaints/{ticket}")["ticket"] == ticket
    if role == "operator":
        assert NIP not in colleague.ask("POST", f"/complaints/{ticket}/identity").text


def test_it_is_in_no_list_of_the_accused_while_it_waits_there(people: People) -> None:
    accused = {role: hired(people, role, NIP) for role in DESKS}
    ticket = people.submit(people.reporter(), accused_nip=NIP)
    assert ticket in people.operator.desk("intake")
    assert not any(lists(accused["operator"], "operator", ticket))
    people.operator.post(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    assert not any(lists(accused["main_team"], "main_team", ticket))
    people.main_team.post(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": OPD})
    eventually(lambda: ticket in people.opd_team(OPD).desk("opd"))
    assert not any(lists(accused["opd_team"], "opd_team", ticket))
    for role, person in accused.items():
        several = person.post("/claims", {"tickets": [ticket, never := new_ticket(2026)]})["items"]
        assert [each.pop("ticket") for each in several] == [ticket, never]
        assert several[0] == several[1], role


def test_a_nip_that_is_entered_later_ends_the_sessions_and_hides_what_was_seen(people: People) -> None:
    operator, ticket = hired(people, "operator"), people.submit(people.reporter(), accused_nip=NIP)
    assert operator.get(f"/complaints/{ticket}")["ticket"] == ticket
    assert operator.account
    path = f"/staff/{operator.account['username']}/nip"
    answer = people.admin.ask("PUT", path, json={"nip": "1985 0312 201001 1 003"})
    assert (answer.status_code, answer.json()["has_nip"]) == (200, True)
    assert NIP not in answer.text
    assert operator.ask("GET", f"/complaints/{ticket}").status_code == 401
    again = people.log_in(operator.account["username"], operator.account["password"])
    assert_unknown(again, ticket)
    # The same NIP once more changes nothing, and ends no session.
    assert people.admin.ask("PUT", path, json={"nip": NIP}).status_code == 200
    assert_unknown(again, ticket)
    assert people.admin.ask("PUT", path, json={"nip": None}).json()["has_nip"] is False
    freed = people.log_in(operator.account["username"], operator.account["password"])
    assert freed.get(f"/complaints/{ticket}")["ticket"] == ticket


def test_a_number_that_is_no_nip_is_refused_at_its_field(people: People) -> None:
    form = {"accused_nip": "198503122010011"}
    refused = people.reporter().ask("POST", "/complaints", json=entry_form(reporter=None) | form)
    assert "accused_nip" in problem(refused, 422, "invalid-input")["errors"]
    operator = hired(people, "operator")
    assert operator.account
    refused = people.admin.ask("PUT", f"/staff/{operator.account['username']}/nip", json={"nip": "12"})
    assert "nip" in problem(refused, 422, "invalid-input")["errors"]


def test_what_an_operator_enters_for_somebody_is_hidden_from_the_accused_too(people: People) -> None:
    accused = hired(people, "operator", NIP)
    ticket = people.operator.post("/entries", entry_form(channel="counter", accused_nip=NIP), expect=201)["ticket"]
    assert_unknown(accused, ticket)


def test_the_agency_that_is_passed_over_learns_nothing(people: People) -> None:
    ticket = people.submit(people.reporter(), accused_opd=OPD, conflict=True)
    people.operator.act(f"/complaints/{ticket}/handover")
    case = eventually(lambda: people.main_team.get(f"/complaints/{ticket}"))
    assert (case["conflict"], case["accused_opd"]) == (True, OPD)
    own = {"kind": "complaint", "opd": OPD}
    refused = people.main_team.ask("POST", f"/complaints/{ticket}/classification", json=own)
    assert problem(refused, 422, "invalid-input")["codes"] == {"reason": [{"code": "conflict-without-reason"}]}
    people.main_team.post(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": INSPECTORATE})
    inspectorate = people.opd_team(INSPECTORATE)
    assert "conflict" not in eventually(lambda: inspectorate.get(f"/complaints/{ticket}"))
    assert_unknown(people.opd_team(OPD), ticket)
    assert not any(lists(people.opd_team(OPD), "opd_team", ticket))


def test_the_form_on_paper_has_what_was_marked_and_the_agencys_document_has_not(people: People) -> None:
    ticket, label = people.submit(people.reporter(), accused_opd=OPD, conflict=True), "Terlapor dalam tim pengaduan"
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", {"kind": "complaint", "opd": INSPECTORATE})
    team = people.opd_team(INSPECTORATE)
    eventually(lambda: team.ask("GET", f"/complaints/{ticket}").status_code == 200)
    for person, kind in ((people.operator, "form-pengaduan"), (team, "laporan-pengaduan")):
        path = f"/complaints/{ticket}/documents/{kind}.pdf"
        paper = eventually(lambda person=person, path=path: (a := person.ask("GET", path)).status_code == 200 and a)
        assert (label in pdf_words(paper.content)) == (kind == "form-pengaduan")


def test_with_a_reason_it_goes_to_the_accuseds_own_agency_which_does_not_read_it(people: People) -> None:
    ticket, why = people.submit(people.reporter(), accused_opd=OPD, conflict=True), "Timnya sudah berganti."
    people.operator.act(f"/complaints/{ticket}/handover")
    form = {"kind": "complaint", "opd": OPD, "note": "Mohon diperiksa.", "reason": why}
    people.main_team.act(f"/complaints/{ticket}/classification", form)
    team = people.opd_team(OPD)
    assert eventually(lambda: team.get(f"/complaints/{ticket}"))["note"] == "Mohon diperiksa."
    for path in ("", "/timeline", "/notes"):
        assert why not in team.ask("GET", f"/complaints/{ticket}{path}").text
    assert why in people.main_team.ask("GET", f"/complaints/{ticket}/notes").text


@pytest.mark.parametrize("role", DESKS)
def test_to_whoever_had_to_step_aside_a_complaint_is_as_one_that_never_was(people: People, role: str) -> None:
    ticket, colleague = travel_as_complaint(people, people.reporter()), hired(people, role)
    assert colleague.account
    form = {"reason": "Kerabat.", "account": colleague.account["username"]}
    people.main_team.post(f"/complaints/{ticket}/recusals", form)
    eventually(lambda: colleague.ask("GET", f"/complaints/{ticket}").status_code == 404)
    eventually(lambda: colleague.ask("GET", f"/complaints/{ticket}/timeline").status_code == 404)
    eventually(lambda: assert_unknown(colleague, ticket) is None)
    assert not any(lists(colleague, role, ticket))
