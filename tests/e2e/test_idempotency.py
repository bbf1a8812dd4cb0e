"""Idempotent submission: a report sent again with the same key is stored once, even by simultaneous requests."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.builders import complaint_form
from tests.installations import eventually
from tests.people import People, Person
from tests.problems import at_fault, problem


def send(reporter: Person, key: str, **changed: Any) -> httpx.Response:
    return reporter.ask("POST", "/complaints", complaint_form(**changed), headers={"Idempotency-Key": key})


def own(reporter: Person) -> list[str]:
    return [item["ticket"] for item in reporter.get("/complaints")["items"]]


def test_twenty_sendings_at_once_with_one_key_are_one_complaint(people: People) -> None:
    reporter, key, together = people.reporter(), uuid.uuid4().hex, threading.Barrier(20)

    def sending(_: int) -> httpx.Response:
        together.wait()
        return send(reporter, key)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(sending, range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    ticket = answers[0].json()["ticket"]
    assert own(reporter) == [ticket]
    entries = eventually(lambda: reporter.get(f"/complaints/{ticket}/timeline")["entries"])
    assert [entry["event"] for entry in entries] == ["complaint.submitted.v2"]


def test_a_key_used_for_another_report_is_refused_and_names_the_first(people: People) -> None:
    reporter, key = people.reporter(), uuid.uuid4().hex
    first = send(reporter, key).json()
    for changed in ({"text": "Lain sama sekali."}, {"confidential": True}, {"place": None}):
        refusal = problem(send(reporter, key, **changed), 422, "idempotency-key-reused")
        assert refusal["ticket"] == first["ticket"]
    assert send(reporter, key).json() == first
    assert own(reporter) == [first["ticket"]]


def test_what_means_the_same_is_the_same_report(people: People) -> None:
    reporter, key = people.reporter(), uuid.uuid4().hex
    first = send(reporter, key, text="Satu\ndua").json()
    assert send(reporter, key, text="  Satu\r\ndua ").json() == first
    form = {
        name: value
        for name, value in reversed(complaint_form(text="Satu\ndua").items())
        if name not in ("confidential", "accused_name")
    }
    assert reporter.post("/complaints", form, expect=201, headers={"Idempotency-Key": key}) == first


def test_the_first_receipt_is_given_again_after_the_complaint_has_moved_on(people: People) -> None:
    reporter, key = people.reporter(), uuid.uuid4().hex
    first = send(reporter, key).json()
    people.operator.post(f"/complaints/{first['ticket']}/handover")
    again = send(reporter, key)
    assert again.status_code == 201
    assert {name: again.json()[name] for name in ("ticket", "submitted_at", "service_due_at")} == {
        name: first[name] for name in ("ticket", "submitted_at", "service_due_at")
    }


def test_two_reporters_may_choose_the_same_key(people: People) -> None:
    one, other, key = people.reporter(), people.reporter(), uuid.uuid4().hex
    tickets = [send(person, key).json()["ticket"] for person in (one, other)]
    assert len(set(tickets)) == 2
    assert (own(one), own(other)) == ([tickets[0]], [tickets[1]])


def test_without_a_key_each_sending_is_a_new_complaint(people: People) -> None:
    reporter = people.reporter()
    tickets = [reporter.post("/complaints", complaint_form(), expect=201)["ticket"] for _ in range(3)]
    assert own(reporter) == tickets[::-1]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é", "x\ty"])
def test_a_key_that_cannot_be_is_refused_and_nothing_entered(people: People, key: str) -> None:
    reporter = people.reporter()
    response = reporter.ask("POST", "/complaints", complaint_form(), headers={"Idempotency-Key": key.encode()})
    assert at_fault(response) == {"Idempotency-Key"}
    assert own(reporter) == []


@pytest.mark.parametrize("key", ["x", "x" * 200, "';DROP/**/TABLE/**/submissions;--", "%00", "../.."])
def test_any_visible_key_will_do(people: People, key: str) -> None:
    reporter = people.reporter()
    first, again = send(reporter, key), send(reporter, key)
    assert (first.status_code, again.text) == (201, first.text)


def test_a_refused_report_leaves_its_key_free(people: People) -> None:
    reporter, key = people.reporter(), uuid.uuid4().hex
    assert at_fault(send(reporter, key, sub_category="kesetiaan")) == {"sub_category"}
    assert send(reporter, key).status_code == 201
