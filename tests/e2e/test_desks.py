"""Filters of a desk's worklist, and claims."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nkk.sop.ticket import new_ticket
from tests.installations import eventually
from tests.people import PASSWORD, People, Person
from tests.problems import at_fault, problem

# Worklists and claims are tested on both databases in tests/integration/test_desks.py.
DATABASES = ["postgres"]


def colleague(people: People, role: str, opd: str | None = None, name: str = "Rekan Contoh") -> Person:
    """Add and log in another member of staff with that role."""
    credentials = {"username": f"rekan-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    people.admin.post("/staff", credentials | {"name": name, "role": role, "opd": opd}, expect=201)
    return people.log_in(**credentials)


def narrowed(person: Person, desk: str, **wanted: Any) -> list[str]:
    """Return the tickets on all pages of a desk's worklist, filtered by `wanted`."""
    tickets, cursor = [], {}
    while True:
        page = person.get(f"/desks/{desk}", params=wanted | cursor | {"limit": 2})
        tickets += [item["ticket"] for item in page["items"]]
        if page["next"] is None:
            return tickets
        cursor = {"cursor": page["next"]}


def claim_on(person: Person, desk: str, ticket: str) -> Any:
    """Return the claim on `ticket`, which worklist and case must show alike."""
    rows = {item["ticket"]: item["claim"] for item in person.get(f"/desks/{desk}", params={"q": ticket})["items"]}
    assert person.get(f"/complaints/{ticket}")["claim"] == rows[ticket]
    return rows[ticket]


# -- worklists


def test_a_worklist_is_narrowed_page_by_page(people: People) -> None:
    reporter, word = people.reporter(), uuid.uuid4().hex[:10]
    wanted = [
        people.submit(
            reporter, subject_line=f"Soal {word} nomor {number}", category="kode-etik", sub_category="bernegara"
        )
        for number in range(5)
    ]
    other = people.submit(reporter, subject_line=f"Hal {word.upper()}")
    assert narrowed(people.operator, "intake", q=word) == [*wanted, other]
    assert narrowed(people.operator, "intake", q=word, category="kode-etik") == wanted
    assert narrowed(people.operator, "intake", q=f"SOAL {word}") == wanted
    assert narrowed(people.operator, "intake", q=word, late="true") == []
    assert narrowed(people.operator, "intake", q=f"%{word}") == []
    assert narrowed(people.operator, "intake", q=other.replace("-", "").lower()) == [other]


def test_a_worklist_is_sorted_and_narrowed_by_claims(people: People) -> None:
    reporter, word = people.reporter(), uuid.uuid4().hex[:10]
    first, second, third = (people.submit(reporter, subject_line=f"Soal {word} {number}") for number in range(3))
    other = colleague(people, "operator")
    people.operator.post(f"/complaints/{first}/claim")
    other.post(f"/complaints/{second}/claim")
    for waits, wanted in (("me", [first]), ("colleagues", [second]), ("nobody", [third])):
        assert narrowed(people.operator, "intake", q=word, waits=waits) == wanted
    assert narrowed(people.operator, "intake", q=word, sort="newest") == [third, second, first]
    assert narrowed(people.operator, "intake", q=word, sort="category") == [first, second, third]
    page = people.operator.get("/desks/intake", params={"q": word, "limit": 2})
    refused = people.operator.ask("GET", "/desks/intake", params={"cursor": page["next"], "sort": "newest"})
    assert problem(refused, 422, "invalid-input")["codes"] == {"cursor": [{"code": "no-cursor"}]}
    for wanted in ({"waits": "somebody"}, {"sort": "oldest"}):
        assert at_fault(people.operator.ask("GET", "/desks/intake", params=wanted)) == set(wanted)


def test_several_complaints_are_claimed_and_each_is_told_of(people: People) -> None:
    reporter = people.reporter()
    free, theirs = people.submit(reporter), people.submit(reporter)
    other = colleague(people, "operator")
    other.post(f"/complaints/{theirs}/claim")
    missing = new_ticket(2026)
    tickets = [free, theirs, missing, "x", free]
    told = people.operator.post("/claims", {"tickets": tickets})["items"]
    assert [item["ticket"] for item in told] == [free, theirs, missing, "x"]
    assert [item["problem"] and item["problem"]["type"] for item in told] == [
        None,
        "urn:nkk:problem:claimed-by-colleague",
        "urn:nkk:problem:unknown-ticket",
        "urn:nkk:problem:unknown-ticket",
    ]
    assert told[0]["claim"] == claim_on(people.operator, "intake", free)
    assert told[1]["problem"]["claim"] == claim_on(people.operator, "intake", theirs)
    [taken] = people.operator.post("/claims", {"tickets": [theirs], "take_over": True})["items"]
    assert taken == {"ticket": theirs, "claim": claim_on(people.operator, "intake", theirs), "problem": None}
    assert taken["claim"]["by"] != told[1]["problem"]["claim"]["by"]


