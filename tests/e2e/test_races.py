"""Races: where several people do the same at once, one succeeds, the others get a refusal, and it happens once."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.installations import eventually
from tests.people import REGISTRATION, People, Person
from tests.problems import problem

AT_ONCE = 6


def at_once(*acts: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Send all of `acts` at once; return their responses."""
    together = threading.Barrier(len(acts))

    def act(one: Callable[[], httpx.Response]) -> httpx.Response:
        together.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))


def race(people: Sequence[Person], path: str, forms: Sequence[Any], refusal: str) -> int:
    """Have `people` send `forms` at once, of which one must succeed; return its number."""

    def act(number: int) -> Callable[[], httpx.Response]:
        person, form = people[number % len(people)], forms[number % len(forms)]
        return lambda: person.ask("POST", path, form)

    answers = at_once(*(act(number) for number in range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: AT_ONCE - 1}
    for answer in answers:
        if answer.status_code == 409:
            assert problem(answer, 409, refusal)["stands"]
    return [answer.status_code for answer in answers].index(200)


def colleague(people: People, role: str, opd: str | None = None) -> Person:
    """Add and log in another member of staff with that role."""
    credentials = {"username": f"rekan-{role.replace('_', '-')}-{opd}", "password": "sandi-rekan-42"}
    response = people.admin.ask("POST", "/staff", credentials | {"name": "Rekan", "role": role, "opd": opd})
    assert response.status_code in (201, 409), response.text
    return people.log_in(**credentials)


def test_a_step_that_many_do_at_once_is_done_once(people: People) -> None:
    operators = [people.operator, colleague(people, "operator")]
    main_teams = [people.main_team, colleague(people, "main_team")]
    team = people.opd_team("dinas-pupr")
    teams, reporter = [team, colleague(people, "opd_team", "dinas-pupr")], people.reporter()
    texts = [{"text": f"Jawaban nomor {number}."} for number in range(AT_ONCE)]
    path = f"/complaints/{(ticket := people.submit(reporter))}"

    race(operators, f"{path}/handover", [None], "already-handed-over")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    race(main_teams, f"{path}/classification", [{"kind": "complaint", "opd": "dinas-pupr"}], "already-classified")
    eventually(lambda: ticket in team.desk("opd"))
    first = race(teams, f"{path}/response", texts, "already-responded")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    assert people.main_team.get(path)["response"] == team.get(path)["response"] == texts[first]["text"]
    race(main_teams, f"{path}/approval", [{"approved": True}], "already-approved")
    eventually(lambda: ticket in people.operator.desk("answers"))
    first = race(operators, f"{path}/answer", texts, "already-answered")
    race([reporter], f"{path}/receipt", [None], "already-confirmed")

    assert reporter.get(path)["answer"]["text"] == texts[first]["text"]
    entries = people.operator.get(f"{path}/timeline")["entries"]
    assert [entry["step"] for entry in entries] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("turn", range(3))
def test_two_who_classify_differently_at_once_do_not_both_have_their_way(people: People, turn: int) -> None:
    ticket = people.submit(people.reporter())
    path, kinds = (
        f"/complaints/{ticket}",
        [
            {"kind": "information"},
            {"kind": "complaint", "opd": "dinas-pupr"},
            {"kind": "complaint", "opd": "dinas-sosial"},
        ],
    )
    people.operator.post(f"{path}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    first = kinds[race([people.main_team], f"{path}/classification", kinds, "already-classified") % len(kinds)]
    timeline = eventually(lambda: (found := people.operator.get(f"{path}/timeline"))["path"] and found)
    assert (timeline["path"], timeline["entries"][-1]["opd"]) == (first["kind"], first.get("opd"))
    assert [entry["step"] for entry in timeline["entries"]] == [1, 2, 3]
    if first["kind"] == "complaint":
        eventually(lambda: ticket in people.opd_team(first["opd"]).desk("opd"))
        assert ticket not in people.operator.desk("answers")


def test_approving_and_returning_at_once_is_one_of_the_two(people: People) -> None:
    team, ticket = people.opd_team("dinas-pupr"), people.submit(people.reporter())
    path, choices = f"/complaints/{ticket}", [{"approved": True}, {"approved": False, "note": "Kurang jelas."}]
    people.operator.post(f"{path}/handover")
    people.main_team.act(f"{path}/classification", {"kind": "complaint", "opd": "dinas-pupr"})
    team.act(f"{path}/response", {"text": "Sudah."})
    eventually(lambda: ticket in people.main_team.desk("triage"))
    answers = at_once(
        *(lambda form=form: people.main_team.ask("POST", f"{path}/approval", form) for form in choices * 3)
    )
    approved = [answer.status_code for answer in answers].index(200) % 2 == 0
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    eventually(lambda: ticket in (people.operator.desk("answers") if approved else team.desk("opd")))
    assert ticket not in (team.desk("opd") if approved else people.operator.desk("answers"))


def test_a_user_name_that_many_choose_at_once_is_one_persons(people: People) -> None:
    form = REGISTRATION | {"username": f"rebutan-{uuid.uuid4().hex[:8]}"}
    answers = at_once(
        *(
            lambda number=number: people.anyone.ask("POST", "/reporters", form | {"password": f"sandi-nomor-{number}"})
            for number in range(AT_ONCE)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    first = [answer.status_code for answer in answers].index(201)
    people.log_in(form["username"], f"sandi-nomor-{first}")


def test_wrong_passwords_sent_at_once_all_count(people: People) -> None:
    credentials = {"username": f"diserang-{uuid.uuid4().hex[:8]}", "password": "sandi-yang-benar-7"}
    people.admin.post("/staff", credentials | {"name": "Petugas", "role": "operator"}, expect=201)
    at_once(
        *(
            lambda: people.anyone.ask("POST", "/sessions", credentials | {"password": "kata-sandi-salah"})
            for _ in range(AT_ONCE)
        )
    )
    problem(people.anyone.ask("POST", "/sessions", credentials), 429, "slowed-down")


def test_of_two_who_claim_at_once_one_is_on_it_and_the_other_is_told(people: People) -> None:
    operators = [people.operator, colleague(people, "operator")]
    path = f"/complaints/{people.submit(people.reporter())}/claim"
    answers = at_once(*(lambda person=person: person.ask("POST", path, {}) for person in operators))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 1}
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert problem(lost, 409, "claimed-by-colleague")["claim"] == won.json()["claim"]
