"""The order of steps: each is done once and in its turn; otherwise the refusal says where the complaint stands."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.installations import eventually
from tests.people import People, Person, travel_as_complaint, travel_as_information
from tests.problems import problem

# The domains decide; races and whole journeys go on both databases.
DATABASES = ["postgres"]

INFORMATION = {"kind": "information"}
COMPLAINT = {"kind": "complaint", "opd": "disdukcapil"}
APPROVED, RETURNED = {"approved": True}, {"approved": False, "note": "Uraikan tindakannya."}
SUDAH = {"text": "Sudah."}


def stands(person: Person, ticket: str, step: str, form: Any, name: str) -> Mapping[str, Any]:
    """Try a step that must be refused as `name`; return where the complaint stands, from the refusal."""
    found = problem(person.ask("POST", f"/complaints/{ticket}/{step}", form), 409, name)
    assert "nothing changed" in found["detail"]
    return found["stands"]


def test_no_step_is_done_before_its_turn(people: People) -> None:
    reporter, team = people.reporter(), people.opd_team("disdukcapil")
    ticket = people.submit(reporter)
    eventually(lambda: reporter.get(f"/complaints/{ticket}/timeline")["entries"])
    at_hand_over = {"state": "hand_over", "step": 2}
    # The timeline of a report just accepted is there before its event has reached notification.
    eventually(lambda: stands(people.operator, ticket, "answer", SUDAH, "not-your-step") == at_hand_over)
    assert stands(reporter, ticket, "receipt", None, "not-your-step") == at_hand_over

    people.operator.post(f"/complaints/{ticket}/handover")
    eventually(lambda: ticket in people.main_team.desk("triage"))
    for form in (APPROVED, RETURNED):
        assert stands(people.main_team, ticket, "approval", form, "no-response-yet")["state"] == (
            "awaiting_classification"
        )

    people.main_team.post(f"/complaints/{ticket}/classification", COMPLAINT)
    eventually(lambda: ticket in team.desk("opd"))
    for form in (APPROVED, RETURNED):
        assert stands(people.main_team, ticket, "approval", form, "no-response-yet")["state"] == "awaiting_response"
    eventually(lambda: stands(people.operator, ticket, "answer", SUDAH, "not-your-step")["state"] == "respond")

    team.post(f"/complaints/{ticket}/response", SUDAH)
    eventually(lambda: ticket in people.main_team.desk("triage"))
    eventually(lambda: stands(people.operator, ticket, "answer", SUDAH, "not-your-step")["state"] == "approve")

    people.main_team.post(f"/complaints/{ticket}/approval", APPROVED)
    eventually(lambda: ticket in people.operator.desk("answers"))
    assert stands(reporter, ticket, "receipt", None, "not-answered-yet")["state"] == "awaiting_answer"
    assert reporter.get(f"/complaints/{ticket}")["answer"] is None
    assert [entry["step"] for entry in reporter.get(f"/complaints/{ticket}/timeline")["entries"]] == [1, 2, 3, 4, 5]


def test_no_step_is_done_twice(people: People) -> None:
    reporter, team = people.reporter(), people.opd_team("disdukcapil")
    ticket = travel_as_complaint(people, reporter)
    reporter.post(f"/complaints/{ticket}/receipt")
    before = people.operator.get(f"/complaints/{ticket}/timeline")
    refusals = [
        (people.operator, "handover", None, "already-handed-over", "handed_over"),
        (people.main_team, "classification", COMPLAINT, "already-classified", "approved"),
        (people.main_team, "classification", INFORMATION, "already-classified", "approved"),
        (team, "response", {"text": "Lain."}, "already-responded", "responded"),
        (people.main_team, "approval", APPROVED, "already-approved", "approved"),
        (people.main_team, "approval", RETURNED, "already-approved", "approved"),
        (people.operator, "answer", {"text": "Lain."}, "already-answered", "closed"),
        (reporter, "receipt", None, "already-confirmed", "closed"),
    ]
    for _ in range(2):
        for person, step, form, name, state in refusals:
            found = stands(person, ticket, step, form, name)
            assert (found["state"], bool(found["since"])) == (state, True)
    assert people.operator.get(f"/complaints/{ticket}/timeline") == before
    assert reporter.get(f"/complaints/{ticket}")["answer"]["text"] == "Petugas yang Anda laporkan telah ditegur."
    assert team.get(f"/complaints/{ticket}")["response"] == "Petugas telah ditegur secara tertulis."


def test_information_has_no_response_to_wait_for(people: People) -> None:
    reporter = people.reporter()
    ticket = travel_as_information(people, reporter)
    for form in (APPROVED, RETURNED):
        response = people.main_team.ask("POST", f"/complaints/{ticket}/approval", form)
        assert response.status_code == 409
        assert response.json()["stands"]["state"] == "classified_as_information"
    problem(people.opd_team("disdukcapil").ask("POST", f"/complaints/{ticket}/response", SUDAH), 404, "unknown-ticket")
    for form in (INFORMATION, COMPLAINT):
        assert stands(people.main_team, ticket, "classification", form, "already-classified")["state"] == (
            "classified_as_information"
        )


def test_a_returned_response_is_not_approved_until_it_was_written_again(people: People) -> None:
    team = people.opd_team("disdukcapil")
    ticket = people.submit(people.reporter())
    people.operator.act(f"/complaints/{ticket}/handover")
    people.main_team.act(f"/complaints/{ticket}/classification", COMPLAINT)
    team.act(f"/complaints/{ticket}/response", SUDAH)
    assert stands(team, ticket, "response", SUDAH, "already-responded")["state"] == "responded"
    people.main_team.act(f"/complaints/{ticket}/approval", RETURNED)
    for form in (APPROVED, RETURNED):
        assert stands(people.main_team, ticket, "approval", form, "no-response-yet")["state"] == "awaiting_response"


@pytest.mark.parametrize("confirms", [True, False])
def test_having_read_the_answer_one_may_still_confirm_it_once(people: People, confirms: bool) -> None:
    reporter = people.reporter()
    ticket = travel_as_information(people, reporter)
    opened = [reporter.get(f"/complaints/{ticket}")["answer"] for _ in range(3)]
    assert [answer["how"] for answer in opened] == ["opened"] * 3
    if confirms:
        reporter.post(f"/complaints/{ticket}/receipt")
        stands(reporter, ticket, "receipt", None, "already-confirmed")
    closed = [entry for entry in reporter.get(f"/complaints/{ticket}/timeline")["entries"] if entry["step"] == 7]
    assert len(closed) == 1