def test_several_complaints_are_handed_over_and_each_is_told_of(people: People) -> None:
    reporter = people.reporter()
    done, first, second = (people.submit(reporter) for _ in range(3))
    people.operator.post(f"/complaints/{done}/handover")
    told = people.operator.post("/handovers", {"tickets": [first, done, second]})["items"]
    assert [item["ticket"] for item in told] == [first, done, second]
    assert told[1]["problem"]["type"] == "urn:nkk:problem:already-handed-over"
    assert told[1]["problem"]["stands"]["state"] == "handed_over"
    assert [told[place]["stands"]["state"] for place in (0, 2)] == ["handed_over"] * 2
    assert set(eventually(lambda: narrowed(people.main_team, "triage", q=second))) == {second}
    again = people.operator.post("/handovers", {"tickets": [first]})["items"]
    assert again[0]["problem"]["type"] == "urn:nkk:problem:already-handed-over"


def test_what_a_colleague_works_on_or_its_reporter_owes_is_not_handed_over_with_others(people: People) -> None:
    reporter = people.reporter()
    claimed, asked, free, own = (people.submit(reporter) for _ in range(4))
    colleague(people, "operator").post(f"/complaints/{claimed}/claim", {})
    people.operator.post(f"/complaints/{own}/claim", {})
    people.operator.post(f"/complaints/{asked}/questions", {"text": "Pukul berapa?"})
    told = people.operator.post("/handovers", {"tickets": [claimed, asked, free, own]})["items"]
    types = [item["problem"] and item["problem"]["type"].removeprefix("urn:nkk:problem:") for item in told]
    assert types == ["claimed-by-colleague", "question-open", None, None]
    assert told[0]["problem"]["claim"]["since"]
    for ticket in (claimed, asked):
        people.operator.post(f"/complaints/{ticket}/handover")


def test_two_operators_hand_the_same_complaints_over_and_each_is_handed_over_once(people: People) -> None:
    reporter = people.reporter()
    tickets = [people.submit(reporter) for _ in range(5)]
    operators = [people.operator, colleague(people, "operator")]
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda one: one.post("/handovers", {"tickets": tickets})["items"], operators))
    for mine, theirs in zip(*told, strict=True):
        assert [mine["problem"], theirs["problem"]].count(None) == 1
    for ticket in tickets:
        entries = eventually(lambda ticket=ticket: reporter.get(f"/complaints/{ticket}/timeline")["entries"][1:])
        assert [entry["step"] for entry in entries] == [2]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"tickets": []},
        {"tickets": ["NKK-2026-EDXY-ER30"] * 51},
        {"tickets": "NKK-2026-EDXY-ER30"},
        {"tickets": [42]},
        {"tickets": [""]},
        {"tickets": ["x" * 41]},
        {"tickets": [None]},
    ],
    ids=["none", "empty", "too many", "a text", "a number", "an empty text", "a long text", "null"],
)
def test_a_request_for_several_that_names_none_or_too_many_is_refused(people: People, form: Any) -> None:
    for path in ("/claims", "/handovers"):
        assert at_fault(people.operator.ask("POST", path, json=form)) == {"tickets"}


def test_every_desk_finds_a_ticket(people: People) -> None:
    team = people.opd_team("dinas-sosial")
    ticket = people.submit(people.reporter())
    path = f"/complaints/{ticket}"
    for person, desk, act, form in (
        (people.operator, "intake", "handover", None),
        (people.main_team, "triage", "classification", {"kind": "complaint", "opd": "dinas-sosial"}),
        (team, "opd", "response", {"text": "Sudah."}),
        (people.main_team, "triage", "approval", {"approved": True}),
        (people.operator, "answers", "answer", {"text": "Sudah."}),
    ):
        assert eventually(
            lambda person=person, desk=desk: narrowed(person, desk, q=ticket, category="kode-perilaku")
        ) == [ticket]
        assert narrowed(person, desk, q=ticket, late="true") == []
        person.post(f"{path}/{act}", form)
        assert narrowed(person, desk, q=ticket) == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"q": "x"}, "q"),
        ({"q": ""}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "\x00\x00\x00"}, "q"),
        ({"category": "Bukan Kunci"}, "category"),
        ({"late": "1"}, "late"),
        ({"late": "yes"}, "late"),
    ],
)
def test_what_cannot_be_wanted_of_a_worklist_is_refused_by_name(
    people: People, wanted: dict[str, str], field: str
) -> None:
    for person, desk in (
        (people.operator, "intake"),
        (people.main_team, "triage"),
        (people.opd_team("inspektorat"), "opd"),
        (people.operator, "answers"),
    ):
        assert at_fault(person.ask("GET", f"/desks/{desk}", params=wanted)) == {field}


# -- claims


def test_colleagues_see_who_is_on_a_complaint_from_desk_to_desk(people: People) -> None:
    ticket, path = (submitted := people.submit(people.reporter())), f"/complaints/{submitted}"
    rival, team = colleague(people, "operator", name="Rina Contoh"), people.opd_team("dinas-sosial")
    assert claim_on(people.operator, "intake", ticket) is None
    mine = rival.post(f"{path}/claim", {})["claim"]
    assert claim_on(people.operator, "intake", ticket) == mine
    refused = problem(people.operator.ask("POST", f"{path}/claim", {}), 409, "claimed-by-colleague")
    assert refused["claim"] == mine
    assert people.operator.get("/staff/names", params={"ids": f"{mine['by']},nobody"}) == {
        "names": {mine["by"]: "Rina Contoh"}
    }
    taken = people.operator.post(f"{path}/claim", {"take_over": True})["claim"]
    assert taken["by"] != mine["by"]
    problem(rival.ask("DELETE", f"{path}/claim"), 409, "claimed-by-colleague")

    # A claim does not block a colleague's act, and ends with its step.
    rival.post(f"{path}/handover")
    problem(people.operator.ask("POST", f"{path}/claim", {}), 409, "not-your-step")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    assert claim_on(people.main_team, "triage", ticket) is None
    people.main_team.post(f"{path}/claim", {})
    people.main_team.post(f"{path}/classification", {"kind": "complaint", "opd": "dinas-sosial"})
    eventually(lambda: ticket in team.desk("opd"))
    assert team.post(f"{path}/claim", {})["claim"] == claim_on(team, "opd", ticket)
    assert team.ask("DELETE", f"{path}/claim").json() == {"ticket": ticket, "claim": None}
    team.post(f"{path}/response", {"text": "Sudah."})
    people.main_team.act(f"{path}/approval", {"approved": True})
    eventually(lambda: ticket in people.operator.desk("answers"))
    assert people.operator.post(f"{path}/claim", {})["claim"] == claim_on(rival, "answers", ticket)


def test_a_reporter_sees_neither_a_claim_nor_the_name_of_staff(people: People) -> None:
    reporter = people.reporter()
    path = f"/complaints/{people.submit(reporter)}"
    by = people.operator.post(f"{path}/claim", {})["claim"]["by"]
    views = [reporter.ask("GET", view).text for view in (path, f"{path}/timeline", "/complaints")]
    assert not [view for view in views if 'claim"' in view or by in view]
    assert reporter.ask("GET", "/staff/names", params={"ids": by}).status_code == 403
    # The names of reporters are not looked up either.
    reporter_id = people.anyone.post(
        "/reporters", {**reporter.account, "username": f"warga-{uuid.uuid4().hex[:8]}"}, expect=201
    )["reporter_id"]
    assert people.operator.get("/staff/names", params={"ids": reporter_id}) == {"names": {}}


def test_a_claim_takes_true_or_false_and_nothing_like_it(people: People) -> None:
    path = f"/complaints/{people.submit(people.reporter())}/claim"
    assert at_fault(people.operator.ask("POST", path, {"take_over": 1})) == {"take_over"}
    assert at_fault(people.operator.ask("GET", "/staff/names", params={"ids": "x" * 37})) == {"ids"}
    assert at_fault(people.operator.ask("GET", "/staff/names", params={"ids": ",".join("x" * 201)})) == {"ids"}
    assert Counter([people.operator.ask("POST", path, {}).status_code for _ in range(2)]) == {200: 2}
